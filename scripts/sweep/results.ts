// What a sweep prints and writes at its end: a table, means over seeds and folds, a chart, and a list of teachers.
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { type ChartSpec, internals, runsChart } from "../../src/index.js";
import { isFinished, type Outcome, ranked, type TrialRuns } from "./record.js";
import { settingKey } from "./space.js";

const { accuracyPoints, percent, prettyJson, runsTable, summarizeRun } = internals;
type TextTable = internals.TextTable;
type RunConfig = internals.Run["config"];

/** Lists trials with their settings and scores, the best first. */
export function trialsTable(outcomes: readonly Outcome[]): TextTable {
  const names = [...new Set(outcomes.flatMap(({ settings }) => Object.keys(settings)))];
  const hasFolds = outcomes.some(({ fold }) => fold !== null);
  const metric = outcomes[0]?.metric ?? null;
  const heading = [...names, ...(hasFolds ? ["fold"] : []), "state", ...(metric === null ? [] : [metric])];
  const rows = outcomes.map(({ settings, fold, state, score }) => [
    ...names.map((name) => valueInWords(settings[name])),
    ...(hasFolds ? [fold ?? ""] : []),
    state,
    ...(metric === null ? [] : [scoreInWords(metric, score)]),
  ]);
  return { heading, rows, isNumeric: heading.map((name) => name === metric) };
}

/** Lists runs as `ferkit runs` does, the best first; what Ray has stopped is named so. */
export function runsTableOf(runs: TrialRuns, outcomes: readonly Outcome[]): TextTable {
  const trained = outcomes.flatMap((outcome) => {
    const run = runs.get(outcome.folder);
    return run ? [{ outcome, summary: { name: outcome.name, ...summarizeRun(run) } }] : [];
  });
  const table = runsTable(trained.map(({ summary }) => summary));
  const column = table.heading.indexOf("state");
  const rows = table.rows.map((row, i) =>
    row.map((cell, k) => (k === column ? trained[i].outcome.state : cell)),
  );
  return { ...table, rows };
}

/** Averages the scores of each setting over its seeds and folds; null if there is nothing to average. */
export function meansTable(outcomes: readonly Outcome[], mode: "max" | "min"): TextTable | null {
  const metric = outcomes[0]?.metric ?? null;
  if (metric === null) return null;
  const bySetting = new Map<string, Outcome[]>();
  for (const outcome of outcomes) {
    const key = settingKey(outcome);
    bySetting.set(key, [...(bySetting.get(key) ?? []), outcome]);
  }
  if (bySetting.size === outcomes.length) return null;
  const all = [...bySetting.values()].map((group) => {
    const scores = group.filter(isFinished).flatMap(({ score }) => score ?? []);
    const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
    const variance = scores.reduce((sum, score) => sum + (score - mean) ** 2, 0) / (scores.length - 1);
    const { seed: _, ...settings } = group[0].settings;
    return {
      ...group[0],
      settings,
      score: scores.length > 0 ? mean : null,
      scores,
      deviation: Math.sqrt(variance),
    };
  });
  const sorted = ranked(all, mode);
  const names = Object.keys(all[0].settings);
  return {
    heading: [...names, "trials", `mean ${metric}`, "deviation"],
    rows: sorted.map(({ settings, score, scores, deviation }) => [
      ...names.map((name) => valueInWords(settings[name])),
      `${scores.length}`,
      scoreInWords(metric, score),
      scores.length > 1 ? scoreInWords(metric, deviation) : "–",
    ]),
    isNumeric: [...names.map(() => false), true, true, true],
  };
}

function valueInWords(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}

function scoreInWords(metric: string, score: number | null): string {
  if (score === null) return "–";
  return metric === "accuracy" ? percent(score) : score.toPrecision(4);
}

/** Says what makes the scores of runs hard to compare: a data set that changed in between, or classes that some lack. */
export function notesOn(runs: TrialRuns, outcomes: readonly Outcome[]): string[] {
  const trained = outcomes.flatMap(({ name, fold, folder: own }) => {
    const config = runs.get(own)?.config;
    return config ? [{ name, fold, config }] : [];
  });
  const notes: string[] = [];
  const firstOf = new Map<string, (typeof trained)[number]>();
  for (const run of trained) {
    const [key, digest] = imagesOf(run);
    if (digest === undefined) continue;
    const first = firstOf.get(key) ?? run;
    firstOf.set(key, first);
    if (imagesOf(first)[1] === digest) continue;
    notes.push(
      `note: the data set has changed: ${first.name} and ${run.name} had different images, so their scores do not compare; another --run trains all on the same ones`,
    );
    break;
  }
  const classNames = [...new Set(trained.flatMap(({ config }) => config.classNames))];
  const lacks = ({ config }: (typeof trained)[number]) =>
    classNames.filter((name) => !config.classNames.includes(name));
  const lacking = trained.find((run) => lacks(run).length > 0);
  if (lacking)
    notes.push(
      `note: the runs differ in their classes (${lacking.name} lacks ${lacks(lacking).join(", ")}), so scores and means are of different tasks`,
    );
  return notes;
}

/** Returns what may decide which images a run gets, and their digest, if it recorded one. */
function imagesOf({
  fold,
  config,
}: {
  fold: string | null;
  config: RunConfig;
}): [string, string | undefined] {
  const { seed, imageSize } = config.train;
  const { dropDuplicates, dropLeaked } = config.dataOptions ?? {};
  const isSeeded = config.imagesDigest === undefined || dropDuplicates === true || dropLeaked === true;
  if (isSeeded) return [JSON.stringify([fold, seed, imageSize]), config.dataDigest];
  return [JSON.stringify([fold !== null, imageSize]), config.imagesDigest];
}

/** Returns a chart of the accuracy of the runs over minutes and epochs. */
export function runsChartOf(runs: TrialRuns, outcomes: readonly Outcome[], title: string): ChartSpec {
  const curves = outcomes.flatMap(({ name, folder: own }) => {
    const run = runs.get(own);
    return run ? [{ name, points: accuracyPoints(run.epochs) }] : [];
  });
  return runsChart(curves, title);
}

/** Returns the names of a model folder's files of weights, which are digests of what they hold; empty if there are none. */
function weightFiles(dir: string): string {
  if (!existsSync(dir)) return "";
  return readdirSync(dir)
    .filter((name) => name.endsWith(".bin"))
    .sort()
    .join();
}

/**
 * Writes the best models as settings for `train --config`, which then learns from them.
 *
 * @returns The file, null if no trial has completed, and whether the models' runs held out different images.
 */
export async function writeTeachers(
  folder: string,
  runs: TrialRuns,
  outcomes: readonly Outcome[],
  { count, mode }: { count: number; mode: "max" | "min" },
): Promise<{ file: string | null; differ: boolean }> {
  const finished = ranked(outcomes, mode).filter(
    (outcome) => isFinished(outcome) && outcome.bestEpoch !== null,
  );
  // Settings without an effect give the same model again, which would count twice.
  const weights = finished.map(({ folder: own }) => weightFiles(path.join(own, "best")));
  const best = finished
    .filter((_, i) => weights[i] === "" || weights.indexOf(weights[i]) === i)
    .slice(0, count);
  if (best.length === 0) return { file: null, differ: false };
  const file = path.join(folder, "teachers.json");
  const teachers = best.map((outcome) => path.join(outcome.folder, "best"));
  await internals.writeFileAtomically(file, prettyJson({ set: { teachers } }));
  const digests = best.map((outcome) => runs.get(outcome.folder)?.config.dataDigest);
  return { file, differ: new Set(digests).size > 1 };
}

/** Says that no notebook shows the metric, and what they show; null if one does, or none has completed. */
export function unknownMetric(metric: string | null, outcomes: readonly Outcome[]): string | null {
  const shown = outcomes.flatMap(({ metrics }) => (metrics ? [Object.keys(metrics)] : []));
  if (metric === null || shown.length === 0 || shown.some((names) => names.includes(metric))) return null;
  const names = [...new Set(shown.flat())];
  const found = names.length > 0 ? `they show ${names.join(", ")}` : "they show none in cells tagged metrics";
  return `note: no notebook shows the metric ${metric}, so the trials are in no order: ${found}`;
}
