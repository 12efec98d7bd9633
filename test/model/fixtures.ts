import { type Tensor4D, tf } from "../../src/engine/tf.js";
import { initialValue, type ModelConfig, Network, type ParameterValue } from "../../src/model/network.js";
import { parameterSpecs } from "../../src/model/parameters.js";
import { Random } from "../../src/random.js";

export const TINY: ModelConfig = {
  variant: "lite0",
  classNames: ["circle", "square", "triangle"],
  imageSize: 40,
  preprocessing: { mean: [127.5, 127.5, 127.5], std: [127.5, 127.5, 127.5] },
};

/** Initial weights by variant, number of classes and seed. To draw them takes longest; a network copies them. */
const drawn = new Map<string, Map<string, ParameterValue>>();

/** Returns a network of initial weights that depend on the seed only. */
export function randomNetwork(config: Partial<ModelConfig> = {}, seed = 0): Network {
  const whole = { ...TINY, ...config };
  const { variant, classNames } = whole;
  const key = `${variant} ${classNames.length} ${seed}`;
  const values =
    drawn.get(key) ??
    new Map(parameterSpecs(variant, classNames.length).map((spec) => [spec.name, initialValue(spec, seed)]));
  drawn.set(key, values);
  return new Network(whole, values);
}

/** Returns pixels of 0–255 that depend on the seed only; the caller disposes them. */
export function randomImages(numImages: number, imageSize: number, seed = 0): Tensor4D {
  const random = new Random(seed, "images");
  const pixels = Float32Array.from({ length: numImages * imageSize * imageSize * 3 }, () =>
    random.integer(256),
  );
  return tf.tensor4d(pixels, [numImages, imageSize, imageSize, 3]);
}

/** Returns the largest difference, relative to the largest value. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let [difference, largest] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    difference = Math.max(difference, Math.abs(actual[i] - expected[i]));
    largest = Math.max(largest, Math.abs(expected[i]));
  }
  return difference / largest;
}
