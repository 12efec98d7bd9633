// A file of a network's weights, of any format that is read, with the conventions that they were trained by.

import { createHash } from "node:crypto";
import { realpath } from "node:fs/promises";
import path from "node:path";
import { InputError, suggestion } from "../../errors.js";
import { readRegularFile } from "../../files.js";
import { inShort } from "../../names.js";
import { type Conventions, conventions, type Family, publishedScale } from "../conventions.js";
import { VARIANTS, type Variant } from "../efficientnet.js";
import type { ParameterValue } from "../network.js";
import type { Fit, Preprocessing } from "../preprocessing.js";
import { convertCheckpoint, isCheckpoint } from "./checkpoint.js";
import { nearestModel } from "./model-folder.js";
import { besideFile, inMetadata, type Origin, PROBLEM } from "./origin.js";
import { isSafetensors, readSafetensors } from "./safetensors.js";
import { leftOutNote, readStateDict, type StateDict, type StateDictOptions } from "./state-dict.js";

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
  /** Names of the classes, in the order of the outputs, if the file has them. */
  classNames?: string[];
  /** Side of the images that the network was built for or trained on, if that is known. */
  imageSize?: number;
  /** Side of the images for which the network pads, whatever their size is, as efficientnet-pytorch does by default. */
  paddedFor?: number;
  /** How the images of the training became square, if that is known. */
  fit?: Fit;
  /** What was guessed or left out, in whole sentences. */
  notes: string[];
}

/** Says that there are no weights at a path, which may be a mistyped name of weights. */
export function missingWeights(file: string): InputError {
  const word = suggestion(file, ["imagenet", "random"]);
  return new InputError({
    expected: "a file of weights or a model folder",
    where: path.resolve(file),
    found: "no such path",
    fix: word
      ? `Did you mean ${word}?`
      : "Choose a file, the folder `best` of a run, or `imagenet` for the published weights.",
  });
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
  if (!given) throw missingWeights(file);
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
  const isPaddedByDefault = stateDict.naming.publisher === "efficientnet-pytorch" && !options.padding;
  const keras = (origin.left ?? []).map((clause) => `${file}: ${clause}.`);
  if (origin.folded && !options.needsLastLayer) keras.push(leftOutNote(file, origin.folded));
  if (head)
    keras.push(`${file}: its last layers are left out, since ferkit's network cannot have them: ${head}.`);
  return {
    parameters,
    conventions: found,
    isGrey,
    ...(origin.classNames && { classNames: origin.classNames }),
    ...(origin.fit && { fit: origin.fit }),
    ...(origin.imageSize && { imageSize: origin.imageSize }),
    ...(isPaddedByDefault && { paddedFor: VARIANTS[variant].imageSize }),
    notes: [...digestNotes, ...stateDict.notes, ...zerosNote(parameters, file), ...notes, ...keras],
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
  // A network that was fine-tuned may have any scale; for one to start a training from, that of its family will do.
  const mayDiffer =
    options.needsLastLayer && naming.layout === "torch" && !PUBLISHED.test(path.resolve(file));
  const isSettled = known || (options.padding && options.epsilon !== undefined);
  const hasPadding = origin.padding ?? options.padding;
  const notes = [
    !isSettled && noFamilyNote(file),
    (hasScales || mayDiffer) && !scale && noScaleNote(file, family.preprocessing),
    publisher === "Keras" && !hasPadding && noInputSizeNote(file),
    isChanged && averagedNote(file),
    options.needsLastLayer && origin.cropShare !== undefined && cropNote(file, origin.cropShare),
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

function noScaleNote(file: string, { mean }: Preprocessing): string {
  const taken = mean[0] === 127.5 ? "0.5 and 0.5" : "ImageNet's";
  return (
    `${file} does not say which mean and deviation its weights were trained with; ${taken} are taken. --mean and --std of ` +
    "`ferkit convert` take others, such as 0.5 and 0.5 for those of AdvProp, or 0 and 1 for pixels that were only divided by 255."
  );
}

function cropNote(file: string, share: number): string {
  return (
    `${file}: timm shows this network the central ${Number((100 * share).toFixed(1))}% of a square image (crop_pct), and ferkit all of it, ` +
    "so probabilities differ. Crop images before to have timm's."
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

/** Notes kernels that hold nothing but zeros, as in a file that was never filled. */
function zerosNote(parameters: ReadonlyMap<string, ParameterValue>, where: string): string[] {
  const kernels = [...parameters].filter(([name]) => name.endsWith("kernel"));
  const empty = kernels.filter(([, { data }]) => data.every((value) => value === 0)).map(([name]) => name);
  if (empty.length === 0) return [];
  const count =
    empty.length === kernels.length ? `all ${empty.length}` : `${empty.length} of ${kernels.length}`;
  return [`${where}: ${count} kernels hold nothing but zeros: ${inShort(empty)}.`];
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

/** Matches the path of a file in the hub's cache, and of one with a digest, which is no date, in its name. */
const PUBLISHED = /models--timm--|-(?!(19|20)\d{6}\.)[0-9a-f]{8}\.(pth|pt|safetensors)$/;

/** Returns the part of a path that a publisher named: a repository of the hub, or a file name with a digest. */
function publishedName(file: string): string | undefined {
  const parts = path.resolve(file).split(path.sep);
  const repository = parts.find((part) => part.startsWith("models--timm--"))?.slice("models--timm--".length);
  const name = parts[parts.length - 1];
  return repository ?? (/tf_efficientnet_/.test(name) || PUBLISHED.test(name) ? name : undefined);
}
