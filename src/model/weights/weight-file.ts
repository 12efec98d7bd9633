// A file of a network's weights, of any format that is read, with the conventions that they were trained by.

import { createHash } from "node:crypto";
import { realpath } from "node:fs/promises";
import path from "node:path";
import { decodeText, EncodingError, SAVE_AS_UTF8 } from "../../decode.js";
import { PADDINGS } from "../../engine/kernels.js";
import { InputError, suggestion } from "../../errors.js";
import { readRegularFile } from "../../files.js";
import { type Conventions, conventions, type Family, publishedScale } from "../conventions.js";
import type { Variant } from "../efficientnet.js";
import type { ParameterValue } from "../network.js";
import type { Preprocessing } from "../preprocessing.js";
import { convertCheckpoint, isCheckpoint } from "./checkpoint.js";
import { nearestModel } from "./model-folder.js";
import { isSafetensors, readSafetensors } from "./safetensors.js";
import { readStateDict, type StateDict, type StateDictOptions } from "./state-dict.js";
import { leftOutNote } from "./weight-notes.js";

/** What the user knows about a file; it counts more than what the file says. */
export interface WeightFileOptions extends StateDictOptions, Partial<Conventions> {
  /** Whose conventions the weights were trained by. */
  family?: Family;
}

export interface Weights {
  parameters: Map<string, ParameterValue>;
  conventions: Conventions;
  /** True if the network takes images of one channel. */
  isGrey: boolean;
  /** What was guessed or left out, in whole sentences. */
  notes: string[];
}

/** What is known about a file's weights besides the tensors. */
interface Origin {
  /** A model's name at timm or torchvision. */
  architecture?: string;
  preprocessing?: Preprocessing;
  padding?: Conventions["padding"];
  epsilon?: number;
  /** What was left out of a Keras file, each a clause. */
  left?: string[];
  /** The layer of a Keras file after which its last layers are none that ferkit's network can have. */
  head?: string;
  /** The layers of a Keras file, if there are several, that its last layer was made of. */
  folded?: string[];
}

/**
 * Reads a file of a network's weights.
 *
 * @throws InputError if the file is missing, cut short, or of another format or variant.
 */
export async function readWeightFile(
  file: string,
  variant: Variant,
  options: WeightFileOptions = {},
): Promise<Weights> {
  const given = await readIfExists(file);
  const word = suggestion(file, ["imagenet", "random"]);
  if (!given)
    throw new InputError({
      expected: "a file of weights or a model folder",
      where: path.resolve(file),
      found: "no such path",
      fix: word
        ? `Did you mean ${word}?`
        : "Choose a file, the folder `best` of a run, or `imagenet` for the published weights.",
    });
  const digestNotes = await checkNamedDigest(file, given);
  const bytes = !isSafetensors(given) && isCheckpoint(given) ? await convertCheckpoint(file) : given;
  const near = nearestModel(file);
  if (!isSafetensors(bytes))
    throw new InputError({
      expected: "safetensors, a torch checkpoint or a Keras file",
      where: file,
      found: `none of them in ${bytes.length} bytes`,
      fix: near ? `Choose the model folder ${near}.` : "Choose another file.",
    });
  const { tensors, metadata } = readSafetensors(bytes, file);
  const origin: Origin = { ...(await besideFile(file)), ...inMetadata(metadata, file) };
  const { head } = origin;
  const stateDict = readStateDict(
    tensors,
    variant,
    file,
    head ? { ...options, needsLastLayer: false } : options,
  );
  if (head && options.needsLastLayer)
    throw new InputError({
      expected: "last layers that amount to a mean over positions, a dense layer and softmax",
      where: file,
      found: head,
      fix: "Choose other weights, or train a last layer: npx ferkit train --set weights=PATH",
    });
  const { found, notes } = findConventions(file, variant, stateDict, origin, options);
  const { parameters, isGrey } = stateDict;
  const keras = (origin.left ?? []).map((clause) => `${file}: ${clause}.`);
  if (origin.folded && !options.needsLastLayer) keras.push(leftOutNote(file, origin.folded));
  if (head)
    keras.push(`${file}: its last layers are left out, since ferkit's network cannot have them: ${head}.`);
  return {
    parameters,
    conventions: found,
    isGrey,
    notes: [...digestNotes, ...stateDict.notes, ...notes, ...keras],
  };
}

/**
 * Compares a file with the SHA-256 in its name: the whole one of a blob in the hub's cache, or the start of one as torch's
 * publishers write it, which the name of another file may have by chance.
 *
 * @returns A note if the start differs.
 * @throws InputError if the whole one differs.
 */
async function checkNamedDigest(file: string, bytes: Buffer): Promise<string[]> {
  const blob = path.basename(await realpath(file));
  const [, start] = /efficientnet.*-([0-9a-f]{8})\.(?:pth|pt|safetensors)$/.exec(path.basename(file)) ?? [];
  const isBlob = /^[0-9a-f]{64}$/.test(blob);
  const named = isBlob ? blob : start;
  if (named === undefined || /^(19|20)\d{6}$/.test(named)) return []; // a date
  const found = createHash("sha256").update(bytes).digest("hex").slice(0, named.length);
  if (found === named) return [];
  if (isBlob)
    throw new InputError({
      expected: `a file of SHA-256 ${named}, as its name says`,
      where: file,
      found,
      fix: "Remove it, and download it again.",
    });
  return [
    `${file} is another file than its publisher's if ${named} in its name is the start of a SHA-256, as usual: its own begins with ${found}.`,
  ];
}

const PROBLEM = {
  expected: "a file of weights that can be read",
  fix: "Fix the file, or choose another one.",
};

/** Returns a file's content; null if there is none. */
export async function readIfExists(file: string): Promise<Buffer | null> {
  return readRegularFile(file, PROBLEM);
}

/** Finds the conventions of weights: those that were chosen, then what the file says, then those of its family. Notes say what is assumed. */
function findConventions(
  file: string,
  variant: Variant,
  { naming, isGrey }: StateDict,
  origin: Origin,
  options: WeightFileOptions,
): { found: Conventions; notes: string[] } {
  const { publisher } = naming;
  const known =
    options.family ?? naming.family ?? familyOf(origin.architecture) ?? familyOf(publishedName(file));
  const family = conventions(variant, known ?? "tensorflow");
  // Torchvision and Keras have one scale for all weights, and no Lite was trained with another than its family's.
  const hasScales = variant.startsWith("b") && /timm|efficientnet-pytorch/.test(publisher);
  const published = hasScales ? publishedScale(publishedName(file) ?? origin.architecture ?? "") : null;
  const scale = options.preprocessing ?? origin.preprocessing ?? published;
  const whole = scale ?? family.preprocessing;
  const preprocessing = isGrey ? averaged(whole) : whole;
  const isChanged = preprocessing.mean.join() !== whole.mean.join();
  const found = {
    padding: options.padding ?? origin.padding ?? family.padding,
    epsilon: options.epsilon ?? origin.epsilon ?? family.epsilon,
    preprocessing,
  };
  const isSettled = known || (options.padding && options.epsilon !== undefined);
  const hasPadding = origin.padding ?? options.padding;
  const notes = [
    !isSettled && noFamilyNote(file),
    hasScales && !scale && noScaleNote(file),
    publisher === "Keras" && !hasPadding && noInputSizeNote(file),
    isChanged && averagedNote(file),
  ];
  return { found, notes: notes.flatMap((note) => note || []) };
}

function noFamilyNote(file: string): string {
  return (
    `${file} does not say which family its weights are of: timm's tf_efficientnet models and its other efficientnet models have ` +
    "the same names, but other padding and epsilon. TensorFlow's are taken; --family pytorch (in training, " +
    "weightsFamily=pytorch) takes the others'."
  );
}

function noScaleNote(file: string): string {
  return (
    `${file} does not say which mean and deviation its weights were trained with; ImageNet's are taken. --mean and --std of ` +
    "`ferkit convert` take others, such as 0.5,0.5,0.5 for those of AdvProp."
  );
}

function noInputSizeNote(file: string): string {
  return (
    `${file} does not say for which input size its network was built; one of a fixed size is assumed. ` +
    "For one of any size, (None, None, 3), choose --padding even. Nor does it say which layers without weights are around the " +
    "network, such as another pooling; none are assumed. The .keras file of a functional or sequential model says both."
  );
}

function averagedNote(file: string): string {
  return (
    `${file} comes from a network with one channel, for which the means of the channels' mean and std are taken. ` +
    "--mean and --std take others."
  );
}

/** Returns the mean over the channels, for each of them. */
function averaged({ mean, std }: Preprocessing): Preprocessing {
  const average = (values: number[]) =>
    values.map(() => values.reduce((sum, value) => sum + value, 0) / values.length);
  return { mean: average(mean), std: average(std) };
}

/** Returns the family of a model by its name at timm or torchvision. */
function familyOf(name?: string): Family | undefined {
  if (!name) return undefined;
  if (/(^|[^a-z])tf_efficientnet_/.test(name)) return "tensorflow";
  return /(^|[^a-z_])efficientnet_(lite|b)\d/.test(name) ? "pytorch" : undefined;
}

/** Returns the part of a path that a publisher named: a repository of the hub, or a file name with a digest. */
function publishedName(file: string): string | undefined {
  const parts = path.resolve(file).split(path.sep);
  const repository = parts.find((part) => part.startsWith("models--timm--"))?.slice("models--timm--".length);
  const name = parts[parts.length - 1];
  return repository ?? (/tf_efficientnet_|-[0-9a-f]{8}\.(pth|pt|safetensors)$/.test(name) ? name : undefined);
}

/** A larger `config.json` is not timm's. */
const MAX_CONFIG_BYTES = 2 ** 20;

/** Reads the `config.json` that timm writes beside weights. */
async function besideFile(file: string): Promise<Origin> {
  const beside = path.join(path.dirname(file), "config.json");
  const bytes = await readRegularFile(beside, PROBLEM, MAX_CONFIG_BYTES).catch(() => null);
  const { architecture, pretrained_cfg, model_args } = parseObject(bytes ? textOf(bytes, beside) : "{}");
  if (typeof architecture !== "string" || !architecture.includes("efficientnet")) return {};
  const { mean, std } = Object(pretrained_cfg) as Record<string, unknown>;
  const { pad_type: padding, bn_eps: epsilon } = Object(model_args) as Record<string, unknown>;
  return {
    architecture,
    ...scale(mean, std, beside),
    ...(typeof padding === "string" && { padding: padding === "same" ? "same" : "symmetric" }),
    ...(isEpsilon(epsilon) && { epsilon }),
  };
}

/** @throws InputError for bytes that are not text. */
function textOf(bytes: Buffer, where: string): string {
  try {
    return decodeText(bytes);
  } catch (error) {
    if (!(error instanceof EncodingError)) throw error;
    throw new InputError({ expected: "JSON in UTF-8", where, found: error.message, fix: SAVE_AS_UTF8 });
  }
}

/** Reads what `convert_checkpoint.py`, or another program, wrote about the weights into safetensors. */
function inMetadata(metadata: Record<string, string>, where: string): Origin {
  const { padding, preprocessing, epsilon, notes, head, folded } = parseObject(
    metadata["ferkit.keras"] ?? "{}",
  );
  const architecture = metadata["ferkit.architecture"] ?? metadata.architecture;
  const [mean, std] = Object.values(parseObject(metadata["ferkit.scale"] ?? "[]"));
  const own = Object(preprocessing) as { mean?: unknown; std?: unknown };
  const known = PADDINGS.find((one) => one === padding);
  return {
    ...(architecture && { architecture }),
    ...scale(mean, std, where),
    ...(known && { padding: known }),
    ...(isEpsilon(epsilon) && { epsilon }),
    ...(Array.isArray(notes) && { left: notes.map(String) }),
    ...(typeof head === "string" && { head }),
    ...(Array.isArray(folded) && { folded: folded.map(String) }),
    ...scale(own.mean, own.std, where, 1),
  };
}

const isEpsilon = (value: unknown): value is number => typeof value === "number" && value >= 0 && value <= 1;

const areThree = (values: unknown): values is number[] =>
  Array.isArray(values) && values.length === 3 && values.every(Number.isFinite);

/**
 * Returns mean and std as preprocessing, if they are three numbers each.
 *
 * @param range - What one unit of them is in pixels of 0–255.
 * @throws InputError if a deviation is not above 0.
 */
function scale(
  mean: unknown,
  std: unknown,
  where: string,
  range: 1 | 255 = 255,
): Pick<Origin, "preprocessing"> {
  if (!areThree(mean) || !areThree(std)) return {};
  if (std.some((value) => value <= 0))
    throw new InputError({
      expected: "deviations of the channels above 0",
      where,
      found: std.join(", "),
      fix: "Fix the file, or choose other weights.",
    });
  const scaled = (values: number[]) => values.map((value) => range * value);
  return { preprocessing: { mean: scaled(mean), std: scaled(std) } };
}

function parseObject(text: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(text)) as Record<string, unknown>;
  } catch {
    return {};
  }
}
