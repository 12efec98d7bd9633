import { readFile, stat } from "node:fs/promises";
import type { Command } from "commander";
import {
  InputError,
  importNetwork,
  internals,
  loadModel,
  type Network,
  saveModel,
  VARIANTS,
  type Variant,
} from "../../src/index.js";
import { callerPath, choiceOption, numberFor, withExamples } from "../options.js";
import { checkNewFolder, checkOutput } from "../outputs.js";

interface Flags {
  to: string;
  precision: internals.StoredPrecision;
  variant?: Variant;
  classes?: string;
  imageSize?: number;
  grey?: boolean;
  fit?: internals.Fit;
  prefix?: string;
  family?: internals.Family;
  padding?: internals.Padding;
  epsilon?: number;
  mean?: number[];
  std?: number[];
}

export function addConvertCommand(program: Command): void {
  withExamples(
    program.command("convert"),
    "npx ferkit convert runs/tutorial/best --to small --precision uint8",
    "npx ferkit convert timm.safetensors --to pets --variant lite0 --classes cat,dog --image-size 96",
  )
    .argument("<source>", "a model folder, or a file of weights fine-tuned in timm, torchvision or Keras")
    .requiredOption("--to <folder>", "where to write it: a new or empty folder")
    .addOption(
      choiceOption(
        "--precision <kind>",
        "numbers of the weights, in 4, 2 or 1 bytes",
        internals.STORED_PRECISIONS,
      ).default("float16"),
    )
    .optionsGroup("For a file of weights:")
    .addOption(choiceOption("--variant <name>", "size of the EfficientNet", Object.keys(VARIANTS)))
    .option(
      "--classes <names>",
      "class names in the order of the last layer, separated by commas, or a text file with one a line " +
        "(default: those that the file of weights has)",
    )
    .option("--image-size <pixels>", "side of the training images", numberFor("--image-size"))
    .option("--grey", "the training images were grey")
    .addOption(
      choiceOption("--fit <kind>", "how the training images became square (default: crop)", internals.FITS),
    )
    .option("--prefix <name>", "prefix of the tensors to take, if the file holds several networks")
    .addOption(
      choiceOption(
        "--family <name>",
        "publisher whose padding, epsilon, mean and deviation to use, if the file does not say",
        internals.FAMILIES,
      ),
    )
    .addOption(choiceOption("--padding <kind>", "padding other than the family's", internals.PADDINGS))
    .option("--epsilon <number>", "batch norm's epsilon, other than the family's", numberFor("--epsilon"))
    .option("--mean <numbers>", "mean of each channel, [0, 1], separated by commas", scaleFor("--mean"))
    .option("--std <numbers>", "deviation of each channel, [0, 1], separated by commas", scaleFor("--std"))
    .action(async (source: string, flags: Flags) => {
      const to = checkOutput("--to", callerPath(flags.to), { data: [callerPath(source)] });
      const dir = checkNewFolder("--to", to);
      const network = await load(callerPath(source), flags);
      await saveModel(dir, network.config, await network.parameters(), flags.precision);
      network.dispose();
      await internals.copyImageList(callerPath(source), dir);
      console.log(`wrote ${dir}`);
    });
}

async function load(source: string, flags: Flags): Promise<Network> {
  const { variant, classes, imageSize, grey, fit, prefix, family, padding, epsilon, mean, std } = flags;
  if (internals.isFolder(source)) {
    const network = await loadModel(source); // says what is there if it is no model folder
    refuseFileOptions(source, {
      variant,
      classes,
      imageSize,
      grey,
      fit,
      prefix,
      family,
      padding,
      epsilon,
      mean,
      std,
    });
    return network;
  }
  if (variant === undefined || imageSize === undefined)
    throw new InputError({
      expected: "--variant and --image-size with a file of weights",
      where: source,
      found: "not both",
      fix: "Add what the network was trained on: --variant lite0 --image-size 96",
    });
  const classNames = classes === undefined ? undefined : await namesOf(classes);
  internals.checkNumber("--image-size", imageSize, { min: 33, max: 1024, integer: true });
  if (!mean !== !std)
    throw new InputError({
      expected: "--mean and --std",
      where: source,
      found: "one of them",
      fix: "Add the other.",
    });
  if (epsilon !== undefined) internals.checkNumber("--epsilon", epsilon, { min: 0, max: 1 });
  for (const value of std ?? []) internals.checkNumber("--std", value / 255, { min: 1e-3 });
  const preprocessing = mean && std && { mean, std };
  const origin = { prefix, family, padding, epsilon, preprocessing };
  const network = await importNetwork(source, {
    variant,
    ...(classNames && { classNames }),
    imageSize,
    ...(grey && { grey }),
    ...(fit && { decoding: { fit } }),
    origin,
  });
  console.log(describe(network));
  return network;
}

/** Returns the names of classes that an option lists, or those on the lines of a text file, which may have commas. */
async function namesOf(given: string): Promise<string[]> {
  const file = callerPath(given);
  const text = (await stat(file).catch(() => null))?.isFile() ? await readFile(file, "utf8") : null;
  const names = text?.trim().split("\n") ?? given.split(",");
  return names.map((name) => name.trim());
}

/** Refuses options that describe a file of weights with a model folder, which says all of it. */
function refuseFileOptions(source: string, options: Omit<Flags, "to" | "precision">): void {
  const given = Object.entries(options).find(([, value]) => value !== undefined)?.[0];
  if (given === undefined) return;
  throw new InputError({
    expected: "only --to and --precision with a model folder, which has all else",
    where: source,
    found: given === "imageSize" ? "--image-size" : `--${given}`,
    fix: "Remove it. For other classes or another size, train with --set weights=FOLDER.",
  });
}

/** Says by which conventions a network computes. */
function describe({ architecture, config }: Network): string {
  const { mean, std } = config.preprocessing;
  const { fit = "crop" } = config.decoding ?? {};
  const classes = `classes ${internals.inShort(config.classNames, 10)}`;
  const shares = (values: number[]) => values.map((value) => Number((value / 255).toFixed(4))).join(", ");
  return `padding ${architecture.padding}, epsilon ${architecture.epsilon}, mean ${shares(mean)}, std ${shares(std)}, fit ${fit}\n${classes}`;
}

/** Parses one number for all channels, or three, to the scale of 0–255. */
function scaleFor(flag: string): (text: string) => number[] {
  return (text) => {
    const values = text.split(",").map(numberFor(flag));
    if (values.length !== 1 && values.length !== 3)
      throw new InputError({
        expected: `one number or three for ${flag}`,
        found: text,
        fix: "Separate them by commas: 0.485,0.456,0.406",
      });
    if (values.some((value) => value < 0 || value > 1))
      throw new InputError({
        expected: `numbers in [0, 1] for ${flag}`,
        found: text,
        fix: `For the scale of 0–255, divide by 255: ${flag} ${values.map((value) => Number((value / 255).toFixed(4))).join(",")}`,
      });
    return Array.from({ length: 3 }, (_, channel) => 255 * values[values.length === 1 ? 0 : channel]);
  };
}
