import assert from "node:assert/strict";
import sharp from "sharp";
import { pngDataUrl, saliencyDataUrl } from "../../src/show/data-url.js";

async function decode(url: string) {
  assert.match(url, /^data:image\/png;base64,/);
  const png = Buffer.from(url.slice(url.indexOf(",") + 1), "base64");
  const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
  const { channels } = await sharp(png).metadata();
  return { data: new Uint8Array(data), size: [info.width, info.height], channels };
}

describe("pngDataUrl", () => {
  it("keeps pixels and colours of an image of a chart's size", async () => {
    const pixels = new Uint8Array(100 * 100 * 3).map((_, i) => i % 251);
    const { data, size, channels } = await decode(await pngDataUrl(pixels, 100, 100, 3));
    assert.deepEqual([size, channels], [[100, 100], 3]);
    assert.deepEqual(data, pixels);
  });

  it("enlarges small images and reduces large ones, in proportion", async () => {
    const sizeOf = async (width: number, height: number) =>
      (await decode(await pngDataUrl(new Uint8Array(width * height), width, height, 1))).size;
    assert.deepEqual(await sizeOf(48, 48), [96, 96]);
    assert.deepEqual(await sizeOf(24, 48), [48, 96]);
    assert.deepEqual(await sizeOf(384, 192), [192, 96]);
  });

  it("keeps grey images grey", async () => {
    const { data, channels } = await decode(await pngDataUrl(new Uint8Array(48 * 48).fill(77), 48, 48, 1));
    assert.equal(channels, 1);
    assert.ok(data.every((value) => value === 77));
  });

  it("refuses pixels of another size", async () => {
    await assert.rejects(pngDataUrl(new Uint8Array(5), 2, 2, 1), {
      message:
        "Expected a number in [4, 4] for the number of pixel values of 2 × 2 × 1 but received 5 of type number",
    });
  });
});

const SIZE = 96; // no smaller, so that it is not enlarged

async function colors(pixels: Uint8Array, heat: Float32Array): Promise<number[][]> {
  const url = await saliencyDataUrl(pixels, heat, SIZE);
  const { data, info } = await sharp(Buffer.from(url.split(",")[1], "base64"))
    .raw()
    .toBuffer({ resolveWithObject: true });
  assert.deepEqual([info.width, info.height, info.channels], [SIZE, SIZE, 3]);
  return [0, SIZE ** 2 - 1].map((i) => [...data.subarray(3 * i, 3 * i + 3)]);
}

describe("saliencyDataUrl", () => {
  it("lays inferno over the image in grey", async () => {
    const pixels = Uint8Array.from({ length: 3 * SIZE ** 2 }, (_, i) => (i % 3 === 0 ? 200 : 0)); // red
    const heat = new Float32Array(SIZE ** 2).fill(1, SIZE ** 2 / 2); // below
    // 200 red is 0.299 · 200 = 59.8 in grey, of which 0.45 is 26.9; inferno goes from (0, 0, 4) to (252, 255, 164)
    assert.deepEqual(await colors(pixels, heat), [
      [26, 26, 29],
      [165, 167, 117],
    ]);
  });

  it("refuses a map of another size", async () => {
    await assert.rejects(saliencyDataUrl(new Uint8Array(3 * SIZE ** 2), new Float32Array(4), SIZE), {
      message:
        "Expected a number in [9216, 9216] for the number of values of a map of 96 × 96 but received 4 of type number",
    });
  });
});
