import { stat } from "node:fs/promises";
import { type Command, Option } from "commander";
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
import { callerPath, numberFor, withExamples } from "../options.js";

interface Flags {
  to: string;
  precision: internals.Precision;
  variant?: Variant;
  classes?: string;
  imageSize?: number;
  grey?: boolean;
}

export function addConvertCommand(program: Command): void {
  withExamples(
    program.command("convert"),
    "npx ferkit convert runs/tutorial/best --to small --precision uint8",
    "npx ferkit convert timm.safetensors --to pets --variant lite0 --classes cat,dog --image-size 96",
  )
    .argument(
      "<source>",
      "a model folder, or a file of weights fine-tuned in timm (safetensors, or a torch checkpoint)",
    )
    .description("write a model folder with smaller weights, or from weights that were fine-tuned in PyTorch")
    .requiredOption("--to <folder>", "where to write it")
    .addOption(
      new Option("--precision <kind>", "numbers of the weights, in 4, 2 or 1 bytes")
        .choices(internals.PRECISIONS)
        .default("float16"),
    )
    .optionsGroup("For a file of weights:")
    .addOption(new Option("--variant <name>", "size of the EfficientNet").choices(Object.keys(VARIANTS)))
    .option("--classes <names>", "class names in the order of the last layer, separated by commas")
    .option("--image-size <pixels>", "side of the training images", numberFor("--image-size"))
    .option("--grey", "the training images were grey")
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
      fix: "Add what the network was trained on: --variant lite0 --classes cat,dog --image-size 96",
    });
  const classNames = classes.split(",").map((name) => name.trim());
  internals.checkNumber("--image-size", imageSize, { min: 33, max: 1024, integer: true });
  return importNetwork(source, { variant, classNames, imageSize, ...(grey && { grey }) });
}
