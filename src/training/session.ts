// A session: the part of a run that one process trains. Where it resumes, and when its time is over.
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import path from "node:path";
import type { TrainConfig } from "../config.js";
import { IMAGE_LIST, type ImageList, listDigest, readImageList } from "../data/image-list.js";
import type { Environment } from "../environment.js";
import { DiskError, InputError } from "../errors.js";
import { moveAside, removeTemporaryFiles } from "../files.js";
import { type Conventions, conventions, FAMILIES } from "../model/conventions.js";
import { withConventions } from "../model/create.js";
import type { ModelConfig, ParameterValue } from "../model/network.js";
import { blockOf } from "../model/parameters.js";
import { loadModelConfig } from "../model/weights/model-folder.js";
import {
  bestModelDir,
  type ModelImages,
  recoverBestModel,
  recoverImageList,
  saveBestModel,
} from "./best-model.js";
import {
  type Checkpoint,
  loadCheckpoint,
  type Progress,
  readState,
  restore,
  saveCheckpoint,
} from "./checkpoint.js";
import { ofType } from "./events.js";
import type { RunLock } from "./lock.js";
import { isOwnLog, readEvents } from "./metrics-log.js";
import { extensionNote } from "./notes.js";
import {
  checkOwnConfig,
  checkSameRun,
  type describeRun,
  loadRunConfig,
  type RunConfig,
  saveRunConfig,
  type WeightDigests,
  WRITTEN_AGAIN,
} from "./run-config.js";
import { recoverSessions } from "./sessions.js";
import type { TrainState } from "./step.js";

/** What a run that resumes starts from. */
export interface Resumption {
  progress: Progress;
  /** The run's configuration, as recorded. */
  config: RunConfig;
  /** For a user who trains it further. */
  notes: string[];
  /** What was wrong with the run's files, and what was done. */
  repairs: string[];
}

/**
 * Resumes the run in a folder: checks that it is the same and that its files belong to it, and restores its checkpoint.
 *
 * @throws InputError if it is another run, or files of it are gone that nothing can replace. Nothing is changed then.
 */
export async function resumeRun(
  runDir: string,
  { config: given, images }: Awaited<ReturnType<typeof describeRun>>,
  { state, ...modelImages }: ModelImages & { state: TrainState },
  lock: RunLock,
  environment: Environment,
): Promise<Resumption> {
  const [notes, repairs]: string[][] = [[], []];
  if (lock.isHeld)
    for (const dir of [runDir, bestModelDir(runDir), path.join(runDir, "last")])
      await removeTemporaryFiles(dir);
  else notes.push("this system cannot lock the run's folder, so start no second process on it");
  const digests = await weightDigests(state);
  notes.push(...repeatedTeachers(digests.weightDigests?.teachers ?? [], state.config.teachers));
  const checkpoint = await loadCheckpoint(runDir);
  const saved = await loadRunConfig(runDir).catch((error) => {
    if (!(error instanceof InputError) || error instanceof DiskError || !checkpoint?.run) throw error;
    throw new InputError({ ...error.problem, fix: WRITTEN_AGAIN });
  });
  if (!checkpoint) {
    if (state.lostWeights) throw state.lostWeights;
    if (saved) await checkSameRun(runDir, saved, { ...given, ...digests }, images);
    await checkUnstarted(runDir, saved, images);
    const config = { id: idOf(given), ...given, ...digests };
    const { repair } = await recoverSessions(runDir, config);
    if (repair !== null) repairs.push(repair);
    await saveRunConfig(runDir, config, images);
    return { progress: { epoch: 0, step: 0, best: null }, config, notes, repairs };
  }
  const recorded = checkpoint.run ?? saved;
  if (!recorded)
    throw new InputError({
      expected: "the config.json of the run",
      where: runDir,
      found: "none",
      fix: "Choose another run folder (--run), or add the file again: it says what the run was started with.",
    });
  if (saved) checkOwnConfig(runDir, saved, recorded);
  else repairs.push("config.json was missing; it is written again from last/state.json");
  await checkSameRun(runDir, recorded, { ...given, ...digests }, images);
  notes.push(...checkWeights(recorded, digests.weightDigests, state));
  checkProgress(runDir, checkpoint, recorded, state);
  restore(state, checkpoint);
  // What it began from stays on record, whatever is there now.
  const { features: _, ...present } = digests.weightDigests ?? {};
  const weights = { ...present, ...recorded.weightDigests };
  const { id } = recorded;
  const config = {
    ...(id !== undefined && { id }),
    ...given,
    ...(Object.keys(weights).length > 0 && { weightDigests: weights }),
  };
  if (recorded.dataDigest !== undefined) {
    const note = await recoverImageList(runDir, images, false);
    if (note !== null) repairs.push(note);
  }
  await saveRunConfig(runDir, config, images);
  const { last, repair: recordRepair } = await recoverSessions(runDir, config);
  if (recordRepair !== null) repairs.push(recordRepair);
  notes.push(...environmentNote(last, environment));
  notes.push(...extensionNote(state, (saved ?? recorded).train, checkpoint.progress.step));
  const { best, model, repair } = await recoverBestModel(runDir, state, checkpoint.progress, modelImages);
  const progress = { ...checkpoint.progress, best };
  if (repair !== null) repairs.push(repair);
  else if (checkpoint.progress.best && !checkpoint.progress.best.weightFile) notes.push(UNRECORDED_BEST);
  if (repair !== null) await saveCheckpoint(runDir, progress, state, config);
  if (model) await saveBestModel(runDir, model, images);
  else if (best && recorded.dataDigest !== undefined) {
    const note = await recoverImageList(runDir, images, true);
    if (note !== null) repairs.push(note);
  }
  repairs.push(...(await recoverLog(runDir, config, progress)));
  return { progress, config, notes, repairs };
}

/**
 * Checks that the log has the events of all epochs that have ended. One of another run, or with other lines, is moved aside.
 *
 * @returns What was wrong.
 */
async function recoverLog(runDir: string, config: RunConfig, { epoch }: Progress): Promise<string[]> {
  const log = await readEvents(runDir);
  const file = path.join(runDir, "metrics.jsonl");
  const isOwn = isOwnLog(config, log);
  const logged = new Set(isOwn ? ofType(log.events, "epoch").map((event) => event.epoch) : []);
  const missing = Array.from({ length: epoch }, (_, i) => i + 1).filter((one) => !logged.has(one));
  const problems = [
    ...(isOwn ? [] : [`is of another run, and is now ${await moveAside(file)}`]),
    ...(isOwn && log.problem !== null ? [`has other lines, which are left out (${log.problem})`] : []),
    ...(missing.length > 0
      ? [`lacks ${missing.length} of ${epoch} epochs, which reports and charts cannot show`]
      : []),
  ];
  return problems.length > 0 ? [`metrics.jsonl ${problems.join(", and ")}`] : [];
}

/** Returns the digest of a run's configuration. */
function idOf(config: RunConfig): string {
  return createHash("sha256").update(JSON.stringify(config)).digest("hex").slice(0, 16);
}

/**
 * Checks that a folder without a state has nothing that a run from scratch would replace. A process that is killed in its first
 * epoch leaves that epoch's events at most.
 */
async function checkUnstarted(
  runDir: string,
  saved: RunConfig | undefined,
  images: ImageList,
): Promise<void> {
  const { events, problem } = await readEvents(runDir);
  const numEpochs = Math.max(0, ...events.map((event) => ("epoch" in event ? event.epoch : 0)));
  const hasModel = existsSync(path.join(bestModelDir(runDir), "model.json"));
  const found = [
    problem === null && numEpochs > 1 ? `${numEpochs} epochs in metrics.jsonl` : null,
    problem === null ? null : `a metrics.jsonl of something else (${problem})`,
    hasModel ? "a model in best" : null,
    ...(saved ? [] : await foreignFiles(runDir, images)),
  ].filter((one) => one !== null);
  if (found.length === 0) return;
  const start = hasModel ? `, with --set weights=${bestModelDir(runDir)} to start from that model` : "";
  throw new InputError({
    expected: "the state that a run resumes from",
    where: path.join(runDir, "last", "state.json"),
    found: `none, beside ${found.join(" and ")}, which a run from scratch would replace`,
    fix: `Choose another run folder (--run)${start}.`,
  });
}

/** Names the files in a folder without a run that a run would replace. A process that is killed first writes the list of images. */
async function foreignFiles(runDir: string, images: ImageList): Promise<string[]> {
  const list = path.join(runDir, IMAGE_LIST);
  const found = await readImageList(list).catch((error) => {
    if (error instanceof DiskError) throw error;
    return null;
  });
  const isOwn = found !== null && listDigest(found) === listDigest(images);
  return [
    ...(existsSync(list) && !isOwn ? [`another ${IMAGE_LIST}`] : []),
    ...(existsSync(path.join(runDir, "environment.json")) ? ["an environment.json"] : []),
  ];
}

/** Returns digests of the files of weights that a run uses; nothing if it uses none of its user's. */
async function weightDigests({
  config,
  network,
  teachers,
  lostWeights,
}: TrainState): Promise<Pick<RunConfig, "weightDigests">> {
  const isNamed = config.weights === "random" || config.weights === "imagenet";
  if (isNamed && teachers.length === 0) return {};
  const start = isNamed
    ? {}
    : {
        ...(!lostWeights && startDigests(await network.parameters())),
        conventions: conventionsDigest(network.config),
      };
  const ofTeachers: string[] = [];
  for (const teacher of teachers) {
    const { calibration: _, predictionSets: __, calibratedFrom: ___, ...settings } = teacher.config;
    ofTeachers.push(digestOf(await teacher.parameters(), settings));
  }
  return { weightDigests: { ...start, ...(ofTeachers.length > 0 && { teachers: ofTeachers }) } };
}

/** Says which teachers are the same model, as a copy of it. */
function repeatedTeachers(digests: readonly string[], teachers: readonly string[]): string[] {
  return digests.flatMap((digest, i) => {
    const first = digests.indexOf(digest);
    if (first === i) return [];
    return [
      `the teachers ${teachers[first]} and ${teachers[i]} are the same model, which counts twice in their mean`,
    ];
  });
}

function startDigests(parameters: ReadonlyMap<string, ParameterValue>): WeightDigests {
  const features = [...parameters].filter(([name]) => blockOf(name) !== "predictions");
  return { start: digestOf(parameters), features: digestOf(new Map(features)) };
}

function conventionsDigest({
  preprocessing,
  padding,
  epsilon,
}: Pick<ModelConfig, "preprocessing" | "padding" | "epsilon">): string {
  return digestOf(new Map(), [preprocessing, padding, epsilon]);
}

/**
 * Returns how the network of a run that has a state takes pixels, and pads, which the state does not say: its weights need not be
 * read again then. Null if it is not known, or if there is no state.
 */
export async function knownConventions(
  runDir: string,
  { weights, variant }: TrainConfig,
): Promise<Conventions | null> {
  const readable = <T>(reading: Promise<T>) => reading.catch(() => undefined); // the run that resumes says what is wrong
  const saved = await readable(readState(runDir));
  if (!saved) return null;
  if (weights === "random" || weights === "imagenet") return conventions(variant);
  const { weightDigests: recorded } = saved.run ?? (await readable(loadRunConfig(runDir))) ?? {};
  const best = await readable(loadModelConfig(bestModelDir(runDir)));
  const ofBest = best && { ...conventions(best.variant), ...best };
  if (!recorded?.conventions) return ofBest ?? null;
  const candidates = [...(ofBest ? [ofBest] : []), ...FAMILIES.map((family) => conventions(variant, family))];
  const isRecorded = (found: Conventions) =>
    conventionsDigest(withConventions({ variant }, found)) === recorded.conventions;
  return candidates.find(isRecorded) ?? null;
}

function digestOf(parameters: ReadonlyMap<string, ParameterValue>, settings: unknown = null): string {
  const hash = createHash("sha256").update(JSON.stringify(settings));
  for (const [name, { data }] of parameters)
    hash.update(name).update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  return hash.digest("hex").slice(0, 16);
}

/**
 * Compares the weights that a run uses with those that it was started with. What it began from is in its state by now, but its
 * teachers and what came with the weights still count.
 *
 * @returns Notes for the user.
 * @throws InputError if a teacher, or what came with the weights, is another one.
 */
function checkWeights(
  { weightDigests: before }: RunConfig,
  now: WeightDigests | undefined,
  { config: { weights, teachers }, lostWeights }: TrainState,
): string[] {
  const { expected, found } = lostWeights?.problem ?? {};
  const lost = lostWeights
    ? [
        `the run resumes from its own weights: those at ${weights} cannot be read any more (expected ${expected}, found ${found})`,
      ]
    : [];
  if (!now) return lost;
  if (!before)
    return [
      ...lost,
      "the run did not record digests of its weights and teachers, as it does since version 0.3: those that are there now are taken for them",
    ];
  const refuse = (expected: string, where: string) =>
    new InputError({
      expected,
      where,
      found: "other weights",
      fix: "Choose another run folder (--run), or put the weights back that were there.",
    });
  const other = teachers.findIndex((_, i) => before.teachers?.[i] !== now.teachers?.[i]);
  if (other >= 0) throw refuse("the teacher that the run was started with", teachers[other]);
  if (before.conventions !== now.conventions)
    throw refuse("weights of the preprocessing and padding that the run was started with", weights);
  if (lostWeights || before.start === now.start) return lost;
  return [`the weights at ${weights} are no longer those that the run began from; it resumes from its own`];
}

const UNRECORDED_BEST =
  "the run did not record which model is its best, as it does since version 0.3: the one in best/ is taken for it";

function checkProgress(
  runDir: string,
  { progress }: Checkpoint,
  { dataDigest }: RunConfig,
  { config, plan }: TrainState,
): void {
  const { epoch, step } = progress;
  if (epoch > config.epochs)
    throw new InputError({
      expected: `epochs=${epoch} or more for a run that has trained as many`,
      where: runDir,
      found: `epochs=${config.epochs}`,
      fix: "Choose more epochs, or another run folder (--run).",
    });
  const numExtra = step - epoch * plan.numBatches;
  if (numExtra < 0 || numExtra > plan.numBatches)
    throw new InputError({
      expected: `a run of ${plan.numBatches} batches an epoch`,
      where: runDir,
      found: `${step} steps after ${epoch} epochs, ${dataDigest === undefined ? "as version 0.1 left out more images" : "of which each had another number"}`,
      fix: "Choose another run folder (--run).",
    });
}

/** What decides the last bits of a computation, by name. */
const ARITHMETIC: [name: string, of: (environment: Partial<Environment>) => unknown][] = [
  ["cores", ({ machine }) => machine?.cores],
  ["threads", ({ threads }) => threads],
  ["device", ({ device }) => device],
  ["kernels", ({ kernels }) => kernels],
  ["ferkit", ({ versions }) => versions?.ferkit],
  ["TensorFlow", ({ versions }) => versions?.tensorflow],
  ["tfjs", ({ versions }) => versions?.tfjs],
  ["Node.js", ({ versions }) => versions?.node],
];

/** Says how the environment of a run that resumes differs from that of its last session, if it does. */
function environmentNote(last: Partial<Environment> | undefined, present: Environment): string[] {
  if (!last)
    return [
      "environment.json has no session that can be read, so it is not known whether the run resumes in the environment that trained it",
    ];
  const changes = ARITHMETIC.flatMap(([name, of]) => {
    const [before, now] = [of(last), of(present)];
    return before === undefined || before === now ? [] : [`${name} ${before} → ${now}`];
  });
  if (changes.length === 0) return [];
  return [
    `the run resumes in another environment (${changes.join(", ")}), so its weights differ in their last bits from those of a run that stayed in one`,
  ];
}

/**
 * Starts the clock of a session.
 *
 * @param maxMinutes - 0 = no limit.
 * @returns Whether the time is over.
 */
export function startClock(maxMinutes: number): () => boolean {
  const started = performance.now();
  return () => maxMinutes > 0 && performance.now() - started >= 60_000 * maxMinutes;
}
