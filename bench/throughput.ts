// Images a second in training, ferkit's step beside stock tfjs layers, in turns on the same images and with Adam in both:
//   npx tsx bench/throughput.ts [variant=lite0] [imageSize=48] [batchSize=32] [rounds=5]
// Ferkit's figure includes reading the batch and its augmentation; that of the stock layers is `trainOnBatch` alone.

import { trainConfig } from "../src/config.js";
import { batches } from "../src/data/batches.js";
import type { PackedImages } from "../src/data/packed.js";
import { device } from "../src/engine/device.js";
import { tf } from "../src/engine/tf.js";
import { efficientNet } from "../src/model/efficientnet.js";
import { buildLayersModel } from "../src/model/stock-layers.js";
import { Random } from "../src/random.js";
import { Trainer } from "../src/training/trainer.js";

const CLASS_NAMES = ["angry", "disgust", "fear", "happy", "neutral", "sad", "surprise"];
const STEPS_A_ROUND = 8;

async function main(): Promise<void> {
  const [variant = "lite0", imageSize = "48", batchSize = "32", rounds = "5"] = process.argv.slice(2);
  const config = trainConfig("seed", {
    variant,
    weights: "random",
    imageSize: Number(imageSize),
    batchSize: Number(batchSize),
  });
  const images = noise(config.imageSize, STEPS_A_ROUND * config.batchSize);
  const trainer = await Trainer.create(config, images, CLASS_NAMES);
  const model = buildLayersModel(efficientNet(config.variant, CLASS_NAMES.length), config.imageSize);
  model.compile({
    optimizer: tf.train.adam(config.learningRate),
    loss: "categoricalCrossentropy",
    metrics: ["accuracy"],
  });

  const passes: Record<string, (epoch: number) => Promise<void>> = {
    ferkit: async (epoch) => {
      let step = (epoch - 1) * trainer.stepsPerEpoch;
      for (const batch of batches(images, { ...config, shuffle: true, epoch, dropLast: true })) {
        const result = trainer.step(batch, epoch, ++step);
        await result.loss.data();
        tf.dispose(Object.values(result));
      }
    },
    "stock layers": async (epoch) => {
      for (const batch of batches(images, { ...config, shuffle: true, epoch, dropLast: true })) {
        const targets = tf.oneHot(tf.tensor1d(batch.labels, "int32"), CLASS_NAMES.length);
        await model.trainOnBatch(batch.images, targets);
        tf.dispose([batch.images, targets]);
      }
    },
  };
  for (const pass of Object.values(passes)) await pass(1); // warm-up
  const rates = new Map(Object.keys(passes).map((name): [string, number[]] => [name, []]));
  for (let round = 2; round < 2 + Number(rounds); round++)
    for (const [name, pass] of Object.entries(passes)) {
      const start = performance.now();
      await pass(round);
      rates.get(name)?.push((1000 * images.numImages) / (performance.now() - start));
    }
  console.log(
    `EfficientNet ${variant}, ${imageSize} px, batch ${batchSize}, ${device().kind}, images/s: median (least–most)`,
  );
  const medians: number[] = [];
  for (const [name, values] of rates) {
    const sorted = values.sort((a, b) => a - b);
    const median = sorted[Math.floor(sorted.length / 2)];
    medians.push(median);
    const [middle, least, most] = [median, sorted[0], sorted[sorted.length - 1]].map((rate) =>
      rate.toFixed(0),
    );
    console.log(`${name.padEnd(14)} ${middle} (${least}–${most})`);
  }
  const [own, stock] = medians;
  console.log(`ratio          ${(own / stock).toFixed(2)}`);
}

function noise(imageSize: number, numImages: number): PackedImages {
  const random = new Random(0, "noise");
  const pixels = Uint8Array.from({ length: numImages * imageSize ** 2 }, () => random.uint32() & 255);
  const labels = Int32Array.from({ length: numImages }, (_, i) => i % CLASS_NAMES.length);
  return { pixels, labels, numImages, imageSize, numChannels: 1, paths: [] };
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
