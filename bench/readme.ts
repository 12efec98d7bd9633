// Writes docs/speed.md and its charts from the newest results, so that they cannot differ.
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { InputError, saveChart } from "../src/index.js";
import { type AccuracyRecord, latestAccuracyRecord } from "./accuracy-record.js";
import { accuracyChart, speedChart } from "./charts.js";
import { ratiosOf } from "./ratios.js";
import { latestResults, type Results } from "./results.js";
import type { Kind } from "./suite.js";
import { behindTable, medianOnly, remarks, timingTable, toMarkdown } from "./tables.js";
import type { Versions } from "./workers.js";

const PROJECT_DIR = path.join(__dirname, "..");

/** Writes the page and its charts; returns the files. */
export async function writeReadme(): Promise<string[]> {
  const results = latestResults();
  if (!results)
    throw new InputError({
      expected: "recorded results",
      where: "bench/results",
      found: "none",
      fix: "Run: npm run bench",
    });
  const record = latestAccuracyRecord();
  const charts = [{ file: "docs/bench.png", chart: speedChart(results) }];
  if (record) charts.push({ file: "docs/time-to-accuracy.png", chart: accuracyChart(record) });
  for (const { file, chart } of charts) await saveChart(chart, path.join(PROJECT_DIR, file));
  await writeFile(path.join(PROJECT_DIR, "docs/speed.md"), speedPage(results, record));
  return [...charts.map(({ file }) => file), "docs/speed.md"];
}

/** Returns the page as Markdown. */
export function speedPage(results: Results, record?: AccuracyRecord): string {
  const { machine, versions, date, timings } = results;
  const ratios = Object.values(ratiosOf(results, record));
  const conditions =
    `Measured on ${machine.cores} cores of an ${machine.cpu}, ${machine.memoryGiB} GiB, ${date}; ` +
    `Node ${versions.node}, TensorFlow ${versions.tensorflow}, PyTorch ${versions.torch}, timm ${versions.timm}, ` +
    `${describeRuntimes(versions)}Keras ${versions.keras}. Medians of ${describeRounds(results)} rounds.`;
  const behind = behindTable(timings);
  const ofKind = (...kinds: Kind[]) => timings.filter(({ kind }) => kinds.includes(kind));
  return [
    "# Speed",
    "<!-- Written by `npm run bench -- --readme`. -->",
    INTRODUCTION,
    conditions,
    "## Training",
    "![Images per second in training, by network, batch size and engine](bench.png)",
    toMarkdown(timingTable(ofKind("train"), medianOnly)),
    "## Inference",
    "`infer` computes the logits of a prepared batch; `predict` goes from the bytes of an image file to probabilities.",
    toMarkdown(timingTable(ofKind("infer", "predict"), medianOnly)),
    "## Where ferkit is behind",
    ...(behind.rows.length > 0
      ? ["In float32, another contender is faster on these workloads.", toMarkdown(behind)]
      : ["On no measured workload is another contender faster in float32."]),
    ...(record
      ? ["## Time to accuracy", "![Validation accuracy over minutes of training](time-to-accuracy.png)"]
      : []),
    "## Ratios",
    `Above 1, ferkit is better. The other side is named after the semicolon. PyTorch in its best layout is the faster of the two eager
settings above, mostly channels-last with fused Adam; the last column of the tables compares with the fastest of all.`,
    list(ratios.map(({ value, meaning }) => `${value.toFixed(2)} × ${meaning}`)),
    "## Memory, starts, images and agreement",
    list(remarks(results)),
  ]
    .join("\n\n")
    .concat("\n");
}

const INTRODUCTION = `\
\`npm run bench\` compares ferkit with PyTorch and timm, ONNX Runtime (for Python and for Node), OpenVINO, Keras, and stock tfjs
layers. Each runs in its own process, with as many threads as there are cores, and they take turns. Before that, each must compute
the same loss, gradients and logits from the same weights and images. A training step is forward, cross-entropy, backward and Adam
on a prepared batch. PyTorch runs eagerly (in its default layout with plain Adam, and channels-last with fused Adam) and with
\`torch.compile\`, frozen for inference. ONNX Runtime and OpenVINO run PyTorch's export of the same network, for one batch size.
Keras runs a \`tf.function\`. A turn that other programs disturb is repeated. The first run installs these tools into ferkit's cache.

\`npm run bench -- --time-to-accuracy --data fer2013\` trains to the best validation accuracy of the preset \`baseline\` in PyTorch:
with that preset in PyTorch, with ferkit's preset in ferkit, and with ferkit's preset in PyTorch.
\`npm run bench -- --help\` lists the other options.`;

/** Names the inference runtimes, which earlier results lack. */
function describeRuntimes({ onnxruntime, onnxruntimeNode, openvino }: Versions): string {
  if (!onnxruntime) return "";
  return `ONNX Runtime ${onnxruntime} (${onnxruntimeNode} for Node), OpenVINO ${openvino}, `;
}

function list(items: string[]): string {
  return items.map((item) => `- ${item}`).join("\n");
}

function describeRounds({ timings }: Results): string {
  const counts = [...new Set(timings.map(({ numRounds }) => numRounds))].sort((a, b) => a - b);
  return counts.join(" or ");
}
