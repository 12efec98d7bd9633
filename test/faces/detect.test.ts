import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import sharp from "sharp";
import { tf } from "../../src/engine/tf.js";
import { type Box, detectFaces, isCutOff, suppressNonMaxima, tiledCopies } from "../../src/faces/detect.js";
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

  it("estimates the whole of a face that the border cuts", async () => {
    // uncut, the box is 171 × 206 at (174, 117)
    const cuts = {
      chin: { left: 0, top: 0, width: 512, height: 282 },
      forehead: { left: 0, top: 158, width: 512, height: 442 },
      cheek: { left: 208, top: 0, width: 304, height: 600 },
      corner: { left: 0, top: 0, width: 320, height: 292 },
    };
    for (const [name, cut] of Object.entries(cuts)) {
      const [{ box, extent }] = await detectFaces(await sharp(HOPPER).extract(cut).png().toBuffer());
      assert.ok(box.left >= 0 && box.left + box.width <= cut.width, name);
      assert.ok(box.top >= 0 && box.top + box.height <= cut.height, name);
      assert.ok(Math.abs(extent.height / 206 - 1) < 0.12, `${name}: ${extent.height}`);
      const [x, y] = [extent.left + extent.width / 2, extent.top + extent.height / 2];
      assert.ok(
        Math.abs(cut.left + x - 259.5) < 20 && Math.abs(cut.top + y - 220) < 20,
        `${name}: ${x}, ${y}`,
      );
    }
    const [whole] = await detectFaces(HOPPER);
    assert.deepEqual(whole.extent, whole.box);
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

  it("finds no face in an image without one", async () => {
    assert.deepEqual(await detectFaces(await groupPhoto(700, 500, [])), []);
    const pixel = { create: { width: 1, height: 1, channels: 3, background: "red" } } as const;
    assert.deepEqual(await detectFaces(await sharp(pixel).png().toBuffer()), []);
  });

  it("names the photograph that cannot be read", async () => {
    await assert.rejects(detectFaces(Buffer.from("no image")), {
      name: "InputError",
      message: "Expected an image at the buffer but found no image that can be read. Remove or replace it.",
    });
    await assert.rejects(detectFaces("/none.jpg"), { message: /at \/none\.jpg but found no such file/ });
  });

  it("leaves no tensors and no other backend behind, and gives the same result again", async () => {
    const [numTensors, backend] = [tf.memory().numTensors, tf.getBackend()];
    const faces = await detectFaces(ASTRONAUT);
    assert.deepEqual(await detectFaces(readFileSync(ASTRONAUT)), faces);
    assert.deepEqual([tf.memory().numTensors, tf.getBackend()], [numTensors, backend]);
  });
});

const found = (left: number, top: number, side: number, score: number) => ({
  box: { left, top, width: side, height: side },
  score,
});

describe("suppressNonMaxima", () => {
  it("keeps the surer of two boxes of one face", () => {
    // 8 · 8 = 64 shared, of 100 + 100 − 64 = 136 together: 0.47
    const [a, b] = [found(0, 0, 10, 0.6), found(2, 2, 10, 0.9)];
    assert.deepEqual(suppressNonMaxima([a, b]), [b]);
  });

  it("keeps neighbours that overlap a little", () => {
    // 2 · 10 = 20 shared, of 180 together: 0.11
    const faces = [found(0, 0, 10, 0.9), found(8, 0, 10, 0.6)];
    assert.deepEqual(suppressNonMaxima(faces), faces);
  });

  it("leaves out a part of a face", () => {
    // 16 shared, all of the smaller, of 100 together: 0.16
    assert.deepEqual(suppressNonMaxima([found(0, 0, 10, 0.9), found(3, 3, 4, 0.5)]), [found(0, 0, 10, 0.9)]);
  });

  it("does not let a box that is left out suppress another", () => {
    const [a, b, c] = [found(0, 0, 10, 0.9), found(4, 0, 10, 0.8), found(8, 0, 10, 0.7)];
    assert.deepEqual(suppressNonMaxima([c, b, a]), [a, c]);
  });
});

describe("tiledCopies", () => {
  it("searches a small photograph as a whole, enlarged", () => {
    assert.deepEqual(tiledCopies(256, 128), [
      { width: 512, height: 256, tiles: [{ left: 0, top: 0, width: 512, height: 256 }] },
    ]);
  });

  it("searches a large one as a whole and in four overlapping tiles", () => {
    const [whole, parts] = tiledCopies(4000, 3000);
    assert.deepEqual([whole.width, whole.height, whole.tiles.length], [512, 384, 1]);
    assert.deepEqual([parts.width, parts.height], [896, 672]);
    assert.deepEqual(
      parts.tiles.map(({ left, top, width, height }) => [left, top, width, height]),
      [
        [0, 0, 512, 512],
        [384, 0, 512, 512],
        [0, 160, 512, 512],
        [384, 160, 512, 512],
      ],
    );
  });

  it("never enlarges a photograph to search its parts", () => {
    const [, parts] = tiledCopies(600, 300);
    assert.deepEqual([parts.width, parts.height], [600, 300]);
    assert.deepEqual(
      parts.tiles.map(({ left, width, height }) => [left, width, height]),
      [
        [0, 512, 300],
        [88, 512, 300],
      ],
    );
  });

  it("keeps one pixel of the shorter side of a very long photograph", () => {
    assert.deepEqual(
      tiledCopies(5000, 2).map(({ width, height }) => [width, height]),
      [
        [512, 1],
        [896, 1],
      ],
    );
  });
});

describe("isCutOff", () => {
  const [, parts] = tiledCopies(4000, 3000);
  const [first, , , last] = parts.tiles;

  it("detects a face that is cut by an inner edge", () => {
    assert.ok(isCutOff({ left: 480, top: 100, width: 31, height: 40 }, first, parts));
    assert.ok(isCutOff({ left: 100, top: 1, width: 30, height: 40 }, last, parts));
  });

  it("accepts a face at the photograph's border", () => {
    assert.ok(!isCutOff({ left: 0, top: 0, width: 30, height: 40 }, first, parts));
    assert.ok(!isCutOff({ left: 480, top: 470, width: 32, height: 42 }, last, parts));
  });

  it("accepts a face inside the tile", () => {
    assert.ok(!isCutOff({ left: 200, top: 200, width: 30, height: 40 }, first, parts));
  });
});
