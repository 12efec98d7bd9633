import assert from "node:assert/strict";
import sharp from "sharp";
import { decodeImage, decodePacked } from "../../../src/data/pixels/decode.js";
import { readTiff } from "../../../src/data/pixels/tiff.js";
import { SIDE, tiff } from "./tiff-files.js";

const [COLOURS, TILE_WIDTH, TILE_HEIGHT, TILES, TILE_BYTES, EXTRA] = [262, 322, 323, 324, 325, 338];
const [ORANGE, HALF] = [[200, 100, 50], 128];
const decode = async (data: Buffer) => [...(await decodeImage(data, SIDE)).pixels.subarray(0, 3)];

/** An orange image with a fourth channel. */
const fourth = (extra: number | null, bits: 8 | 16 = 8) => {
  const values = [...ORANGE, HALF].map((value) => (bits === 16 ? value * 257 : value));
  const tags = { [COLOURS]: 2, ...(extra !== null && { [EXTRA]: extra }) };
  return tiff(
    Array(SIDE ** 2)
      .fill(values)
      .flat(),
    "unsigned",
    bits,
    { channels: 4, tags },
  );
};

describe("a TIFF", () => {
  it("has an alpha channel if its tags say so, and other channels are not used", async () => {
    assert.deepEqual(await decode(fourth(2)), [227, 177, 152]); // halfway to 255
    assert.deepEqual(await decode(fourth(0)), ORANGE);
    assert.deepEqual(await decode(fourth(null)), ORANGE);
    assert.deepEqual(await decode(fourth(0, 16)), ORANGE);
    const grey = tiff(
      Array(SIDE ** 2)
        .fill([90, 10])
        .flat(),
      "unsigned",
      8,
      { channels: 2, tags: { [EXTRA]: 0 } },
    );
    assert.deepEqual(await decode(grey), [90, 90, 90]);
    const large = await sharp(Buffer.alloc(400 * 400 * 4, Buffer.from([...ORANGE, 0])), {
      raw: { width: 400, height: 400, channels: 4 },
    })
      .tiff({ compression: "none" })
      .toBuffer();
    const at = large.indexOf(Buffer.of(EXTRA & 255, EXTRA >> 8, 3, 0), large.readUInt32LE(4));
    large.writeUInt16LE(0, at + 8);
    assert.deepEqual(await decode(large), ORANGE); // reduced by sharp
  });

  it("says which channel it has", async () => {
    const traits = async (extra: number) => (await decodePacked(fourth(extra), SIDE, "it")).traits;
    const { hasAlpha, hasOther } = await traits(0);
    assert.deepEqual([hasAlpha, hasOther], [false, true]);
    const marked = await traits(1);
    assert.deepEqual([marked.hasAlpha, marked.hasOther], [true, undefined]);
  });

  it("of several grey channels is refused", async () => {
    for (const channels of [3, 4])
      await assert.rejects(decode(tiff(Array(channels * SIDE ** 2).fill(9), "unsigned", 8, { channels })), {
        message: `Expected an image at the buffer but found ${channels} channels of grey, which may be colours: save it in RGB. Remove or replace it.`,
      });
  });

  it("that was cut short is refused, in strips and in tiles", async () => {
    const values = Array(SIDE ** 2).fill(200);
    const tile = { [TILE_WIDTH]: SIDE, [TILE_HEIGHT]: SIDE, [TILES]: 0, [TILE_BYTES]: SIDE ** 2 };
    const strips = tiff(values, "unsigned", 8);
    const tiles = tiff(values, "unsigned", 8, { tags: tile });
    for (const whole of [strips, tiles]) {
      assert.deepEqual(await decode(whole), [200, 200, 200]);
      for (const missing of [1, 100, 256, 270])
        await assert.rejects(decode(whole.subarray(0, whole.length - missing)), {
          message: /but found a (damaged image, perhaps a )?file that was cut short/,
        });
    }
  });

  it("may have lengths of strips that are rounded up, and tags that nobody knows", async () => {
    const data = tiff(Array(SIDE ** 2).fill(200), "unsigned", 8, { tags: { 279: 2 * SIDE ** 2, 65000: 7 } });
    assert.deepEqual(await decode(data), [200, 200, 200]);
    assert.equal(readTiff(data)?.isCutShort, false);
    assert.equal(readTiff(data.subarray(0, 8))?.isCutShort, false); // no directory
    assert.equal(readTiff(Buffer.from("GIF89a")), null);
  });
});
