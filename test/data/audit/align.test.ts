import assert from "node:assert/strict";
import sharp from "sharp";
import { drawFace } from "../../../src/cartoons/draw.js";
import { GRID_SIZE as SIDE, similarity } from "../../../src/data/audit/align.js";
import { averagePooling } from "../../../src/data/audit/thumbnails.js";
import { Random } from "../../../src/random.js";

/** A drawn face, changed, as a grid of three channels. */
async function face(
  seed: number,
  change: (image: sharp.Sharp) => sharp.Sharp | Promise<sharp.Sharp> = (image) => image,
) {
  const drawn = await drawFace(seed % 2 ? "happy" : "angry", new Random(seed, "align"), 96);
  const changed = await change(sharp(await sharp(drawn).png().toBuffer()));
  const pixels = await sharp(await changed.png().toBuffer())
    .resize(96, 96, { fit: "fill" })
    .removeAlpha()
    .raw()
    .toBuffer();
  return averagePooling(96, 3, SIDE)(pixels);
}

describe("similarity", () => {
  const copies: [string, (image: sharp.Sharp) => sharp.Sharp | Promise<sharp.Sharp>][] = [
    ["is equal", (image) => image],
    ["is compressed", async (image) => sharp(await image.jpeg({ quality: 30 }).toBuffer())],
    ["is cropped a little", (image) => image.extract({ left: 3, top: 6, width: 88, height: 88 })],
    ["is smaller", async (image) => sharp(await image.resize(40).png().toBuffer())],
    ["is lighter, with less contrast", (image) => image.linear(0.7, 50)],
    ["is a copy in grey", (image) => image.greyscale().toColourspace("srgb")],
    [
      "is shifted",
      (image) =>
        image.extract({ left: 4, top: 0, width: 92, height: 96 }).extend({ right: 4, extendWith: "copy" }),
    ],
  ];
  for (const [name, change] of copies)
    it(`is at least 0.86 for an image that ${name}`, async () => {
      const found = similarity(await face(1), await face(1, change), 3);
      assert.ok(found !== null && found >= 0.86 && found <= 1, String(found));
    });

  it("is null for other faces", async () => {
    const faces = await Promise.all([1, 3, 5, 7, 9, 11].map((seed) => face(seed)));
    const grey = await face(3, (image) => image.greyscale().toColourspace("srgb"));
    assert.equal(similarity(faces[0], grey, 3), null);
    faces.forEach((a, i) => {
      for (const b of faces.slice(i + 1)) assert.equal(similarity(a, b, 3), null);
    });
  });

  it("is null for the same drawing in other colours", async () => {
    const [red, green, blue] = [0, 1, 2];
    const one = await face(1);
    const other = one.map((_, i) => one[i - (i % 3) + [green, blue, red][i % 3]]);
    assert.equal(similarity(one, other, 3), null);
  });

  /** A picture of waves, between bars of one colour above and below. */
  function padded(seed: number, { bars = 8, level = 0, gain = 1 } = {}): Float32Array {
    const random = new Random(seed, "padded");
    const waves = Array.from({ length: 8 }, () => [
      random.uniform(-1, 1),
      random.uniform(-1, 1),
      random.uniform(0, 6),
    ]);
    return Float32Array.from({ length: SIDE * SIDE }, (_, i) => {
      const [x, y] = [i % SIDE, Math.floor(i / SIDE)];
      if (y < bars || y >= SIDE - bars) return level;
      const value = waves.reduce((sum, [across, down, at]) => sum + Math.sin(across * x + down * y + at), 0);
      return gain * (170 + 4 * value);
    });
  }
  const turned = (grid: Float32Array) => grid.map((_, i) => grid[(i % SIDE) * SIDE + Math.floor(i / SIDE)]);

  it("is null for pictures that share their bars", () => {
    for (const level of [0, 255])
      for (const bars of [6, 8, 11, 14])
        for (const turn of [(grid: Float32Array) => grid, turned]) {
          const [a, b] = [1, 2].map((seed) => turn(padded(seed, { bars, level })));
          assert.equal(similarity(a, b, 1), null, `${bars} of ${level}`);
        }
  });

  it("finds copies between bars", () => {
    for (const bars of [4, 8, 11])
      for (const turn of [(grid: Float32Array) => grid, turned]) {
        const [a, b] = [1, 0.9].map((gain) => turn(padded(1, { bars, gain })));
        const found = similarity(a, b, 1);
        assert.ok(found !== null && found > 0.95, `${bars}: ${found}`);
      }
  });

  it("is null if an image shows nothing", async () => {
    const plain = new Float32Array(SIDE * SIDE * 3).fill(90);
    assert.equal(similarity(plain, plain, 3), null);
    assert.equal(similarity(await face(1), plain, 3), null);
  });

  it("does not depend on the order", async () => {
    const [a, b] = [await face(1), await face(1, (image) => image.linear(0.8, 20))];
    assert.ok(Math.abs((similarity(a, b, 3) as number) - (similarity(b, a, 3) as number)) < 0.02);
  });
});
