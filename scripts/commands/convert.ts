import { stat } from "node:fs/promises";
import { type Command, Option } from "commander";
import { checkNumber } from "../../src/errors.js";
import {
  InputError,
  importNetwork,
  loadModel,
  type Network,
  saveModel,
  VARIANTS,
  type Variant,
} from "../../src/index.js";
import { PRECISIONS, type Precision } from "../../src/model/weights/quantization.js";
import { callerPath, numberFor } from "../arguments.js";

interface Flags {
  to: string;
  precision: Precision;
  variant?: Variant;
  classes?: string;
  imageSize?: number;
  grey?: boolean;
}

export function addConvertCommand(program: Command): void {
  program
    .command("convert")
    .argument(
      "<source>",
      "a model folder, or a file of weights fine-tuned in timm (safetensors, or a torch checkpoint)",
    )
    .description(
      "write a model with smaller weights, or one that was fine-tuned in PyTorch, as a model folder",
    )
    .requiredOption("--to <folder>", "where to write it")
    .addOption(
      new Option("--precision <kind>", "of the kernels: 4, 2 or 1 bytes a number")
        .choices(PRECISIONS)
        .default("float16"),
    )
    .optionsGroup("For a file of weights:")
    .addOption(new Option("--variant <name>", "EfficientNet's size").choices(Object.keys(VARIANTS)))
    .option("--classes <names>", "in the order of the last layer, with commas between")
    .option("--image-size <pixels>", "side of the images that it was trained on", numberFor("--image-size"))
    .option("--grey", "it was trained on grey images")
    .action(async (source: string, flags: Flags) => {
      const network = await load(callerPath(source), flags);
      const dir = callerPath(flags.to);
      await saveModel(dir, network.config, await network.parameters(), flags.precision);
      network.dispose();
      console.log(`wrote ${dir}`);
    });
}

async function load(source: string, { variant, classes, imageSize, grey }: Flags): Promise<Network> {
  if ((await stat(source).catch(() => null))?.isDirectory()) return loadModel(source);
  if (variant === undefined || classes === undefined || imageSize === undefined)
    throw new InputError({
      expected: "--variant, --classes and --image-size with a file of weights",
      where: source,
      found: "not all of them",
      fix: "Say what the network was trained on: --variant lite0 --classes cat,dog --image-size 96",
    });
  const classNames = classes.split(",").map((name) => name.trim());
  checkNumber("--image-size", imageSize, { min: 33, max: 1024, integer: true });
  return importNetwork(source, { variant, classNames, imageSize, ...(grey && { grey }) });
}
