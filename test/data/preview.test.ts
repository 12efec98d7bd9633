import assert from "node:assert/strict";
import { BASELINE_AUGMENTATION, NO_AUGMENTATION } from "../../src/data/augment.js";
import type { PackedImages } from "../../src/data/dataset.js";
import { PixelArray } from "../../src/data/pixels/pixels.js";
import { augmentPreview } from "../../src/data/preview.js";
import { tf } from "../../src/engine/tf.js";
import { Random } from "../../src/random.js";

const SIZE = 8;
const random = new Random(1);
const grey = Uint8Array.from({ length: 4 * SIZE * SIZE }, () => random.integer(256));
const images: PackedImages = {
  pixels: new PixelArray(grey, SIZE * SIZE),
  labels: Int32Array.of(0, 1, 0, 1),
  numImages: 4,
  imageSize: SIZE,
  numChannels: 1,
  paths: ["0.png", "1.png", "2.png", "3.png"],
};
const rgb = (index: number) =>
  Uint8Array.from({ length: SIZE * SIZE * 3 }, (_, i) => grey[index * SIZE * SIZE + Math.floor(i / 3)]);
/** Swaps left and right of each row of RGB pixels. */
const mirrored = (pixels: Uint8Array) =>
  pixels.map((_, i) => {
    const [row, x, channel] = [Math.floor(i / (3 * SIZE)), Math.floor(i / 3) % SIZE, i % 3];
    return pixels[(row * SIZE + SIZE - 1 - x) * 3 + channel];
  });

describe("augmentPreview", () => {
  it("gives each image, then its versions", async () => {
    const flip = { ...NO_AUGMENTATION, horizontalFlip: 1 };
    assert.deepEqual(await augmentPreview(images, [3, 1], 2, flip, 0), [
      [rgb(3), mirrored(rgb(3)), mirrored(rgb(3))],
      [rgb(1), mirrored(rgb(1)), mirrored(rgb(1))],
    ]);
  });

  it("gives different versions, and the same ones for the same seed", async () => {
    const [versions] = await augmentPreview(images, [0], 3, BASELINE_AUGMENTATION, 5);
    const distinct = new Set(versions.map((pixels) => pixels.join()));
    assert.equal(distinct.size, 1 + 3);
    assert.deepEqual(await augmentPreview(images, [0], 3, BASELINE_AUGMENTATION, 5), [versions]);
    assert.deepEqual(await augmentPreview(images, [0], 2, BASELINE_AUGMENTATION, 5), [versions.slice(0, 3)]);
    assert.notDeepEqual(await augmentPreview(images, [0], 3, BASELINE_AUGMENTATION, 6), [versions]);
  });

  it("gives nothing for no images, and only the images for no versions", async () => {
    assert.deepEqual(await augmentPreview(images, [], 3, BASELINE_AUGMENTATION, 0), []);
    assert.deepEqual(await augmentPreview(images, [2], 0, BASELINE_AUGMENTATION, 0), [[rgb(2)]]);
  });

  it("leaves no tensor behind, also when its options are wrong", async () => {
    const before = tf.memory().numTensors;
    await augmentPreview(images, [0, 1], 2, BASELINE_AUGMENTATION, 0);
    await assert.rejects(augmentPreview(images, [0], 2, { ...NO_AUGMENTATION, rotation: -1 }, 0), {
      message: "Expected a number in [0, 180] for rotation but received -1 of type number",
    });
    assert.equal(tf.memory().numTensors, before);
  });

  it("refuses indices out of range, and invalid counts", async () => {
    await assert.rejects(augmentPreview(images, [0, 4], 1, BASELINE_AUGMENTATION, 0), {
      name: "ParameterError",
      message: "Expected an integer in [0, 4) for indices[1] but received 4 of type number",
    });
    await assert.rejects(augmentPreview(images, [0], -1, BASELINE_AUGMENTATION, 0), {
      message: "Expected an integer ≥ 0 for numVersions but received -1 of type number",
    });
    await assert.rejects(augmentPreview(images, [0], 1, BASELINE_AUGMENTATION, 0.5), {
      message: "Expected an integer ≥ 0 for seed but received 0.5 of type number",
    });
  });
});
