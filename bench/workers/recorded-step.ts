// Records one training step of ferkit, for other engines to compare theirs with.
import { writeFile } from "node:fs/promises";
import { createNetwork, internals, tf, trainConfig } from "../../src/index.js";
import { type BenchVariant, CLASS_NAMES } from "../suite.js";
import { noise } from "./noise.js";
import { firstBatch } from "./steps.js";

export interface RecordedStep {
  /** The network's parameters, in the order in which the layers run. */
  names: string[];
}

export interface RecordOptions {
  variant: BenchVariant;
  batchSize: number;
  /** Determines weights and images. */
  seed: number;
  file: string;
}

/** float32 numbers, row by row. */
export interface TensorValue {
  shape: number[];
  data: Float32Array;
}

const IMAGE_SIZE = 48;

/** Writes a batch, random weights, and the loss and gradients that they give, as safetensors. */
export async function recordStep({ file, ...options }: RecordOptions): Promise<RecordedStep> {
  const config = trainConfig("baseline", { ...options, weights: "random", imageSize: IMAGE_SIZE });
  const { batchSize, seed } = config;
  const network = await createNetwork({ ...config, classNames: CLASS_NAMES });
  const weights = await network.parameters(); // before anything can change them
  const { images, labels } = await firstBatch(noise(IMAGE_SIZE, batchSize, seed), config);
  const targets = tf
    .oneHot(tf.tensor1d(labels, "int32"), CLASS_NAMES.length, 1, 0, "float32")
    .as2D(batchSize, CLASS_NAMES.length);
  const exampleWeights = tf.fill([batchSize], 1 / batchSize);
  const { loss, gradients, logits, movingStatistics } = internals.computeGradients(
    network,
    { images, targets, exampleWeights },
    internals.trainableBlocks(network.architecture, "stem"),
    config,
  );
  const { mean, std } = network.config.preprocessing;
  const normalized = tf.tidy(() => images.sub(mean).div(std));
  const recorded = new Map([
    ["images", normalized],
    ["loss", loss],
    ...[...gradients].map(([name, gradient]) => [`gradients/${name}`, gradient] as const),
  ]);
  const results = new Map<string, TensorValue>();
  for (const [name, tensor] of recorded)
    results.set(name, { shape: tensor.shape, data: (await tensor.data()) as Float32Array });
  for (const [name, value] of weights) results.set(`weights/${name}`, value);
  results.set("labels", { shape: [batchSize], data: Float32Array.from(labels) });
  tf.dispose([images, targets, exampleWeights, logits, ...recorded.values(), ...movingStatistics.values()]);
  network.dispose();
  await writeFile(file, encodeSafetensors(results));
  return { names: [...weights.keys()] };
}

/** Encodes tensors by name in the format that https://huggingface.co/docs/safetensors describes. */
export function encodeSafetensors(tensors: ReadonlyMap<string, TensorValue>): Buffer {
  let end = 0;
  const entries = [...tensors].map(([name, { shape, data }]) => {
    const start = end;
    end += data.byteLength;
    return [name, { dtype: "F32", shape, data_offsets: [start, end] }];
  });
  const header = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const numbers = [...tensors.values()].map(({ data }) =>
    Buffer.from(data.buffer, data.byteOffset, data.byteLength),
  );
  return Buffer.concat([length, header, ...numbers]);
}
