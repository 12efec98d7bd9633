import assert from "node:assert/strict";
import { type Tensor4D, tf } from "../../src/engine/tf.js";
import { meanOf, noteUnseenViews, numViews, probsOfViews, viewOf } from "../../src/inference/views.js";
import type { Network } from "../../src/model/network.js";
import { printedLines } from "../workspace.js";

const imageSize = 25;
const ENLARGED = 28; // 1.12 · 25

/** Draws an image whose red values are the columns, and green ones the rows. */
const gradient = (side = imageSize) =>
  tf.tidy(() => {
    const line = tf.range(0, side);
    const [columns, rows] = [line.reshape([1, side]), line.reshape([side, 1])].map((values) =>
      values.broadcastTo([side, side]),
    );
    return tf.stack([columns, rows, tf.zerosLike(rows)], 2).expandDims(0) as Tensor4D;
  });

/** Returns red and green at the middle of a view, away from borders. */
function middleOf(view: number): [number, number] {
  return tf.tidy(() => {
    const seen = viewOf(gradient(), view, { imageSize });
    assert.deepEqual(seen.shape, [1, imageSize, imageSize, 3]);
    return [0, 1].map((channel) => seen.arraySync()[0][12][12][channel]) as [number, number];
  });
}

/** The column of the original at column 12 of a crop that begins `start` columns into the enlarged image. */
const atMiddle = (start: number) => ((start + 12 + 0.5) * imageSize) / ENLARGED - 0.5;

describe("viewOf", () => {
  it("shows the image, five crops of a 12% larger one, and the mirror image of each", () => {
    // 3 rows and columns are free: crops begin at 0, at 1 (half of it, rounded down) or at 3.
    const [first, centre, last] = [0, 1, 3].map(atMiddle);
    const expected = [
      [12, 12],
      [12, 12],
      [centre, centre],
      [centre, centre],
      [first, first],
      [first, first],
      [last, first],
      [last, first],
      [first, last],
      [first, last],
      [last, last],
      [last, last],
    ];
    assert.equal(numViews("crops"), expected.length);
    for (const [view, [red, green]] of expected.entries()) {
      const found = middleOf(view);
      assert.ok(Math.abs(found[0] - red) < 1e-4 && Math.abs(found[1] - green) < 1e-4, `${view}: ${found}`);
    }
  });

  it("mirrors each second view left to right", () => {
    tf.tidy(() => {
      for (let view = 0; view < numViews("crops"); view += 2) {
        const [plain, mirrored] = [view, view + 1].map((v) => viewOf(gradient(), v, { imageSize }));
        assert.deepEqual(mirrored.arraySync(), tf.reverse(plain, 2).arraySync());
      }
    });
  });

  it("takes images of another size, and leaves no tensors behind", () => {
    const images = gradient(40);
    const { numTensors } = tf.memory();
    for (const view of [0, 1, 5]) {
      const seen = viewOf(images, view, { imageSize });
      assert.deepEqual(seen.shape, [1, imageSize, imageSize, 3]);
      seen.dispose();
    }
    assert.equal(tf.memory().numTensors, numTensors);
    images.dispose();
  });
});

describe("probsOfViews", () => {
  it("enlarges the images once for all crops, and leaves no tensors behind", async () => {
    const images = gradient(40);
    const sizes: number[][] = [];
    const logits = (seen: Tensor4D) => {
      sizes.push(seen.shape);
      return tf.mean(seen, [1, 2]);
    };
    const network = { config: { imageSize }, logits } as unknown as Network;
    const { numTensors } = tf.memory();
    const expected = Array.from({ length: 12 }, (_, view) => {
      const probs = tf.tidy(() =>
        tf.softmax(tf.mean(viewOf(images, view, { imageSize }), [1, 2])).dataSync(),
      );
      return [...probs];
    });
    const resize = tf.image.resizeBilinear;
    let numEnlarged = 0;
    const found: number[][] = [];
    tf.image.resizeBilinear = ((given: Tensor4D, size: [number, number], ...others: []) => {
      if (size[0] === ENLARGED) numEnlarged++;
      return resize(given, size, ...others);
    }) as typeof resize;
    try {
      for await (const probs of probsOfViews(network, images, "crops")) found.push([...probs]);
    } finally {
      tf.image.resizeBilinear = resize;
    }
    assert.deepEqual(found, expected);
    assert.equal(sizes.length, 12);
    assert.equal(numEnlarged, 1);
    assert.equal(tf.memory().numTensors, numTensors);
    for await (const _ of probsOfViews(network, images, "crops")) break;
    assert.equal(tf.memory().numTensors, numTensors);
    images.dispose();
  });
});

describe("numViews", () => {
  it("counts the views, and refuses other names", () => {
    assert.deepEqual([numViews("image"), numViews("flip")], [1, 2]);
    assert.throws(() => numViews("crop" as "crops"), {
      message:
        "Did you mean crops? Expected one of image, flip, crops for views but received crop of type string",
    });
  });
});

describe("meanOf", () => {
  it("averages value by value", () => {
    assert.deepEqual(meanOf([Float32Array.of(0, 1), Float32Array.of(0.5, 0)]), Float32Array.of(0.25, 0.5));
  });
});

describe("noteUnseenViews", () => {
  const printed = printedLines("warn");

  it("warns of mirror images for a model that has seen none, and of nothing else", () => {
    noteUnseenViews({ horizontalFlip: 0 }, "image");
    noteUnseenViews({}, "crops");
    for (const views of ["flip", "crops"] as const) noteUnseenViews({ horizontalFlip: 0 }, views);
    const note =
      "note: no image was mirrored in the model's training (horizontalFlip=0), so its answers for mirror images may be wrong.";
    assert.deepEqual(printed, [
      `${note} Remove --flip, or in a program views: "flip".`,
      `${note} Remove --crops, or in a program views: "crops".`,
    ]);
  });
});
