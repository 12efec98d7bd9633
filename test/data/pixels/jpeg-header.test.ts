import assert from "node:assert/strict";
import sharp from "sharp";
import { jpegHeader } from "../../../src/data/pixels/jpeg-header.js";

const image = (width: number, height: number, channels: 3 | 4 = 3) =>
  sharp({ create: { width, height, channels, background: "orange" } });

describe("jpegHeader", () => {
  const plain: [string, sharp.Sharp][] = [
    ["baseline", image(33, 21).jpeg()],
    ["progressive", image(1, 300).jpeg({ progressive: true })],
    ["grey", image(300, 2).toColourspace("b-w").jpeg()],
  ];
  for (const [kind, drawn] of plain)
    it(`reads size and colour of a JPEG that is ${kind}`, async () => {
      const data = await drawn.toBuffer();
      const { width, height, channels } = await sharp(data).metadata();
      assert.deepEqual(jpegHeader(data), { width, height, isGrey: channels === 1 });
    });

  it("leaves to others what a profile or a fourth channel may change", async () => {
    for (const profile of ["p3", "cmyk"])
      assert.equal(jpegHeader(await image(20, 30).withIccProfile(profile).jpeg().toBuffer()), null);
    const cmyk = await image(20, 30).toColourspace("cmyk").jpeg().toBuffer();
    assert.equal((await sharp(cmyk).metadata()).hasProfile, false);
    assert.equal(jpegHeader(cmyk), null);
  });

  it("leaves to others what EXIF may turn, and other formats", async () => {
    const turned = await image(8, 4).jpeg().withMetadata({ orientation: 6 }).toBuffer();
    assert.equal(jpegHeader(turned), null);
    const late = await image(8, 4).jpeg().toBuffer();
    const scan = late.indexOf(Buffer.of(0xff, 0xda));
    const exif = turned.subarray(turned.indexOf(Buffer.of(0xff, 0xe1)));
    const segment = exif.subarray(0, 2 + exif.readUInt16BE(2));
    assert.equal(jpegHeader(Buffer.concat([late.subarray(0, scan), segment, late.subarray(scan)])), null);
    for (const other of [await image(8, 4).png().toBuffer(), await image(8, 4).webp().toBuffer()])
      assert.equal(jpegHeader(other), null);
  });

  it("leaves to others a header that is not whole", async () => {
    const data = await image(8, 4).jpeg().toBuffer();
    const scan = data.indexOf(Buffer.of(0xff, 0xda));
    for (let length = 0; length < scan; length++) assert.equal(jpegHeader(data.subarray(0, length)), null);
    assert.equal(jpegHeader(Buffer.of(0xff, 0xd8, ...Array(40).fill(0))), null);
    const filled = Buffer.alloc(60_000); // 0xFF may fill up before a marker: what follows it here is no length
    filled.set([0xff, 0xd8, 0xff, 0xff, 0xe0, 0, 16]);
    filled.set([0xff, 0xc0, 0, 8, 8, 0, 1, 0, 1, 0, 0xff, 0xda], 4 + 0xe000);
    assert.equal(jpegHeader(filled), null);
  });
});
