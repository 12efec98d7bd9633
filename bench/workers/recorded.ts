// Records a training step of ferkit, and logits, for other engines to compare theirs with.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import {
  createNetwork,
  internals,
  loadModel,
  type Network,
  Random,
  saveModel,
  tf,
  trainConfig,
} from "../../src/index.js";
import { type BenchVariant, CLASS_NAMES } from "../suite.js";
import { noise } from "./noise.js";
import { encodeSafetensors, type TensorValue } from "./safetensors.js";
import { firstBatch } from "./steps.js";

export interface Recorded {
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

const IMAGE_SIZE = 48;

/** Writes a batch, random weights, and the loss and gradients that they give, as safetensors. */
export async function recordStep({ file, ...options }: RecordOptions): Promise<Recorded> {
  const config = trainConfig("baseline", { ...options, weights: "random", imageSize: IMAGE_SIZE });
  const { batchSize, seed } = config;
  const data = noise(IMAGE_SIZE, batchSize, seed);
  const state = await internals.buildTrainState(config, data, CLASS_NAMES);
  const { network } = state;
  const weights = await network.parameters(); // before anything can change them
  const { images, labels } = await firstBatch(data, config);
  const targets = tf
    .oneHot(tf.tensor1d(labels, "int32"), CLASS_NAMES.length, 1, 0, "float32")
    .as2D(batchSize, CLASS_NAMES.length);
  const exampleWeights = tf.fill([batchSize], 1 / batchSize);
  const { loss, gradients, logits, movingStatistics } = internals.stepGradients(
    state,
    { images, targets, exampleWeights },
    internals.trainableBlocks(network.architecture, "stem"),
    config,
  );
  const recorded = new Map([
    ["images", normalize(network, images)],
    ["loss", loss],
    ...[...gradients].map(([name, gradient]) => [`gradients/${name}`, gradient] as const),
  ]);
  tf.dispose([images, targets, exampleWeights, logits, ...movingStatistics.values()]);
  internals.disposeTrainState(state);
  return write(file, recorded, weights, [
    ["labels", { shape: [batchSize], data: Float32Array.from(labels) }],
  ]);
}

export interface RecordedLogits extends Recorded {
  /** Relative difference of ferkit's logits in bfloat16, if the processor has it. */
  bfloat16Error?: number;
}

export interface LogitsOptions extends RecordOptions {
  imageSize: number;
}

/** Writes a batch, random weights and moving statistics, and the logits that they give, as safetensors. */
export async function recordLogits({ file, ...options }: LogitsOptions): Promise<RecordedLogits> {
  const config = trainConfig("baseline", { ...options, weights: "random" });
  const network = await withRandomStatistics(
    await createNetwork({ ...config, classNames: CLASS_NAMES }),
    new Random(config.seed, "statistics"),
  );
  const { images } = await firstBatch(noise(config.imageSize, config.batchSize, config.seed), config);
  const logits = network.logits(images);
  const recorded = new Map([
    ["images", normalize(network, images)],
    ["logits", logits],
  ]);
  let bfloat16Error: number | undefined;
  if (internals.hasBfloat16()) {
    network.setPrecision("bfloat16");
    [bfloat16Error] = tf.tidy(() => network.logits(images).sub(logits).norm().div(logits.norm()).dataSync());
  }
  const weights = await network.parameters();
  images.dispose();
  network.dispose();
  return { ...(await write(file, recorded, weights)), bfloat16Error };
}

/** Returns a network whose moving statistics are not the initial 0 and 1, which would hide mistakes. */
async function withRandomStatistics(network: Network, random: Random): Promise<Network> {
  const parameters = await network.parameters();
  const { config } = network;
  network.dispose();
  for (const [name, { data }] of parameters)
    if (/moving_(mean|variance)$/.test(name))
      data.forEach((value, i) => {
        data[i] = value + random.uniform(-0.1, 0.1);
      });
  const dir = await mkdtemp(path.join(os.tmpdir(), "ferkit-bench-"));
  try {
    await saveModel(dir, config, parameters);
    return await loadModel(dir);
  } finally {
    await rm(dir, { recursive: true });
  }
}

type Tensor = ReturnType<typeof tf.zeros>;

function normalize(network: Network, images: Tensor): Tensor {
  const { mean, std } = network.config.preprocessing;
  return tf.tidy(() => images.sub(mean).div(std));
}

/** Writes tensors, which it disposes, and weights; returns the weights' names. */
async function write(
  file: string,
  tensors: ReadonlyMap<string, Tensor>,
  weights: ReadonlyMap<string, TensorValue>,
  others: [string, TensorValue][] = [],
): Promise<Recorded> {
  const values = new Map(others);
  for (const [name, tensor] of tensors)
    values.set(name, { shape: tensor.shape, data: (await tensor.data()) as Float32Array });
  tf.dispose([...tensors.values()]);
  for (const [name, value] of weights) values.set(`weights/${name}`, value);
  await writeFile(file, encodeSafetensors(values));
  return { names: [...weights.keys()] };
}
