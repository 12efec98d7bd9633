import assert from "node:assert/strict";
import sharp from "sharp";
import { decodeWhole } from "../../src/data/pixels/decode.js";
import { cropFace, faceSquare, shareOutside } from "../../src/faces/crop.js";
import { type Face, FaceDetector } from "../../src/faces/detect.js";
import { ASTRONAUT } from "./photos.js";

const face = (box: Face["box"], eyes: Face["eyes"]): Face => ({ box, extent: box, eyes, score: 1 });
const LEVEL: Face["eyes"] = [
  { x: 0, y: 30 },
  { x: 20, y: 30 },
];

describe("faceSquare", () => {
  it("is centred on the box, 0.9 of its height wide, and tilted like the eyes", () => {
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

describe("shareOutside", () => {
  const photo = { width: 100, height: 80 };
  const share = (left: number, top: number, eyes = LEVEL) =>
    shareOutside(photo, face({ left, top, width: 40, height: 40 }, eyes)); // a square of 36 pixels

  it("is 0 inside of the photograph, and the share of the square beyond each border", () => {
    assert.equal(share(30, 20), 0);
    assert.equal(share(-20, 20), 0.5); // the centre is on the border
    assert.equal(share(80, 20), 0.5);
    assert.equal(share(30, -20), 0.5);
    assert.equal(share(30, 60), 0.5);
    assert.equal(share(-20, -20), 0.75);
  });

  it("turns with the face", () => {
    const tilted: Face["eyes"] = [
      { x: 0, y: 0 },
      { x: 10, y: 10 },
    ];
    // The square's corner is √2 · 18 = 25.5 pixels from its centre, which is 20 pixels from the border.
    assert.equal(share(0, 20), 0);
    const corner = (25.456 - 20) ** 2 / 36 ** 2;
    assert.ok(Math.abs(share(0, 20, tilted) - corner) < 0.01, String(share(0, 20, tilted)));
  });
});

describe("cropFace", () => {
  it("returns RGB pixels of the network's size, for small and large faces", async () => {
    const image = { pixels: Buffer.alloc(2000 * 1900 * 3, 90), width: 2000, height: 1900 };
    for (const side of [1, 30, 1800]) {
      const box = { left: 50, top: 40, width: side, height: side };
      const pixels = await cropFace(image, face(box, LEVEL), 48);
      assert.equal(pixels.length, 48 * 48 * 3);
      assert.ok(pixels.every((value) => value === 90));
    }
  });

  /** Draws a bright spot around a point, on black: 160 × 160 pixels. */
  const spotAt = (x: number, y: number, width = 3) => {
    const pixels = Buffer.alloc(160 * 160 * 3);
    for (let row = 0; row < 160; row++)
      for (let column = 0; column < 160; column++) {
        const distance = Math.hypot(column + 0.5 - x, row + 0.5 - y) / width;
        pixels.fill(
          Math.round(255 * Math.exp(-0.5 * distance ** 2)),
          3 * (160 * row + column),
          3 * (160 * row + column + 1),
        );
      }
    return { pixels, width: 160, height: 160 };
  };

  it("puts the face's centre at the crop's centre, between pixels and at any angle", async () => {
    for (const [x, y, angle] of [
      [80, 80, 0],
      [80.4, 79.5, 0],
      [80.5, 81.49, 7.3],
      [79.51, 80.3, -33],
      [80.2, 80.7, 45],
      [80.5, 80.5, 171],
    ]) {
      const side = 50; // of the box; 45 of the square
      const box = { left: x - side / 2, top: y - side / 2, width: side, height: side };
      const [right, down] = [Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180)];
      const eyes: Face["eyes"] = [
        { x: 0, y: 0 },
        { x: 100 * right, y: 100 * down },
      ];
      const crop = await cropFace(spotAt(x, y), face(box, eyes), 90);
      let [sum, sumX, sumY] = [0, 0, 0];
      for (let i = 0; i < 90 * 90; i++) {
        sum += crop[3 * i];
        sumX += crop[3 * i] * ((i % 90) + 0.5);
        sumY += crop[3 * i] * (Math.floor(i / 90) + 0.5);
      }
      const offset = Math.hypot(sumX / sum - 45, sumY / sum - 45);
      assert.ok(offset < 0.03, `${offset} pixels at ${[x, y, angle]}`);
    }
  });

  it("changes little when the eyes move by a hundredth of a pixel", async () => {
    const image = await decodeWhole(ASTRONAUT);
    const box = { left: 180, top: 60, width: 90, height: 110 };
    let before: Uint8Array | undefined;
    for (let step = 0; step < 40; step++) {
      const eyes: Face["eyes"] = [
        { x: 200, y: 100 },
        { x: 250, y: 102 + step / 100 },
      ];
      const crop = await cropFace(image, face(box, eyes), 48);
      const earlier = before;
      if (earlier) {
        const changes = Array.from(crop, (value, i) => Math.abs(value - earlier[i]));
        assert.ok(Math.max(...changes) <= 2, `${Math.max(...changes)} levels at step ${step}`);
      }
      before = crop;
    }
  });

  it("mirrors the photograph beyond its border", async () => {
    // left fifth red, the rest green; half of the face's square of 90 pixels is beyond the left border
    const svg =
      '<svg width="100" height="100"><rect width="100" height="100" fill="#00ff00"/><rect width="20" height="100" fill="#ff0000"/></svg>';
    const image = await decodeWhole(await sharp(Buffer.from(svg)).png().toBuffer());
    const box = { left: -50, top: 0, width: 100, height: 100 };
    const crop = await cropFace(image, face(box, LEVEL), 100);
    const colorAt = (x: number) => [...crop.subarray(3 * (50 * 100 + x), 3 * (50 * 100 + x) + 3)];
    // 45 pixels to each side of the border: red for the first 20 of them, then green
    for (const x of [10, 90]) assert.deepEqual(colorAt(x), [0, 255, 0]);
    for (const x of [40, 60]) assert.deepEqual(colorAt(x), [255, 0, 0]);
  });

  it("levels the eyes of a tilted head", async () => {
    const tilted = await sharp(ASTRONAUT).rotate(30, { background: "#8090a0" }).png().toBuffer();
    const detector = await FaceDetector.load();
    try {
      const image = await decodeWhole(tilted);
      const [found] = await detector.detect(image);
      const { angle } = faceSquare(found);
      assert.ok(Math.abs(angle - 30) < 8, String(angle));
      const raw = { width: 384, height: 384, channels: 3 } as const;
      const crop = sharp(await cropFace(image, found, 384), { raw });
      const framed = crop.extend({ top: 200, bottom: 200, left: 200, right: 200 });
      const [levelled] = await detector.detect(await decodeWhole(await framed.png().toBuffer()));
      assert.ok(Math.abs(faceSquare(levelled).angle) < 8, String(faceSquare(levelled).angle));
    } finally {
      detector.dispose();
    }
  });
});
