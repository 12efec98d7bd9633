// Draws a text in a process of its own and prints how many pixels are dark, and a digest of them; for the font tests.
// Arguments: the text, and whether the project's font is installed: "never", "first", or "late" (after a picture was drawn).
import { createHash } from "node:crypto";
import sharp from "sharp";
import { installFonts } from "../../src/charts/render.js";

async function darkPixels(body: string): Promise<Buffer> {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="400" height="60"><rect width="400" height="60" fill="white"/>${body}</svg>`;
  return sharp(Buffer.from(svg)).greyscale().raw().toBuffer();
}

async function main(): Promise<void> {
  const [text, when] = process.argv.slice(2);
  if (when === "late") await darkPixels('<circle cx="20" cy="20" r="9"/>');
  if (when !== "never") await installFonts();
  const pixels = await darkPixels(
    `<text x="10" y="42" font-size="30" font-family="Inter, sans-serif">${text}</text>`,
  );
  const numDark = pixels.filter((value) => value < 128).length;
  console.log(JSON.stringify({ numDark, digest: createHash("sha256").update(pixels).digest("hex") }));
}

main();
