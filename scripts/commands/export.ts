import { closeSync, existsSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import path from "node:path";
import type { Command } from "commander";
import { InputError, internals, loadModel } from "../../src/index.js";
import { callerPath, choiceOption, withExamples } from "../options.js";

/** For each format, what writes it, and what is appended to the model folder's path by default: the ending of a file, or a folder's. */
const FORMATS = {
  onnx: { write: internals.exportOnnx, suffix: ".onnx" },
  transformers: { write: internals.exportTransformers, suffix: "-transformers" },
};

interface Flags {
  to: keyof typeof FORMATS;
  precision: internals.StoredPrecision;
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
        internals.STORED_PRECISIONS,
      ).default("float32"),
    )
    .option("--out <path>", "file or folder to write (default: beside the model folder, such as best.onnx)")
    .action(async (model: string, flags: Flags) => {
      const source = callerPath(model);
      const { write, suffix } = FORMATS[flags.to];
      const out = flags.out === undefined ? `${source}${suffix}` : callerPath(flags.out);
      checkTarget(out, source, suffix);
      const network = await loadModel(source);
      const parameters = await network.parameters().finally(() => network.dispose());
      await write(out, network.config, parameters, flags.precision);
      console.log(`wrote ${out}`);
    });
}

/** @throws InputError if writing would replace something that is no export. */
function checkTarget(out: string, source: string, suffix: string): void {
  const refuse = (expected: string, found: string) =>
    new InputError({ expected, where: "--out", found, fix: "Choose another path." });
  if (`${out}${path.sep}`.startsWith(`${source}${path.sep}`))
    throw refuse("a path outside of the model folder", out);
  const isFile = suffix.startsWith(".");
  if (isFile && path.extname(out) !== suffix)
    throw refuse(`a name that ends in ${suffix}`, path.basename(out));
  if (isFile && existsSync(out) && statSync(out).isFile() && !isOwnOnnx(out))
    throw refuse("a new file or an earlier export", `${out} of another program`);
  if (!isFile && existsSync(out) && !isExport(out))
    throw refuse("a new or empty folder, or an earlier export", out);
}

/** Whether an ONNX file has ferkit as its producer: field 2, after the version of the format. */
function isOwnOnnx(file: string): boolean {
  const start = Buffer.alloc(10);
  const descriptor = openSync(file, "r");
  try {
    readSync(descriptor, start);
  } finally {
    closeSync(descriptor);
  }
  return start.toString("latin1", 2) === "\x12\x06ferkit";
}

function isExport(out: string): boolean {
  if (!statSync(out).isDirectory()) return false;
  const names = readdirSync(out);
  return names.length === 0 || ["onnx", "preprocessor_config.json"].every((name) => names.includes(name));
}
