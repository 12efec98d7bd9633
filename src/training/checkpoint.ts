// The state that a run resumes from (`last/`).
import { existsSync } from "node:fs";
import path from "node:path";
import { type Tensor, tf } from "../engine/tf.js";
import type { Variable } from "../engine/variable.js";
import { InputError } from "../errors.js";
import { writeFileAtomically } from "../files.js";
import { download, nonFinite, type ParameterValue } from "../model/network.js";
import {
  checkTensorFile,
  readTensors,
  removeOldTensors,
  type TensorManifest,
  writeTensors,
} from "../model/weights/tensor-file.js";
import { readSaved } from "../saved-files.js";
import { type BestEpoch, bestModelDir } from "./best-model.js";
import { type RunConfig, upgraded } from "./run-config.js";
import type { TrainState } from "./step.js";

/** How far a run has come. */
export interface Progress {
  /** Epochs that have ended. */
  epoch: number;
  /** Steps that were trained; more than those epochs have, if the run was interrupted within the next one. */
  step: number;
  /** Null before the first epoch has ended. */
  best: BestEpoch | null;
}

export interface Checkpoint {
  runDir: string;
  progress: Progress;
  /** What the run was started with; absent for runs before version 0.3. */
  run?: RunConfig;
  /** Updates of each parameter's moments, and of the EMA. */
  numUpdates: Record<string, number>;
  emaUpdates: number;
  /** Values by name: parameters (`model/…`), moments (`first/…`, `second/…`) and EMA (`ema/…`). */
  values: Map<string, ParameterValue>;
}

/** Prefixes of Adam's two moments. */
const MOMENTS = ["first", "second"];

/** Writes everything that a run needs to resume to the same bits. Returns the folder. */
export async function saveCheckpoint(
  runDir: string,
  progress: Progress,
  { network, optimizer, ema }: TrainState,
  run: RunConfig,
): Promise<string> {
  const tensors = new Map<string, Tensor>();
  for (const [name, variable] of network.variables) {
    tensors.set(`model/${name}`, variable.read());
    optimizer.moments.get(name)?.forEach((moment, i) => {
      tensors.set(`${MOMENTS[i]}/${name}`, moment.read());
    });
    const average = ema?.variables.get(name);
    if (average) tensors.set(`ema/${name}`, average.read());
  }
  const numUpdates = Object.fromEntries(optimizer.numUpdates);
  const updates = { numUpdates, emaUpdates: ema?.numUpdates ?? 0 };
  const dir = path.join(runDir, "last");
  const manifest = await writeTensors(dir, [...(await download(tensors))]);
  const json = JSON.stringify({ progress: { ...progress, ...updates }, run, manifest });
  await writeFileAtomically(path.join(dir, "state.json"), json);
  await removeOldTensors(dir, "state.json");
  return dir;
}

/**
 * Reads the last checkpoint; null if there is none yet.
 *
 * @throws InputError when it is broken.
 */
export async function loadCheckpoint(runDir: string): Promise<Checkpoint | null> {
  const saved = await readState(runDir);
  if (!saved) return null;
  const { progress, run, manifest } = saved;
  const { epoch, step, numUpdates, emaUpdates, averageUpdates } = progress;
  const values = new Map(
    [...(await readTensors(path.join(runDir, "last"), manifest, anotherRun(runDir)))].map(([name, value]) => [
      name.replace(/^average\//, "ema/"),
      value,
    ]),
  );
  return {
    runDir,
    progress: { epoch, step, best: progress.best ?? earlierBest(progress) },
    ...(run && { run: upgraded(run) }),
    numUpdates,
    emaUpdates: emaUpdates ?? averageUpdates ?? 0,
    values,
  };
}

/** Reads a checkpoint's `state.json`; undefined if there is none. */
export async function readState(runDir: string): Promise<SavedState | undefined> {
  const problem = { expected: "the state that a run resumes from", fix: anotherRun(runDir) };
  return (await readSaved(path.join(runDir, "last", "state.json"), "state", problem)) as
    | SavedState
    | undefined;
}

/**
 * Reads which epoch's model a checkpoint says is the best, without its values; undefined if there is no checkpoint.
 *
 * @throws InputError when it is broken; of the file of values, only the size is compared.
 */
export async function loadBestEpoch(runDir: string): Promise<BestEpoch | null | undefined> {
  const saved = await readState(runDir);
  if (!saved) return undefined;
  await checkTensorFile(path.join(runDir, "last"), saved.manifest, anotherRun(runDir));
  return saved.progress.best ?? earlierBest(saved.progress);
}

/** What to do about a checkpoint that is broken. The run's best model is another file, and stays. */
function anotherRun(runDir: string): string {
  const best = bestModelDir(runDir);
  const kept = existsSync(path.join(best, "model.json")) ? `; the best model so far is kept in ${best}` : "";
  return `Choose another run folder (--run) to train from scratch${kept}.`;
}

/** What state.json holds. Version 0.1 wrote `average…` for the EMA and only the accuracy of the best epoch. */
interface SavedState {
  progress: Progress & {
    numUpdates: Record<string, number>;
    emaUpdates?: number;
    averageUpdates?: number;
    bestEpoch?: number;
    bestAccuracy?: number;
  };
  run?: RunConfig;
  manifest: TensorManifest;
}

function earlierBest({ bestEpoch = 0, bestAccuracy = 0 }: SavedState["progress"]): BestEpoch | null {
  if (bestEpoch === 0) return null;
  return { epoch: bestEpoch, accuracy: bestAccuracy, macroF1: 0, loss: Number.MAX_VALUE, reached: bestEpoch };
}

/**
 * Copies a checkpoint's values into the engine.
 *
 * @throws InputError if they are not those of this network and optimizer, or not finite; then nothing is copied.
 */
export function restore(state: TrainState, checkpoint: Checkpoint): void {
  const { network, optimizer, ema } = state;
  const { numUpdates, emaUpdates, values } = checkpoint;
  checkRestorable(state, checkpoint);
  const assign = (key: string, variable: Variable) => {
    const { data, shape } = values.get(key) as ParameterValue;
    tf.tidy(() => variable.assign(tf.tensor(data, shape)));
  };
  for (const [name, variable] of network.variables) {
    assign(`model/${name}`, variable);
    if (numUpdates[name] === undefined) continue;
    optimizer.momentsOf(name, variable).forEach((moment, i) => {
      assign(`${MOMENTS[i]}/${name}`, moment);
    });
    optimizer.numUpdates.set(name, numUpdates[name]);
  }
  if (!ema) return;
  for (const [name, variable] of ema.variables) assign(`ema/${name}`, variable);
  ema.numUpdates = emaUpdates;
}

function checkRestorable({ network, ema }: TrainState, { runDir, numUpdates, values }: Checkpoint): void {
  const refuse = (found: string) =>
    new InputError({
      expected: "the state that a run resumes from",
      where: path.join(runDir, "last"),
      found,
      fix: anotherRun(runDir),
    });
  const expected = new Map<string, number[]>();
  for (const { name, shape } of network.specs) {
    expected.set(`model/${name}`, shape);
    if (Object.hasOwn(numUpdates, name))
      for (const moment of MOMENTS) expected.set(`${moment}/${name}`, shape);
    if (ema) expected.set(`ema/${name}`, shape);
  }
  for (const [name, shape] of expected) {
    const value = values.get(name);
    if (!value) throw refuse(`no ${name}`);
    if (value.shape.join() !== shape.join())
      throw refuse(`${name} of shape [${value.shape}] instead of [${shape}]`);
  }
  const surplus = [...values.keys(), ...Object.keys(numUpdates).map((name) => `model/${name}`)].find(
    (name) => !expected.has(name),
  );
  if (surplus !== undefined) throw refuse(`${surplus}, which the network does not have`);
  const name = nonFinite(values);
  if (name !== null) throw refuse(`NaN or infinity in ${name}`);
}
