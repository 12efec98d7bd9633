// A trained network for images as people have them: files, folders, bytes.
import { inspect } from "node:util";
import { BUNDLED_MODELS } from "../bundled-models.js";
import { checkSource, decodeImage, type ImageSource } from "../data/pixels/decode.js";
import { toGrey } from "../data/pixels/pixels.js";
import type { SampleRange } from "../data/pixels/sample-range.js";
import { imagesIn } from "../data/sources/files.js";
import { isArchive } from "../data/sources/packed/archive.js";
import { type Tensor4D, tf } from "../engine/tf.js";
import { checkLocal, checkNames, InputError } from "../errors.js";
import { statIfThere } from "../files.js";
import { predictionSet } from "../metrics/conformal.js";
import { checkNetwork, type ModelConfig, type Network, type PredictionSets } from "../model/network.js";
import { checkPixels } from "../model/preprocessing.js";
import { loadModel } from "../model/weights/model-folder.js";
import { printedPixels } from "../printed.js";
import type { AnyText } from "../text.js";
import { meanOf, noteUnseenViews, probsOfViews, type Views } from "./views.js";

/**
 * A class with its probability, [0, 1].
 *
 * @example
 * ```ts
 * import { loadClassifier, type Prediction } from "ferkit";
 *
 * const inWords = ({ className, prob }: Prediction) => `${className} ${Math.round(100 * prob)}%`;
 *
 * const classifier = await loadClassifier("runs/pets/best");
 * for (const { name, predictions } of await classifier.predict("data/pets/cat"))
 *   console.log(name, predictions.map(inWords).join(", "));
 * classifier.dispose();
 * ```
 */
export interface Prediction {
  /** One of the model's classes. */
  className: string;
  /** Probability, [0, 1]. */
  prob: number;
}

/** The pixels that a network sees, by the name of their image. */
export interface NamedPixels {
  /** The path; for bytes `buffer N`, with the position among all inputs. */
  name: string;
  /** uint8 `[imageSize, imageSize, 3]`, RGB. */
  pixels: Uint8Array;
  /** How the file's numbers became 0–255, if they are not 8 bits. */
  range?: SampleRange;
}

/** Classes that hold the right one with a probability. */
export interface PredictionSet {
  /** That probability, over images like those that the model was calibrated on, (0, 1). */
  coverage: number;
  /** Most probable first; at least one. */
  classNames: string[];
}

/**
 * What a network predicts for an image. `console.log` shows the pixels in one line, and JSON leaves them out.
 *
 * @example
 * ```ts
 * import { type ImagePrediction, loadClassifier } from "ferkit";
 *
 * const isDoubtful = ({ predictions }: ImagePrediction) => predictions[0].prob < 0.6;
 *
 * const classifier = await loadClassifier("runs/pets/best");
 * const images = await classifier.predict("data/pets");
 * console.log(images.filter(isDoubtful).map(({ name }) => name));
 * classifier.dispose();
 * ```
 */
export interface ImagePrediction extends NamedPixels {
  /** Most probable first; the probabilities add up to 1. */
  predictions: Prediction[];
  /** A set for each coverage, if the model was calibrated for them and the image itself is its only view. */
  sets?: PredictionSet[];
  /** The class that the image is labelled with, if known. */
  trueClassName?: string;
}

/** Path of an image or of a folder of images, or the bytes of an image file, as `readFile` or `fetch` gives them. */
export type ImageInput = ImageSource;

/** Called with the error about an input that cannot be read. */
export type OnInputError = (error: InputError) => void;

const BATCH_SIZE = 64;

type BundledName = keyof typeof BUNDLED_MODELS;

/** How a classifier sees images. */
export interface ClassifierOptions {
  /**
   * What the probabilities are the mean over: the image alone, by default; with `flip` the image and its mirror image, in twice the
   * time; with `crops` 12 views, the image, five crops of a 12% larger one, and their mirror images, in 12 times the time.
   */
  views?: Views;
}

/**
 * Loads a model to classify with. The caller disposes the classifier.
 *
 * @param model - A model folder, such as `runs/NAME/best`, or the name of a bundled model of facial expressions: `ferplus` (the
 * default) predicts what most people see, `fer2013` what FER-2013 would label.
 * @param options - Whether to classify several views of each image.
 * @throws InputError if there is no model, another program saved it, or it was changed or damaged since.
 * @example
 * ```ts
 * import { loadClassifier } from "ferkit";
 *
 * const classifier = await loadClassifier(); // facial expressions; your own model: loadClassifier("runs/pets/best")
 * const [{ predictions }] = await classifier.predict("photo.jpg");
 * console.log(predictions[0].className, predictions[0].prob);
 * classifier.dispose();
 * ```
 */
export async function loadClassifier(
  model: BundledName | AnyText = "ferplus",
  options: ClassifierOptions = {},
): Promise<Classifier> {
  const modelDir = Object.hasOwn(BUNDLED_MODELS, model) ? BUNDLED_MODELS[model as BundledName] : model;
  return new Classifier(await loadModel(modelDir), options);
}

/**
 * A trained network for images as people have them: files, folders, bytes. `loadClassifier` loads one.
 *
 * The whole image is classified. For faces in photographs, use `predictFaces`.
 *
 * @example
 * ```ts
 * import { type Classifier, loadClassifier } from "ferkit";
 *
 * // Counts the images of a folder by the class that is predicted for them.
 * async function countClasses(classifier: Classifier, folder: string): Promise<Map<string, number>> {
 *   const counts = new Map<string, number>();
 *   for await (const { predictions } of classifier.predictEach(folder)) {
 *     const { className } = predictions[0];
 *     counts.set(className, (counts.get(className) ?? 0) + 1);
 *   }
 *   return counts;
 * }
 *
 * const classifier = await loadClassifier("runs/pets/best");
 * console.log(await countClasses(classifier, "data/pets"));
 * classifier.dispose();
 * ```
 */
export class Classifier {
  private readonly views: Views;

  /**
   * @param network - Disposed with the classifier.
   * @param options - Whether to classify several views of each image.
   */
  constructor(
    readonly network: Network,
    options: ClassifierOptions = {},
  ) {
    checkNetwork(network);
    checkNames<keyof ClassifierOptions>(options, { views: true });
    this.views = options.views ?? "image";
    noteUnseenViews(network.config, this.views);
  }

  /** @hidden Text where it is printed, in place of its fields. */
  [inspect.custom](): string {
    return `Classifier of ${inspect(this.network)}`;
  }

  /** The model's classes, image size and more. */
  get config(): ModelConfig {
    return this.network.config;
  }

  /**
   * Classifies images of any size, colour and format. A folder stands for the images in it and below, sorted. A model that was
   * trained on grey images sees all images in grey.
   *
   * Calls may overlap, as in a server: each gives what it would give alone.
   *
   * @param inputs - Paths of images or of folders of them, or the bytes of image files.
   * @param options - `signal` stops before the next batch of images with its error.
   * @throws InputError when an image cannot be read, or a folder holds none.
   */
  async predict(
    inputs: ImageInput | ImageInput[],
    options: { signal?: AbortSignal } = {},
  ): Promise<ImagePrediction[]> {
    const results: ImagePrediction[] = [];
    for await (const result of this.predictEach(inputs, rethrow, options)) results.push(result);
    return results;
  }

  /**
   * Classifies images like `predict`, and yields each result as soon as it is ready.
   *
   * @param onError - Called with each image that cannot be read, in place of an exception.
   * @param options - `signal` stops before the next batch of images with its error.
   */
  async *predictEach(
    inputs: ImageInput | ImageInput[],
    onError: OnInputError = rethrow,
    options: { signal?: AbortSignal } = {},
  ): AsyncGenerator<ImagePrediction, void, undefined> {
    checkNames(options, { signal: true });
    const { signal } = options;
    const { imageSize, decoding } = this.config;
    const images = await listInputs(inputs, onError);
    for (let start = 0; start < images.length; start += BATCH_SIZE) {
      signal?.throwIfAborted();
      const pending = images.slice(start, start + BATCH_SIZE).map(async ({ source, name }) => {
        const { pixels, range } = await decodeImage(source, imageSize, name, decoding);
        return { name, pixels, ...(range && { range }) };
      });
      const decoded: NamedPixels[] = [];
      for (const result of await Promise.allSettled(pending)) {
        if (result.status === "fulfilled") decoded.push(result.value);
        else reportInput(result.reason, onError);
      }
      signal?.throwIfAborted();
      yield* await this.predictPixels(decoded);
    }
  }

  /**
   * Classifies images that are decoded and have the network's size.
   *
   * @param images - As from `decodeImage`.
   * @throws ParameterError for another number of pixels, or numbers that are none, such as those scaled to 0–1.
   */
  async predictPixels(images: NamedPixels[]): Promise<ImagePrediction[]> {
    if (images.length === 0) return [];
    const { imageSize, classNames, grey, predictionSets } = this.config;
    for (const { name, pixels } of images) checkPixels(`the pixels of ${name}`, pixels, imageSize);
    const input = tf.tidy(() => {
      const tensors = images.map(({ pixels }) =>
        tf.tensor3d(Float32Array.from(pixels), [imageSize, imageSize, 3]),
      );
      return tf.stack(tensors) as Tensor4D;
    });
    const ofViews: Float32Array[] = [];
    try {
      for await (const probs of probsOfViews(this.network, input, this.views)) ofViews.push(probs);
    } finally {
      input.dispose();
    }
    const probs = meanOf(ofViews);
    return images.map(({ name, pixels, range }, i) => {
      const own = probs.subarray(i * classNames.length, (i + 1) * classNames.length);
      return {
        name,
        pixels: printedPixels(grey ? toGrey(pixels) : pixels),
        ...(range && { range }),
        predictions: rank(own, classNames),
        ...(predictionSets && ofViews.length === 1 && { sets: setsOf(own, classNames, predictionSets) }),
      };
    });
  }

  /** Frees the network. */
  dispose(): void {
    this.network.dispose();
  }
}

/** Pairs classes with their probabilities, most probable first. */
export function rank(probs: Float32Array, classNames: string[]): Prediction[] {
  return classNames.map((className, i) => ({ className, prob: probs[i] })).sort((a, b) => b.prob - a.prob);
}

function setsOf(probs: Float32Array, classNames: string[], { thresholds }: PredictionSets): PredictionSet[] {
  return thresholds.map(({ coverage, minProb }) => ({
    coverage,
    classNames: predictionSet(probs, minProb).map((c) => classNames[c]),
  }));
}

export interface NamedImage {
  source: ImageInput;
  /** The path; for bytes `buffer N`, with the position among all inputs. */
  name: string;
}

/**
 * Lists the images that paths, folders and bytes stand for, in order.
 *
 * @param onError - Called for each path that does not exist, and each folder without images.
 */
export async function listInputs(
  inputs: ImageInput | ImageInput[],
  onError: OnInputError,
): Promise<NamedImage[]> {
  const sources: ImageInput[] = [];
  for (const input of [inputs].flat().map(checkSource))
    for (const file of await filesOf(input).catch((error) => reportInput(error, onError))) sources.push(file);
  return sources.map((source, i) => ({
    source,
    name: typeof source === "string" ? source : `buffer ${i + 1}`,
  }));
}

/** Passes an input that cannot be read to `onError`; rethrows other errors. */
export function reportInput(error: unknown, onError: OnInputError): [] {
  if (!(error instanceof InputError)) throw error;
  onError(error);
  return [];
}

export function rethrow(error: Error): never {
  throw error;
}

async function filesOf(input: ImageInput): Promise<ImageInput[]> {
  if (typeof input !== "string") return [input];
  const found = await statIfThere(checkLocal(input));
  if (found?.isFile() && isArchive(input))
    throw new InputError({
      expected: "an image or a folder of images",
      where: input,
      found: "an archive",
      fix: "Unpack it, and choose the folder.",
    });
  if (!found)
    throw new InputError({
      expected: "an image or a folder of images",
      where: input,
      found: "no such path",
      fix: "Check the path.",
    });
  if (!found.isDirectory()) return [input];
  const { images: files } = imagesIn(input);
  if (files.length === 0)
    throw new InputError({
      expected: "images",
      where: input,
      found: "a folder without any",
      fix: "Choose another folder, or a file.",
    });
  return files;
}
