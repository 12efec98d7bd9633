// One training step of ferkit, written down for other engines to compare theirs with.
import { writeFile } from "node:fs/promises";
import type { Tensor } from "../../src/engine/tf.js";
import { createNetwork, tf, trainableBlocks, trainConfig } from "../../src/index.js";
import { download } from "../../src/model/network.js";
import { normalize } from "../../src/model/preprocessing.js";
import { timmName } from "../../src/model/weights/timm-names.js";
import { computeGradients } from "../../src/training/step.js";
import { smoothedOneHot } from "../../src/training/targets.js";
import { encodeSafetensors } from "../safetensors.js";
import { type BenchVariant, CLASS_NAMES } from "../workload.js";
import { noise } from "./noise.js";
import { firstBatch } from "./steps.js";

export interface RecordedStep {
  /** timm's name of each of the network's parameters. */
  timmNames: Record<string, string>;
}

export interface RecordOptions {
  variant: BenchVariant;
  batchSize: number;
  /** Governs weights and images. */
  seed: number;
  file: string;
}

const IMAGE_SIZE = 48;

/** Writes a batch, random weights, and the loss and gradients that they give, as safetensors. */
export async function recordStep({ file, ...options }: RecordOptions): Promise<RecordedStep> {
  const config = trainConfig("baseline", { ...options, weights: "random", imageSize: IMAGE_SIZE });
  const { batchSize, seed } = config;
  const network = await createNetwork({ ...config, classNames: CLASS_NAMES });
  const weights = await network.parameters(); // before anything can change them
  const { images, labels } = await firstBatch(noise(IMAGE_SIZE, batchSize, seed), config);
  const targets = smoothedOneHot(labels, { numClasses: CLASS_NAMES.length, labelSmoothing: 0 });
  const exampleWeights = tf.fill([batchSize], 1 / batchSize);
  const all = trainableBlocks(network.architecture, "stem");
  const { loss, gradients, logits, movingStatistics } = computeGradients(
    network,
    { images, targets, exampleWeights },
    all,
    config,
  );
  const results = await download(
    new Map<string, Tensor>([
      ["images", normalize(images, network.config.preprocessing)],
      ["loss", loss],
      ...[...gradients].map(([name, gradient]): [string, Tensor] => [`gradients/${name}`, gradient]),
    ]),
  );
  tf.dispose([images, targets, exampleWeights, logits, ...movingStatistics.values()]);
  network.dispose();
  for (const [name, value] of weights) results.set(`weights/${name}`, value);
  results.set("labels", { shape: [batchSize], data: Float32Array.from(labels) });
  await writeFile(file, encodeSafetensors(results));
  return { timmNames: Object.fromEntries([...weights.keys()].map((name) => [name, timmName(name)])) };
}
