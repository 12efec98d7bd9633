import assert from "node:assert/strict";
import sharp from "sharp";
import { decodeWhole } from "../../../src/data/pixels/decode.js";

/** 3 × 2: red, green and blue over black, white and grey. */
const PIXELS = Buffer.from([255, 0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 90, 90, 90]);
const image = () => sharp(PIXELS, { raw: { width: 3, height: 2, channels: 3 } });

describe("decodeWhole", () => {
  it("gives all pixels, of a grey image too in three channels", async () => {
    const { pixels, width, height } = await decodeWhole(await image().png().toBuffer());
    assert.deepEqual([width, height], [3, 2]);
    assert.deepEqual(pixels, PIXELS);
    const grey = await image().greyscale().png().toBuffer();
    assert.equal((await decodeWhole(grey)).pixels.length, PIXELS.length);
  });

  it("turns an image upright by its EXIF tag", async () => {
    const lying = await image().rotate(90).withMetadata({ orientation: 8 }).png().toBuffer();
    const { pixels, width, height } = await decodeWhole(lying);
    assert.deepEqual([width, height], [3, 2]);
    assert.deepEqual(pixels, PIXELS);
  });

  it("lays transparent images on white", async () => {
    const clear = { create: { width: 1, height: 1, channels: 4, background: "#00000000" } } as const;
    const { pixels } = await decodeWhole(await sharp(clear).png().toBuffer());
    assert.deepEqual([...pixels], [255, 255, 255]);
  });

  it("names what cannot be read", async () => {
    await assert.rejects(decodeWhole(Buffer.alloc(0), "buffer 3"), {
      name: "InputError",
      message: "Expected an image at buffer 3 but found an empty file. Remove or replace it.",
    });
  });
});
