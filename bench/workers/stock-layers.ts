// The same network as stock tfjs layers, trained as their users do.
import type { Tensor } from "../../src/engine/tf.js";
import { efficientNet, tf, trainConfig } from "../../src/index.js";
import { buildLayersModel } from "../../src/model/stock-layers.js";
import { CLASS_NAMES, type Workload } from "../workload.js";
import { noise } from "./noise.js";
import { type Session, serve } from "./serve.js";
import { firstBatch } from "./steps.js";

async function prepare({ kind, variant, imageSize, batchSize }: Workload): Promise<Session> {
  const config = trainConfig("baseline", { variant, weights: "random", imageSize, batchSize });
  const model = buildLayersModel(efficientNet(variant, CLASS_NAMES.length), imageSize);
  const { images, labels } = await firstBatch(noise(imageSize, batchSize), config);
  const targets = tf.oneHot(tf.tensor1d(labels, "int32"), CLASS_NAMES.length);
  model.compile({ optimizer: tf.train.adam(config.learningRate), loss: "categoricalCrossentropy" });
  const train = async () => {
    await model.trainOnBatch(images, targets);
  };
  const infer = async () => {
    const probs = model.predictOnBatch(images) as Tensor;
    await probs.data();
    probs.dispose();
  };
  const dispose = () => {
    tf.dispose([images, targets]);
    model.dispose();
  };
  return { step: kind === "train" ? train : infer, dispose };
}

serve(prepare, {});
