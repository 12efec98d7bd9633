// Results that make_golden.py computed with PyTorch, and the formulas that it and the tests share.
import { readFileSync } from "node:fs";
import path from "node:path";
import { type Tensor4D, tf } from "../../src/engine/tf.js";
import type { Variant } from "../../src/model/efficientnet.js";
import { type ModelConfig, Network } from "../../src/model/network.js";
import { type ParameterSpec, parameterSpecs } from "../../src/model/parameters.js";
import { fileShape, toParameter } from "../../src/model/weights/state-dict.js";

interface Golden {
  pretrainedLogits: { lite0: Record<"224" | "48", number[]> };
  parameters: Record<Variant, number>;
  /** Keys are indices of parameters in `parameterSpecs`. */
  trainingStep: Record<
    "lite0" | "b0" | "b0OneImage",
    {
      logits: number[][];
      loss: number;
      gradientNorms: Record<string, number>;
      statistics: Record<string, number>;
    }
  >;
}

const TORCH = { layout: "torch" } as const;

/** Results of one family of networks, made by make_families.py. */
interface FamilyResults {
  logits: number[][];
  /** SHA-256 of the tensors' names in the order of `parameterSpecs`, one a line. */
  names: string;
  loss?: number;
  /** Keys are indices of parameters in `parameterSpecs`. */
  gradientNorms?: Record<string, number>;
}

export const families = JSON.parse(readFileSync(path.join(__dirname, "families.json"), "utf8")) as Record<
  string,
  FamilyResults
>;

export const golden = JSON.parse(readFileSync(path.join(__dirname, "efficientnet.json"), "utf8")) as Golden;

/** Returns pixels of 0–255 `[seeds.length, size, size, 3]` by a formula; the caller disposes them. */
export function formulaImages(size: number, seeds: number[]): Tensor4D {
  const pixels = seeds.flatMap((seed) =>
    Array.from({ length: size * size * 3 }, (_, i) => {
      const [y, x, c] = [Math.floor(i / (3 * size)), Math.floor(i / 3) % size, i % 3];
      const block = (Math.floor(y / 4) * size + Math.floor(x / 4)) * 3 + c;
      return Math.floor((noise(block, 1000 + seed) + 1) * 127.99);
    }),
  );
  return tf.tensor4d(Float32Array.from(pixels), [seeds.length, size, size, 3]);
}

/** Returns a network of seven classes, with weights by a formula over torch's layout. */
export function formulaNetwork(variant: Variant, options: Partial<ModelConfig> = {}): Network {
  const config: ModelConfig = {
    variant,
    classNames: ["a", "b", "c", "d", "e", "f", "g"],
    imageSize: 48,
    preprocessing: { mean: [127.5, 127.5, 127.5], std: [127.5, 127.5, 127.5] },
    ...options,
  };
  const specs = parameterSpecs(variant, 7);
  return new Network(config, new Map(specs.map((spec, t) => [spec.name, formulaValue(spec, t)])));
}

function formulaValue(spec: ParameterSpec, t: number) {
  const shape = fileShape(spec, TORCH);
  const length = shape.reduce((product, dimension) => product * dimension, 1);
  const data = Float32Array.from({ length }, (_, i) => {
    const wave = noise(i, t);
    if (spec.kind === "movingVariance" || spec.kind === "gamma") return 1 + 0.1 * wave;
    if (spec.kind === "kernel") return wave * Math.sqrt(6 / (length / shape[0]));
    return 0.1 * wave;
  });
  return toParameter({ shape, data }, spec, TORCH);
}

/** Returns element i of tensor t, in [-1, 1), mixed by multiplications modulo 2³². */
function noise(i: number, t: number): number {
  let mixed = (Math.imul(i, 2654435761) + t * 97) >>> 0;
  for (const [shift, factor] of [
    [15, 2246822519],
    [13, 3266489917],
  ])
    mixed = Math.imul(mixed ^ (mixed >>> shift), factor) >>> 0;
  return mixed / 2 ** 31 - 1;
}
