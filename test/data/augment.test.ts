import assert from "node:assert/strict";
import {
  type AugmentOptions,
  augmentBatch,
  augmentPreview,
  BASELINE_AUGMENTATION,
  checkAugment,
  NO_AUGMENTATION,
} from "../../src/data/augment.js";
import type { PackedImages } from "../../src/data/dataset.js";
import { PixelArray } from "../../src/data/pixels/pixels.js";
import { resizeBilinear } from "../../src/engine/kernels.js";
import { type Tensor4D, tf } from "../../src/engine/tf.js";
import { Random } from "../../src/random.js";
import { ALL, augmented, augmentNoise, image, NINE, noise, noiseValues, SIXTEEN } from "./augmented.js";

describe("augmentBatch", () => {
  it("gives an equal copy if nothing is on", () => {
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

  it("rotates counter-clockwise about the centre", () => {
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

  it("interpolates between four pixels, and with black outside the image", () => {
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

  it("shifts by a share of the side, and fills with black", () => {
    assert.deepEqual(augmented(SIXTEEN, { translation: 0.25 }), [
      [0, 0, 0, 0], // one of four pixels to the right and down
      [0, 10, 20, 30],
      [0, 50, 60, 70],
      [0, 90, 100, 110],
    ]);
  });

  it("fills with edge pixels, the mirror image or a colour", () => {
    const shifted = (fill: AugmentOptions["fill"]) => augmented(SIXTEEN, { translation: 0.5, fill })[2];
    assert.deepEqual(shifted(0), [0, 0, 10, 20]); // two of four pixels to the right and down
    assert.deepEqual(shifted(99), [99, 99, 10, 20]);
    assert.deepEqual(shifted([255, 0, 0]), [76.245, 76.245, 10, 20]); // its brightness, 0.299 · 255
    assert.deepEqual(shifted("edge"), [10, 10, 10, 20]);
    assert.deepEqual(shifted("reflect"), [20, 10, 10, 20]);
    assert.deepEqual(augmented(SIXTEEN, { translation: 1, fill: "reflect" })[0], [160, 150, 140, 130]);
  });

  it("keeps rotated white images white, unless the fill is another colour", () => {
    const white = tf.fill([50, 24, 24, 3], 255) as Tensor4D;
    const moves = { ...ALL, brightness: 0, contrast: 0, noise: 0 };
    const darkest = (fill: AugmentOptions["fill"]) => {
      const output = augmentBatch(white, { ...moves, fill }, new Random(0));
      const value = output.min().dataSync()[0];
      output.dispose();
      return value;
    };
    for (const fill of ["edge", "reflect", 255] as const) assert.ok(darkest(fill) > 254.99);
    assert.equal(darkest(0), 0);
    white.dispose();
  });

  it("zooms about the centre", () => {
    // Twice as large: pixel x comes from 1 + (x − 1) / 2.
    assert.deepEqual(augmented(NINE, { zoom: [1, 2] }), [
      [30, 35, 40],
      [45, 50, 55],
      [60, 65, 70],
    ]);
  });

  it("mirrors before it rotates, and rotates before it shifts", () => {
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

  it("adds brightness and clips at white", () => {
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

  it("changes contrast about the mean of the image alone, without what is outside", () => {
    // Mean 100, factor 1.5: 100 + 1.5·(60 − 100) = 40; shifted half out of sight, with black instead.
    const rows = [
      [60, 140],
      [60, 140],
    ];
    assert.deepEqual(augmented(rows, { contrast: 0.5, translation: 0.5 }), [
      [0, 0],
      [0, 40],
    ]);
  });

  it("erases a rectangle of 2–20% of the area with the image's mean", () => {
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

  it("resizes to an output size like images for inference", () => {
    const input = noise(2);
    const [output, expected] = [
      augmentBatch(input, NO_AUGMENTATION, new Random(0), 24),
      resizeBilinear(input, [24, 24]),
    ];
    assert.deepEqual(output.shape, [2, 24, 24, 3]);
    assert.deepEqual(output.dataSync(), expected.dataSync());
    tf.dispose([input, output, expected]);
    // 2 → 4 pixels: centres at −0.25, 0.25, 0.75, 1.25; then mirrored
    assert.deepEqual(
      augmented(
        [
          [0, 80],
          [0, 80],
        ],
        { horizontalFlip: 1 },
        4,
      )[0],
      [80, 60, 20, 0],
    );
  });

  it("gives the same images for the same seed, and other images for another seed", () => {
    const first = augmentNoise(4, ALL, 1);
    assert.deepEqual(augmentNoise(4, ALL, 1), first);
    assert.notDeepEqual(augmentNoise(4, ALL, 2), first);
    assert.ok(first.every((value) => value >= 0 && value <= 255));
  });

  it("changes an image in the same way whether or not others follow in the batch", () => {
    const alone = augmentNoise(2, ALL, 1);
    assert.deepEqual(augmentNoise(4, ALL, 1).slice(0, alone.length), alone);
  });

  it("draws the same flips whatever other options are on", () => {
    const isMirrored = (options: Partial<AugmentOptions>) => {
      const input = tf.tidy(() => tf.tile(image([[0, 0, 0, 255, 255, 255]]), [50, 6, 1, 1]) as Tensor4D);
      const output = augmentBatch(
        input,
        { ...NO_AUGMENTATION, horizontalFlip: 0.5, ...options },
        new Random(5),
      );
      const columns = tf.tidy(() => output.sum([1, 3]).arraySync() as number[][]);
      tf.dispose([input, output]);
      return columns.map(([a, b, c, d, e, f]) => a + b + c > d + e + f);
    };
    const plain = isMirrored({});
    const share = plain.filter(Boolean).length / 50;
    assert.ok(share > 0.3 && share < 0.7, `${share} of the images are mirrored`);
    assert.deepEqual(isMirrored({ brightness: 0.1, contrast: 0.1, zoom: [0.9, 1], erasing: 0.5 }), plain);
    assert.deepEqual(isMirrored({ noise: 0.1, blur: 0.02, corruptionShare: 0.8 }), plain);
  });

  it("spreads angles over both directions up to the maximum", () => {
    // A bright pixel 20 right of the centre moves up or down by 20·sin(angle).
    const input = tf.tidy(() =>
      tf
        .oneHot(tf.fill([40], 20 * 41 + 40, "int32"), 41 * 41)
        .mul(255)
        .reshape([40, 41, 41, 1]),
    );
    const output = augmentBatch(
      input as Tensor4D,
      { ...BASELINE_AUGMENTATION, horizontalFlip: 0 },
      new Random(2),
    );
    const angles = output.arraySync().map((rows) => {
      const weights = rows.map((row) => row.reduce((total, [value]) => total + value, 0));
      const total = weights.reduce((a, b) => a + b, 0);
      const y = weights.reduce((sum, weight, row) => sum + weight * row, 0) / total;
      return (Math.asin((20 - y) / 20) * 180) / Math.PI;
    });
    assert.ok(Math.max(...angles) > 12 && Math.max(...angles) < 21.5, String(angles));
    assert.ok(Math.min(...angles) < -12 && Math.min(...angles) > -21.5, String(angles));
    tf.dispose([input, output]);
  });

  it("leaves no tensor but its result", () => {
    const input = noise(3);
    augmentBatch(input, ALL, new Random(1), 20).dispose();
    const before = tf.memory().numTensors;
    const output = augmentBatch(input, ALL, new Random(1), 20);
    assert.equal(tf.memory().numTensors, before + 1);
    output.dispose();
    augmentBatch(input, NO_AUGMENTATION, new Random(1)).dispose();
    assert.equal(tf.memory().numTensors, before);
    assert.equal(input.isDisposed, false);
    input.dispose();
  });

  it("checks its options", () => {
    const input = noise(1);
    assert.throws(() => augmentBatch(input, { ...NO_AUGMENTATION, rotation: Number.NaN }, new Random(1)), {
      message: "Expected a number in [0, 180] for rotation but received NaN of type number",
    });
    assert.throws(() => augmentBatch(input, NO_AUGMENTATION, new Random(1), 0), {
      message: "Expected an integer ≥ 1 for outputSize but received 0 of type number",
    });
    input.dispose();
  });
});

describe("checkAugment", () => {
  it("returns options in range", () => {
    assert.equal(checkAugment(ALL), ALL);
    assert.equal(checkAugment(BASELINE_AUGMENTATION), BASELINE_AUGMENTATION);
  });

  const share = (name: string, value: string, what: string) =>
    `Expected ${what} in [0, 1] for ${name} but received ${value} of type number`;
  const cases: [object, string][] = [
    [{ horizontalFlip: 1.5 }, share("horizontalFlip", "1.5", "a probability")],
    [{ translation: -0.1 }, share("translation", "-0.1", "a share of the side")],
    [{ brightness: Number.NaN }, share("brightness", "NaN", "a share of 255")],
    [{ contrast: 150 }, share("contrast", "150", "a share")],
    [{ corruptionShare: 30 }, `Did you mean 0.3? ${share("corruptionShare", "30", "a probability")}`],
    [{ erasing: Number.POSITIVE_INFINITY }, share("erasing", "Infinity", "a probability")],
    [{ rotation: -20 }, "Expected a number in [0, 180] for rotation but received -20 of type number"],
    [{ zoom: [0, 1] }, "Expected a number in [0.1, 1] for zoom[0] but received 0 of type number"],
    [{ zoom: [1.2, 0.8] }, "Expected a number in [0.1, 0.8] for zoom[0] but received 1.2 of type number"],
    [{ zoom: [1, 20] }, "Expected a number in [0.1, 10] for zoom[1] but received 20 of type number"],
    ...[-1, 256, "black", [0, 0], [0, 0, 300], Number.NaN].map((fill): [object, string] => [
      { fill },
      `Expected edge, reflect, a number in [0, 255] or three of them, as in --set 'fill=[127,127,127]', for fill but received ${Array.isArray(fill) ? `[${fill}] of type array` : `${fill} of type ${typeof fill}`}`,
    ]),
    [
      { zoom: 1 },
      "Expected two numbers, the smallest and the largest scale, as in --set 'zoom=[0.9,1.1]', for zoom but received 1 of type number",
    ],
    [
      { flip: 0.5 },
      "Did you mean horizontalFlip? Expected one of horizontalFlip, rotation, translation, zoom, brightness, contrast, erasing, noise, blur, corruptionShare, fill for the name of an augmentation option but received flip of type string",
    ],
  ];
  for (const [options, message] of cases)
    it(`refuses ${Object.entries(options).flat().join(" ")}`, () => {
      assert.throws(() => checkAugment({ ...NO_AUGMENTATION, ...options }), {
        name: "ParameterError",
        message,
      });
    });
});

describe("augmentPreview", () => {
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
