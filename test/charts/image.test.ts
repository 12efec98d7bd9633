import assert from "node:assert/strict";
import sharp from "sharp";
import { toPngDataUrl } from "../../src/charts/image.js";

async function decode(url: string) {
  assert.match(url, /^data:image\/png;base64,/);
  const png = Buffer.from(url.slice(url.indexOf(",") + 1), "base64");
  const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
  const { channels } = await sharp(png).metadata();
  return { data: new Uint8Array(data), size: [info.width, info.height], channels };
}

describe("toPngDataUrl", () => {
  it("keeps pixels and colours of an image of a chart's size", async () => {
    const pixels = new Uint8Array(100 * 100 * 3).map((_, i) => i % 251);
    const { data, size, channels } = await decode(await toPngDataUrl(pixels, 100, 100, 3));
    assert.deepEqual([size, channels], [[100, 100], 3]);
    assert.deepEqual(data, pixels);
  });

  it("enlarges small images and reduces large ones, in proportion", async () => {
    const sizeOf = async (width: number, height: number) =>
      (await decode(await toPngDataUrl(new Uint8Array(width * height), width, height, 1))).size;
    assert.deepEqual(await sizeOf(48, 48), [96, 96]);
    assert.deepEqual(await sizeOf(24, 48), [48, 96]);
    assert.deepEqual(await sizeOf(384, 192), [192, 96]);
  });

  it("keeps grey images grey", async () => {
    const { data, channels } = await decode(await toPngDataUrl(new Uint8Array(48 * 48).fill(77), 48, 48, 1));
    assert.equal(channels, 1);
    assert.ok(data.every((value) => value === 77));
  });

  it("refuses pixels of another size", async () => {
    await assert.rejects(toPngDataUrl(new Uint8Array(5), 2, 2, 1), {
      message:
        "Expected a number in [4, 4] for the number of pixel values of 2 × 2 × 1 but received 5 of type number",
    });
  });
});
