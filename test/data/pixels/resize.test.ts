import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { type Raster, resize } from "../../../src/data/pixels/resize.js";

interface Golden {
  width: number;
  height: number;
  numChannels: 1 | 3;
  imageSize: number;
  /** Pixels in base64. */
  crop: string;
  squash: string;
}
const golden = JSON.parse(readFileSync(path.join(__dirname, "../../golden/resize.json"), "utf8")) as Golden[];

/** The image of test/golden/make_resize_golden.py. */
function goldenImage(width: number, height: number, numChannels: 1 | 3): Raster {
  const pixels = Uint8Array.from({ length: width * height * numChannels }, (_, i) => {
    const noise = Math.imul(i, 2654435761) >>> 24;
    return [noise, 255, i % 256][Math.floor(i / 97) % 3];
  });
  return { pixels, width, height, numChannels };
}

const grey = (rows: number[][]): Raster => ({
  pixels: Uint8Array.from(rows.flat()),
  width: rows[0].length,
  height: rows.length,
  numChannels: 1,
});
const whole = ({ width, height }: Raster) => ({ left: 0, top: 0, width, height });

/** Mirrors an image left to right. */
function mirror({ pixels, width, height, numChannels }: Raster): Raster {
  const mirrored = pixels.map((_, i) => {
    const [pixel, channel] = [Math.floor(i / numChannels), i % numChannels];
    const [y, x] = [Math.floor(pixel / width), pixel % width];
    return pixels[(y * width + width - 1 - x) * numChannels + channel];
  });
  return { pixels: mirrored, width, height, numChannels };
}

describe("resize", () => {
  for (const { width, height, numChannels, imageSize, crop, squash } of golden)
    it(`agrees with Pillow to the bit: ${width} × ${height} × ${numChannels} → ${imageSize}`, () => {
      const image = goldenImage(width, height, numChannels);
      const side = Math.min(width, height);
      const box = { left: (width - side) / 2, top: (height - side) / 2, width: side, height: side };
      const bytes = (pixels: Uint8Array) => Buffer.from(pixels).toString("base64");
      assert.equal(bytes(resize(image, box, imageSize, imageSize)), crop);
      assert.equal(bytes(resize(image, whole(image), imageSize, imageSize)), squash);
    });

  it("keeps every pixel if the size stays", () => {
    const image = goldenImage(48, 48, 3);
    assert.deepEqual(resize(image, whole(image), 48, 48), image.pixels);
  });

  it("takes a part of the image as it is", () => {
    const image = grey([
      [1, 2, 3],
      [4, 5, 6],
      [7, 8, 9],
    ]);
    assert.deepEqual([...resize(image, { left: 1, top: 0, width: 2, height: 2 }, 2, 2)], [2, 3, 5, 6]);
  });

  it("neither moves nor blurs an edge to one side", () => {
    const edge = (length: number): Raster =>
      grey([Array.from({ length }, (_, x) => (x < length / 2 ? 0 : 255))]);
    for (const [from, to] of [
      [8, 24],
      [500, 48],
      [30, 20],
    ]) {
      const row = resize(edge(from), whole(edge(from)), to, 1);
      for (let x = 0; x < to / 2; x++) assert.ok(Math.abs(row[x] + row[to - 1 - x] - 255) <= 1, String(row));
    }
  });

  it("gives the mirror image for a mirrored image, enlarged and reduced", () => {
    for (const [width, height] of [
      [48, 48],
      [31, 20],
      [101, 100],
    ]) {
      const image = goldenImage(width, height, 3);
      const side = Math.min(width, height);
      const box = { left: (width - side) / 2, top: (height - side) / 2, width: side, height: side };
      for (const size of [16, 33, 144]) {
        const square = {
          pixels: resize(image, box, size, size),
          width: size,
          height: size,
          numChannels: 3 as const,
        };
        const [mirrored, expected] = [resize(mirror(image), box, size, size), mirror(square).pixels];
        const off = mirrored.reduce((max, value, i) => Math.max(max, Math.abs(value - expected[i])), 0);
        assert.ok(off <= 1, `${off} levels`); // rounding
      }
    }
  });

  it("does not overflow in black and white", () => {
    const stripes = grey([Array.from({ length: 64 }, (_, x) => (x % 8 < 4 ? 0 : 255))]);
    const row = [...resize(stripes, whole(stripes), 192, 1)];
    assert.deepEqual([Math.min(...row), Math.max(...row)], [0, 255]);
    assert.ok(row.slice(0, 9).every((value) => value === 0));
  });
});
