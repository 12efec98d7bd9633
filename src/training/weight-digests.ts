// Digests of the weights and teachers that a run is started with, which tell whether they are still the same when it resumes.

import type { TrainConfig } from "../config.js";
import { shortDigest } from "../digest.js";
import { InputError } from "../errors.js";
import { type Conventions, conventions, FAMILIES } from "../model/conventions.js";
import { withConventions } from "../model/create.js";
import type { ModelConfig, ParameterValue } from "../model/network.js";
import { blockOf } from "../model/parameters.js";
import { loadModelConfig } from "../model/weights/model-folder.js";
import { bestModelDir } from "./best-model.js";
import { readState } from "./checkpoint.js";
import { isOwnModel, loadRunConfig, type RunConfig, type WeightDigests } from "./run-config.js";
import type { TrainState } from "./step.js";

/** Returns digests of the files of weights that a run uses; none if it uses none of its user's. */
export async function weightDigests({
  config,
  network,
  teachers,
  lostWeights,
}: TrainState): Promise<WeightDigests | undefined> {
  const isOwn = isOwnModel(config.weights);
  if (!isOwn && teachers.length === 0) return undefined;
  const start = isOwn && {
    ...(!lostWeights && startDigests(await network.parameters())),
    conventions: conventionsDigest(network.config),
  };
  const ofTeachers: string[] = [];
  for (const teacher of teachers) {
    const { calibration: _, predictionSets: __, calibratedFrom: ___, ...settings } = teacher.config;
    ofTeachers.push(digestOf(await teacher.parameters(), settings));
  }
  return { ...start, ...(ofTeachers.length > 0 && { teachers: ofTeachers }) };
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

function digestOf(parameters: ReadonlyMap<string, ParameterValue>, settings: unknown = null): string {
  const parts = [...parameters].flatMap(([name, { data }]) => [
    name,
    new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  ]);
  return shortDigest(JSON.stringify(settings), ...parts);
}

/** Says which teachers are the same model, as a copy of it. */
export function repeatedTeachers(digests: readonly string[], teachers: readonly string[]): string[] {
  return digests.flatMap((digest, i) => {
    const first = digests.indexOf(digest);
    if (first === i) return [];
    return [
      `the teachers ${teachers[first]} and ${teachers[i]} are the same model, which counts twice in their mean`,
    ];
  });
}

/**
 * Compares the weights that a run uses with those that it was started with. What it began from is in its state by now, but its
 * teachers and what came with the weights still count.
 *
 * @returns Notes for the user.
 * @throws InputError if a teacher, or what came with the weights, is another one.
 */
export function checkSameWeights(
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
  return [`the weights at ${weights} are no longer those that the run started from; it resumes from its own`];
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
  if (!isOwnModel(weights)) return conventions(variant);
  const { weightDigests: recorded } = saved.run ?? (await readable(loadRunConfig(runDir))) ?? {};
  const best = await readable(loadModelConfig(bestModelDir(runDir)));
  const ofBest = best && { ...conventions(best.variant), ...best };
  if (!recorded?.conventions) return ofBest ?? null;
  const candidates = [...(ofBest ? [ofBest] : []), ...FAMILIES.map((family) => conventions(variant, family))];
  const isRecorded = (found: Conventions) =>
    conventionsDigest(withConventions({ variant }, found)) === recorded.conventions;
  return candidates.find(isRecorded) ?? null;
}
