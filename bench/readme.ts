// Writes docs/speed.md and its charts from the newest results, so that they cannot differ.
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { InputError, saveChart } from "../src/index.js";
import { type AccuracyRecord, latestAccuracyRecord } from "./accuracy-record.js";
import { accuracyChart, speedChart } from "./charts.js";
import { ratiosOf } from "./ratios.js";
import { latestResults, type Results } from "./results.js";
import type { Kind } from "./suite.js";
import { behindTable, medianOnly, remarks, type Table, timingTable, toMarkdown } from "./tables.js";
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
  const [training, inference] = [ofKind("train"), ofKind("infer", "predict")].map((some) =>
    timingTable(some, medianOnly),
  );
  return [
    "# Speed",
    "<!-- Written by `npm run bench -- --readme`. -->",
    INTRODUCTION,
    `Images per second of ferkit over those of the fastest other tool, in float32: ${ratioRange(training)} in training, ` +
      `${ratioRange(inference)} in inference.`,
    conditions,
    "## Training",
    "![Images per second in training, by network, batch size and engine](bench.png)",
    toMarkdown(training),
    "## Inference",
    "`infer` computes the logits of a prepared batch; `predict` goes from the bytes of an image file to probabilities.",
    toMarkdown(inference),
    "## Where ferkit is behind",
    ...(behind.rows.length > 0
      ? ["In float32, another contender is faster on these workloads.", toMarkdown(behind)]
      : ["On no measured workload is another contender faster in float32."]),
    ...(record
      ? ["## Time to accuracy", "![Validation accuracy over minutes of training](time-to-accuracy.png)"]
      : []),
    "## Ratios",
    `Above 1, ferkit is better. The other tool is named after the semicolon. PyTorch in its best layout is the faster of its two
[eager settings](#how-it-is-measured), mostly channels-last with fused Adam. The last column of the tables compares with the fastest of all.`,
    list(ratios.map(({ value, meaning }) => `${value.toFixed(2)} × ${meaning}`)),
    "## Memory, starts, images and agreement",
    list(remarks(results)),
    "## How it is measured",
    METHOD,
  ]
    .join("\n\n")
    .concat("\n");
}

const INTRODUCTION = `\
How fast does ferkit train and infer beside PyTorch, Keras, ONNX Runtime, OpenVINO and stock tfjs layers? Measure it on your machine:

\`\`\`sh
npm run bench                                            # all tables on this page; the first run installs the other tools
npm run bench -- --time-to-accuracy --data fer2013       # whole trainings
npm run bench -- --help                                  # the other options
\`\`\``;

const METHOD = `\
Each tool runs in its own process, with as many threads as there are cores, and they take turns. A turn that other programs disturb is
repeated. Before that, each tool must compute the same loss, gradients and logits from the same weights and images.

- A training step is forward, cross-entropy, backward and Adam on a prepared batch.
- PyTorch with timm runs eagerly, and with \`torch.compile\`, which is frozen for inference. Eagerly, it has two settings: the default layout
  with plain Adam, and channels-last with fused Adam.
- ONNX Runtime (for Python and for Node) and OpenVINO run PyTorch's export of the same network, for one batch size.
- Keras runs a \`tf.function\`.
- \`--time-to-accuracy\` trains the preset \`baseline\` in PyTorch. Then ferkit's preset trains to the same best validation accuracy, in ferkit
  and in PyTorch.`;

/** Names the inference runtimes, which earlier results lack. */
function describeRuntimes({ onnxruntime, onnxruntimeNode, openvino }: Versions): string {
  if (!onnxruntime) return "";
  return `ONNX Runtime ${onnxruntime} (${onnxruntimeNode} for Node), OpenVINO ${openvino}, `;
}

/** Returns the smallest and the largest ratio of a table, in its last column. */
function ratioRange({ rows }: Table): string {
  const ratios = rows.map((row) => Number(row[row.length - 1])).sort((a, b) => a - b);
  return `${ratios[0].toFixed(2)} to ${ratios[ratios.length - 1].toFixed(2)}`;
}

function list(items: string[]): string {
  return items.map((item) => `- ${item}`).join("\n");
}

function describeRounds({ timings }: Results): string {
  const counts = [...new Set(timings.map(({ numRounds }) => numRounds))].sort((a, b) => a - b);
  return counts.join(" or ");
}
