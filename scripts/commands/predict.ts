import path from "node:path";
import type { Command } from "commander";
import {
  type Classifier,
  gradCam,
  type ImagePrediction,
  InputError,
  internals,
  loadClassifier,
  occlusionMap,
  type PhotoPrediction,
  type Prediction,
  predictFaces,
  predictionsChart,
} from "../../src/index.js";
import { reportFailure } from "../cli.js";
import {
  callerPath,
  isBundled,
  modelFolder,
  numberFor,
  printJson,
  withChartOption,
  withExamples,
  withModelOption,
  withPrecisionOption,
} from "../options.js";
import { chartPath, writeChart } from "../outputs.js";
import { CutImages, RangeNotes } from "./predict-notes.js";

const { checkNumber, facesCharts, facesPicture, filesInWords, imagesIn, mayBeMissed, percent } = internals;
const { readImageSize } = internals;
const { MAX_CROP_SIDE, predictsExpressions, visible } = internals;

interface Flags {
  model?: string;
  precision: internals.Precision;
  faces?: boolean;
  top?: number;
  chart?: string;
  saliency?: boolean;
  abstain?: number;
  flip?: boolean;
  crops?: boolean;
  json?: boolean;
}

/** Classes that a line of text shows by default. */
const DEFAULT_TOP = 3;

export function addPredictCommand(program: Command): void {
  const command = withModelOption(
    program.command("predict").argument("<images...>", "image files or folders"),
    "ferplus",
  );
  withPrecisionOption(command);
  withChartOption(command, "the images with their probabilities");
  withExamples(
    command,
    "npx ferkit predict photo.jpg --chart faces.png",
    "npx ferkit predict images/ --model runs/tutorial/best --json",
  )
    .option("--faces", "find the faces in each image, and classify each face")
    .option(
      "--no-faces",
      `classify whole images (default: find faces if the model predicts expressions, in images of more than ${MAX_CROP_SIDE} pixels that one face does not fill)`,
    )
    .option(
      "--top <count>",
      `classes to print and draw for each image or face (default: ${DEFAULT_TOP}; all with --json)`,
      numberFor("--top"),
    )
    .option(
      "--abstain <coverage>",
      "give no answer if the prediction set of this coverage, 0.9 or 0.95, holds several classes",
      numberFor("--abstain"),
    )
    .option("--flip", "print the mean over each image and its mirror image, in twice the time")
    .option(
      "--crops",
      "print the mean over 12 views: each image, five crops, and their mirror images, in 12 times the time",
    )
    .option("--saliency", "also draw saliency maps: the parts of each image that its top class depends on")
    .option(
      "--json",
      "print a JSON line for each image: {name, model, predictions: [{className, prob}]}; with faces {name, model, faces: [{box: {left, top, width, height}, score, outside, predictions}]}, and predictions of the whole image if it has no faces; sets and answer are beside predictions",
    )
    .action(async (images: string[], flags: Flags) => {
      if (flags.top !== undefined) checkNumber("--top", flags.top, { min: 1, integer: true });
      if (flags.saliency && flags.chart === undefined)
        throw new InputError({
          expected: "--chart FILE with --saliency",
          found: "no --chart",
          fix: "Add --chart FILE.",
        });
      const views = viewsOf(flags);
      const inputs = images.map(callerPath);
      const model = modelFolder(flags.model, "ferplus");
      const chart = chartPath(flags, { data: inputs, models: [model] });
      const classifier = await loadClassifier(model, { views });
      if (flags.abstain !== undefined) checkCoverage(classifier, flags.abstain, model, flags.model);
      classifier.network.setPrecision(flags.precision);
      for (const line of inputs.flatMap(leftOutLines)) console.error(line);
      const findsFaces = flags.faces ?? predictsExpressions(classifier.config);
      try {
        const print = findsFaces ? printFaces : printImages;
        await print(classifier, inputs, { ...flags, model, chart, asGiven: asGiven(images) });
      } finally {
        classifier.dispose();
      }
    });
}

/** @throws InputError for options that exclude each other. */
function viewsOf({ flip, crops, abstain }: Flags): "image" | "flip" | "crops" {
  const chosen = crops ? "crops" : flip ? "flip" : "image";
  if (flip && crops)
    throw new InputError({
      expected: "--flip or --crops",
      found: "both",
      fix: "Remove one: --crops has mirror images too.",
    });
  if (chosen !== "image" && abstain !== undefined)
    throw new InputError({
      expected: "one view of each image with --abstain",
      found: `--${chosen}`,
      fix: `Remove --${chosen}: prediction sets are calibrated for the image alone.`,
    });
  return chosen;
}

/** Says which files of a folder are no images that can be read. */
function leftOutLines(input: string): string[] {
  if (!internals.isFolder(input)) return [];
  const { files } = imagesIn(input);
  return mayBeMissed(files) ? filesInWords(files) : [];
}

/** How to print, and the path to print for an image. */
interface Printed extends Flags {
  asGiven(name: string): string;
}

/** Returns a function that names an image from where the command was called if the image, or its folder, was given so. */
function asGiven(images: string[]): Printed["asGiven"] {
  const inputs = images.map((given) => ({ given, input: callerPath(given) }));
  return (name) => {
    const holds = ({ input }: { input: string }) => name.startsWith(input + path.sep);
    const found = inputs.find(({ input }) => input === name) ?? inputs.find(holds);
    return found ? path.join(found.given, path.relative(found.input, name)) : name;
  };
}

async function printImages(classifier: Classifier, images: string[], flags: Printed): Promise<void> {
  const classified: ImagePrediction[] = [];
  const [cutImages, ranges] = [new CutImages(classifier), new RangeNotes()];
  for await (const image of classifier.predictEach(images, reportFailure)) {
    const name = flags.asGiven(image.name);
    if (flags.json) printJson({ name, model: flags.model, ...predicted(image, flags) });
    else console.log(visible(`${name}  ${inWords(image, flags)}`));
    cutImages.add(name, await readImageSize(image.name).catch(() => null));
    ranges.add(name, image.range);
    if (flags.chart !== undefined) classified.push(image);
  }
  cutImages.print();
  ranges.print();
  if (flags.chart === undefined || classified.length === 0) return;
  const chart = await predictionsChart(withShortNames(classified), {
    saliency: saliency(classifier, flags),
    ...(flags.top !== undefined && { numShown: flags.top }),
  });
  await writeChart(chart, flags.chart);
}

/** If this share of a face's square is beyond the border, it is worth a word. */
const MUCH_OUTSIDE = 0.05;
/** Distance of a box from the border, as a share of its height, at which the border may cut the face. */
const AT_BORDER = 0.01;

async function printFaces(classifier: Classifier, images: string[], flags: Printed): Promise<void> {
  const pictures: Awaited<ReturnType<typeof facesPicture>>[] = [];
  const [cutImages, ranges] = [new CutImages(classifier), new RangeNotes()];
  const isDefault = flags.faces === undefined;
  let isStated = false;
  const photos = predictFaces(classifier, images, { onError: reportFailure, keepCrops: isDefault });
  for await (const photo of photos) {
    if (isDefault && !photo.isFace && !isStated) {
      console.error(
        "The model predicts facial expressions, so faces are searched. Add --no-faces to classify whole images.",
      );
      isStated = true;
    }
    ranges.add(flags.asGiven(photo.name), photo.photo.range);
    if (photo.whole) cutImages.add(flags.asGiven(photo.name), photo.photo);
    if (flags.chart !== undefined) pictures.push(await facesPicture(photo, saliency(classifier, flags)));
    if (flags.json) printJson(photoAsJson(photo, flags));
    else for (const line of photoLines(photo, flags)) console.log(visible(line));
  }
  cutImages.print();
  ranges.print();
  if (flags.chart === undefined || pictures.length === 0) return;
  const numShown = flags.top;
  await writeChart(facesCharts(withShortNames(pictures), { numShown }), flags.chart);
}

function photoAsJson({ name, faces, whole }: PhotoPrediction, flags: Printed): object {
  return {
    name: flags.asGiven(name),
    model: flags.model,
    faces: faces.map(({ box, score, outside, ...face }) => ({
      box,
      score,
      outside,
      ...predicted(face, flags),
    })),
    ...(whole && predicted(whole, flags)),
  };
}

/** Returns a line for the photograph and one for each of its faces, or one for the whole of it. */
function photoLines({ name, photo, faces, whole, isFace }: PhotoPrediction, flags: Printed): string[] {
  const shown = flags.asGiven(name);
  if (whole) return [`${shown}  ${isFace ? "" : "no face found; as a whole: "}${inWords(whole, flags)}`];
  return [
    `${shown}  ${faces.length} ${faces.length === 1 ? "face" : "faces"}`,
    ...faces.map(({ box, outside, ...face }, i) => {
      const { left, top, width, height } = box;
      return `  ${i + 1}  ${width}×${height} at ${left},${top}  ${inWords(face, flags)}${cutInWords(box, outside, photo)}`;
    }),
  ];
}

/** Says that the border of the photograph cuts a face, or may cut it where the box ends at the border. */
function cutInWords(
  { left, top, width, height }: PhotoPrediction["faces"][number]["box"],
  outside: number,
  photo: PhotoPrediction["photo"],
): string {
  if (outside >= MUCH_OUTSIDE)
    return `  (cut: ${percent(outside, 0)} of it is beyond the border, where the photograph is mirrored)`;
  const distance = Math.min(left, top, photo.width - left - width, photo.height - top - height);
  return distance <= AT_BORDER * height ? "  (at the border, which may cut it)" : "";
}

function saliency({ network }: Classifier, flags: Flags) {
  return flags.saliency ? { network, methods: { "Grad-CAM": gradCam, Occlusion: occlusionMap } } : undefined;
}

type Predicted = Pick<ImagePrediction, "predictions" | "sets">;

/** Returns the keys of a JSON line that are about one image or face. */
function predicted({ predictions, sets }: Predicted, flags: Flags): object {
  return {
    predictions: predictions.slice(0, flags.top),
    ...(sets && { sets }),
    ...(flags.abstain !== undefined && { answer: answerOf(sets, flags.abstain) }),
  };
}

function inWords({ predictions, sets = [] }: Predicted, flags: Flags): string {
  const isOpen = flags.abstain !== undefined && answerOf(sets, flags.abstain) === null;
  const inSets = sets.map(
    ({ coverage, classNames }) => `${Math.round(100 * coverage)}%: ${classNames.join(", ")}`,
  );
  const set = inSets.length > 0 ? `  (${inSets.join("; ")})` : "";
  return `${isOpen ? "no answer: " : ""}${ranked(predictions, flags)}${set}`;
}

/** Returns the class of a set that holds one; null otherwise. */
function answerOf(sets: Predicted["sets"], coverage: number): string | null {
  const set = sets?.find((one) => one.coverage === coverage);
  return set?.classNames.length === 1 ? set.classNames[0] : null;
}

/** @param given - The model as the user named it. */
function checkCoverage({ config }: Classifier, coverage: number, model: string, given = "ferplus"): void {
  const known = config.predictionSets?.thresholds.map((threshold) => threshold.coverage) ?? [];
  if (known.length === 0) {
    const command = `npx ferkit calibrate --data IMAGES --model ${given}`;
    throw new InputError({
      expected: "a model that was calibrated for prediction sets, for --abstain",
      where: model,
      ...(isBundled(model)
        ? {
            found: "a bundled one, which is not",
            fix: `Run \`${command} --to FOLDER\` with 100 or more labelled images of your own, then predict with --model FOLDER.`,
          }
        : {
            found: "one that was not",
            fix: `Run \`${command}\` with 100 or more labelled images that it was not trained on, or train with --set calibrationShare=0.1.`,
          }),
    });
  }
  if (!known.includes(coverage))
    throw new InputError({
      expected: `${known.join(" or ")} for --abstain`,
      found: String(coverage),
      fix: "Choose one of these.",
    });
}

function ranked(predictions: Prediction[], { top = DEFAULT_TOP }: Flags): string {
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
