// Takes the label smoothing out of a trained network's probabilities, within its last layer.
//
// A network that is trained on smoothed targets learns to say them: p = (1 - s) q + s / numClasses. This computes p for augmented
// training images, q from it, and fits the last layer to q. No label is read, and of the validation images only the one number
// s, which is the s of least cross-entropy there. A temperature does less: it sharpens what is doubtful as much as what is sure.
//
//   npx tsx experiments/undo_smoothing.mts DATA MODEL SMOOTHING OUTPUT

import type { Scalar, Tensor, Tensor1D, Tensor2D } from "../src/engine/tf.js";
import {
  augmentBatch,
  gather,
  loadDataset,
  loadModel,
  type PackedImages,
  PRESETS,
  Random,
  saveModel,
  tf,
} from "../src/index.js";
import { lastFeatures } from "../src/model/inference.js";
import type { Network, ParameterValue } from "../src/model/network.js";

const SEED = 0;
const NUM_IMAGES = 14_400;
const BATCH_SIZE = 64;
const STEPS = 600;
const LEARNING_RATE = 0.01;
/** Keeps the kernel near a sharpened copy of what it was. */
const [DECAY, SHARPENED] = [1e-4, 1.25];

/** Means of the last feature map for some images, augmented, `[numImages, channels]`; the caller disposes them. */
async function featuresOf(network: Network, images: PackedImages, places: Int32Array) {
  const model = { architecture: network.architecture, preprocessing: network.config.preprocessing };
  const parts: Tensor[] = [];
  for (let start = 0; start < places.length; start += BATCH_SIZE) {
    const batch = await gather(images, places.slice(start, start + BATCH_SIZE));
    const augmented = augmentBatch(
      batch.images,
      PRESETS["fer2013-best"].augment,
      new Random(SEED, "augment", start),
    );
    const values = network.read();
    parts.push(tf.tidy(() => lastFeatures(model, augmented, values).mean([1, 2])));
    tf.dispose([batch.images, augmented, ...values.values()]);
  }
  const features = tf.concat(parts) as Tensor2D;
  tf.dispose(parts);
  return features;
}

async function main([data, model, smoothing, output]: string[]): Promise<void> {
  const network = await loadModel(model);
  const { classNames, imageSize } = network.config;
  const { train } = await loadDataset({ data, imageSize, classNames });
  const places = new Random(SEED, "calibration").permutation(train.numImages).slice(0, NUM_IMAGES);
  const features = await featuresOf(network, train, places);
  const parameters = await network.parameters();
  network.dispose();

  const [kernel, bias] = ["predictions/kernel", "predictions/bias"].map((name) => {
    const { data: values, shape } = parameters.get(name) as ParameterValue;
    return tf.tensor(values, shape as [number, number]);
  }) as [Tensor2D, Tensor1D];
  const targets = tf.tidy(() => {
    const probs = tf.softmax(features.matMul(kernel).add(bias) as Tensor2D);
    const sharper = probs.sub(Number(smoothing) / classNames.length).maximum(1e-6);
    return sharper.div(sharper.sum(1, true));
  });
  // Around the mean of the features, where kernel and bias hardly depend on each other.
  const mean = features.mean(0, true);
  const centred = features.sub(mean);
  const newKernel = tf.variable(kernel);
  const newBias = tf.variable(tf.tidy(() => bias.add(mean.matMul(kernel).reshape([-1])) as Tensor1D));
  const optimizer = tf.train.adam(LEARNING_RATE);
  for (let step = 0; step < STEPS; step++) {
    const rate = (LEARNING_RATE * (1 + Math.cos((Math.PI * step) / STEPS))) / 2;
    (optimizer as unknown as { learningRate: number }).learningRate = rate;
    const loss = optimizer.minimize(
      () =>
        tf.losses
          .softmaxCrossEntropy(targets, centred.matMul(newKernel).add(newBias))
          .add(newKernel.sub(kernel.mul(SHARPENED)).square().sum().mul(DECAY)) as Scalar,
      step % 100 === 99,
    );
    if (loss) console.log(`step ${step + 1}: loss ${(await loss.data())[0].toFixed(5)}`);
    loss?.dispose();
  }
  const finalBias = tf.tidy(() => newBias.sub(mean.matMul(newKernel).reshape([-1])));
  for (const [name, value] of [
    ["predictions/kernel", newKernel],
    ["predictions/bias", finalBias],
  ] as const)
    parameters.set(name, { shape: value.shape, data: (await value.data()) as Float32Array });
  await saveModel(output, network.config, parameters);
}

void main(process.argv.slice(2));
