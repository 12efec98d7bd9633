import { PADDINGS } from "../engine/kernels.js";
import {
  checkChoice,
  checkKind,
  checkNames,
  checkNumber,
  checkPath,
  InputError,
  ParameterError,
} from "../errors.js";
import { isFolder } from "../files.js";
import { areSameClasses, checkedClassNames, hasSameClasses, inShort, nameOf } from "../names.js";
import type { OnProgress } from "../progress.js";
import type { AnyText } from "../text.js";
import { type Conventions, conventions, FAMILIES, type Family } from "./conventions.js";
import { VARIANTS, type Variant } from "./efficientnet.js";
import { initialValue, type ModelConfig, Network, type ParameterValue } from "./network.js";
import { parameterSpecs } from "./parameters.js";
import { DEFAULT_DECODING, type Decoding, FITS, type Fit, isDefaultDecoding } from "./preprocessing.js";
import { loadParameters } from "./weights/model-folder.js";
import { loadPretrained } from "./weights/pretrained.js";
import { readWeightFile, type WeightFileOptions, type Weights } from "./weights/weight-file.js";

/** What a network is for, and the weights that it starts from. */
export interface CreateOptions {
  /** Size of EfficientNet. */
  variant: Variant;
  /** Names of the classes, sorted; an output for each. */
  classNames: string[];
  /** Side of the square input, in pixels, [33, 1024]. */
  imageSize: number;
  /** `imagenet`, `random`, or the path of a file of weights or of a model folder. */
  weights: "imagenet" | "random" | AnyText;
  /** Family of a file's weights; `auto`: as the file says. */
  weightsFamily?: "auto" | Family;
  /** True if it will be trained on grey images; `auto` says nothing. */
  grey?: "auto" | boolean;
  /** How images become square, if `decoding` does not say. Default: `crop`. */
  fit?: Fit;
  /** How the training images are decoded. */
  decoding?: Decoding;
  /** Augmentation of the training; the model keeps that no image is mirrored. */
  augment?: { horizontalFlip: number };
  /** Determines the weights that are not loaded. */
  seed: number;
  /** Notified of the download, in bytes, of `imagenet` weights that are not in the cache. */
  onProgress?: OnProgress;
  /** Called with what was guessed about a file of weights; by default it is printed. */
  onNote?: (note: string) => void;
}

/** Smallest side at which the last stage has more than one pixel. */
const MIN_IMAGE_SIZE = 33;

/**
 * Builds a network on pretrained weights, with a new last layer for `classNames`. Only a model folder of the same classes keeps
 * its last layer. The caller disposes it.
 *
 * @param options - A training configuration with `classNames` has all of them.
 * @throws InputError if the weights cannot be read or downloaded, or are of another variant.
 * @throws ParameterError for an image size out of range.
 * @example
 * ```ts
 * import { createNetwork, trainConfig } from "ferkit";
 *
 * const network = await createNetwork({ ...trainConfig("tutorial"), classNames: ["cat", "dog"] });
 * console.log(network.config.variant, network.config.imageSize); // lite0 48
 * network.dispose();
 * ```
 */
export async function createNetwork(options: CreateOptions): Promise<Network> {
  checkKind("options", "what the network is for, such as { ...trainConfig(), classNames }", options, []);
  checkSize(options);
  const named = { ...options, classNames: checkedClassNames(options.classNames) };
  return networkOf(named, await startingPoint(named));
}

function checkSize({ variant, imageSize }: Pick<ModelConfig, "variant" | "imageSize">): void {
  checkChoice("variant", variant, Object.keys(VARIANTS));
  checkNumber("imageSize", imageSize, { min: MIN_IMAGE_SIZE, max: 1024, integer: true });
}

/** Builds a network whose weights come later. Until then they are random. The caller disposes it. */
export function createBlankNetwork(options: CreateOptions, found: Conventions): Network {
  checkSize(options);
  return networkOf({ ...options, classNames: checkedClassNames(options.classNames) }, null, found);
}

function networkOf(
  options: CreateOptions,
  given: StartingPoint | null,
  found = given?.conventions ?? conventions(options.variant),
): Network {
  const { variant, classNames, imageSize, seed, fit = DEFAULT_DECODING.fit } = options;
  const { decoding = { fit } } = options;
  checkChoice("fit", decoding.fit, FITS);
  const config = withConventions(
    {
      variant,
      classNames,
      imageSize,
      ...(options.grey === true && { grey: true }),
      ...(options.augment?.horizontalFlip === 0 && { horizontalFlip: 0 as const }),
      ...(isDefaultDecoding(decoding) ? {} : { decoding }),
    },
    found,
  );
  const parameters = new Map(
    parameterSpecs(variant, classNames.length).map((spec): [string, ParameterValue] => {
      const isNew = !given || (spec.name.startsWith("predictions/") && !given.keepsLastLayer);
      if (isNew) return [spec.name, initialValue(spec, seed)];
      return [spec.name, given.parameters.get(spec.name) as ParameterValue]; // Network reports one that is missing
    }),
  );
  return new Network(config, parameters, given ? options.weights : undefined);
}

/** Returns parameters whose last layer has its classes in another order. */
function withClassOrder(
  parameters: Map<string, ParameterValue>,
  from: readonly string[],
  to: readonly string[],
): Map<string, ParameterValue> {
  const columns = to.map((name) => from.indexOf(name));
  const reordered = new Map(parameters);
  for (const name of ["predictions/kernel", "predictions/bias"]) {
    const { shape, data } = parameters.get(name) as ParameterValue;
    const values = data.map((_, i) => data[i - (i % to.length) + columns[i % to.length]]);
    reordered.set(name, { shape, data: values });
  }
  return reordered;
}

/** What a file of weights does not tell: variant and image size; and what it may not tell. */
export interface ImportOptions extends Pick<ModelConfig, "variant" | "imageSize" | "grey" | "decoding"> {
  /** Names of the classes in the order of the outputs; by default those that the file has. */
  classNames?: string[];
  /** What is known about the file's weights, if the file does not tell. */
  origin?: WeightFileOptions;
  /** Called with what was guessed about the file; by default it is printed. */
  onNote?: (note: string) => void;
}

/**
 * Builds a network that was fine-tuned elsewhere, with its last layer, from a file of timm's, torchvision's or Keras' weights.
 * The caller disposes it.
 *
 * @param file - A checkpoint of PyTorch, a safetensors file, or a Keras file.
 * @param options - What the file does not tell.
 * @throws InputError if the file cannot be read, or is of another variant or number of classes.
 * @example
 * ```ts
 * import { importNetwork, saveModel } from "ferkit";
 *
 * const classNames = ["cat", "dog"]; // in the order of the outputs
 * const options = { variant: "b0", classNames, imageSize: 224 } as const;
 * const network = await importNetwork("pets.safetensors", options);
 * await saveModel("models/pets", network.config, await network.parameters());
 * network.dispose();
 * ```
 */
export async function importNetwork(file: string, options: ImportOptions): Promise<Network> {
  checkPath("file", file);
  checkKind("options", "what the file does not tell, such as { variant, imageSize }", options, []);
  checkNames<keyof ImportOptions>(options, {
    variant: true,
    classNames: true,
    imageSize: true,
    grey: true,
    decoding: true,
    origin: true,
    onNote: true,
  });
  const { origin, onNote = printNote, decoding: givenDecoding, ...given } = options;
  checkSize(given);
  if (givenDecoding) checkChoice("decoding.fit", givenDecoding.fit, FITS);
  if (origin) checkOrigin(origin);
  const found = await readWeightFile(file, given.variant, { ...origin, needsLastLayer: true });
  const { parameters, isGrey, fit } = found;
  const classNames = checkedClassNames(given.classNames ?? namesIn(file, found));
  checkOutputs(file, parameters, classNames);
  const notes = [...found.notes, ...checkClassOrder(file, classNames, found.classNames)];
  if (isGrey && !given.grey)
    notes.push(`${file} comes from a network with one channel: all images are turned grey.`);
  const decoding = givenDecoding ?? (fit ? { fit } : DEFAULT_DECODING);
  if (!givenDecoding && !fit) notes.push(noFitNote(file));
  const padding = paddingAt(file, found, given.imageSize);
  notes.push(...sizeNotes(file, found, given.imageSize), ...padding.notes);
  for (const note of notes) onNote(note);
  const config = {
    ...given,
    classNames,
    ...(isGrey && { grey: true }),
    ...(isDefaultDecoding(decoding) ? {} : { decoding }),
  };
  return new Network(withConventions(config, { ...found.conventions, ...padding.found }), parameters);
}

/** @throws InputError if a file does not name its classes. */
function namesIn(file: string, { classNames }: Weights): string[] {
  if (classNames) return classNames;
  throw new InputError({
    expected: "names of classes in the order of the outputs (classNames, or --classes)",
    where: file,
    found: "none in the file",
    fix: "Add them: --classes cat,dog, or a text file with a name on each line.",
  });
}

/** @throws ParameterError for unknown names, and for deviations of pixels from 0 to 1, by which all would become white or black. */
function checkOrigin({ family, padding, epsilon, preprocessing }: WeightFileOptions): void {
  if (family !== undefined) checkChoice("origin.family", family, FAMILIES);
  if (padding !== undefined) checkChoice("origin.padding", padding, PADDINGS);
  if (epsilon !== undefined) checkNumber("origin.epsilon", epsilon, { min: 0, max: 1 });
  if (!preprocessing) return;
  for (const name of ["mean", "std"] as const) {
    const values = preprocessing[name];
    if (!Array.isArray(values) || values.length !== 3 || !values.every(Number.isFinite))
      throw new ParameterError(
        `origin.preprocessing.${name}`,
        "three numbers, one for each channel,",
        values,
      );
  }
  const { std } = preprocessing;
  if (std.every((value) => value >= 1)) return;
  const scaled = std.map((value) => Number((255 * value).toFixed(3)));
  const hint = `Did you mean [${scaled}]?`;
  throw new ParameterError(
    "origin.preprocessing.std",
    "deviations of 1 or more, on the scale of 0–255,",
    std,
    hint,
  );
}

/** Notes that a network is used at another size than the one that its file says. */
function sizeNotes(file: string, { imageSize: size }: Weights, imageSize: number): string[] {
  if (size === undefined || size === imageSize) return [];
  return [
    `${file} says that its images had ${size} pixels a side. With ${imageSize} (imageSize, or --image-size), its answers are others.`,
  ];
}

/** Returns the padding of a network that pads for images of one size, with a note if it matters at the size that is used. */
function paddingAt(
  file: string,
  { paddedFor }: Weights,
  imageSize: number,
): { found: Partial<Conventions>; notes: string[] } {
  if (paddedFor === undefined || padAlike(paddedFor, imageSize)) return { found: {}, notes: [] };
  const start = `${file}: efficientnet-pytorch pads for images of ${paddedFor} pixels by default`;
  const builtFor = `if the network was built with image_size=${imageSize}`;
  if (paddedFor % 2 ** NUM_STRIDES === 0)
    return {
      found: { padding: "even" },
      notes: [`${start}, and so does ferkit. Choose --padding same ${builtFor}.`],
    };
  const note = `${start}, which ferkit does not, so probabilities differ. Choose --image-size ${paddedFor}, or --padding same ${builtFor}.`;
  return { found: {}, notes: [note] };
}

/** Layers that halve the side of the features. */
const NUM_STRIDES = 5;

/** Tells whether a network pads images of two sizes alike: all sides that it halves must be even in both, or odd. */
function padAlike(a: number, b: number): boolean {
  return Array.from({ length: NUM_STRIDES }, (_, i) => 2 ** i).every(
    (scale) => Math.ceil(a / scale) % 2 === Math.ceil(b / scale) % 2,
  );
}

function noFitNote(file: string): string {
  return (
    `${file} does not say how its training images became square; their central squares are taken. --fit squash takes whole images, ` +
    "as Keras' image_dataset_from_directory and torchvision's Resize((224, 224)) do."
  );
}

/**
 * Compares the names of the classes with those that a file has.
 *
 * @returns A note if they are others.
 * @throws InputError if they are the same in another order, by which each image would get a wrong name.
 */
function checkClassOrder(file: string, given: readonly string[], own?: readonly string[]): string[] {
  if (own?.length !== given.length) return [];
  const plain = (names: readonly string[]) => names.map((name) => nameOf(name).toLowerCase());
  const [theirs, ours] = [plain(own), plain(given)];
  if (areSameClasses(theirs, ours)) return [];
  if (hasSameClasses(theirs, ours))
    throw new InputError({
      expected: `the classes in the order of the outputs, ${inShort(own, 10)}, as the file has them,`,
      where: file,
      found: inShort(given, 10),
      fix: "Fix the order (classNames, or --classes).",
    });
  return [
    `${file} has other names for its classes: ${inShort(own, 10)}. Those given must be in the same order: ${inShort(given, 10)}.`,
  ];
}

const printNote = (note: string) => console.warn(`note: ${note}`);

/** @throws InputError if the last layer of a file's weights is not of one output for each class. */
function checkOutputs(
  file: string,
  parameters: ReadonlyMap<string, ParameterValue>,
  classNames: readonly string[],
): void {
  const numOutputs = parameters.get("predictions/bias")?.data.length ?? 0;
  if (numOutputs === classNames.length) return;
  const choice =
    numOutputs > 1 ? `${numOutputs} classes (--classes), in the order of the outputs` : "other weights";
  throw new InputError({
    expected: `a last layer of ${classNames.length} outputs, one for each class (${inShort(classNames)}),`,
    where: file,
    found: `one of ${numOutputs}`,
    fix: `Choose ${choice}, or train a new last layer: npx ferkit train --set weights=PATH`,
  });
}

interface StartingPoint {
  parameters: Map<string, ParameterValue>;
  conventions: Conventions;
  /** Whether their last layer is for `classNames`. */
  keepsLastLayer: boolean;
}

async function startingPoint(options: CreateOptions): Promise<StartingPoint | null> {
  const { variant, classNames, weights, weightsFamily = "auto", onProgress, onNote = printNote } = options;
  checkPath("weights", weights);
  if (weights === "random") return null;
  if (weights === "imagenet")
    return { ...(await loadPretrained(variant, onProgress)), keepsLastLayer: false };
  if (isFolder(weights)) {
    const { config, parameters } = await loadParameters(weights);
    if (config.variant !== variant)
      throw new InputError({
        expected: `weights of EfficientNet ${variant}`,
        where: weights,
        found: `those of ${config.variant}`,
        fix: `Choose variant ${config.variant} (--set variant=${config.variant}), or other weights.`,
      });
    const found = { ...conventions(config.variant), ...config };
    // The last layer can be kept if its classes are the same, in any order.
    if (!hasSameClasses(config.classNames, classNames))
      return { parameters, conventions: found, keepsLastLayer: false };
    const reordered = withClassOrder(parameters, config.classNames, classNames);
    return { parameters: reordered, conventions: found, keepsLastLayer: true };
  }
  const family = weightsFamily === "auto" ? undefined : weightsFamily;
  const { notes, isGrey, ...found } = await readWeightFile(weights, variant, { family });
  for (const note of notes) onNote(note);
  if (isGrey)
    onNote(`${weights} comes from a network with one channel: its first kernel is spread over three.`);
  return { ...found, keepsLastLayer: false };
}

/** Adds conventions to a configuration, which names padding and epsilon only if they differ from TensorFlow's. */
export function withConventions<Config extends Pick<ModelConfig, "variant">>(
  config: Config,
  { preprocessing, padding, epsilon }: Conventions,
): Config & Pick<ModelConfig, keyof Conventions> {
  const usual = conventions(config.variant);
  return {
    ...config,
    preprocessing,
    ...(padding !== usual.padding && { padding }),
    ...(epsilon !== usual.epsilon && { epsilon }),
  };
}
