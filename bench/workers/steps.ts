// Steps of ferkit's training and inference, through the same functions as `train` and `predict`.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import {
  type Batch,
  batches,
  createNetwork,
  internals,
  loadClassifier,
  NO_AUGMENTATION,
  type PackedImages,
  saveModel,
  type TrainConfig,
  tf,
  trainConfig,
} from "../../src/index.js";
import { CLASS_NAMES, type Precision, type Workload } from "../suite.js";
import { noise } from "./noise.js";
import type { Session } from "./serve.js";

/** Size of the data set that training loads from. */
const BATCHES_AN_EPOCH = 32;

/** Returns the preset `baseline` with random weights. */
function configFor({ variant, imageSize, batchSize }: Workload): TrainConfig {
  return trainConfig("baseline", { variant, weights: "random", imageSize, batchSize });
}

/** Trains on the same unchanged batch in every step. */
export async function training(workload: Workload): Promise<Session> {
  const config = { ...configFor(workload), augment: NO_AUGMENTATION };
  const images = noise(workload.imageSize, workload.batchSize);
  const state = await internals.buildTrainState(config, images, CLASS_NAMES);
  const batch = await firstBatch(images, config);
  const nextBatch = async () => ({ ...batch, images: batch.images.clone() });
  return trainingSession(state, nextBatch, () => batch.images.dispose());
}

/** Loads, augments and trains on a new batch in every step, for any number of epochs. */
export async function trainingWithData(workload: Workload): Promise<Session> {
  const config = configFor(workload);
  const images = noise(workload.imageSize, BATCHES_AN_EPOCH * workload.batchSize);
  const state = await internals.buildTrainState(config, images, CLASS_NAMES);
  const loaded = endlessBatches(images, config);
  const nextBatch = async () => (await loaded.next()).value as Batch;
  return trainingSession(state, nextBatch, () => void loaded.return(undefined));
}

function trainingSession(
  state: internals.TrainState,
  nextBatch: () => Promise<Batch>,
  release: () => void,
): Session {
  let numSteps = 0;
  return {
    step: async () => {
      const result = internals.trainBatch(state, await nextBatch(), ++numSteps);
      await result.loss.data();
      tf.dispose(Object.values(result));
    },
    dispose: () => {
      release();
      internals.disposeTrainState(state);
    },
  };
}

/** Computes the logits of the same batch in every step. */
export async function inference(workload: Workload & { precision?: Precision }): Promise<Session> {
  const network = await createNetwork({ ...configFor(workload), classNames: CLASS_NAMES });
  network.setPrecision(workload.precision ?? "float32");
  const { images } = await firstBatch(noise(workload.imageSize, workload.batchSize), configFor(workload));
  return {
    step: async () => {
      const logits = network.logits(images);
      await logits.data();
      logits.dispose();
    },
    dispose: () => {
      images.dispose();
      network.dispose();
    },
  };
}

/** Computes the probabilities of one image from the bytes of its file. */
export async function prediction({ file, ...workload }: Workload & { file: string }): Promise<Session> {
  const network = await createNetwork({ ...configFor(workload), classNames: CLASS_NAMES });
  const dir = await mkdtemp(path.join(os.tmpdir(), "ferkit-bench-"));
  try {
    await saveModel(dir, network.config, await network.parameters());
    network.dispose();
    const classifier = await loadClassifier(dir);
    const bytes = await readFile(file);
    return {
      step: async () => {
        await classifier.predict(bytes);
      },
      dispose: () => classifier.dispose(),
    };
  } finally {
    await rm(dir, { recursive: true });
  }
}

/** Returns the first batch in the order of the images. */
export async function firstBatch(images: PackedImages, { batchSize, seed }: TrainConfig): Promise<Batch> {
  for await (const batch of batches(images, { batchSize, seed, shuffle: false, epoch: 1, dropLast: false }))
    return batch;
  throw new Error("Expected images but found none");
}

async function* endlessBatches(images: PackedImages, { batchSize, seed }: TrainConfig) {
  for (let epoch = 1; ; epoch++)
    yield* batches(images, { batchSize, seed, shuffle: true, epoch, dropLast: true });
}
