import assert from "node:assert/strict";
import { augmentBatch, NO_AUGMENTATION } from "../../src/data/augment.js";
import { type Tensor4D, tf } from "../../src/engine/tf.js";
import { Random } from "../../src/random.js";
import { augmented, augmentNoise, NINE, noise, noiseValues, SIXTEEN } from "./augmented.js";

describe("augmentBatch", () => {
  it("gives an identical copy when nothing is on", () => {
    assert.deepEqual(augmented(NINE, {}), NINE);
    assert.deepEqual(augmentNoise(3, {}, 1), noiseValues(3));
  });

  it("mirrors left and right, exactly", () => {
    assert.deepEqual(augmented(SIXTEEN, { horizontalFlip: 1 }), [
      [40, 30, 20, 10],
      [80, 70, 60, 50],
      [120, 110, 100, 90],
      [160, 150, 140, 130],
    ]);
    const [input, mirrored] = tf.tidy(() => [noise(2), tf.reverse(noise(2), 2)]);
    const output = augmentBatch(input as Tensor4D, { ...NO_AUGMENTATION, horizontalFlip: 1 }, new Random(0));
    assert.deepEqual(output.dataSync(), mirrored.dataSync());
    tf.dispose([input, mirrored, output]);
  });

  it("turns counter-clockwise about the centre", () => {
    // The right column becomes the top row.
    assert.deepEqual(augmented(NINE, { rotation: 90 }), [
      [30, 60, 90],
      [20, 50, 80],
      [10, 40, 70],
    ]);
    assert.deepEqual(augmented(SIXTEEN, { rotation: 180 }), [
      [160, 150, 140, 130],
      [120, 110, 100, 90],
      [80, 70, 60, 50],
      [40, 30, 20, 10],
    ]);
  });

  it("interpolates between four pixels, and with black beyond the border", () => {
    // By 45°, the pixel above the centre comes from (1 + sin 45°, 1 − cos 45°) = (1.7071, 0.2929):
    // 0.2071 = (1 − 0.7071)·0.7071 of 20, 0.5 = 0.7071² of 30, 0.0858 = 0.2929² of 50, 0.2071 of 60.
    const s = Math.SQRT1_2;
    const above = (1 - s) * s * 20 + s * s * 30 + (1 - s) * (1 - s) * 50 + s * (1 - s) * 60;
    // The corner comes from (1, 1 − √2) = (1, −0.4142): 1 − 0.4142 of 20, the rest black.
    const corner = (2 - Math.SQRT2) * 20;
    const [[topLeft, top]] = augmented(NINE, { rotation: 45 });
    assert.ok(Math.abs(top - above) < 1e-3, `${top} ≠ ${above}`);
    assert.ok(Math.abs(topLeft - corner) < 1e-3, `${topLeft} ≠ ${corner}`);
  });

  it("shifts by a share of the side, black coming in", () => {
    assert.deepEqual(augmented(SIXTEEN, { translation: 0.25 }), [
      [0, 0, 0, 0], // one of four pixels to the right and down
      [0, 10, 20, 30],
      [0, 50, 60, 70],
      [0, 90, 100, 110],
    ]);
  });

  it("zooms about the centre", () => {
    // Twice as large: place x comes from 1 + (x − 1) / 2.
    assert.deepEqual(augmented(NINE, { zoom: [1, 2] }), [
      [30, 35, 40],
      [45, 50, 55],
      [60, 65, 70],
    ]);
  });

  it("mirrors before it turns, and turns before it shifts", () => {
    const mirrored = [
      [30, 20, 10],
      [60, 50, 40],
      [90, 80, 70],
    ];
    const turned = augmented(mirrored, { rotation: 90 });
    assert.deepEqual(augmented(NINE, { horizontalFlip: 1, rotation: 90 }), turned);
    const shifted = augmented(turned, { translation: 1 / 3 });
    assert.deepEqual(augmented(NINE, { horizontalFlip: 1, rotation: 90, translation: 1 / 3 }), shifted);
  });

  it("adds brightness and stops at white", () => {
    // 0.2 · 255 = 51
    assert.deepEqual(
      augmented(
        [
          [0, 100],
          [204, 250],
        ],
        { brightness: 0.2 },
      ),
      [
        [51, 151],
        [255, 255],
      ],
    );
  });

  it("stretches contrast about each image's mean", () => {
    // Mean 100, factor 1.5: 100 + 1.5·(60 − 100) = 40
    assert.deepEqual(
      augmented(
        [
          [60, 100],
          [100, 140],
        ],
        { contrast: 0.5 },
      ),
      [
        [40, 100],
        [100, 160],
      ],
    );
  });

  it("erases a rectangle of 2–20 % of the area with the image's mean", () => {
    const side = 50;
    const right = Array.from({ length: 20 }, (_, i) => 100 + 4 * i); // the left half is 0, so the mean 50 + 2·i
    const input = tf.tidy(() => {
      const half = tf.ones([20, side, side / 2, 1]).mul(tf.tensor4d(right, [20, 1, 1, 1]));
      return tf.concat([tf.zerosLike(half), half], 2) as Tensor4D;
    });
    const output = augmentBatch(input, { ...NO_AUGMENTATION, erasing: 1 }, new Random(3));
    const areas = new Set<number>();
    output.arraySync().forEach((rows, i) => {
      const isErased = (value: number) => Math.abs(value - right[i] / 2) < 1e-3;
      const places = rows.flatMap((row, y) =>
        row.flatMap(([value], x) => (isErased(value) ? [{ x, y }] : [])),
      );
      const extent = (all: number[]) => Math.max(...all) - Math.min(...all) + 1;
      const width = extent(places.map(({ x }) => x));
      const height = extent(places.map(({ y }) => y));
      assert.equal(places.length, width * height, "a full rectangle");
      const share = places.length / side ** 2;
      assert.ok(share > 0.015 && share < 0.215, `${share} of the area, rounded to pixels`);
      assert.ok(width / height > 0.25 && width / height < 4, `${width} × ${height}`);
      areas.add(places.length);
      const others = rows.flat(2).filter((value) => !isErased(value));
      assert.ok(others.every((value) => value === 0 || value === right[i]));
    });
    assert.ok(areas.size > 10, "of many sizes");
    tf.dispose([input, output]);
  });
});
