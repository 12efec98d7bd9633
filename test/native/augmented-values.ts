// Prints what augmentation makes of odd batches, as JSON: the same draws whatever kernels serve. A program of its own, since a
// process has one kind of kernels.
import { augmentBatch } from "../../src/data/augment.js";
import { device } from "../../src/engine/device.js";
import { tf } from "../../src/engine/tf.js";
import { Random } from "../../src/random.js";
import { ALL } from "../data/augmented.js";

const CASES: {
  shape: [number, number, number, number];
  outputSize?: number;
  options: Partial<typeof ALL>;
}[] = [
  { shape: [5, 12, 12, 3], options: {} },
  { shape: [3, 13, 9, 3], options: { brightness: 0, contrast: 0 } },
  { shape: [3, 13, 9, 1], options: { rotation: 180 } },
  { shape: [4, 17, 17, 3], outputSize: 11, options: { erasing: 1 } },
  { shape: [4, 11, 17, 3], outputSize: 24, options: { zoom: [0.1, 5] } },
  { shape: [1, 1, 1, 3], outputSize: 3, options: {} },
  { shape: [2, 20, 20, 1], outputSize: 20, options: { erasing: 0, translation: 1 } },
  {
    shape: [3, 8, 8, 3],
    outputSize: 16,
    options: { horizontalFlip: 0, rotation: 0, translation: 0, zoom: [1, 1] },
  },
  { shape: [2, 6, 6, 2], options: {} },
];

const results = CASES.map(({ shape, outputSize, options }, i) => {
  const random = new Random(i, "pixels");
  const length = shape.reduce((product, side) => product * side, 1);
  const images = tf.tensor4d(
    Float32Array.from({ length }, () => random.integer(256)),
    shape,
  );
  const result = augmentBatch(images, { ...ALL, ...options }, new Random(i), outputSize);
  return { shape: result.shape, values: [...result.dataSync()] };
});
console.log(JSON.stringify({ kernels: device().kernels, results }));
