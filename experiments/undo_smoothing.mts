// Removes the label smoothing from a trained network's probabilities, by changing its last layer.
//
// A network that is trained on smoothed targets learns to predict them: p = (1 - s) q + s / numClasses. This program computes p
// for augmented training images, q from p, and fits the last layer to q. It reads no label. The only number from the validation
// images is s, which minimises the cross-entropy there. A temperature helps less: it sharpens doubtful predictions as much as
// confident ones.
//
//   npx tsx experiments/undo_smoothing.mts DATA MODEL SMOOTHING OUTPUT
import {
  augmentBatch,
  internals,
  loadDataset,
  loadModel,
  type PackedImages,
  PRESETS,
  Random,
  saveModel,
  tf,
} from "../src/index.js";

const SEED = 0;
const NUM_IMAGES = 14_400;
const BATCH_SIZE = 64;
const STEPS = 600;
const LEARNING_RATE = 0.01;
/** Keeps the kernel near a sharpened copy of the original. */
const [DECAY, SHARPENED] = [1e-4, 1.25];

/** Returns the inputs of the last layer for augmented images, `[numImages, channels]`; the caller disposes them. */
async function featuresOf(model: string, images: PackedImages, indices: Int32Array) {
  const layers = await tf.loadLayersModel(`file://${model}/model.json`);
  const network = tf.model({ inputs: layers.inputs, outputs: layers.getLayer("avg_pool").output });
  const parts: ReturnType<typeof tf.zeros>[] = [];
  for (let start = 0; start < indices.length; start += BATCH_SIZE) {
    const batch = await internals.gather(images, indices.slice(start, start + BATCH_SIZE));
    const random = new Random(SEED, "augment", start);
    const augmented = augmentBatch(batch.images, PRESETS["fer2013-best"].augment, random);
    parts.push(network.predict(augmented) as (typeof parts)[0]);
    tf.dispose([batch.images, augmented]);
  }
  const features = tf.concat(parts).as2D(indices.length, parts[0].shape[1] as number);
  tf.dispose(parts);
  layers.dispose();
  return features;
}

async function main([data, model, smoothing, output]: string[]): Promise<void> {
  const network = await loadModel(model);
  const { classNames, imageSize } = network.config;
  const parameters = await network.parameters();
  network.dispose();
  const { train } = await loadDataset({ data, imageSize, classNames });
  const indices = new Random(SEED, "calibration").permutation(train.numImages).slice(0, NUM_IMAGES);
  const features = await featuresOf(model, train, indices);

  const weightsOf = (name: string) => parameters.get(name)?.data as Float32Array;
  const kernel = tf.tensor2d(weightsOf("predictions/kernel"), [features.shape[1], classNames.length]);
  const bias = tf.tensor1d(weightsOf("predictions/bias"));
  const targets = tf.tidy(() => {
    const probs = tf.softmax(features.matMul(kernel).add(bias));
    const sharper = probs.sub(Number(smoothing) / classNames.length).maximum(1e-6);
    return sharper.div(sharper.sum(1, true));
  });
  // Centred features make kernel and bias nearly independent.
  const mean = features.mean(0, true);
  const centred = features.sub(mean);
  const newKernel = tf.variable(kernel);
  const newBias = tf.variable(tf.tidy(() => bias.add(mean.matMul(kernel).as1D()).as1D()));
  const optimizer = tf.train.adam(LEARNING_RATE);
  for (let step = 0; step < STEPS; step++) {
    const rate = (LEARNING_RATE * (1 + Math.cos((Math.PI * step) / STEPS))) / 2;
    (optimizer as unknown as { learningRate: number }).learningRate = rate;
    const loss = optimizer.minimize(
      () =>
        tf.losses
          .softmaxCrossEntropy(targets, centred.matMul(newKernel).add(newBias))
          .add(newKernel.sub(kernel.mul(SHARPENED)).square().sum().mul(DECAY))
          .asScalar(),
      step % 100 === 99,
    );
    if (loss) console.log(`step ${step + 1}: loss ${(await loss.data())[0].toFixed(5)}`);
    loss?.dispose();
  }
  const finalBias = tf.tidy(() => newBias.sub(mean.matMul(newKernel).as1D()));
  for (const [name, value] of [
    ["predictions/kernel", newKernel],
    ["predictions/bias", finalBias],
  ] as const)
    parameters.set(name, { shape: value.shape, data: (await value.data()) as Float32Array });
  await saveModel(output, network.config, parameters);
}

void main(process.argv.slice(2));
