import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import sharp from "sharp";
import { tf } from "../../src/engine/tf.js";
import type { Box } from "../../src/faces/box.js";
import { detectFaces } from "../../src/faces/detector.js";
import { ASTRONAUT, groupPhoto, HOPPER } from "./photos.js";

/** Whether a box is around a point, and of a size, within a third. */
function isAt({ left, top, width, height }: Box, x: number, y: number, faceHeight: number): boolean {
  const isAround = left < x && x < left + width && top < y && y < top + height;
  return isAround && Math.abs(height / faceHeight - 1) < 1 / 3;
}

describe("detectFaces", () => {
  it("finds a face and its eyes", async () => {
    const [face, ...others] = await detectFaces(ASTRONAUT);
    assert.equal(others.length, 0);
    assert.ok(isAt(face.box, 224, 122, 105), JSON.stringify(face.box));
    assert.ok(face.score > 0.9 && face.score <= 1);
    const near = ({ x, y }: { x: number; y: number }, atX: number, atY: number) =>
      Math.hypot(x - atX, y - atY) < 6;
    assert.ok(near(face.eyes[0], 204, 99) && near(face.eyes[1], 247, 99), JSON.stringify(face.eyes));
  });

  it("does not take the badge on a cap for a face", async () => {
    const faces = await detectFaces(HOPPER);
    assert.equal(faces.length, 1);
    assert.ok(isAt(faces[0].box, 260, 220, 205), JSON.stringify(faces[0].box));
  });

  it("finds small and large faces side by side, from left to right, and at the border", async () => {
    // The face of the second is 200 / 600 of its height, those of the others 105 / 512.
    const photo = await groupPhoto(1600, 900, [
      { file: ASTRONAUT, left: 60, top: 500, height: 200 },
      { file: HOPPER, left: 500, top: 0, height: 900 },
      { file: ASTRONAUT, left: 1310, top: 0, height: 290 },
    ]);
    const faces = await detectFaces(photo);
    assert.equal(faces.length, 3, JSON.stringify(faces));
    assert.ok(isAt(faces[0].box, 60 + 88, 500 + 48, 41), JSON.stringify(faces[0].box));
    assert.ok(isAt(faces[1].box, 500 + 360, 320, 300), JSON.stringify(faces[1].box));
    assert.ok(isAt(faces[2].box, 1310 + 127, 69, 60), JSON.stringify(faces[2].box));
  });

  it("finds each of twenty", async () => {
    const portraits = Array.from({ length: 20 }, (_, i) => ({
      file: i % 2 ? HOPPER : ASTRONAUT,
      left: (i % 5) * 300,
      top: Math.floor(i / 5) * 300,
      height: 280,
    }));
    const faces = await detectFaces(await groupPhoto(1500, 1200, portraits));
    const cells = faces.map(({ box }) => `${Math.floor(box.left / 300)},${Math.floor(box.top / 300)}`);
    assert.equal(new Set(cells).size, 20);
    assert.equal(faces.length, 20);
  });

  it("gives boxes in the upright photograph, within its border", async () => {
    const upright = await sharp(ASTRONAUT).extract({ left: 210, top: 0, width: 302, height: 512 }).toBuffer();
    const lying = await sharp(upright).rotate(90).withMetadata({ orientation: 8 }).jpeg().toBuffer();
    const [{ box }] = await detectFaces(lying);
    assert.ok(isAt(box, 20, 122, 105), JSON.stringify(box));
    assert.ok(box.left >= 0 && box.top + box.height <= 512);
    assert.ok(Object.values(box).every(Number.isInteger));
  });

  it("finds the face in a grey file and on a transparent ground", async () => {
    const grey = await sharp(ASTRONAUT).greyscale().png().toBuffer();
    const mask = Buffer.from('<svg width="512" height="512"><circle cx="224" cy="130" r="130"/></svg>');
    const cut = sharp(ASTRONAUT)
      .ensureAlpha()
      .composite([{ input: mask, blend: "dest-in" }]);
    for (const photo of [grey, await cut.png().toBuffer()]) {
      const faces = await detectFaces(photo);
      assert.equal(faces.length, 1);
      assert.ok(isAt(faces[0].box, 224, 122, 105), JSON.stringify(faces[0].box));
    }
  });

  it("finds none where there is none", async () => {
    assert.deepEqual(await detectFaces(await groupPhoto(700, 500, [])), []);
    const pixel = { create: { width: 1, height: 1, channels: 3, background: "red" } } as const;
    assert.deepEqual(await detectFaces(await sharp(pixel).png().toBuffer()), []);
  });

  it("says which photograph cannot be read", async () => {
    await assert.rejects(detectFaces(Buffer.from("no image")), {
      name: "InputError",
      message: "Expected an image at the buffer but found no image that can be read. Remove or replace it.",
    });
    await assert.rejects(detectFaces("/none.jpg"), { message: /at \/none\.jpg but found no such file/ });
  });

  it("leaves neither tensors behind nor another backend, and gives the same each time", async () => {
    const [numTensors, backend] = [tf.memory().numTensors, tf.getBackend()];
    const faces = await detectFaces(ASTRONAUT);
    assert.deepEqual(await detectFaces(readFileSync(ASTRONAUT)), faces);
    assert.deepEqual([tf.memory().numTensors, tf.getBackend()], [numTensors, backend]);
  });
});
