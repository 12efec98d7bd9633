// A session: the part of a run that one process trains. Where it resumes, and when its time is over.
import path from "node:path";
import type { Environment } from "../environment.js";
import { InputError } from "../errors.js";
import { removeTemporaryFiles } from "../files.js";
import { bestModelDir, type ModelImages, recoverBestModel, saveBestModel } from "./best-model.js";
import { type Checkpoint, loadCheckpoint, type Progress, restore, saveCheckpoint } from "./checkpoint.js";
import type { RunLock } from "./lock.js";
import { extensionNote } from "./notes.js";
import { checkSameRun, type describeRun, loadRunConfig, loadSessions, saveRunConfig } from "./run.js";
import type { TrainState } from "./step.js";

/**
 * Resumes the run in a folder: checks that it is the same, and restores its checkpoint.
 *
 * @returns How far the run has come, notes for a user who trains it further, and what was repaired.
 */
export async function resumeRun(
  runDir: string,
  { config, images }: Awaited<ReturnType<typeof describeRun>>,
  { state, ...modelImages }: ModelImages & { state: TrainState },
  lock: RunLock,
  environment: Environment,
): Promise<{ progress: Progress; notes: string[]; repair: string | null }> {
  const notes: string[] = [];
  if (lock.isHeld)
    for (const dir of [runDir, bestModelDir(runDir), path.join(runDir, "last")])
      await removeTemporaryFiles(dir);
  else notes.push("this system cannot lock the run's folder, so start no second process on it");
  const present = await loadRunConfig(runDir);
  if (present) await checkSameRun(runDir, present, config, images);
  const checkpoint = await loadCheckpoint(runDir);
  if (checkpoint) checkProgress(runDir, checkpoint, state);
  if (checkpoint) restore(state, checkpoint);
  await saveRunConfig(runDir, config, images);
  if (!checkpoint) return { progress: { epoch: 0, step: 0, best: null }, notes, repair: null };
  notes.push(...environmentNote((await loadSessions(runDir)).at(-1), environment));
  if (present) notes.push(...extensionNote(state, present.train, checkpoint.progress.step));
  const { best, model, repair } = await recoverBestModel(runDir, state, checkpoint.progress, modelImages);
  const progress = { ...checkpoint.progress, best };
  if (checkpoint.progress.best && !checkpoint.progress.best.weightFile && repair === null)
    notes.push(UNRECORDED_BEST);
  if (repair !== null) await saveCheckpoint(runDir, progress, state);
  if (model) await saveBestModel(runDir, model, images);
  return { progress, notes, repair };
}

const UNRECORDED_BEST =
  "the run did not record which model is its best, as it does since version 0.3: the one in best/ is taken for it";

function checkProgress(runDir: string, { progress }: Checkpoint, { config, plan }: TrainState): void {
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
      found: `${step} steps after ${epoch} epochs, since version 0.1 left out more images`,
      fix: "Choose another run folder (--run).",
    });
}

/** What decides the last bits of a computation, by name. */
const ARITHMETIC: [name: string, of: (environment: Partial<Environment>) => unknown][] = [
  ["cores", ({ machine }) => machine?.cores],
  ["device", ({ device }) => device],
  ["kernels", ({ kernels }) => kernels],
  ["ferkit", ({ versions }) => versions?.ferkit],
  ["TensorFlow", ({ versions }) => versions?.tensorflow],
  ["tfjs", ({ versions }) => versions?.tfjs],
  ["Node.js", ({ versions }) => versions?.node],
];

/** Says how the environment of a run that resumes differs from that of its last session, if it does. */
function environmentNote(last: Partial<Environment> | undefined, present: Environment): string[] {
  const changes = ARITHMETIC.flatMap(([name, of]) => {
    const [before, now] = [last && of(last), of(present)];
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
