import { mkdirSync } from "node:fs";
import path from "node:path";
import sharp from "sharp";

/** A disc on a ground, as an image file of the given format and channels. */
export function draw(
  file: string,
  { width = 40, height = 40, disc = "#d04020", ground = "#204080", alpha = false, grey = false } = {},
) {
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">` +
    `${alpha ? "" : `<rect width="100%" height="100%" fill="${ground}"/>`}` +
    `<circle cx="50%" cy="50%" r="30%" fill="${disc}"/></svg>`;
  mkdirSync(path.dirname(file), { recursive: true });
  const image = sharp(Buffer.from(svg)).toColourspace(grey ? "b-w" : "srgb");
  return (alpha ? image : image.removeAlpha()).toFile(file);
}
