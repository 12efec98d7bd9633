// What the README and its pictures say of speed, written from the newest results so that they cannot differ.
import { readFile } from "node:fs/promises";
import path from "node:path";
import { saveChart } from "../src/charts/render.js";
import { InputError } from "../src/errors.js";
import { writeFileAtomically } from "../src/files.js";
import { type AccuracyRecord, latestAccuracyRecord } from "./accuracy-record.js";
import { accuracyChart, speedChart } from "./charts.js";
import { ratiosOf } from "./ratios.js";
import { latestResults, type Results } from "./results.js";
import { medianOnly, remarks, timingTable, toMarkdown } from "./tables.js";

const PROJECT_DIR = path.join(__dirname, "..");
const README = path.join(PROJECT_DIR, "docs/speed.md");
const BEGIN = "<!-- speed: written by `npm run bench -- --readme` -->";
const END = "<!-- /speed -->";

/** Writes the section and both pictures; returns the files. */
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
  const pictures = [{ file: "docs/bench.png", chart: speedChart(results) }];
  if (record) pictures.push({ file: "docs/time-to-accuracy.png", chart: accuracyChart(record) });
  for (const { file, chart } of pictures) await saveChart(chart, path.join(PROJECT_DIR, file));
  await writeFileAtomically(
    README,
    withSection(await readFile(README, "utf8"), speedSection(results, record)),
  );
  return [...pictures.map(({ file }) => file), "docs/speed.md"];
}

/**
 * A text with what stands between the markers replaced.
 *
 * @throws InputError when it lacks them.
 */
export function withSection(text: string, section: string): string {
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin < 0 || end < begin)
    throw new InputError({
      expected: `the lines ${BEGIN} and ${END}`,
      where: README,
      found: "none",
      fix: "Put them back.",
    });
  return `${text.slice(0, begin)}${BEGIN}\n\n${section}\n\n${text.slice(end)}`;
}

/** The section as Markdown. */
export function speedSection(results: Results, record?: AccuracyRecord): string {
  const { machine, versions, date, timings } = results;
  const ratios = Object.values(ratiosOf(results, record));
  const conditions =
    `${machine.cores} cores of an ${machine.cpu}, ${machine.memoryGiB} GiB, ${date}; ` +
    `Node ${versions.node}, TensorFlow ${versions.tensorflow}, PyTorch ${versions.torch}, timm ${versions.timm}, ` +
    `Keras ${versions.keras}. Medians of ${describeRounds(results)} rounds, in turns.`;
  return [
    "![Images a second in training, by network, batch size and engine](bench.png)",
    conditions,
    toMarkdown(timingTable(timings, medianOnly)),
    ...(record ? ["![Validation accuracy over minutes of training](time-to-accuracy.png)"] : []),
    "How many times as fast ferkit is:",
    list(ratios.map(({ value, meaning }) => `${value.toFixed(2)} × ${meaning}`)),
    "Besides:",
    list(remarks(results)),
  ].join("\n\n");
}

function list(items: string[]): string {
  return items.map((item) => `- ${item}`).join("\n");
}

function describeRounds({ timings }: Results): string {
  const counts = [...new Set(timings.map(({ numRounds }) => numRounds))].sort((a, b) => a - b);
  return counts.join(" or ");
}
