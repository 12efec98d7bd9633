import assert from "node:assert/strict";
import sharp from "sharp";
import { heatMapDataUrl } from "../../src/charts/heat-map.js";

const SIZE = 96; // no smaller, so that it is not enlarged

async function colors(pixels: Uint8Array, heat: Float32Array): Promise<number[][]> {
  const url = await heatMapDataUrl(pixels, heat, SIZE);
  const { data, info } = await sharp(Buffer.from(url.split(",")[1], "base64"))
    .raw()
    .toBuffer({ resolveWithObject: true });
  assert.deepEqual([info.width, info.height, info.channels], [SIZE, SIZE, 3]);
  return [0, SIZE ** 2 - 1].map((i) => [...data.subarray(3 * i, 3 * i + 3)]);
}

describe("heatMapDataUrl", () => {
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
    await assert.rejects(heatMapDataUrl(new Uint8Array(3 * SIZE ** 2), new Float32Array(4), SIZE), {
      message:
        "Expected a number in [9216, 9216] for the number of values of a map of 96 × 96 but received 4 of type number",
    });
  });
});
