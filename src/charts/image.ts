import { checkNumber } from "../errors.js";

/** Smaller pictures are enlarged to this side for the charts, larger ones are left. */
const LEAST_SIDE = 96;
const GREATEST_SIDE = 192;

/**
 * Pixels as a PNG data URL, of a size that a chart shows well: small ones are enlarged smoothly, large ones reduced.
 *
 * @param pixels - uint8 `[height, width, channels]`, row after row.
 */
export async function toPngDataUrl(
  pixels: Uint8Array,
  width: number,
  height: number,
  channels: 1 | 3,
): Promise<string> {
  checkNumber("width", width, { min: 1, integer: true });
  checkNumber("height", height, { min: 1, integer: true });
  const size = width * height * channels;
  checkNumber(`the number of pixel values of ${width} × ${height} × ${channels}`, pixels.length, {
    min: size,
    max: size,
  });
  const { default: sharp } = await import("sharp");
  const side = Math.max(width, height);
  const scale = Math.min(1, GREATEST_SIDE / side) * Math.max(1, LEAST_SIDE / side);
  const image = sharp(pixels, { raw: { width, height, channels } });
  if (scale !== 1)
    image.resize(Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale)), {
      fit: "fill",
      kernel: "cubic",
    });
  const png = await image
    .toColourspace(channels === 1 ? "b-w" : "srgb")
    .png({ compressionLevel: 9 })
    .toBuffer();
  return `data:image/png;base64,${png.toString("base64")}`;
}
