import assert from "node:assert/strict";
import sharp from "sharp";
import { decodeImage, decodePacked, decodeWhole } from "../../../src/data/pixels/decode.js";
import { SIDE, tiff } from "./tiff-files.js";

/** Numbers that rise evenly. */
const ramp = (from: number, to: number) =>
  Array.from({ length: SIDE ** 2 }, (_, i) => from + ((to - from) * i) / (SIDE ** 2 - 1));
const integers = (to: number) => ramp(0, to).map(Math.round);

/** A PNG of 16 bits. */
const png16 = (values: number[], channels: 1 | 3 | 4 = 1) =>
  sharp(Uint16Array.from(values), { raw: { width: SIDE, height: SIDE, channels } })
    .toColourspace(channels === 1 ? "grey16" : "rgb16")
    .png()
    .toBuffer();

/** The first channel, without resizing. */
const brightness = async (data: Buffer) => {
  const { pixels } = await decodeImage(data, SIDE);
  return Array.from({ length: SIDE ** 2 }, (_, i) => pixels[3 * i]);
};
const evenly = ramp(0, 255).map(Math.round);
function assertNear(found: number[], expected: number[], tolerance = 1): void {
  found.forEach((value, i) => {
    assert.ok(Math.abs(value - expected[i]) <= tolerance, `${value} at ${i}, expected ${expected[i]}`);
  });
}

describe("numbers of other ranges than 0–255", () => {
  const ranges: [string, () => Promise<Buffer>, number][] = [
    ["16 bits", () => png16(integers(65535)), 65535],
    ["14 bits in 16", () => png16(integers(16383)), 16383],
    ["12 bits in 16", () => png16(integers(4095)), 4095],
    ["10 bits in 16", () => png16(integers(1023)), 1023],
    ["8 bits in 16", () => png16(integers(255)), 255],
    ["signed 16 bits", async () => tiff(integers(32767), "signed", 16), 32767],
    ["12 bits in signed 32", async () => tiff(integers(4095), "signed"), 4095],
    ["8 bits in signed 32", async () => tiff(integers(255), "signed"), 255],
    ["signed 32 bits", async () => tiff(integers(2 ** 31 - 1), "signed"), 2 ** 31 - 1],
    ["unsigned 32 bits", async () => tiff(integers(2 ** 32 - 1), "unsigned"), 2 ** 32 - 1],
    ["floats up to 1", async () => tiff(ramp(0, 1), "float"), 1],
    ["floats up to 255", async () => tiff(ramp(0, 255), "float"), 255],
    ["floats up to 65535", async () => tiff(ramp(0, 65535), "float"), 65535],
  ];
  for (const [name, data, white] of ranges)
    it(`go from black to white: ${name}`, async () => {
      assertNear(await brightness(await data()), evenly);
      assert.equal((await decodePacked(await data(), SIDE, "it")).range?.white, white);
    });

  it("use the fewest bits that hold the largest number", async () => {
    assertNear(await brightness(await png16(integers(2000))), ramp(0, (255 * 2000) / 4095));
    assertNear(await brightness(tiff(integers(3000), "signed")), ramp(0, (255 * 3000) / 4095));
  });

  it("stay dark if 8 bits were expanded to 16", async () => {
    assertNear(await brightness(await png16(integers(40).map((value) => 257 * value))), integers(40));
  });

  it("use a range that is given, whatever the file holds", async () => {
    const decoding = { fit: "crop", whiteLevels: { "16-bit": 4095 } } as const;
    const { pixels } = await decodeImage(await png16(integers(1000)), SIDE, "it", decoding);
    assertNear([...pixels.filter((_, i) => i % 3 === 0)], ramp(0, (255 * 1000) / 4095));
    const above = await decodeImage(await png16(integers(65535)), SIDE, "it", decoding);
    assert.equal(above.pixels[3 * SIDE ** 2 - 1], 255);
  });

  it("say which range was guessed, and what exceeds one that is given", async () => {
    const rangeOf = async (data: Buffer, given?: number) => {
      const whiteLevels: Record<string, number> =
        given === undefined ? {} : { "16-bit": given, float: given };
      return (await decodeImage(data, SIDE, "it", { fit: "crop", whiteLevels })).range;
    };
    const dark = await png16(integers(900));
    assert.deepEqual(await rangeOf(dark), { numbers: "16-bit", white: 1023, highest: 900, isGuess: true });
    assert.deepEqual(await rangeOf(dark, 4095), {
      numbers: "16-bit",
      white: 4095,
      highest: 900,
      isGuess: false,
    });
    const light = await png16(integers(60000));
    assert.deepEqual(await rangeOf(light), {
      numbers: "16-bit",
      white: 65535,
      highest: 60000,
      isGuess: false,
    });
    assert.deepEqual(await rangeOf(light, 4095), {
      numbers: "16-bit",
      white: 4095,
      highest: 60000,
      isGuess: false,
    });
    const expanded = await png16(integers(40).map((value) => 257 * value));
    assert.equal((await rangeOf(expanded))?.isGuess, false);
    assert.deepEqual(await rangeOf(tiff(ramp(0, 0.5), "float"), 255), {
      numbers: "float",
      white: 255,
      highest: 0.5,
      isGuess: false,
    });
    const { width, height, range } = await decodeWhole(light, "it", {
      fit: "crop",
      whiteLevels: { "16-bit": 4095 },
    });
    assert.deepEqual([width, height, range?.white], [SIDE, SIDE, 4095]);
  });

  it("of fractions may exceed 1 a little, as after resizing", async () => {
    const { pixels, range } = await decodeImage(tiff([1.5, ...ramp(0, 1).slice(1)], "float"), SIDE);
    assert.deepEqual([pixels[0], pixels[3 * SIDE ** 2 - 1]], [255, 255]);
    assert.deepEqual(range, { numbers: "float", white: 1, highest: 1.5, isGuess: false });
  });

  it("keep their colours, and are on white where transparent", async () => {
    const colours = Array.from({ length: SIDE ** 2 }, () => [4095, 2048, 0]).flat();
    const { pixels } = await decodeImage(await png16(colours, 3), SIDE);
    assertNear([...pixels.subarray(0, 3)], [255, 128, 0]);
    const half = Array.from({ length: SIDE ** 2 }, () => [4095, 2048, 0, 32768]).flat();
    const flat = await decodeImage(await png16(half, 4), SIDE);
    assertNear([...flat.pixels.subarray(0, 3)], [255, 191, 128]);
  });

  it("follow a colour profile", async () => {
    const orange = { create: { width: 4, height: 4, channels: 3, background: "rgb(200, 100, 50)" } } as const;
    for (const profile of ["p3", "srgb"]) {
      const data = await sharp(orange).withIccProfile(profile).toColourspace("rgb16").png().toBuffer();
      assertNear([...(await decodeImage(data, 1)).pixels], [200, 100, 50], 2);
      const half = await sharp(orange)
        .ensureAlpha(0.5)
        .withIccProfile(profile)
        .toColourspace("rgb16")
        .png()
        .toBuffer();
      assertNear([...(await decodeImage(half, 1)).pixels], [228, 178, 153], 2); // halfway to 255
    }
  });

  const refused: [string, () => Promise<Buffer>, string][] = [
    [
      "negative integers",
      async () => tiff(ramp(-1000, 3000).map(Math.round), "signed"),
      "numbers below 0 (down to -1000), for which there is no black",
    ],
    [
      "negative integers of 16 bits",
      async () => tiff(ramp(-1000, 3000).map(Math.round), "signed", 16),
      "numbers below 0 (down to -1000), for which there is no black",
    ],
    [
      "negative floats",
      async () => tiff(ramp(-0.5, 0.5), "float"),
      "numbers below 0 (down to -0.5), for which there is no black",
    ],
    [
      "floats that are not finite",
      async () => tiff([Number.NaN, ...ramp(0, 1).slice(1)], "float"),
      "numbers that are not finite (NaN)",
    ],
    ["huge floats", async () => tiff(ramp(0, 1e9), "float"), "floating-point numbers up to 1000000000"],
    [
      "five channels",
      async () => tiff(Array(5 * SIDE ** 2).fill(9), "unsigned", 8, { channels: 5 }),
      "5 channels",
    ],
  ];
  for (const [name, data, found] of refused)
    it(`are refused with the reason: ${name}`, async () => {
      await assert.rejects(decodeImage(await data(), SIDE, "a/1.tif"), {
        name: "InputError",
        message: `Expected an image at a/1.tif but found ${found}. Remove or replace it.`,
      });
    });
});
