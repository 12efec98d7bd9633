import assert from "node:assert/strict";
import sharp from "sharp";
import { decodeImage } from "../../../src/data/pixels/decode.js";
import { headerOf, jpegQuality, plainJpegHeader } from "../../../src/data/pixels/header.js";

const image = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: "orange" } });

describe("plainJpegHeader", () => {
  const kinds: [string, sharp.Sharp][] = [
    ["baseline", image(33, 21).jpeg()],
    ["progressive", image(1, 300).jpeg({ progressive: true })],
    ["grey", image(300, 2).toColourspace("b-w").jpeg()],
  ];
  for (const [kind, drawn] of kinds)
    it(`reads the size and colour of a ${kind} JPEG`, async () => {
      const data = await drawn.toBuffer();
      const { width, height, channels } = await sharp(data).metadata();
      const header = plainJpegHeader(data);
      assert.deepEqual([header?.width, header?.height, header?.numChannels], [width, height, channels]);
    });

  it("returns null if a profile or a fourth channel may change the colours", async () => {
    for (const profile of ["p3", "cmyk"])
      assert.equal(plainJpegHeader(await image(20, 30).withIccProfile(profile).jpeg().toBuffer()), null);
    const cmyk = await image(20, 30).toColourspace("cmyk").jpeg().toBuffer();
    assert.equal((await sharp(cmyk).metadata()).hasProfile, false);
    assert.equal(plainJpegHeader(cmyk), null);
  });

  it("returns null if EXIF may turn the image, and for other formats", async () => {
    const turned = await image(8, 4).jpeg().withMetadata({ orientation: 6 }).toBuffer();
    assert.equal(plainJpegHeader(turned), null);
    const late = await image(8, 4).jpeg().toBuffer();
    const scan = late.indexOf(Buffer.of(0xff, 0xda));
    const exif = turned.subarray(turned.indexOf(Buffer.of(0xff, 0xe1)));
    const segment = exif.subarray(0, 2 + exif.readUInt16BE(2));
    assert.equal(
      plainJpegHeader(Buffer.concat([late.subarray(0, scan), segment, late.subarray(scan)])),
      null,
    );
    for (const other of [await image(8, 4).png().toBuffer(), await image(8, 4).webp().toBuffer()])
      assert.equal(plainJpegHeader(other), null);
  });

  it("returns null for an incomplete header", async () => {
    const data = await image(8, 4).jpeg().toBuffer();
    const scan = data.indexOf(Buffer.of(0xff, 0xda));
    for (let length = 0; length < scan; length++)
      assert.equal(plainJpegHeader(data.subarray(0, length)), null);
    assert.equal(plainJpegHeader(Buffer.of(0xff, 0xd8, ...Array(40).fill(0))), null);
    const filled = Buffer.alloc(60_000); // 0xFF may pad before a marker: what follows it here is not a length
    filled.set([0xff, 0xd8, 0xff, 0xff, 0xe0, 0, 16]);
    filled.set([0xff, 0xc0, 0, 8, 8, 0, 1, 0, 1, 0, 0xff, 0xda], 4 + 0xe000);
    assert.equal(plainJpegHeader(filled), null);
  });
});

describe("jpegQuality", () => {
  it("is null if the file ends within the table, and no header is read then", async () => {
    const data = await image(8, 8).jpeg().toBuffer();
    const table = data.indexOf(Buffer.of(0xff, 0xdb));
    for (let length = 0; length < data.length; length++) {
      const cut = data.subarray(0, length);
      const found = jpegQuality(cut);
      if (length < table + 4 + 65) assert.equal(found, null, String(length));
      plainJpegHeader(cut);
    }
    const wide = Buffer.from(data.subarray(0, table + 80));
    wide[table + 4] = 0x10; // numbers of 16 bits
    assert.equal(jpegQuality(wide), null);
  });

  it("estimates the quality that a JPEG was saved with", async () => {
    for (const quality of [30, 50, 75, 90, 100]) {
      const data = await image(8, 8).jpeg({ quality }).toBuffer();
      const found = jpegQuality(data) as number;
      assert.ok(Math.abs(found - quality) <= 1, `${found}, saved with ${quality}`);
    }
  });

  it("is null for other formats", async () => {
    assert.equal(jpegQuality(await image(8, 8).png().toBuffer()), null);
  });
});

describe("a JPEG that ends in zeros", () => {
  const draw = async () => {
    const noise = Buffer.from(Array.from({ length: 16 * 16 * 3 }, (_, i) => (i * 7919) % 251));
    return sharp(noise, { raw: { width: 16, height: 16, channels: 3 } })
      .resize(128)
      .withExif({ IFD0: { Copyright: "x" } })
      .jpeg()
      .toBuffer();
  };

  it("is refused if its pixels are missing", async () => {
    const bytes = (await draw()).fill(0, 2000);
    await assert.rejects(decodeImage(bytes, 48), {
      name: "InputError",
      message: "Expected an image at the buffer but found a file that was cut short. Remove or replace it.",
    });
  });

  it("is read if the zeros are behind its end", async () => {
    const bytes = await draw();
    const { pixels } = await decodeImage(Buffer.concat([bytes, Buffer.alloc(500)]), 48);
    assert.deepEqual(pixels, (await decodeImage(bytes, 48)).pixels);
  });
});

describe("headerOf", () => {
  const headerFrom = async (data: Buffer) => headerOf(await sharp(data).metadata(), data);

  it("says how a file stores its image", async () => {
    const rgba = await image(9, 7).ensureAlpha(0.5).png().toBuffer();
    const { width, height, orientation, traits } = await headerFrom(rgba);
    assert.deepEqual([width, height, orientation], [9, 7, 1]);
    assert.deepEqual(traits, {
      format: "png",
      colours: "rgb",
      numbers: "8-bit",
      hasAlpha: true,
      hasExif: false,
      hasProfile: false,
      numFrames: 1,
      quality: null,
    });
  });

  const changes: [string, (one: sharp.Sharp) => sharp.Sharp, object][] = [
    ["a palette", (one) => one.png({ palette: true }), { format: "png", colours: "palette" }],
    ["16 bits of grey", (one) => one.toColourspace("grey16").png(), { colours: "grey", numbers: "16-bit" }],
    [
      "CMYK",
      (one) => one.withIccProfile("cmyk").jpeg({ quality: 60 }),
      { colours: "cmyk", hasProfile: true, quality: 60 },
    ],
    ["EXIF", (one) => one.withMetadata({ orientation: 6 }).jpeg(), { hasExif: true }],
    ["grey JPEG", (one) => one.toColourspace("b-w").jpeg({ quality: 35 }), { colours: "grey", quality: 35 }],
  ];
  for (const [name, change, expected] of changes)
    it(`notices ${name}`, async () => {
      const { traits } = await headerFrom(await change(image(16, 16)).toBuffer());
      assert.deepEqual({ ...traits, ...expected }, traits);
    });

  it("counts the frames of an animation", async () => {
    const frames = await sharp(
      [await image(4, 4).png().toBuffer(), await image(4, 4).negate().png().toBuffer()],
      {
        join: { animated: true },
      },
    )
      .gif()
      .toBuffer();
    assert.equal((await headerFrom(frames)).traits.numFrames, 2);
  });

  it("agrees with the header of a plain JPEG", async () => {
    const data = await image(20, 10).jpeg({ quality: 70 }).toBuffer();
    assert.deepEqual(plainJpegHeader(data), await headerFrom(data));
  });
});

describe("an image in a format that is not read", () => {
  const raw =
    "camera raw, which is not read: convert it to JPEG or PNG, for example with darktable or the camera's own program";
  const heic = "HEIC, which is not read: convert it to JPEG or PNG, for example with heif-convert";
  const bytes = (text: string) => async () => Buffer.from(text, "latin1");
  const cases: [name: string, content: () => Promise<Buffer>, found: string][] = [
    ["photo.heic", bytes("\0\0\0\x18ftypheic\0\0\0\0mif1heic"), heic],
    ["photo.jpg", bytes("\0\0\0\x18ftypheic\0\0\0\0mif1heic"), heic],
    [
      "a.jxl",
      bytes("\xff\x0a"),
      "JPEG XL, which is not read: convert it to JPEG or PNG, for example with djxl",
    ],
    ["a.psd", bytes("8BPS\0\x01"), "Photoshop, which is not read: convert it to JPEG or PNG"],
    ["a.exr", bytes("v/1\x01"), "EXR, which is not read: convert it to JPEG or PNG"],
    ["a.NEF", () => image(20, 10).tiff().toBuffer(), raw], // its first image is a thumbnail
    ["a.cr3", bytes("\0\0\0\x18ftypcrx \0\0\0\x01"), raw],
  ];
  for (const [name, content, found] of cases)
    it(`is refused with a way to convert it: ${name}`, async () => {
      await assert.rejects(decodeImage(await content(), 8, name), {
        name: "InputError",
        message: `Expected an image at ${name} but found ${found}. Remove or replace it.`,
      });
    });
});
