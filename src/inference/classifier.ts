import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { decodeImage, isImageFile, toGrey } from "../data/pixels/decode.js";
import { type Tensor4D, tf } from "../engine/tf.js";
import { InputError } from "../errors.js";
import type { ModelConfig, Network } from "../model/network.js";
import { loadModel } from "../model/weights/model-folder.js";

/** A class with its probability, [0, 1]. */
export interface Prediction {
  className: string;
  prob: number;
}

/** What a network says of one image. */
export interface ImagePrediction {
  /** The path, or `buffer 1`, `buffer 2`, … */
  name: string;
  /** Most probable first; they add up to 1. */
  predictions: Prediction[];
  /** The image as the network saw it: uint8 `[imageSize, imageSize, 3]`. */
  pixels: Uint8Array;
}

/** A path of an image or of a folder of images, or an image file's bytes. */
export type ImageInput = string | Buffer;

const BATCH_SIZE = 64;

/** Loads a model folder to classify with. The caller disposes the classifier. */
export async function loadClassifier(modelDir: string): Promise<Classifier> {
  return new Classifier(await loadModel(modelDir));
}

/** A network, ready for images as people have them. */
export class Classifier {
  constructor(readonly network: Network) {}

  get config(): ModelConfig {
    return this.network.config;
  }

  /**
   * Classifies images of any size, colour and format; folders stand for the images in them, in order. A model that was trained
   * on grey images sees all of them grey.
   *
   * @throws InputError when an image cannot be read, or a folder holds none.
   */
  async predict(inputs: ImageInput | ImageInput[]): Promise<ImagePrediction[]> {
    const images = await listImages(inputs);
    const results: ImagePrediction[] = [];
    for (let start = 0; start < images.length; start += BATCH_SIZE)
      results.push(...(await this.predictBatch(images.slice(start, start + BATCH_SIZE))));
    return results;
  }

  private async predictBatch(batch: NamedImage[]): Promise<ImagePrediction[]> {
    const { imageSize, classNames, grey } = this.config;
    const decoded = await Promise.all(
      batch.map(async ({ source, name }) => {
        const { pixels, isGrey } = await decodeImage(source, imageSize, name);
        return { name, pixels: grey && !isGrey ? toGrey(pixels) : pixels };
      }),
    );
    const output = tf.tidy(() => {
      const images = decoded.map(({ pixels }) =>
        tf.tensor3d(Float32Array.from(pixels), [imageSize, imageSize, 3]),
      );
      return tf.softmax(this.network.logits(tf.stack(images) as Tensor4D));
    });
    const probs = (await output.data()) as Float32Array;
    output.dispose();
    return decoded.map(({ name, pixels }, i) => ({
      name,
      predictions: rank(probs.subarray(i * classNames.length, (i + 1) * classNames.length), classNames),
      pixels,
    }));
  }

  dispose(): void {
    this.network.dispose();
  }
}

/** Classes with their probabilities, most probable first. */
export function rank(probs: Float32Array, classNames: string[]): Prediction[] {
  return classNames.map((className, i) => ({ className, prob: probs[i] })).sort((a, b) => b.prob - a.prob);
}

/** An image that was asked about. */
export interface NamedImage {
  source: ImageInput;
  /** The path, or `buffer 1`, `buffer 2`, … by its place among all. */
  name: string;
}

/**
 * The images that paths, folders and bytes stand for, in order.
 *
 * @throws InputError when there is no such path, or a folder holds no image.
 */
export async function listImages(inputs: ImageInput | ImageInput[]): Promise<NamedImage[]> {
  const sources = (await Promise.all([inputs].flat().map(filesOf))).flat();
  return sources.map((source, i) => ({
    source,
    name: typeof source === "string" ? source : `buffer ${i + 1}`,
  }));
}

async function filesOf(input: ImageInput): Promise<ImageInput[]> {
  if (typeof input !== "string") return [input];
  const found = await stat(input).catch(() => null);
  if (!found)
    throw new InputError({
      expected: "an image or a folder of images",
      where: input,
      found: "no such path",
      fix: "Check the path.",
    });
  if (!found.isDirectory()) return [input];
  const entries = await readdir(input, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => !entry.isDirectory() && isImageFile(entry.name))
    .map(({ parentPath, name }) => path.join(parentPath, name))
    .sort();
  if (files.length === 0)
    throw new InputError({
      expected: "images",
      where: input,
      found: "a folder without any",
      fix: "Give another folder, or a file.",
    });
  return files;
}
