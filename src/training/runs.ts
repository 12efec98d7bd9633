// The runs in a folder: found, summarized, recorded.
import { existsSync } from "node:fs";
import { readdir, realpath, stat } from "node:fs/promises";
import path from "node:path";
import { isDeepStrictEqual } from "node:util";
import { contentDigest, IMAGE_LIST, listDigest, readImageList } from "../data/image-list.js";
import { dataName } from "../data/sources/source.js";
import { checkPath, DiskError, InputError } from "../errors.js";
import { writeFileAtomically } from "../files.js";
import { prettyJson } from "../json.js";
import type { Variant } from "../model/efficientnet.js";
import { bestModelProblem } from "./best-model.js";
import { loadBestEpoch } from "./checkpoint.js";
import { type EndReason, type EpochEvent, keptEpoch, ofType, type TrainEvent } from "./events.js";
import { checkOwnLog, loadMetrics, logText, readEvents } from "./metrics-log.js";
import { loadRunConfig, type RunConfig } from "./run-config.js";
import { loadSessions, type Session } from "./sessions.js";

/** A run as its folder describes it. */
export interface Run {
  /** Path of the run's folder. */
  folder: string;
  /** What the run was started with. */
  config: RunConfig;
  /** In order. */
  epochs: EpochEvent[];
  /** `interrupted` also while it is still training. */
  state: EndReason;
  /** Empty for a run that recorded none. */
  sessions: Session[];
  /** What is wrong with its other files: the best model, the state that it resumes from, the record of its sessions. */
  problems: string[];
  /** Digest of its images whatever their split; null if it is not known, or if the seed draws the images. */
  imagesDigest: string | null;
}

/** A run's figures; null before the first epoch has ended. */
export interface RunSummary {
  data: string;
  variant: Variant;
  imageSize: number;
  seed: number;
  /** Which fold it validated on, as `2/5`; null if it held out no fold. */
  fold: string | null;
  /** Epochs that have ended. */
  numEpochs: number;
  /** Epochs that were configured. */
  epochs: number;
  state: EndReason;
  /** Epoch whose model is kept, and its scores on the validation images, [0, 1]. */
  bestEpoch: number | null;
  bestAccuracy: number | null;
  /** Null also for runs that did not log it. */
  macroF1: number | null;
  /** For all epochs, training and validation. */
  durationMs: number;
  /** ISO 8601; null for a run that recorded no session. */
  started: string | null;
}

/**
 * Finds the runs in a folder and below it. The folder may be a run itself.
 *
 * @returns Runs sorted by path, and the folders that look like a run but cannot be read, with the reason.
 * @throws InputError when the folder does not exist.
 * @example
 * ```ts
 * import { loadRuns } from "ferkit";
 *
 * const { runs, broken } = await loadRuns("runs");
 * for (const { folder, state, epochs } of runs) console.log(folder, state, epochs.length);
 * for (const { folder, reason } of broken) console.log(folder, reason);
 * ```
 */
export async function loadRuns(
  folder: string,
): Promise<{ runs: Run[]; broken: { folder: string; reason: string }[] }> {
  checkPath("folder", folder);
  const runs: Run[] = [];
  const broken: { folder: string; reason: string }[] = [];
  const passOver = (at: string, error: unknown) => {
    if (!(error instanceof InputError)) throw error;
    const { expected, found } = error.problem;
    broken.push({ folder: at, reason: `expected ${expected}, found ${found}` });
  };
  for (const runDir of await findRuns(folder, passOver))
    await loadRun(runDir).then(
      (run) => runs.push(run),
      (error) => passOver(runDir, error),
    );
  return { runs, broken };
}

/** @throws InputError when the folder holds no readable run. */
export async function loadRun(folder: string): Promise<Run> {
  const config = await loadRunConfig(folder);
  if (config === undefined)
    throw new InputError({ expected: "the config.json of a run", where: folder, found: "none" });
  const log = await readEvents(folder);
  const { events, problem } = log;
  if (problem !== null)
    throw new InputError({
      expected: "the events of a run in metrics.jsonl",
      where: folder,
      found: problem,
      fix: "Fix the line, or remove it.",
    });
  checkOwnLog(folder, config, log);
  const epochs = ofType(events, "epoch");
  const [done] = ofType(events, "done").slice(-1);
  const state = done?.reason ?? "interrupted";
  const { sessions, problem: recordProblem } = await loadSessions(folder, config);
  const problems = await modelProblems(folder, config, events);
  if (recordProblem !== null) problems.push(`environment.json ${recordProblem}`);
  const imagesDigest = config.imagesDigest ?? (await listedDigest(folder, config));
  return { folder, config, epochs, state, sessions, problems, imagesDigest };
}

/** Returns the digest of a run's images that a run before version 0.3 did not record, from its list of images. */
async function listedDigest(folder: string, { data, dataDigest }: RunConfig): Promise<string | null> {
  if (data === "synthetic" || dataDigest === undefined) return null;
  const list = await readImageList(path.join(folder, IMAGE_LIST)).catch(() => null);
  return list && listDigest(list) === dataDigest ? contentDigest(list) : null;
}

/** Says what is wrong with the best model of a run and the state that it resumes from. A copy by `recordRun` has neither. */
async function modelProblems(folder: string, config: RunConfig, events: TrainEvent[]): Promise<string[]> {
  if (ofType(events, "batch").length === 0) return [];
  const problems: string[] = [];
  const recorded = await loadBestEpoch(folder).catch((error) => {
    if (!(error instanceof InputError)) throw error;
    const { expected, found } = error.problem;
    if (error instanceof DiskError) problems.push(`last/ cannot be read: ${found}`);
    else problems.push(`last/ should hold ${expected}, but holds ${found}`);
    return undefined;
  });
  const epochs = ofType(events, "epoch");
  const hasEnded = ofType(events, "done").some(({ reason }) => reason !== "interrupted");
  if (recorded === undefined && problems.length === 0 && epochs.length > 0 && !hasEnded)
    problems.push("last/ should hold the state that the run resumes from, but holds none");
  const best = recorded ?? keptEpoch(epochs) ?? null;
  const problem = await bestModelProblem(folder, best, config.classNames).catch((error) => {
    if (!(error instanceof DiskError)) throw error;
    return `best/ cannot be read: ${error.problem.found}`;
  });
  return problem === null ? problems : [problem, ...problems];
}

export function summarizeRun({ config, epochs, state, sessions }: Run): RunSummary {
  const { variant, imageSize, seed, epochs: numConfigured } = config.train;
  const best = keptEpoch(epochs);
  return {
    data: dataName(config.data),
    variant,
    imageSize,
    seed,
    fold: typeof config.dataOptions?.fold === "string" ? config.dataOptions.fold : null,
    numEpochs: epochs[epochs.length - 1]?.epoch ?? 0,
    epochs: numConfigured,
    state,
    bestEpoch: best?.epoch ?? null,
    bestAccuracy: best?.validation.accuracy ?? null,
    macroF1: best?.validation.macroF1 ?? null,
    durationMs: epochs.reduce((total, { durationMs }) => total + durationMs, 0),
    started: sessions[0]?.started ?? null,
  };
}

/**
 * Copies a run's configuration, sessions and epochs to a folder, where they replace an earlier copy: a few kilobytes of text,
 * without weights and batches. Of the data's path only the last part is kept.
 *
 * @throws InputError when the folder holds another run.
 */
export async function recordRun({ folder, config, sessions }: Run, target: string): Promise<void> {
  checkPath("target", target);
  const own = { ...config, data: path.basename(config.data) };
  const present = await loadRunConfig(target);
  if (present && !isDeepStrictEqual(present, own))
    throw new InputError({
      expected: `no run except ${folder}`,
      where: target,
      found: "one of another configuration",
      fix: "Rename one of them, or remove the earlier record.",
    });
  const other = present ? undefined : RECORD_FILES.find((name) => existsSync(path.join(target, name)));
  if (other !== undefined)
    throw new InputError({
      expected: "an earlier record, or no files of one",
      where: target,
      found: `${other} without a config.json`,
      fix: "Choose another folder, or rename the file.",
    });
  const events = (await loadMetrics(folder)).filter(({ type }) => type !== "batch");
  const named = events.map((event) =>
    event.type === "done" ? { ...event, runDir: path.basename(target) } : event,
  );
  await writeFileAtomically(path.join(target, "config.json"), prettyJson(own));
  await writeFileAtomically(path.join(target, "metrics.jsonl"), logText(config.id, named));
  await writeFileAtomically(path.join(target, "environment.json"), prettyJson(sessions));
}

/** What `recordRun` writes besides the configuration, which it writes first: a process may be killed between them. */
const RECORD_FILES = ["metrics.jsonl", "environment.json"];

/** Returns whether a link leads to a folder that it is not inside of, which would be a loop. */
async function isFolderElsewhere(link: string): Promise<boolean> {
  const target = await realpath(link).catch(() => null); // a link to nothing
  if (target === null || !(await stat(target)).isDirectory()) return false;
  const parent = await realpath(path.dirname(link));
  return parent !== target && !parent.startsWith(target + path.sep);
}

/** Folders inside each other; more are a loop of mounts, or an attempt to exhaust the stack. */
const MAX_DEPTH = 100;

/**
 * Finds folders with a file of a run; skips hidden folders and installed packages.
 *
 * @param passOver - Called with each inner folder that cannot be read.
 */
async function findRuns(
  folder: string,
  passOver: (folder: string, error: unknown) => void,
  depth = 0,
): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    throw new InputError({
      expected: "a folder of runs",
      where: folder,
      found: error.code === "ENOENT" ? "no such path" : `one that cannot be read (${error.code})`,
      fix: "Run `npx ferkit train` to make one, or choose another folder.",
    });
  });
  const isRun = entries.some(
    (entry) => !entry.isDirectory() && /^(config\.json|metrics\.jsonl)$/.test(entry.name),
  );
  const inner: string[] = [];
  for (const entry of entries) {
    if (/^(\..*|node_modules)$/.test(entry.name)) continue;
    const one = path.join(folder, entry.name);
    const isFolder = entry.isSymbolicLink() ? await isFolderElsewhere(one) : entry.isDirectory();
    if (isFolder) inner.push(one);
  }
  inner.sort();
  const found: string[] = isRun ? [folder] : [];
  for (const one of depth < MAX_DEPTH ? inner : [])
    for (const runDir of await findRuns(one, passOver, depth + 1).catch((error) => {
      passOver(one, error);
      return [];
    }))
      found.push(runDir);
  return found;
}
