// A run on disk: `config.json`, `environment.json`, `metrics.jsonl`, `best/` (a model folder) and `last/` (a checkpoint).
import { appendFile, mkdir, readFile } from "node:fs/promises";
import path from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { TrainConfig } from "../config.js";
import type { Dataset } from "../data/dataset.js";
import {
  IMAGE_LIST,
  type ImageList,
  listChanges,
  listDigest,
  listImages,
  readImageList,
  writeImageList,
} from "../data/image-list.js";
import type { SplitName } from "../data/split.js";
import type { Environment } from "../environment.js";
import { InputError } from "../errors.js";
import { writeError, writeFileAtomically } from "../files.js";
import type { TrainEvent } from "./events.js";

/** What a run was started with. It resumes only with the same. */
export interface RunConfig {
  train: TrainConfig;
  classNames: string[];
  /** What the data set was loaded from, as the user named it. */
  data: string;
  /** Options of the loader, such as `validationShare`. */
  dataOptions?: Readonly<Record<string, unknown>>;
  /** Digest of all images: their splits, classes, contents and paths. Absent for runs of version 0.1. */
  dataDigest?: string;
  /** `official` or `official-test`, if it was split so. */
  split?: SplitName;
  numImages: { train: number; validation: number };
}

/** Describes a run to be, and the images that it is for. */
export async function describeRun(
  dataset: Dataset,
  train: TrainConfig,
  data: string,
): Promise<{ config: RunConfig; images: ImageList }> {
  const { classNames, split, options } = dataset;
  const images = await listImages(dataset);
  const numImages = { train: dataset.train.numImages, validation: dataset.validation.numImages };
  const isOfficial = split === "official" || split === "official-test"; // other splits follow from the options
  const config: RunConfig = {
    train,
    classNames,
    data,
    ...(options && { dataOptions: rest(options, ["data", "imageSize", "seed", "classNames"]) }),
    dataDigest: listDigest(images),
    ...(isOfficial && { split }),
    numImages,
  };
  return { config, images };
}

/** Options of the loader that only choose images, which the digest covers. Others change what an image looks like. */
const CHOOSING = [
  ...["validationShare", "split", "dropDuplicates", "dropLeaked", "maxUnreadableShare", "group"],
  ...["trainFolder", "validationFolder", "leaveOut", "labelColumn", "labelNames", "labelPattern"],
];

/** Writes what a run is started with into its folder. */
export async function saveRunConfig(runDir: string, config: RunConfig, images: ImageList): Promise<void> {
  await writeImageList(path.join(runDir, IMAGE_LIST), images, true);
  await writeFileAtomically(path.join(runDir, "config.json"), prettyJson(config));
}

/**
 * Checks that the run in a folder is the same: trained by the same configuration on the same images, wherever these are now.
 * Only `epochs`, `patience` and `maxMinutes` may differ, to train it longer.
 *
 * @throws InputError with what differs.
 */
export async function checkSameRun(
  runDir: string,
  present: RunConfig,
  config: RunConfig,
  images: ImageList,
): Promise<void> {
  const given = JSON.parse(JSON.stringify(config)) as RunConfig; // as it will be read
  const differing = differences(comparable(present, given), comparable(given, present));
  const found: string[] = [];
  if (differing.length > 0) found.push(`one that differs in ${differing.join(", ")}`);
  if (present.dataDigest !== undefined && present.dataDigest !== given.dataDigest) {
    const earlier = await readImageList(path.join(runDir, IMAGE_LIST));
    found.push(`other images: ${earlier ? listChanges(earlier, images) : "their digest differs"}`);
  }
  if (found.length === 0) return;
  throw new InputError({
    expected: "a run of the same configuration and images",
    where: runDir,
    found: found.join("; and "),
    fix: "Choose another run folder (--run), or remove this one to start from scratch.",
  });
}

/** Leaves out what may differ between a run's configuration and another one that resumes it. */
function comparable(config: RunConfig, other: RunConfig): object {
  const { data, dataOptions = {}, dataDigest, numImages, split, ...own } = config;
  const hasDigests = dataDigest !== undefined && other.dataDigest !== undefined;
  const train = rest(own.train, ["epochs", "patience", "maxMinutes"]);
  if (hasDigests) return { ...own, train, dataOptions: rest(dataOptions, CHOOSING) };
  return { ...own, train, data, numImages, ...(split && { split }) };
}

function rest(values: object, without: string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([name]) => !without.includes(name)));
}

/** Reads the configuration of a run; undefined if there is none. */
export async function loadRunConfig(runDir: string): Promise<RunConfig | undefined> {
  const config = (await readJson(path.join(runDir, "config.json"))) as RunConfig | undefined;
  if (!config || !isPlainObject(config.train)) return config;
  // Version 0.1 called `emaDecay` otherwise, and had neither `monitor`, `weightsFamily`, `fit`, `grey` nor `fill`. Version 0.2 had
  // neither `maxMinutes` nor `calibrationShare`.
  const { averageDecay, ...train } = config.train as TrainConfig & { averageDecay?: number };
  const emaDecay = train.emaDecay ?? averageDecay;
  const { monitor = "accuracy", weightsFamily = "auto", fit = "crop", grey = "auto", augment } = train;
  const { maxMinutes = 0, calibrationShare = 0 } = train;
  return {
    ...config,
    train: {
      ...train,
      ...(emaDecay !== undefined && { emaDecay }),
      monitor,
      calibrationShare,
      weightsFamily,
      fit,
      grey,
      maxMinutes,
      augment: { ...augment, fill: augment?.fill ?? 0 },
    },
  };
}

/** A part of a run that one process trained, and what it ran on. */
export interface Session extends Environment {
  /** First epoch of the session. */
  epoch: number;
  /** First batch of the session in that epoch, from 1; absent for runs of version 0.1. */
  batch?: number;
  /** Epochs that were configured, which may differ between the sessions of a run that was extended. */
  epochs?: number;
  /** ISO 8601, UTC. */
  started: string;
}

/** Records a session from its first batch on, and drops the record of what it trains again. */
export async function recordSession(runDir: string, session: Session): Promise<void> {
  const isEarlier = ({ epoch, batch = 1 }: Session) =>
    epoch < session.epoch || (epoch === session.epoch && batch < (session.batch ?? 1));
  const kept = (await loadSessions(runDir)).filter(isEarlier);
  await writeFileAtomically(path.join(runDir, "environment.json"), prettyJson([...kept, session]));
}

/** Reads the sessions of a run, in order; empty if they cannot be read, since a run does not depend on them. */
export async function loadSessions(runDir: string): Promise<Session[]> {
  const sessions = await readJson(path.join(runDir, "environment.json")).catch(() => undefined);
  return Array.isArray(sessions) ? (sessions as Session[]) : [];
}

/** Appends events to `metrics.jsonl`, one a line. */
export class MetricsLog {
  private readonly file: string;
  private lines: string[] = [];

  constructor(runDir: string) {
    this.file = path.join(runDir, "metrics.jsonl");
  }

  /** Adds an event, to be written by `flush`, and returns it. */
  add<Event extends TrainEvent>(event: Event): Event {
    this.lines.push(`${JSON.stringify(event)}\n`);
    return event;
  }

  /** Writes the added events. */
  async flush(): Promise<void> {
    const text = this.lines.join("");
    if (text === "") return;
    this.lines = [];
    await mkdir(path.dirname(this.file), { recursive: true });
    await appendFile(this.file, text).catch((error) => {
      throw writeError(this.file, error);
    });
  }

  /** Drops the events after `step`, since the run trains from there again. */
  async rewind(step: number): Promise<void> {
    const kept = (await readEvents(this.file)).filter((event) => "step" in event && event.step <= step);
    await writeFileAtomically(this.file, kept.map((event) => `${JSON.stringify(event)}\n`).join(""));
  }
}

/** Reads the batches, epochs and end that a run has logged, in order. */
export async function loadMetrics(runDir: string): Promise<TrainEvent[]> {
  return readEvents(path.join(runDir, "metrics.jsonl"));
}

async function readEvents(file: string): Promise<TrainEvent[]> {
  const text = await readFile(file, "utf8").catch(() => "");
  return text.split("\n").flatMap((line) => {
    try {
      return [withTodaysReason(JSON.parse(line) as TrainEvent)];
    } catch {
      return []; // the empty last line, or one that a kill cut short
    }
  });
}

/** Version 0.1 wrote `earlyStopping`. */
function withTodaysReason(event: TrainEvent): TrainEvent {
  return event.type === "done" && (event.reason as string) === "earlyStopping"
    ? { ...event, reason: "stopped early" }
    : event;
}

/** Reads a JSON file of a run; undefined if it is missing. */
export async function readJson(file: string): Promise<unknown> {
  const text = await readFile(file, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw new InputError({
      expected: "JSON",
      where: file,
      found: "something else",
      fix: "Remove the run's folder.",
    });
  }
}

export function prettyJson(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** Returns the dotted names of values that differ. */
function differences(a: unknown, b: unknown): string[] {
  const [x, y] = [a, b].map((value) => flatten(isPlainObject(value) ? value : {}));
  const names = [...new Set([...x.keys(), ...y.keys()])];
  return names.filter((name) => !isDeepStrictEqual(x.get(name), y.get(name)));
}

/** Returns all values inside an object by dotted name: `augment.zoom`. A list is one value. */
export function flatten(values: object, prefix = ""): Map<string, unknown> {
  return new Map(
    Object.entries(values).flatMap(([name, value]): [string, unknown][] =>
      isPlainObject(value) ? [...flatten(value, `${prefix}${name}.`)] : [[prefix + name, value]],
    ),
  );
}

export function isPlainObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
