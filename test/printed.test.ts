import assert from "node:assert/strict";
import { inspect } from "node:util";
import { printedImages, selectImages } from "../src/data/dataset.js";
import { PixelArray } from "../src/data/pixels/pixels.js";
import { score } from "../src/inference/evaluate.js";
import { printedPixels } from "../src/printed.js";

describe("printed results", () => {
  it("show pixels in one line, and JSON leaves them out", () => {
    const given = Uint8Array.from({ length: 1200 }, (_, i) => i % 256);
    const pixels = printedPixels(given);
    const result = { name: "a.png", pixels };
    const line = "Uint8Array of 1,200: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, …";
    assert.equal(inspect(result), `{\n  name: 'a.png',\n  pixels: ${line}\n}`);
    assert.equal(JSON.stringify(result), '{"name":"a.png"}');
    assert.equal(JSON.stringify({ ...result }), '{"name":"a.png"}'); // also of a copy
    assert.deepEqual(pixels, given);
    assert.equal(JSON.stringify(given.subarray(0, 2)), '{"0":0,"1":1}'); // the caller's array is as it was
    assert.notEqual(inspect(given), line);
  });

  it("keep the pixels of a photograph a Buffer", () => {
    const pixels = printedPixels(Buffer.from([1, 2]));
    assert.ok(Buffer.isBuffer(pixels));
    assert.equal(inspect(pixels), "Buffer of 2: 1, 2");
    assert.equal(JSON.stringify({ pixels }), "{}");
  });

  it("show the probabilities of an evaluation in one line, and as a list in JSON", () => {
    const probs = Float32Array.of(0.75, 0.25, 0.5, 0.5);
    const evaluation = score(probs, Int32Array.of(0, 1), ["cat", "dog"]);
    assert.match(inspect(evaluation), /\n {2}probs: Float32Array of 4: 0\.75, 0\.25, 0\.5, 0\.5\n/);
    const { predicted, probs: saved } = JSON.parse(JSON.stringify(evaluation));
    assert.deepEqual(
      [predicted, saved],
      [
        [0, 0],
        [0.75, 0.25, 0.5, 0.5],
      ],
    );
  });

  it("show the images of a data set in one line, with their fields", () => {
    const images = printedImages({
      pixels: new PixelArray(new Uint8Array(2 * 4 * 4), 4 * 4),
      labels: Int32Array.of(0, 1),
      numImages: 2,
      imageSize: 4,
      numChannels: 1 as const,
      paths: ["a", "b"],
    });
    const fields = "pixels, labels, numImages, imageSize, numChannels, paths";
    assert.equal(inspect({ train: images }), `{\n  train: [2 images of 4 × 4 pixels, grey: ${fields}]\n}`);
    assert.equal(
      inspect(selectImages(images, Int32Array.of(1))),
      `[1 image of 4 × 4 pixels, grey: ${fields}]`,
    );
  });
});
