// Compares exported models with ferkit: the same top class, and how far the probabilities are. ONNX Runtime runs them, from Node.js
// and from Python, where onnx.checker checks them first. It prints a Markdown table.
//
//   npx tsx test/model/onnx/sweep.ts                          each variant up to B3, with random weights
//   npx tsx test/model/onnx/sweep.ts --data PATH [--model M]  one model on all validation images
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { internals, loadEvaluationData } from "../../../src/index.js";
import { conventions } from "../../../src/model/conventions.js";
import { VARIANTS, type Variant } from "../../../src/model/efficientnet.js";
import { exportOnnx } from "../../../src/model/onnx/export.js";
import { loadParameters } from "../../../src/model/weights/model-folder.js";
import { projectDir } from "../../workspace.js";
import { type Example, largestDifference, ownProbs, randomExample, randomPixels } from "./examples.js";
import { nodeRuntime, type OnnxRuntime, pythonWithOnnx, runModel } from "./runtimes.js";

const BATCH_SIZE = 64;
const LARGEST = 3;

interface Images {
  /** uint8 `[numImages, imageSize, imageSize, 3]`. */
  pixels: Uint8Array;
  labels?: Int32Array;
}

interface Runtimes {
  node: OnnxRuntime;
  python: string;
  dir: string;
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { data: { type: "string" }, model: { type: "string" } } });
  const [node, python] = [await nodeRuntime(), await pythonWithOnnx()];
  if (!node || !python) throw new Error("ONNX Runtime cannot be installed here");
  const runtimes = { node, python, dir: mkdtempSync(path.join(os.tmpdir(), "ferkit-onnx-")) };
  try {
    console.log("| model | precision | runtime | same top class | largest difference | accuracy | MB |");
    console.log("| --- | --- | --- | ---: | ---: | ---: | ---: |");
    if (values.data !== undefined) {
      const model = values.model ?? path.join(projectDir, "models/fer2013");
      const example = await loadParameters(model);
      await compare(path.basename(model), example, await validationImages(model, values.data), runtimes);
    } else
      for (const variant of Object.keys(VARIANTS) as Variant[]) {
        if (Number(variant.replace(/\D/g, "")) > LARGEST && !variant.startsWith("lite")) continue;
        const { preprocessing } = conventions(variant);
        const example = await randomExample({ variant, preprocessing, imageSize: 65 });
        await compare(variant, example, { pixels: randomPixels(16, 65) }, runtimes);
      }
  } finally {
    rmSync(runtimes.dir, { recursive: true, force: true });
  }
}

async function validationImages(model: string, data: string): Promise<Images> {
  const { dataset } = await loadEvaluationData(model, { data, dropDuplicates: false });
  const { pixels, numImages, numChannels, labels } = dataset.validation;
  const read = await pixels.read(Int32Array.from({ length: numImages }, (_, i) => i));
  return {
    pixels:
      numChannels === 3
        ? read
        : Uint8Array.from({ length: 3 * read.length }, (_, i) => read[Math.floor(i / 3)]),
    labels,
  };
}

/** Prints a row for each precision and runtime. */
async function compare(
  name: string,
  example: Example,
  { pixels, labels }: Images,
  { node, python, dir }: Runtimes,
) {
  const { classNames, imageSize } = example.config;
  const size = imageSize * imageSize * 3;
  const batches = Array.from({ length: Math.ceil(pixels.length / size / BATCH_SIZE) }, (_, i) =>
    pixels.subarray(i * BATCH_SIZE * size, (i + 1) * BATCH_SIZE * size),
  );
  const own = concatenated(batches.map((batch) => ownProbs(example, batch)));
  const files = {
    model: path.join(dir, "model.onnx"),
    pixels: path.join(dir, "pixels"),
    probs: path.join(dir, "probs"),
  };
  writeFileSync(files.pixels, pixels);
  for (const precision of internals.STORED_PRECISIONS) {
    await exportOnnx(files.model, example.config, example.parameters, precision);
    const runs: [string, () => Promise<Float32Array>][] = [
      [
        "Node.js",
        async () => {
          const parts: Float32Array[] = [];
          for (const data of batches) {
            const dims = [data.length / size, imageSize, imageSize, 3];
            parts.push((await runModel(node, files.model, { data, dims })).data as Float32Array);
          }
          return concatenated(parts);
        },
      ],
      [
        "Python",
        async () => {
          execFileSync(python, [
            path.join(__dirname, "probs.py"),
            files.model,
            files.pixels,
            String(imageSize),
            files.probs,
          ]);
          return new Float32Array(new Uint8Array(readFileSync(files.probs)).buffer);
        },
      ],
    ];
    for (const [runtime, run] of runs) {
      const probs = await run();
      const [top, ownTop] = [probs, own].map((values) => topClasses(values, classNames.length));
      const same = top.filter((label, i) => label === ownTop[i]).length;
      const accuracy = labels
        ? (top.filter((label, i) => label === labels[i]).length / top.length).toFixed(4)
        : "–";
      const megabytes = (statSync(files.model).size / 1e6).toFixed(1);
      const difference = largestDifference(probs, own).toExponential(1);
      console.log(
        `| ${name} | ${precision} | ${runtime} | ${same} of ${top.length} | ${difference} | ${accuracy} | ${megabytes} |`,
      );
    }
  }
}

function concatenated(parts: Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    all.set(part, offset);
    offset += part.length;
  }
  return all;
}

function topClasses(probs: Float32Array, numClasses: number): number[] {
  return Array.from({ length: probs.length / numClasses }, (_, i) => {
    const row = probs.subarray(i * numClasses, (i + 1) * numClasses);
    return row.indexOf(Math.max(...row));
  });
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
