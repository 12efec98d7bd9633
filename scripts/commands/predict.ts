import { statSync } from "node:fs";
import path from "node:path";
import type { Command } from "commander";
import {
  type Classifier,
  gradCam,
  InputError,
  internals,
  loadClassifier,
  occlusionMap,
  type Prediction,
  predictFaces,
  predictionsChart,
  saveChart,
} from "../../src/index.js";
import {
  callerPath,
  numberFor,
  printJson,
  withChartOption,
  withExamples,
  withModelOption,
} from "../options.js";

const { checkNumber, filesInWords, facesChart, imagesIn, facesPicture, percent } = internals;

interface Flags {
  model: string;
  faces?: boolean;
  top: number;
  chart?: string;
  saliency?: boolean;
  json?: boolean;
}

export function addPredictCommand(program: Command): void {
  const command = withModelOption(
    program.command("predict").argument("<images...>", "image files or folders"),
  );
  withChartOption(command, "the images with their probabilities");
  withExamples(
    command,
    "npx ferkit predict photo.jpg --faces --chart faces.png",
    "npx ferkit predict images/ --model runs/tutorial/best --json",
  )
    .description("print the probability of each class for images of any size and format")
    .option("--faces", "find the faces in photographs, and classify each")
    .option("--top <count>", "classes to print for each image or face", numberFor("--top"), 3)
    .option("--saliency", "also draw saliency maps: the parts of each image that its top class depends on")
    .option(
      "--json",
      "print a JSON line for each image: {name, predictions}; with --faces {name, faces: [{box, score, predictions}]}",
    )
    .action(async (images: string[], flags: Flags) => {
      checkNumber("--top", flags.top, { min: 1, integer: true });
      if (flags.saliency && flags.chart === undefined)
        throw new InputError({
          expected: "--chart FILE with --saliency",
          found: "no --chart",
          fix: "Add --chart FILE.",
        });
      const classifier = await loadClassifier(callerPath(flags.model));
      const inputs = images.map(callerPath);
      for (const line of inputs.flatMap(leftOutLines)) console.error(line);
      await (flags.faces ? printFaces : printImages)(classifier, inputs, flags);
      classifier.dispose();
    });
}

/** Says which files of a folder are no images that can be read. */
function leftOutLines(input: string): string[] {
  if (!statSync(input, { throwIfNoEntry: false })?.isDirectory()) return [];
  const { files } = imagesIn(input);
  return files.leftOut.length > 0 ? filesInWords(files) : [];
}

async function printImages(classifier: Classifier, images: string[], flags: Flags): Promise<void> {
  const classified = await classifier.predict(images);
  for (const { name, predictions } of classified) {
    if (flags.json) printJson({ name, predictions });
    else console.log(`${name}  ${ranked(predictions, flags)}`);
  }
  if (flags.chart === undefined) return;
  const chart = await predictionsChart(withShortNames(classified), { saliency: saliency(classifier, flags) });
  await saveChart(chart, callerPath(flags.chart));
}

async function printFaces(classifier: Classifier, images: string[], flags: Flags): Promise<void> {
  const pictures: Awaited<ReturnType<typeof facesPicture>>[] = [];
  for await (const photo of predictFaces(classifier, images)) {
    const { name, faces, whole } = photo;
    if (flags.chart !== undefined) pictures.push(await facesPicture(photo, saliency(classifier, flags)));
    if (flags.json)
      printJson({
        name,
        faces: faces.map(({ box, score, predictions }) => ({ box, score, predictions })),
        ...(whole && { predictions: whole.predictions }),
      });
    else if (whole) console.log(`${name}  no face found; as a whole: ${ranked(whole.predictions, flags)}`);
    else {
      console.log(`${name}  ${faces.length} ${faces.length === 1 ? "face" : "faces"}`);
      faces.forEach(({ box, predictions }, i) => {
        const { left, top, width, height } = box;
        console.log(`  ${i + 1}  ${width}×${height} at ${left},${top}  ${ranked(predictions, flags)}`);
      });
    }
  }
  if (flags.chart !== undefined)
    await saveChart(facesChart(withShortNames(pictures)), callerPath(flags.chart));
}

function saliency({ network }: Classifier, flags: Flags) {
  return flags.saliency ? { network, methods: { "Grad-CAM": gradCam, Occlusion: occlusionMap } } : undefined;
}

function ranked(predictions: Prediction[], { top }: Flags): string {
  return predictions
    .slice(0, top)
    .map(({ className, prob }) => `${className} ${percent(prob)}`)
    .join("  ");
}

/** Names images by their paths from the innermost folder that holds all of them. */
function withShortNames<T extends { name: string }>(images: T[]): T[] {
  let folder = path.dirname(images[0].name);
  while (!images.every(({ name }) => !path.relative(folder, name).startsWith("..")))
    folder = path.dirname(folder);
  return images.map((image) => ({ ...image, name: path.relative(folder, image.name) }));
}
