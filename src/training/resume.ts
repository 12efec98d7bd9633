// How a run resumes in its folder: the checks, which change nothing, and then what is put back in order.

import { existsSync } from "node:fs";
import path from "node:path";
import { IMAGE_LIST, type ImageList, listDigest, readImageList } from "../data/image-list.js";
import { shortDigest } from "../digest.js";
import type { Environment } from "../environment.js";
import { DiskError, InputError, isOfContent } from "../errors.js";
import { moveAside, removeTemporaryFiles } from "../files.js";
import {
  bestModelDir,
  type ModelImages,
  recoverBestModel,
  recoverImageList,
  saveBestModel,
} from "./best-model.js";
import { type Checkpoint, loadCheckpoint, type Progress, restore, saveCheckpoint } from "./checkpoint.js";
import { earlierTraining, recordedEarlierTraining } from "./earlier-training.js";
import { ofType } from "./events.js";
import type { RunLock } from "./lock.js";
import { isOwnLog, readEvents } from "./metrics-log.js";
import { extensionNote } from "./notes.js";
import {
  checkOwnConfig,
  checkSameRun,
  earlierModels,
  loadRunConfig,
  type RunConfig,
  saveRunConfig,
  WRITTEN_AGAIN,
} from "./run-config.js";
import { recoverSessions } from "./sessions.js";
import type { TrainState } from "./step.js";
import { checkSameWeights, repeatedTeachers, weightDigests } from "./weight-digests.js";

/** A run that one process is to train, from scratch or on from what is in its folder. */
export interface PreparedRun extends ModelImages {
  runDir: string;
  /** As `describeRun` returns it; with digests of the weights, once they are known. */
  config: RunConfig;
  /** The list of its images; what it says about earlier trainings is added when the run starts. */
  list: ImageList;
  /** Network and optimizer, as they are before the first step. */
  state: TrainState;
  lock: RunLock;
  environment: Environment;
}

/** What a run that resumes starts from. */
export interface Resumption {
  progress: Progress;
  /** The run's configuration, as recorded. */
  config: RunConfig;
  /** The list of its images, with what is recorded about earlier trainings. */
  list: ImageList;
  /** For a user who trains it further. */
  notes: string[];
  /** What was wrong with the run's files, and what was done. */
  repairs: string[];
}

/**
 * Resumes the run in a folder: checks that it is the same and that its files belong to it, and restores its checkpoint. Without a
 * checkpoint, it starts from scratch.
 *
 * @throws InputError if it is another run, or files of it are gone that nothing can replace. Nothing is changed then.
 */
export async function resumeRun(run: PreparedRun): Promise<Resumption> {
  const { runDir, state } = run;
  const notes = await removeLeftovers(run);
  const digests = await weightDigests(state);
  notes.push(...repeatedTeachers(digests?.teachers ?? [], state.config.teachers));
  const given = digests ? { ...run, config: { ...run.config, weightDigests: digests } } : run;
  const checkpoint = await loadCheckpoint(runDir);
  const saved = await loadRunConfig(runDir).catch((error) => {
    if (!isOfContent(error) || !checkpoint?.run) throw error;
    throw new InputError({ ...error.problem, fix: WRITTEN_AGAIN });
  });
  const resumption = checkpoint
    ? await resumeFrom(checkpoint, given, saved)
    : await startFromScratch(given, saved);
  return { ...resumption, notes: [...notes, ...resumption.notes] };
}

/** Removes what a killed process left, which only the process that holds the lock may do; says if no process can hold it. */
async function removeLeftovers({ runDir, lock }: PreparedRun): Promise<string[]> {
  if (!lock.isHeld) return ["this system cannot lock the run's folder, so start no second process on it"];
  for (const dir of [runDir, bestModelDir(runDir), path.join(runDir, "last")])
    await removeTemporaryFiles(dir);
  return [];
}

/** @param saved - The configuration in the folder, if a process was killed before its first checkpoint. */
async function startFromScratch(run: PreparedRun, saved: RunConfig | undefined): Promise<Resumption> {
  const { runDir, state } = run;
  if (state.lostWeights) throw state.lostWeights;
  const list = { ...run.list, ...(await earlierTraining(earlierModels(state.config))) };
  if (saved) await checkSameRun(runDir, saved, run.config, list);
  await checkUnstarted(runDir, saved, list);
  const config = { id: idOf(run.config), ...run.config };
  const { repairs } = await recoverSessions(runDir, config);
  await saveRunConfig(runDir, config, list);
  return { progress: { epoch: 0, step: 0, best: null }, config, list, notes: [], repairs };
}

/** @param saved - The configuration in the folder, if it is still there. */
async function resumeFrom(
  checkpoint: Checkpoint,
  given: PreparedRun,
  saved: RunConfig | undefined,
): Promise<Resumption> {
  const { runDir, state } = given;
  const recorded = checkpoint.run ?? saved;
  if (!recorded)
    throw new InputError({
      expected: "the config.json of the run",
      where: runDir,
      found: "none",
      fix: "Choose another run folder (--run), or add the file again: it says what the run was started with.",
    });
  if (saved) checkOwnConfig(runDir, saved, recorded);
  await checkSameRun(runDir, recorded, given.config, given.list);
  const { weightDigests: digests } = given.config;
  const notes = checkSameWeights(recorded, digests, state);
  checkProgress(runDir, checkpoint, recorded, state);

  const { start } = recorded.weightDigests ?? {};
  const isStartGone = state.lostWeights !== null || (start !== undefined && digests?.start !== start);
  const earlier = await recordedEarlierTraining(runDir, given.list, state.config, isStartGone);
  const run = { ...given, list: { ...given.list, ...earlier } };
  restore(state, checkpoint);
  const config = resumedConfig(recorded, run.config);
  const hasDigests = recorded.dataDigest !== undefined;
  const repairs = saved ? [] : ["config.json was missing; it is written again from last/state.json"];
  if (hasDigests) repairs.push(...(await recoverImageList(runDir, run.list, false)));
  await saveRunConfig(runDir, config, run.list);
  const sessions = await recoverSessions(runDir, config);
  notes.push(...environmentNote(sessions.last, run.environment));
  notes.push(...extensionNote(state, (saved ?? recorded).train, checkpoint.progress.step));
  const best = await recoverBest(run, config, checkpoint.progress, hasDigests);
  notes.push(...best.notes);
  repairs.push(...sessions.repairs, ...best.repairs, ...(await recoverLog(runDir, config, best.progress)));
  return { progress: best.progress, config, list: run.list, notes, repairs };
}

/** Returns the configuration of a run that resumes: what it began from stays on record, whatever is there now. */
function resumedConfig(recorded: RunConfig, given: RunConfig): RunConfig {
  const { id } = recorded;
  const { features: _, ...present } = given.weightDigests ?? {};
  const digests = { ...present, ...recorded.weightDigests };
  const hasDigests = Object.keys(digests).length > 0;
  return { ...(id !== undefined && { id }), ...given, ...(hasDigests && { weightDigests: digests }) };
}

/**
 * Puts the best model of a run that resumes back in order, and the list of images beside it.
 *
 * @param hasDigests - Whether the run recorded which images it is for.
 */
async function recoverBest(
  run: PreparedRun,
  config: RunConfig,
  recorded: Progress,
  hasDigests: boolean,
): Promise<Pick<Resumption, "progress" | "notes" | "repairs">> {
  const { runDir, state, list } = run;
  const { best, model, repair } = await recoverBestModel(runDir, state, recorded, run);
  const progress = { ...recorded, best };
  const notes = repair === null && recorded.best && !recorded.best.weightFile ? [UNRECORDED_BEST] : [];
  const repairs = repair === null ? [] : [repair];
  if (repair !== null) await saveCheckpoint(runDir, progress, state, config);
  if (model) await saveBestModel(runDir, model, list);
  else if (best && hasDigests) repairs.push(...(await recoverImageList(runDir, list, true)));
  return { progress, notes, repairs };
}

const UNRECORDED_BEST =
  "the run did not record which model is its best, as it does since version 0.3: the one in best/ is taken for it";

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
  return shortDigest(JSON.stringify(config));
}

/**
 * Checks that a folder without a state has nothing that a run from scratch would replace. A process that is killed in its first
 * epoch leaves that epoch's events at most.
 */
async function checkUnstarted(runDir: string, saved: RunConfig | undefined, list: ImageList): Promise<void> {
  const { events, problem } = await readEvents(runDir);
  const numEpochs = Math.max(0, ...events.map((event) => ("epoch" in event ? event.epoch : 0)));
  const hasModel = existsSync(path.join(bestModelDir(runDir), "model.json"));
  const found = [
    problem === null && numEpochs > 1 ? `${numEpochs} epochs in metrics.jsonl` : null,
    problem === null ? null : `a metrics.jsonl of something else (${problem})`,
    hasModel ? "a model in best" : null,
    ...(saved ? [] : await foreignFiles(runDir, list)),
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
      found: `${step} steps after ${epoch} epochs, ${dataDigest === undefined ? "as version 0.1 left out more images" : "each with another number"}`,
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
