// Photographs for the tests, made of two portraits.
import path from "node:path";
import sharp from "sharp";

const FOLDER = path.join(__dirname, "photos");
/** 512 × 512; the face is some 85 × 105 at (180, 70), its eyes at (204, 99) and (247, 99), level. */
export const ASTRONAUT = path.join(FOLDER, "astronaut.jpg");
/** 512 × 600; the face is some 170 × 200 at (155, 120). */
export const HOPPER = path.join(FOLDER, "grace-hopper.jpg");

/** A portrait's place in a larger photograph. */
export interface Portrait {
  file: string;
  left: number;
  top: number;
  /** Height of the portrait, in pixels. */
  height: number;
}

/** A photograph of several portraits, on an even ground: PNG. */
export async function groupPhoto(width: number, height: number, portraits: Portrait[]): Promise<Buffer> {
  const layers = portraits.map(async ({ file, height, left, top }) => ({
    input: await sharp(file).resize({ height }).png().toBuffer(),
    left,
    top,
  }));
  return sharp({ create: { width, height, channels: 3, background: "#8090a0" } })
    .composite(await Promise.all(layers))
    .png()
    .toBuffer();
}
