import assert from "node:assert/strict";
import sharp from "sharp";
import { decodeWhole } from "../../src/data/pixels/decode.js";
import { cropFace, faceSquare } from "../../src/faces/crop.js";
import { type Face, FaceDetector } from "../../src/faces/detector.js";
import { ASTRONAUT } from "./photos.js";

const face = (box: Face["box"], eyes: Face["eyes"]): Face => ({ box, eyes, score: 1 });

/** RGB of a crop at a place, in shares of its side. */
async function colorAt(crop: Buffer, x: number, y: number): Promise<number[]> {
  const { data, info } = await sharp(crop).raw().toBuffer({ resolveWithObject: true });
  const at = (Math.round(y * info.height) * info.width + Math.round(x * info.width)) * info.channels;
  return [...data.subarray(at, at + 3)];
}

describe("faceSquare", () => {
  it("lies around the box, 0.9 of its height wide, as tilted as the eyes", () => {
    const box = { left: 10, top: 20, width: 40, height: 60 };
    const { x, y, side, angle } = faceSquare(
      face(box, [
        { x: 20, y: 30 },
        { x: 40, y: 50 },
      ]),
    );
    assert.deepEqual([x, y, side], [30, 50, 54]);
    assert.ok(Math.abs(angle - 45) < 1e-9);
  });
});

describe("cropFace", () => {
  it("cuts out RGB of one size, however small or large the face", async () => {
    for (const side of [1, 30, 1800]) {
      const image = { pixels: Buffer.alloc(2000 * 1900 * 3, 90), width: 2000, height: 1900 };
      const level = { y: 50, x: 0 };
      const box = { left: 50, top: 40, width: side, height: side };
      const { width, height, channels } = await sharp(
        await cropFace(image, face(box, [level, { ...level, x: 9 }])),
      ).metadata();
      assert.deepEqual([width, height, channels], [384, 384, 3]);
    }
  });

  it("mirrors the photograph beyond its border", async () => {
    // left half red, right half green; the face's square of 90 lies half beyond the left border
    const svg =
      '<svg width="100" height="100"><rect width="100" height="100" fill="#00ff00"/><rect width="20" height="100" fill="#ff0000"/></svg>';
    const image = await decodeWhole(await sharp(Buffer.from(svg)).png().toBuffer());
    const box = { left: -50, top: 0, width: 100, height: 100 };
    const crop = await cropFace(
      image,
      face(box, [
        { x: 0, y: 30 },
        { x: 20, y: 30 },
      ]),
    );
    // 45 pixels to each side of the border: red up to 20 of them, then green
    for (const x of [0.1, 0.9]) assert.deepEqual(await colorAt(crop, x, 0.5), [0, 255, 0]);
    for (const x of [0.4, 0.6]) assert.deepEqual(await colorAt(crop, x, 0.5), [255, 0, 0]);
  });

  it("levels the eyes of a tilted head", async () => {
    const tilted = await sharp(ASTRONAUT).rotate(30, { background: "#8090a0" }).png().toBuffer();
    const detector = await FaceDetector.load();
    try {
      const image = await decodeWhole(tilted);
      const [found] = await detector.detect(image);
      const { angle } = faceSquare(found);
      assert.ok(Math.abs(angle - 30) < 8, String(angle));
      const crop = await sharp(await cropFace(image, found)).extend({
        top: 200,
        bottom: 200,
        left: 200,
        right: 200,
      });
      const [levelled] = await detector.detect(await decodeWhole(await crop.png().toBuffer()));
      assert.ok(Math.abs(faceSquare(levelled).angle) < 8, String(faceSquare(levelled).angle));
    } finally {
      detector.dispose();
    }
  });
});
