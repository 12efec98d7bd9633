import type { Command } from "commander";
import { internals, loadModel } from "../../src/index.js";
import { callerPath, choiceOption, withExamples } from "../options.js";

/** For each format, what writes it, and what is appended to the model folder's path by default. */
const FORMATS = {
  onnx: { write: internals.exportOnnx, suffix: ".onnx" },
  transformers: { write: internals.exportTransformers, suffix: "-transformers" },
};

interface Flags {
  to: keyof typeof FORMATS;
  precision: internals.Precision;
  out?: string;
}

export function addExportCommand(program: Command): void {
  withExamples(
    program.command("export"),
    "npx ferkit export runs/tutorial/best --to onnx",
    "npx ferkit export models/fer2013 --to transformers --precision uint8 --out fer2013-web",
  )
    .argument("<model>", "a model folder, such as `best` of a run")
    .addOption(
      choiceOption(
        "--to <format>",
        "one ONNX file, or a folder for transformers.js",
        Object.keys(FORMATS),
      ).default("onnx"),
    )
    .addOption(
      choiceOption(
        "--precision <kind>",
        "numbers of the weights, in 4, 2 or 1 bytes",
        internals.PRECISIONS,
      ).default("float32"),
    )
    .option("--out <path>", "file or folder to write (default: beside the model folder, such as best.onnx)")
    .action(async (model: string, flags: Flags) => {
      const source = callerPath(model);
      const { write, suffix } = FORMATS[flags.to];
      const out = flags.out === undefined ? `${source}${suffix}` : callerPath(flags.out);
      const network = await loadModel(source);
      const parameters = await network.parameters().finally(() => network.dispose());
      await write(out, network.config, parameters, flags.precision);
      console.log(`wrote ${out}`);
    });
}
