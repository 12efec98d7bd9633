import path from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { TrainConfig } from "../config.js";
import { dataName } from "../data/sources/source.js";
import { InputError } from "../errors.js";
import { readRegularFile, writeFileAtomically } from "../files.js";
import { flatten, isPlainObject } from "../json.js";
import { largestClass } from "../metrics/classification.js";
import { PRESETS } from "../presets.js";
import { duration, percent } from "../text.js";
import { type EpochEvent, endInWords, keptEpoch, ofType, type TrainEvent } from "../training/events.js";
import { loadMetrics } from "../training/metrics-log.js";
import { loadRunConfig, type RunConfig } from "../training/run-config.js";
import { loadSessions, type Session } from "../training/sessions.js";
import { confusionMatrixChart, perClassRecallChart } from "./confusion.js";
import { learningRateChart } from "./learning-rate.js";
import {
  type Facts,
  factTables,
  figures,
  type Headline,
  isReportPage,
  reportPage,
  sentenceList,
} from "./report-page.js";
import { epochTable, tableBundle } from "./tables.js";
import { batchMetricsChart, epochMetricsChart } from "./training.js";

/** A configuration that differs from every preset in more values than this is named "no preset". */
const MAX_CHANGES = 6;

/**
 * Writes `report.html` into a run's folder: results, notes, charts, epochs, configuration and versions on one self-contained page.
 * For a run that is still training, or was killed, it shows what has been logged.
 *
 * @returns The page's path.
 * @throws InputError when the folder holds no run, has another `report.html`, or cannot be written.
 * @example
 * ```ts
 * import { writeRunReport } from "ferkit";
 *
 * console.log(await writeRunReport("runs/pets")); // runs/pets/report.html
 * ```
 */
export async function writeRunReport(runDir: string): Promise<string> {
  const config = await loadRunConfig(runDir);
  if (!config)
    throw new InputError({
      expected: "a run",
      where: runDir,
      found: "no config.json",
      fix: "Run `npx ferkit train` to make one, or choose a folder below runs/.",
    });
  const events = await loadMetrics(runDir);
  const { sessions } = await loadSessions(runDir, config);
  const logged = ofType(events, "epoch");
  if (!logged.every(isWhole))
    throw new InputError({
      expected: "epochs with all scores that ferkit logs",
      where: path.join(runDir, "metrics.jsonl"),
      found: "one without",
      fix: "Choose a run that ferkit trained.",
    });
  const epochs = logged.map(withLoss);
  const batches = ofType(events, "batch");
  const best = keptEpoch(epochs);
  const notes = [...new Set(ofType(events, "note").map(({ text }) => text))]; // a resumed run repeats some
  const { train } = config;
  const page = reportPage({
    title: dataName(config.data),
    subtitle: [networkName(train), presetName(train), `${train.imageSize} × ${train.imageSize} pixels`].join(
      " · ",
    ),
    headlines: headlines(config, events, best),
    sections: [
      ...(notes.length ? [{ heading: "Notes", content: sentenceList(notes) }] : []),
      {
        heading: "Training",
        content: await figures(
          [epochMetricsChart(epochs), batchMetricsChart(batches), learningRateChart(batches)],
          "training",
        ),
      },
      ...(best ? [await validationSection(best, config)] : []),
      ...(epochs.length ? [{ heading: "Epochs", content: scrollingTable(epochs) }] : []),
      { heading: "Configuration", content: factTables(configFacts(config)) },
      ...(sessions.length ? [{ heading: "Made with", content: factTables(sessions.map(sessionFacts)) }] : []),
    ],
  });
  const file = await reportFile(runDir);
  await writeFileAtomically(file, page);
  return file;
}

/**
 * Returns the path of a run's report.
 *
 * @throws InputError if another page or something else is there, which a report would replace.
 */
export async function reportFile(runDir: string): Promise<string> {
  const file = path.join(runDir, "report.html");
  const problem = { expected: "no file except a run's report", fix: "Rename it, so that it is kept." };
  const present = await readRegularFile(file, problem);
  if (present === null || isReportPage(present.toString("utf8"))) return file;
  throw new InputError({ ...problem, where: file, found: "another page" });
}

/** Whether an epoch has what a report shows; records of other programs may have less. */
function isWhole({ train, learningRate, imagesPerSecond, validation }: Partial<EpochEvent>): boolean {
  const { macroF1, perClassRecall, confusionMatrix } = validation ?? {};
  const areNumbers = [learningRate, imagesPerSecond, train?.accuracy, macroF1].every(Number.isFinite);
  return areNumbers && perClassRecall !== undefined && confusionMatrix !== undefined;
}

/** Restores NaN losses, which JSON stores as null. */
function withLoss(event: EpochEvent): EpochEvent {
  return { ...event, validation: { ...event.validation, loss: event.validation.loss ?? Number.NaN } };
}

function headlines({ train, classNames }: RunConfig, events: TrainEvent[], best?: EpochEvent): Headline[] {
  const epochs = ofType(events, "epoch");
  const [done] = ofType(events, "done").slice(-1);
  // In version 0.1, a run that was interrupted in its first epoch had a model, but no epoch.
  const kept = best
    ? { epoch: best.epoch, accuracy: best.validation.accuracy }
    : typeof done?.bestAccuracy === "number" && { epoch: done.bestEpoch, accuracy: done.bestAccuracy };
  const largest = best ? largestClass(best.validation.confusionMatrix, classNames) : null;
  const baseline =
    largest && !largest.isBeaten ? `; always ${largest.className}: ${percent(largest.accuracy)}` : "";
  const [low, high] = best?.validation.intervals?.accuracy ?? [];
  const interval = low === undefined ? "" : `, 95%: ${percent(low)}–${percent(high ?? 1)}`;
  const seconds = epochs.reduce((total, { durationMs }) => total + durationMs / 1000, 0);
  // All epochs have as many images, so one of each will do.
  const trainSeconds = epochs.reduce((total, { imagesPerSecond }) => total + 1 / imagesPerSecond, 0);
  return [
    {
      label: "Best validation accuracy",
      value: kept ? percent(kept.accuracy) : "–",
      note: kept ? `epoch ${kept.epoch}${interval}${baseline}` : "no epoch has ended",
    },
    {
      label: "Macro-F1",
      value: best ? best.validation.macroF1.toFixed(3) : "–",
      note: best ? `epoch ${best.epoch}` : "no epoch has ended",
    },
    {
      label: "Time",
      value: epochs.length ? duration(seconds) : "–",
      note: epochs.length
        ? `${(epochs.length / trainSeconds).toFixed(0)} images/s in training`
        : "no epoch has ended",
    },
    {
      label: "Epochs",
      value: `${epochs.length} of ${train.epochs}`,
      note: done ? endInWords(done) : "not finished",
    },
  ];
}

async function validationSection({ epoch, validation }: EpochEvent, { classNames }: RunConfig) {
  const confusion = { matrix: validation.confusionMatrix, classNames };
  const charts = [confusionMatrixChart(confusion), perClassRecallChart(validation.perClassRecall)];
  return { heading: `Validation images, epoch ${epoch}`, content: await figures(charts, "validation") };
}

function scrollingTable(epochs: EpochEvent[]): string {
  return `<div class="scroll">${tableBundle(epochTable(epochs))["text/html"]}</div>`;
}

function networkName({ variant }: TrainConfig): string {
  return `EfficientNet-${variant[0].toUpperCase()}${variant.slice(1)}`;
}

/** Names the nearest preset, and the values that differ from it. */
function presetName(config: TrainConfig): string {
  const given = [...flatten(config)];
  const presets = Object.entries(PRESETS).map(([name, preset]) => {
    const values = flatten(preset);
    return { name, changes: given.filter(([key, value]) => !isDeepStrictEqual(values.get(key), value)) };
  });
  const [{ name, changes }] = presets.sort((a, b) => a.changes.length - b.changes.length);
  if (changes.length > MAX_CHANGES) return "no preset";
  const changed = changes.map(([key, value]) => `${key} ${text(value)}`).join(", ");
  return `preset ${name}${changed ? ` with ${changed}` : ""}`;
}

/** Returns a table for each object of the configuration, the run's own values first. */
function configFacts(config: RunConfig): Facts[] {
  const facts: Facts[] = [];
  const visit = (caption: string, values: object) => {
    const rows = Object.entries(values);
    facts.push({
      caption,
      rows: rows.filter(([, value]) => !isPlainObject(value)).map(([name, value]) => [name, text(value)]),
    });
    for (const [name, value] of rows) if (isPlainObject(value)) visit(name, value);
  };
  visit("run", config);
  return facts.filter(({ rows }) => rows.length);
}

function text(value: unknown): string {
  return Array.isArray(value) ? value.map(text).join(", ") : String(value);
}

/** Lists when, where and with which versions a session of the run was done. */
function sessionFacts({
  epoch,
  started,
  versions,
  commit,
  machine,
  device,
  kernels,
}: Partial<Session>): Facts {
  const rows: [string, string | undefined][] = [
    ["started", started],
    ["ferkit", commit ? `${versions?.ferkit}, commit ${commit}` : versions?.ferkit],
    ["TensorFlow", versions?.tensorflow],
    ["Node.js", versions?.node],
    ["device", kernels ? `${device}, ${kernels} kernels` : device],
    ["processor", machine && `${machine.cores} × ${machine.cpu}`],
  ];
  // A run of another program may have recorded less.
  return {
    caption: `from epoch ${epoch}`,
    rows: rows.filter((row): row is [string, string] => row[1] !== undefined),
  };
}
