// The same picture gives the same pixels, whatever its format, size, orientation and side.
import assert from "node:assert/strict";
import sharp from "sharp";
import { decodeImage, decodeWhole } from "../../../src/data/pixels/decode.js";
import { resize } from "../../../src/data/pixels/resize.js";

/** A picture with edges, curves and colours, `[height, width, 3]`. */
function picture(width: number, height: number): sharp.Sharp {
  const pixels = new Uint8Array(width * height * 3);
  for (let y = 0, i = 0; y < height; y++)
    for (let x = 0; x < width; x++, i += 3) {
      const [u, v] = [x / width, y / height];
      pixels[i] = 128 + 100 * Math.sin(14 * u + 9 * v * v);
      pixels[i + 1] = (u - 0.3) ** 2 + (v - 0.6) ** 2 < 0.04 ? 230 : 60;
      pixels[i + 2] = u + 0.2 * v < 0.55 ? 30 : 255 * v;
    }
  return sharp(pixels, { raw: { width, height, channels: 3 } });
}

function difference(a: Uint8Array, b: Uint8Array): { mean: number; max: number } {
  assert.equal(a.length, b.length);
  const off = Array.from(a, (value, i) => Math.abs(value - b[i]));
  return { mean: off.reduce((sum, one) => sum + one) / off.length, max: Math.max(...off) };
}

const SIZES: [width: number, height: number][] = [
  [500, 375],
  [1280, 720], // reduced while it is loaded
  [723, 1001],
  [60, 47],
];

describe("decodeImage on one picture", () => {
  for (const [width, height] of SIZES) {
    const data = () => picture(width, height);
    for (const imageSize of [48, 99])
      it(`gives the same from PNG, WebP, TIFF and JPEG: ${width} × ${height} → ${imageSize}`, async () => {
        const { pixels } = await decodeImage(await data().png().toBuffer(), imageSize);
        for (const lossless of [data().webp({ lossless: true }), data().tiff({ compression: "lzw" })])
          assert.deepEqual((await decodeImage(await lossless.toBuffer(), imageSize)).pixels, pixels);
        const jpeg = await data().jpeg({ quality: 100, chromaSubsampling: "4:4:4" }).toBuffer();
        const { mean, max } = difference((await decodeImage(jpeg, imageSize)).pixels, pixels);
        assert.ok(mean < 0.6 && max <= 6, `${mean} levels in the mean, ${max} at most`);
      });

    it(`gives nearly what one resize of the whole image gives: ${width} × ${height}`, async () => {
      const png = await data().png().toBuffer();
      const side = Math.min(width, height);
      const box = { left: (width - side) / 2, top: (height - side) / 2, width: side, height: side };
      const whole = resize({ ...(await decodeWhole(png)), numChannels: 3 }, box, 48, 48);
      const { mean, max } = difference((await decodeImage(png, 48)).pixels, whole);
      assert.ok(mean < 0.6 && max <= 4, `${mean} levels in the mean, ${max} at most`);
    });

    it(`gives the mirror image for the mirrored file: ${width} × ${height}`, async () => {
      for (const imageSize of [48, 144]) {
        const [one, other] = await Promise.all(
          [data(), data().flop()].map(async (image) => decodeImage(await image.png().toBuffer(), imageSize)),
        );
        const raw = { width: imageSize, height: imageSize, channels: 3 } as const;
        const mirrored = await sharp(one.pixels, { raw }).flop().raw().toBuffer();
        assert.ok(difference(mirrored, other.pixels).max <= 1);
      }
    });
  }

  for (const orientation of [1, 2, 3, 4, 5, 6, 7, 8])
    it(`is upright with EXIF orientation ${orientation}`, async () => {
      const stored = await picture(120, 64).withMetadata({ orientation }).png().toBuffer();
      const upright = await sharp(stored).autoOrient().png().toBuffer();
      const { width, height } = await sharp(upright).metadata();
      for (const fit of ["crop", "pad", "squash"] as const) {
        const [turned, expected] = await Promise.all(
          [stored, upright].map((data) => decodeImage(data, 24, "it", { fit })),
        );
        assert.deepEqual([turned.width, turned.height], [width, height]);
        assert.deepEqual(turned.pixels, expected.pixels);
      }
      assert.deepEqual(await decodeWhole(stored), await decodeWhole(upright));
    });
});

describe("decodeImage with a fit", () => {
  /** Rows of one channel. */
  const rows = (pixels: Uint8Array, imageSize: number) =>
    Array.from({ length: imageSize }, (_, y) =>
      Array.from({ length: imageSize }, (_, x) => pixels[(y * imageSize + x) * 3]),
    );
  const strip = () =>
    sharp(Uint8Array.of(50, 100, 150, 200), { raw: { width: 4, height: 1, channels: 1 } })
      .png()
      .toBuffer();

  it("crops the central square by default", async () => {
    const { pixels } = await decodeImage(await strip(), 2);
    const [top, bottom] = rows(pixels, 2);
    assert.deepEqual(top, bottom);
    assert.ok(top[0] > 90 && top[1] < 160 && top[0] < top[1]);
  });

  it("pads with black bars of equal width", async () => {
    const { pixels } = await decodeImage(await strip(), 4, "it", { fit: "pad" });
    const [first, second, third, last] = rows(pixels, 4);
    assert.deepEqual([first, last], [Array(4).fill(0), Array(4).fill(0)]);
    assert.deepEqual([second, third], Array(2).fill([50, 100, 150, 200])); // two rows, so that the bars are equal
    const odd = await decodeImage(await strip(), 5, "it", { fit: "pad" });
    assert.deepEqual(
      rows(odd.pixels, 5).map((row) => row.some((value) => value > 0)),
      [false, false, true, false, false],
    );
  });

  it("squashes the whole image", async () => {
    const { pixels } = await decodeImage(await strip(), 4, "it", { fit: "squash" });
    assert.deepEqual(rows(pixels, 4), Array(4).fill([50, 100, 150, 200]));
  });

  it("keeps all of a large image with pad and squash", async () => {
    const wide = picture(1600, 400).composite([
      { input: { create: { width: 100, height: 400, channels: 3, background: "red" } }, left: 0, top: 0 },
    ]);
    const png = await wide.png().toBuffer();
    for (const [fit, y] of [
      ["pad", 24],
      ["squash", 0],
    ] as const) {
      const { pixels } = await decodeImage(png, 48, "it", { fit });
      assert.deepEqual([...pixels.subarray(y * 48 * 3, y * 48 * 3 + 3)], [255, 0, 0]);
    }
  });
});
