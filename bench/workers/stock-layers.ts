// The same network as stock tfjs layers, trained the usual way.
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { createNetwork, saveModel, tf, trainConfig } from "../../src/index.js";
import { CLASS_NAMES, type Workload } from "../suite.js";
import { noise } from "./noise.js";
import { type Session, serve } from "./serve.js";
import { firstBatch } from "./steps.js";

async function prepare({ kind, variant, imageSize, batchSize }: Workload): Promise<Session> {
  const config = trainConfig("baseline", { variant, weights: "random", imageSize, batchSize });
  const model = await loadLayersModel(config);
  const { images, labels } = await firstBatch(noise(imageSize, batchSize), config);
  const targets = tf.oneHot(tf.tensor1d(labels, "int32"), CLASS_NAMES.length);
  model.compile({ optimizer: tf.train.adam(config.learningRate), loss: "categoricalCrossentropy" });
  const train = async () => {
    await model.trainOnBatch(images, targets);
  };
  const infer = async () => {
    const probs = model.predictOnBatch(images);
    await (Array.isArray(probs) ? probs[0] : probs).data();
    tf.dispose(probs);
  };
  const dispose = () => {
    tf.dispose([images, targets]);
    model.dispose();
  };
  return { step: kind === "train" ? train : infer, dispose };
}

/** Reads a model folder of ferkit with stock tfjs. */
async function loadLayersModel(config: ReturnType<typeof trainConfig>) {
  const network = await createNetwork({ ...config, classNames: CLASS_NAMES });
  const dir = await mkdtemp(path.join(os.tmpdir(), "ferkit-bench-"));
  try {
    await saveModel(dir, network.config, await network.parameters());
    return await tf.loadLayersModel(`file://${dir}/model.json`);
  } finally {
    network.dispose();
    await rm(dir, { recursive: true });
  }
}

serve(prepare, { versions: async () => ({ tfjs: tf.version.tfjs }) });
