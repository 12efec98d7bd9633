import assert from "node:assert/strict";
import type { PackedImages } from "../../src/data/dataset.js";
import { PixelArray } from "../../src/data/pixels/pixels.js";
import { tf } from "../../src/engine/tf.js";
import { evaluate } from "../../src/inference/evaluate.js";
import {
  CORRUPTION_NAMES,
  CORRUPTIONS,
  CorruptedPixels,
  type CorruptionName,
  robustness,
} from "../../src/inference/robustness.js";
import { Random } from "../../src/random.js";
import { randomNetwork } from "../model/fixtures.js";

const SIDE = 40;

/** Packs images of smooth noise, or of one level. */
function packed(
  numImages: number,
  { level, numChannels = 3 as 1 | 3 }: { level?: number; numChannels?: 1 | 3 } = {},
): PackedImages {
  const length = SIDE * SIDE * numChannels;
  const random = new Random(0, "robustness");
  const bytes = Uint8Array.from({ length: numImages * length }, () => level ?? 60 + random.integer(130));
  return {
    pixels: new PixelArray(bytes, length),
    labels: Int32Array.from({ length: numImages }, (_, i) => i % 3),
    numImages,
    imageSize: SIDE,
    numChannels,
    paths: Array.from({ length: numImages }, (_, i) => `${i}.png`),
  };
}

const read = (images: PackedImages, name: CorruptionName, strength: number, seed = 0, indices = [0]) =>
  new CorruptedPixels(images, name, strength, seed).read(Int32Array.from(indices));

/** Root of the mean squared difference between two images. */
function distance(a: Uint8Array, b: Uint8Array): number {
  return Math.sqrt(a.reduce((sum, value, i) => sum + (value - b[i]) ** 2, 0) / a.length);
}

/** Draws a round bright spot with soft edges about (x, y). */
function spot(side: number, numChannels: number, x: number, y: number): Uint8Array {
  return Uint8Array.from({ length: side * side * numChannels }, (_, i) => {
    const pixel = Math.floor(i / numChannels);
    const distance = Math.hypot((pixel % side) - x, Math.floor(pixel / side) - y);
    return Math.round(255 * Math.exp(-0.5 * (distance / (side / 14)) ** 2));
  });
}

/** Returns the mean column and row, weighted by the levels of the first channel. */
function centroidOf(pixels: Uint8Array, side: number, numChannels: number): [x: number, y: number] {
  let [total, x, y] = [0, 0, 0];
  for (let row = 0; row < side; row++)
    for (let column = 0; column < side; column++) {
      const level = pixels[(row * side + column) * numChannels];
      total += level;
      x += level * column;
      y += level * row;
    }
  return [x / total, y / total];
}

describe("CorruptedPixels", () => {
  for (const numChannels of [1, 3] as const)
    for (const name of CORRUPTION_NAMES)
      it(`changes images of ${numChannels} channels more at each strength: ${name}`, async () => {
        const images = packed(1, { numChannels });
        const clean = await images.pixels.read(Int32Array.of(0));
        const distances: number[] = [];
        for (const [strength] of CORRUPTIONS[name].values.entries()) {
          const pixels = await read(images, name, strength);
          assert.equal(pixels.length, clean.length);
          distances.push(distance(pixels, clean));
        }
        assert.ok(distances[0] > 0);
        // Noise of pixels is turned as much by a small angle as by a large one.
        if (name === "rotation") return;
        for (const [i, later] of distances.slice(1).entries())
          assert.ok(later >= distances[i] * 0.99, `${name}: ${distances}`);
        assert.ok(distances[4] > distances[0] * 1.02, `${name}: ${distances}`);
      });

  it("covers the lower rows with a mask, and a bar across the eyes", async () => {
    const images = packed(1, { level: 100, numChannels: 1 });
    const rows = async (name: CorruptionName, strength: number) => {
      const pixels = await read(images, name, strength);
      return Array.from({ length: SIDE }, (_, row) => pixels[row * SIDE]);
    };
    // half of 40 rows
    assert.deepEqual(await rows("mask", 4), [...Array(20).fill(100), ...Array(20).fill(200)]);
    // 0.36 ± 0.05 of 40: rows 12 (12.4) to 15 (16.4, left out)
    assert.deepEqual(await rows("glasses", 1), [
      ...Array(12).fill(100),
      ...Array(4).fill(30),
      ...Array(24).fill(100),
    ]);
  });

  it("moves all levels by the share of 255, as far as there are levels", async () => {
    const images = packed(1, { level: 100 });
    assert.ok((await read(images, "brighter", 1)).every((level) => level === 151)); // 100 + 0.2 · 255
    assert.ok((await read(images, "darker", 1)).every((level) => level === 49));
    assert.ok((await read(images, "darker", 4)).every((level) => level === 0));
  });

  it("rotates without a border", async () => {
    const images = packed(1, { level: 100 });
    for (const strength of [0, 2, 4])
      assert.ok((await read(images, "rotation", strength)).every((level) => level === 100));
  });

  for (const numChannels of [1, 3] as const)
    it(`rotates about the centre, in images of ${numChannels} channels of even and odd sides`, async () => {
      for (const side of [33, 48, 64, 97])
        for (const angle of CORRUPTIONS.rotation.values) {
          const [centre, radius] = [(side - 1) / 2, side / 5];
          const image = { pixels: spot(side, numChannels, centre + radius, centre), side, numChannels };
          const tensors = tf.memory().numTensors;
          const rotated = await CORRUPTIONS.rotation.apply(image, angle, new Random(0));
          assert.equal(tf.memory().numTensors, tensors);
          const [x, y] = centroidOf(rotated, side, numChannels);
          const turned = (Math.abs(Math.atan2(y - centre, x - centre)) * 180) / Math.PI;
          assert.ok(
            Math.abs(Math.hypot(x - centre, y - centre) - radius) < 0.05,
            `${side} ${angle}: ${x} ${y}`,
          );
          assert.ok(Math.abs(turned - angle) < 0.3, `${side} ${angle}: ${turned}`);
        }
    });

  it("draws the same for the same seed, and other numbers for other images and seeds", async () => {
    const images = packed(2, { level: 100, numChannels: 1 });
    const first = await read(images, "noise", 0);
    assert.deepEqual(await read(images, "noise", 0), first);
    assert.notDeepEqual(await read(images, "noise", 0, 1), first);
    const both = await read(images, "noise", 0, 0, [1, 0]);
    assert.deepEqual(both.slice(SIDE * SIDE), first);
    assert.notDeepEqual(both.slice(0, SIDE * SIDE), first);
  });
});

describe("robustness", () => {
  it("scores each corruption at five strengths, and the images as they are", async () => {
    const network = randomNetwork({ imageSize: SIDE });
    const images = packed(6);
    const { accuracy } = await evaluate(network, images);
    const before = tf.memory().numTensors;
    const report = await robustness(network, images, { seed: 0 });
    const { numImages, numGroups, clean, corrupted, meanAccuracy } = report;
    assert.equal(tf.memory().numTensors, before);
    assert.deepEqual([numImages, numGroups], [6, 6]);
    assert.equal(clean.accuracy, accuracy);
    assert.equal(corrupted.length, 5 * CORRUPTION_NAMES.length);
    const noise = corrupted.filter(({ corruption }) => corruption === "noise");
    assert.deepEqual(
      noise.map(({ strength, value }) => [strength, value]),
      CORRUPTIONS.noise.values.map((value, i) => [i + 1, value]),
    );
    const sum = noise.reduce((total, one) => total + one.accuracy, 0);
    assert.ok(Math.abs(meanAccuracy.noise - sum / 5) < 1e-9);
    network.dispose();
  });

  it("draws as many images as asked for, by the seed", async () => {
    const network = randomNetwork({ imageSize: SIDE });
    const report = await robustness(network, packed(6), { seed: 1, numImages: 3 });
    assert.equal(report.numImages, 3);
    assert.deepEqual(await robustness(network, packed(6), { seed: 1, numImages: 3 }), report);
    const grouped = await robustness(network, packed(6), { seed: 1, numImages: 3, group: "(png)" });
    assert.equal(grouped.numGroups, 1);
    assert.equal(grouped.clean.accuracy, report.clean.accuracy);
    network.dispose();
  });
});
