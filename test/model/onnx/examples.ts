// Networks to export, and the probabilities that ferkit gives.
import { tf } from "../../../src/engine/tf.js";
import { type ModelConfig, Network, type ParameterValue } from "../../../src/model/network.js";
import { Random } from "../../../src/random.js";
import { randomImages, randomNetwork } from "../fixtures.js";

export interface Example {
  config: ModelConfig;
  parameters: Map<string, ParameterValue>;
}

/** Returns a network of random weights, with batch norms that change what passes through, and classes that stand out. */
export async function randomExample(config: Partial<ModelConfig>): Promise<Example> {
  const network = randomNetwork(config);
  const parameters = await network.parameters();
  network.dispose();
  const random = new Random(1, "norms");
  for (const [name, { data }] of parameters) {
    const change = (next: (value: number) => number) => data.set(data.map(next));
    if (/_bn\/(gamma|moving_variance)$/.test(name)) change(() => random.uniform(0.5, 1.5));
    if (/_bn\/(beta|moving_mean)$/.test(name)) change(() => random.uniform(-0.2, 0.2));
    if (name === "predictions/kernel") change((value) => 30 * value);
  }
  return { config: network.config, parameters };
}

/** Returns uint8 `[numImages, imageSize, imageSize, 3]`. */
export function randomPixels(numImages: number, imageSize: number): Uint8Array {
  const images = randomImages(numImages, imageSize);
  const pixels = Uint8Array.from(images.dataSync());
  images.dispose();
  return pixels;
}

/** Computes the probabilities that ferkit gives to some images, `[numImages, numClasses]`. */
export function ownProbs({ config, parameters }: Example, pixels: Uint8Array): Float32Array {
  const network = new Network(config, parameters);
  const side = config.imageSize;
  const probs = tf.tidy(() => {
    const images = tf.tensor4d(Float32Array.from(pixels), [pixels.length / (3 * side * side), side, side, 3]);
    return tf.softmax(network.logits(images)).dataSync() as Float32Array;
  });
  network.dispose();
  return probs;
}

export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new RangeError(`${a.length} numbers beside ${b.length}`);
  return Array.from(a).reduce((largest, value, i) => Math.max(largest, Math.abs(value - b[i])), 0);
}
