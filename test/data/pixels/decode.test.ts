import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { crc32, deflateSync } from "node:zlib";
import sharp from "sharp";
import {
  decodeImage,
  decodePacked,
  decodeWhole,
  failureInWords,
  MAX_PIXELS,
} from "../../../src/data/pixels/decode.js";
import { isGrey, toGrey } from "../../../src/data/pixels/pixels.js";
import { FITS } from "../../../src/model/preprocessing.js";
import { Random } from "../../../src/random.js";
import { drawImage, temporaryFolder } from "../fixtures.js";

const ORANGE = { r: 200, g: 100, b: 50 };
const plain = (background: sharp.Color, width = 8, height = 8) =>
  sharp({ create: { width, height, channels: 3, background } });
const transparent = (alpha: number) =>
  sharp({ create: { width: 8, height: 8, channels: 4, background: { r: 0, g: 0, b: 0, alpha } } });
/** Left half blue, right half red. */
const halves = (width: number, height: number) =>
  plain("red", width, height).composite([
    { input: { create: { width: width / 2, height, channels: 3, background: "blue" } }, left: 0, top: 0 },
  ]);
/** RGB of one pixel of a decoded image. */
const at = (pixels: Uint8Array, imageSize: number, x: number, y: number) => [
  ...pixels.subarray((y * imageSize + x) * 3, (y * imageSize + x) * 3 + 3),
];
const assertNear = (found: number[], expected: number[], tolerance: number) =>
  assert.ok(
    found.length === expected.length && found.every((value, i) => Math.abs(value - expected[i]) <= tolerance),
    `${found.join()}, expected ${expected.join()} ± ${tolerance}`,
  );

/** Length, type, data and CRC. */
function pngChunk(type: string, data = Buffer.alloc(0)): Buffer {
  const content = Buffer.concat([Buffer.from(type), data]);
  const [length, checksum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  checksum.writeUInt32BE(crc32(content));
  return Buffer.concat([length, content, checksum]);
}

describe("decodeImage", () => {
  const inFolder = temporaryFolder();

  it("gives RGB of the requested size, and the size of the file's image", async () => {
    const image = await decodeImage(await plain(ORANGE, 30, 20).png().toBuffer(), 4);
    assert.deepEqual([image.width, image.height, image.isGrey], [30, 20, false]);
    assert.deepEqual([...image.pixels], Array(16).fill([200, 100, 50]).flat());
  });

  const vectors: Record<string, string> = {
    SVG: '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>',
    "SVG after a declaration":
      '<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
    "SVG after blanks": '\n  <svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
    PDF: "%PDF-1.7\n",
  };
  for (const [kind, content] of Object.entries(vectors))
    it(`refuses ${kind} under the name of a photograph`, async () => {
      writeFileSync(inFolder("a.png"), content);
      await assert.rejects(decodeImage(inFolder("a.png"), 8), {
        name: "InputError",
        message: `Expected an image at ${inFolder("a.png")} but found a vector image, which has no pixels of its own. Remove or replace it.`,
      });
      await assert.rejects(decodeWhole(inFolder("a.png")), { name: "InputError" });
    });

  it("counts the pixels of all frames before it decodes one", async () => {
    const size = Buffer.alloc(4);
    for (const at of [0, 2]) size.writeUInt16LE(7000, at);
    const frame = [0x21, 0xf9, 4, 0, 10, 0, 0, 0, 0x2c, 0, 0, 0, 0, ...size, 0, 2, 2, 0x44, 1, 0];
    const head = [Buffer.from("GIF89a"), size, Buffer.of(0x80, 0, 0, 0, 0, 0, 255, 255, 255)];
    const gif = Buffer.concat([...head, ...Array<Buffer>(30).fill(Buffer.from(frame)), Buffer.of(0x3b)]);
    await assert.rejects(decodeImage(gif, 8), {
      name: "InputError",
      message:
        "Expected an image at the buffer but found more than 1000 million pixels in 30 frames. Remove or replace it.",
    });
  });

  it("does not wait for a named pipe, nor read a device that never ends", async () => {
    execFileSync("mkfifo", [inFolder("pipe.png")]);
    for (const [file, kind] of [
      [inFolder("pipe.png"), "a named pipe"],
      ["/dev/zero", "a device"],
    ])
      await assert.rejects(decodeImage(file, 8), {
        name: "InputError",
        message: `Expected an image at ${file} but found ${kind}. Check the path.`,
      });
  });

  it("reads a file like its bytes", async () => {
    await drawImage(inFolder("a.png"), "rgb(200, 100, 50)");
    const { pixels } = await decodeImage(inFolder("a.png"), 2);
    assert.deepEqual(at(pixels, 2, 1, 1), [200, 100, 50]);
  });

  it("crops the central square", async () => {
    const strip = plain("red", 12, 4).composite([
      { input: { create: { width: 4, height: 4, channels: 3, background: "blue" } }, left: 4, top: 0 },
    ]);
    const { pixels } = await decodeImage(await strip.png().toBuffer(), 4);
    assert.deepEqual([...pixels], Array(16).fill([0, 0, 255]).flat());
  });

  const formats: [string, (image: sharp.Sharp) => sharp.Sharp][] = [
    ["JPEG", (image) => image.jpeg({ quality: 100, chromaSubsampling: "4:4:4" })],
    ["PNG with a palette", (image) => image.png({ palette: true })],
    ["WebP", (image) => image.webp({ lossless: true })],
    ["GIF", (image) => image.gif()],
    ["TIFF", (image) => image.tiff({ compression: "lzw" })],
    ["AVIF", (image) => image.avif({ quality: 100 })],
    ["PNG of 16 bits", (image) => image.toColourspace("rgb16").png()],
    ["TIFF in Lab", (image) => image.toColourspace("lab").tiff()],
  ];
  for (const [name, encode] of formats)
    it(`decodes ${name} to sRGB`, async () => {
      const { pixels, isGrey } = await decodeImage(await encode(plain(ORANGE)).toBuffer(), 3);
      assert.equal(pixels.length, 3 * 3 * 3);
      assertNear(at(pixels, 3, 1, 1), [200, 100, 50], 3);
      assert.equal(isGrey, false);
    });

  it("refuses a TIFF of YCbCr colours, which sharp takes for RGB, but reads one whose colours JPEG compresses", async () => {
    const rgb = await plain(ORANGE).tiff({ compression: "none" }).toBuffer();
    const inJpeg = await plain(ORANGE).tiff({ compression: "jpeg", quality: 100 }).toBuffer();
    assertNear(at((await decodeImage(rgb, 2)).pixels, 2, 0, 0), [200, 100, 50], 1);
    assertNear(at((await decodeImage(inJpeg, 2)).pixels, 2, 0, 0), [200, 100, 50], 4);
    const directory = rgb.readUInt32LE(4);
    for (let i = 0, entry = directory + 2; i < rgb.readUInt16LE(directory); i++, entry += 12)
      if (rgb.readUInt16LE(entry) === 262) rgb.writeUInt16LE(6, entry + 8);
    await assert.rejects(decodeImage(rgb, 2), {
      message: /found a TIFF of YCbCr colours outside JPEG: save it in RGB\./,
    });
  });

  for (const [what, tag, value, found] of [
    ["Lab colours", 262, 8, /found a TIFF of Lab colours, which cannot be decoded: save it in RGB\./],
    ["a compression", 259, 50_000, /found an image of a kind that cannot be decoded \(.*ZSTD/],
  ] as const)
    it(`says that a TIFF has ${what} that sharp cannot decode`, async () => {
      const tiff = await plain(ORANGE).tiff({ compression: "none" }).toBuffer();
      const directory = tiff.readUInt32LE(4);
      for (let i = 0, entry = directory + 2; i < tiff.readUInt16LE(directory); i++, entry += 12)
        if (tiff.readUInt16LE(entry) === tag) tiff.writeUInt16LE(value, entry + 8);
      await assert.rejects(decodeImage(tiff, 2), { message: found });
    });

  it("converts CMYK and wide colours to sRGB", async () => {
    const cmyk = await plain(ORANGE).withIccProfile("cmyk").jpeg({ quality: 100 }).toBuffer();
    assert.equal((await sharp(cmyk).metadata()).space, "cmyk");
    assertNear(at((await decodeImage(cmyk, 2)).pixels, 2, 0, 0), [200, 100, 50], 30); // within what print can show
    const p3 = await plain(ORANGE).withIccProfile("p3").png().toBuffer();
    const stored = await sharp(p3, { ignoreIcc: true }).raw().toBuffer();
    assert.ok(stored[0] < 197, `stored as ${stored[0]}`);
    assertNear(at((await decodeImage(p3, 2)).pixels, 2, 0, 0), [200, 100, 50], 2);
  });

  it("repeats the channel of grey images, of 8, 16 and 1 bit", async () => {
    const grey = plain({ r: 128, g: 128, b: 128 });
    for (const data of [
      await grey.clone().toColourspace("b-w").png().toBuffer(),
      await grey.clone().toColourspace("b-w").jpeg().toBuffer(),
      await grey.clone().toColourspace("grey16").png().toBuffer(),
    ]) {
      const { pixels, isGrey } = await decodeImage(data, 2);
      assert.deepEqual([...pixels], Array(12).fill(128));
      assert.equal(isGrey, true);
    }
    const white = await plain("white").png({ palette: true, colours: 2 }).toBuffer();
    assert.deepEqual([...(await decodeImage(white, 2)).pixels], Array(12).fill(255));
  });

  it("puts transparent images on white, rounded to the nearest level", async () => {
    const steps = Array.from({ length: 52 }, (_, i) => 5 * i); // 0 to 255
    for (const channels of [4, 2] as const) {
      const values = steps.flatMap((value) =>
        steps.map((alpha) => [...Array(channels - 1).fill(value), alpha]),
      );
      const raw = { width: steps.length, height: steps.length, channels };
      const image = sharp(Buffer.from(values.flat()), { raw }).toColourspace(channels === 2 ? "b-w" : "srgb");
      const expected = values.flatMap((pixel) => {
        const opacity = pixel[channels - 1] / 255;
        return Array(3).fill(Math.round(opacity * pixel[0] + (1 - opacity) * 255));
      });
      const { pixels } = await decodeImage(await image.png().toBuffer(), steps.length);
      assert.deepEqual([...pixels], expected);
    }
    // A quarter of black is 64/255, so white shows with 191. Large images are reduced on the way.
    const large = sharp({
      create: { width: 2100, height: 2100, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 64 / 255 } },
    });
    assert.deepEqual([...(await decodeImage(await large.png().toBuffer(), 1)).pixels], [191, 191, 191]);
    const grey = await transparent(0).toColourspace("b-w").png().toBuffer();
    assert.deepEqual([...(await decodeImage(grey, 2)).pixels], Array(12).fill(255));
  });

  it("tells an alpha channel that hides nothing from transparency", async () => {
    const isOpaque = async (alpha: number) => {
      const { traits } = await decodePacked(await transparent(alpha).png().toBuffer(), 2, "x.png");
      return traits.isOpaque;
    };
    assert.deepEqual([await isOpaque(1), await isOpaque(0.99)], [true, undefined]);
  });

  for (const format of ["png", "jpeg"] as const)
    it(`turns a ${format} image upright by its EXIF tag`, async () => {
      const turned = halves(64, 32).withMetadata({ orientation: 6 }); // to show turned clockwise
      const { pixels, width, height } = await decodeImage(await turned.toFormat(format).toBuffer(), 4);
      assert.deepEqual([width, height], [32, 64]);
      for (const x of [0, 3]) {
        assertNear(at(pixels, 4, x, 0), [0, 0, 255], 3);
        assertNear(at(pixels, 4, x, 3), [255, 0, 0], 3);
      }
    });

  for (const format of ["png", "jpeg", "webp"] as const)
    it(`does not turn a ${format} image by its XMP, as browsers do not`, async () => {
      const xmp =
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">' +
        '<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>';
      const lying = await halves(64, 32).withXmp(xmp).toFormat(format).toBuffer();
      assert.match(String((await sharp(lying).metadata()).xmp), /tiff:Orientation="6"/);
      const { width, height } = await decodeImage(lying, 4);
      assert.deepEqual([width, height], [64, 32]);
    });

  const random = new Random(1);
  const values = Uint8Array.from({ length: 64 * 64 * 3 }, () => random.integer(256));
  const noise = (format: "jpeg" | "png" | "webp" | "gif" | "tiff" = "jpeg") =>
    sharp(values, { raw: { width: 64, height: 64, channels: 3 } })
      .toFormat(format)
      .toBuffer();
  const refusals: [string, () => Promise<Buffer>, string][] = [
    ["a truncated JPEG", async () => (await noise()).subarray(0, 1500), "a file that was cut short"],
    [
      "a JPEG with overwritten data",
      async () => (await noise()).fill(0xff, 200, 1500),
      "a damaged image, perhaps a file that was cut short (VipsJpeg: Bogus Huffman table definition)",
    ],
    [
      "a truncated PNG",
      async () => (await noise("png")).subarray(0, 1500),
      "a damaged image, perhaps a file that was cut short (vipspng: libpng read error)",
    ],
    [
      "the signature of a PNG alone",
      async () => (await noise("png")).subarray(0, 8),
      "a damaged image, perhaps a file that was cut short",
    ],
    [
      "a truncated WebP",
      async () => (await noise("webp")).subarray(0, 100),
      "a damaged image, perhaps a file that was cut short (webp: unable to parse image)",
    ],
    [
      "a GIF whose end is zeros",
      async () => (await noise("gif")).fill(0, 2000),
      "a damaged image, perhaps a file that was cut short (gifload_buffer: Invalid frame data)",
    ],
    [
      "a TIFF whose directory was at its end",
      async () => (await noise("tiff")).subarray(0, 1500),
      "a damaged image, perhaps a file that was cut short",
    ],
    [
      "an AVIF animation",
      async () => Buffer.from("\0\0\0\x18ftypavis\0\0\0\0avisavif\0\0\0\x08moov", "latin1"),
      "an AVIF animation, which cannot be decoded",
    ],
    ["a file of zeros", async () => Buffer.alloc(5000), "no image that can be read"],
    ["an empty file", async () => Buffer.alloc(0), "an empty file"],
    ["text", async () => Buffer.from("not an image\n"), "no image that can be read"],
  ];
  for (const [name, data, found] of refusals)
    it(`refuses ${name}`, async () => {
      writeFileSync(inFolder("a.jpg"), await data());
      for (const [source, where] of [
        [inFolder("a.jpg"), inFolder("a.jpg")],
        [await data(), "train/a.jpg"],
      ] as const)
        await assert.rejects(decodeImage(source, 8, "train/a.jpg"), {
          name: "InputError",
          message: `Expected an image at ${where} but found ${found}. Remove or replace it.`,
        });
    });

  it("blames the argument and not the file for a size or fit that is none", async () => {
    const png = await plain(ORANGE).png().toBuffer();
    for (const size of [0, -1, 2.5, 1025, Number.NaN, "48", undefined])
      await assert.rejects(decodeImage(png, size as number), {
        name: "ParameterError",
        message: `Expected an integer in [1, 1024] for imageSize but received ${size} of type ${typeof size}`,
      });
    await assert.rejects(decodeImage(png, 8, "x.png", { fit: "cover" as "crop" }), {
      name: "ParameterError",
      message: `Expected one of ${FITS.join(", ")} for fit but received cover of type string`,
    });
  });

  it("leaves out that libvips gave no reason", () => {
    const found = failureInWords(new Error("Unknown error"), Buffer.alloc(12));
    assert.equal(found, "a damaged image, perhaps a file that was cut short");
  });

  it("refuses an image with more pixels than any photograph, however small its file", async () => {
    const [width, height, bitDepth] = [12_000, 12_000, 1];
    const header = Buffer.alloc(13); // colour type 0, grey
    header.writeUInt32BE(width, 0);
    header.writeUInt32BE(height, 4);
    header[8] = bitDepth;
    const rows = Buffer.alloc(height * (1 + (width * bitDepth) / 8));
    const chunks = [pngChunk("IHDR", header), pngChunk("IDAT", deflateSync(rows)), pngChunk("IEND")];
    const file = Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), ...chunks]);
    assert.equal((await sharp(file).metadata()).height, 12_000);
    assert.ok(width * height > MAX_PIXELS && file.length < 20_000);
    await assert.rejects(decodeImage(file, 8, "a.png"), {
      name: "InputError",
      message: "Expected an image at a.png but found more than 50 million pixels. Remove or replace it.",
    });
  });

  it("says that there is no such file, or that it is a folder", async () => {
    mkdirSync(inFolder("a.jpg"));
    for (const [name, found] of [
      ["none.jpg", "no such file"],
      ["a.jpg", "a folder"],
    ])
      await assert.rejects(decodeImage(inFolder(name), 8), {
        name: "InputError",
        message: `Expected an image at ${inFolder(name)} but found ${found}. Check the path.`,
      });
  });
});

/** 3 × 2: red, green and blue over black, white and grey. */
const SIX = Buffer.from([255, 0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 90, 90, 90]);
const image = () => sharp(SIX, { raw: { width: 3, height: 2, channels: 3 } });

describe("decodeWhole", () => {
  it("gives all pixels, in three channels for a grey image too", async () => {
    const { pixels, width, height } = await decodeWhole(await image().png().toBuffer());
    assert.deepEqual([width, height], [3, 2]);
    assert.deepEqual(pixels, SIX);
    const grey = await image().greyscale().png().toBuffer();
    assert.equal((await decodeWhole(grey)).pixels.length, SIX.length);
  });

  it("turns an image upright by its EXIF tag", async () => {
    const lying = await image().rotate(90).withMetadata({ orientation: 8 }).png().toBuffer();
    const { pixels, width, height } = await decodeWhole(lying);
    assert.deepEqual([width, height], [3, 2]);
    assert.deepEqual(pixels, SIX);
  });

  it("puts transparent images on white", async () => {
    const clear = { create: { width: 1, height: 1, channels: 4, background: "#00000000" } } as const;
    const { pixels } = await decodeWhole(await sharp(clear).png().toBuffer());
    assert.deepEqual([...pixels], [255, 255, 255]);
  });

  it("names an unreadable image", async () => {
    await assert.rejects(decodeWhole(Buffer.alloc(0), "buffer 3"), {
      name: "InputError",
      message: "Expected an image at buffer 3 but found an empty file. Remove or replace it.",
    });
  });
});

describe("toGrey", () => {
  it("weights red, green and blue by their brightness", () => {
    // 0.299 · 255 = 76.2, 0.587 · 255 = 149.7, 0.114 · 255 = 29.1
    const expected = [76, 150, 29, 0, 255, 90];
    const grey = toGrey(SIX);
    assert.deepEqual(
      [...grey],
      expected.flatMap((value) => [value, value, value]),
    );
    assert.deepEqual([isGrey(SIX), isGrey(grey)], [false, true]);
  });
});
