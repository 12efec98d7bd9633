// The drawn data set: cartoon faces with seven expressions, drawn on the user's machine and never shipped.
import { randomBytes } from "node:crypto";
import { readdir, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import type Sharp from "sharp";
import { shortDigest } from "../digest.js";
import { checkNumber, InputError, ParameterError } from "../errors.js";
import { makeFolder, writeError } from "../files.js";
import type { OnProgress } from "../progress.js";
import { Random } from "../random.js";
import { EXPRESSIONS } from "./expression.js";
import { faceSvg } from "./face.js";

export interface SyntheticOptions {
  /** Seed of every image; the same seed gives the same images. */
  seed: number;
  /** Images per expression; a larger number leaves the first ones unchanged. */
  imagesPerClass: { train: number; validation: number };
  /** Side of the square images, in pixels. */
  imageSize: number;
  onProgress?: OnProgress;
}

/**
 * 300 + 60 images of each of 7 expressions, so that an epoch at 48 pixels takes about ten seconds on two cores. They are drawn
 * at 96 pixels, so that smaller sizes are made by reduction.
 */
export const SYNTHETIC_DEFAULTS = {
  seed: 0,
  imagesPerClass: { train: 300, validation: 60 },
  imageSize: 96,
} as const satisfies SyntheticOptions;

/** Ranges of the camera: noise and brightness in steps of 1/255, blur as a standard deviation in percent of the side. */
const CAMERA = { blur: [0.2, 0.7], contrast: [0.9, 1.12], brightness: [-10, 14], noise: [0.5, 4] } as const;

/** Blur below this standard deviation in pixels: sharp cuts its mask where it falls below a fifth, here at the first neighbour. */
const SMALLEST_BLUR = 1 / Math.sqrt(2 * Math.log(5));

/** Images in progress at a time: enough to keep sharp's threads busy. */
const CONCURRENCY = 8;

/**
 * Draws the synthetic faces as `train/<expression>/0001.png` … and `validation/…` in a new folder, which appears once all images
 * are drawn.
 *
 * @param dir - A new or an empty folder.
 * @throws ParameterError for an option out of range.
 * @throws InputError when `dir` is not empty or cannot be written.
 */
export async function drawSyntheticFaces(dir: string, options: SyntheticOptions): Promise<void> {
  const { seed, imageSize, onProgress } = checkOptions(options);
  await refuseFilledFolder(dir);
  const images = listImages(options);
  const temporary = `${path.resolve(dir)}.${randomBytes(4).toString("hex")}.tmp`;
  const report = (done: number) =>
    onProgress?.({ stage: "draw", done, total: images.length, unit: "images" });
  const sharp = await loadSharp();
  const numThreads = sharp.concurrency();
  sharp.concurrency(1); // several small images at a time take less than one on several threads
  try {
    for (const folder of new Set(images.map(({ file }) => path.dirname(file))))
      makeFolder(path.join(temporary, folder));
    report(0);
    const rest = images.values();
    let numDrawn = 0;
    const drawRest = async () => {
      for (const { file, split, expression, index } of rest) {
        const random = new Random(seed, split, expression, index);
        await writeFile(path.join(temporary, file), await drawFace(expression, random, imageSize));
        report(++numDrawn);
      }
    };
    // wait for all, so that nothing is written after the folder of a failed drawing is removed
    const results = await Promise.allSettled(Array.from({ length: CONCURRENCY }, drawRest));
    for (const result of results) if (result.status === "rejected") throw result.reason;
    await rename(temporary, dir);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true }).catch(() => {}); // there may be a file instead of a folder
    await refuseFilledFolder(dir); // another process may have been faster
    throw writeError(dir, error);
  } finally {
    sharp.concurrency(numThreads);
  }
}

let loading: Promise<typeof Sharp> | undefined;

/** Loads sharp once: to import a loaded package again takes a while too. */
function loadSharp(): Promise<typeof Sharp> {
  loading ??= import("sharp").then(({ default: sharp }) => sharp);
  return loading;
}

/**
 * Returns a cache key for the images of these options. It changes with every option and with the way faces are drawn.
 *
 * @returns 16 hexadecimal digits.
 */
export function syntheticKey({ seed, imagesPerClass, imageSize }: SyntheticOptions): string {
  const { train, validation } = imagesPerClass;
  const samples = Array.from({ length: 8 }, (_, i) =>
    EXPRESSIONS.map((name) => faceSvg(name, new Random(0, i))),
  );
  const text = JSON.stringify([seed, train, validation, imageSize, CAMERA, samples]);
  return shortDigest(text);
}

/**
 * Draws one face as a camera sees it: slightly blurred, over- or underexposed, with noise.
 *
 * @returns PNG, RGB, `imageSize` × `imageSize`.
 */
export async function drawFace(expression: string, random: Random, imageSize: number): Promise<Buffer> {
  const svg = faceSvg(expression, random, imageSize);
  const blur = (random.uniform(...CAMERA.blur) * imageSize) / 100;
  const contrast = random.uniform(...CAMERA.contrast);
  const brightness = random.uniform(...CAMERA.brightness);
  const noise = random.uniform(...CAMERA.noise);
  const sharp = await loadSharp();
  const drawn = sharp(Buffer.from(svg)).removeAlpha();
  const pixels = await (blur < SMALLEST_BLUR ? drawn : drawn.blur(blur)).raw().toBuffer();
  const graded = new Uint8ClampedArray(pixels.length);
  for (let i = 0; i < pixels.length; i += 3) {
    const offset = brightness + noise * sensorNoise(random);
    for (let c = 0; c < 3; c++) graded[i + c] = (pixels[i + c] - 128) * contrast + 128 + offset;
  }
  const raw = { width: imageSize, height: imageSize, channels: 3 } as const;
  return sharp(graded, { raw }).png({ compressionLevel: 3 }).toBuffer();
}

/** Returns roughly normal noise of standard deviation 1: the sum of four bytes of one draw. */
function sensorNoise(random: Random): number {
  const word = random.uint32();
  return ((word & 255) + ((word >>> 8) & 255) + ((word >>> 16) & 255) + (word >>> 24) - 510) / 148;
}

interface ImageToDraw {
  file: string;
  split: string;
  expression: string;
  index: number;
}

function listImages({ imagesPerClass }: SyntheticOptions): ImageToDraw[] {
  const splits = ["train", "validation"] as const;
  return splits.flatMap((split) =>
    EXPRESSIONS.flatMap((expression) =>
      Array.from({ length: imagesPerClass[split] }, (_, index) => {
        const name = `${String(index + 1).padStart(4, "0")}.png`;
        return { file: path.join(split, expression, name), split, expression, index };
      }),
    ),
  );
}

function checkOptions(options: SyntheticOptions): SyntheticOptions {
  const count = { min: 1, max: 9999, integer: true };
  checkNumber("seed", options.seed, { min: 0, max: 0x7fffffff, integer: true });
  if (typeof options.imagesPerClass !== "object" || options.imagesPerClass === null)
    throw new ParameterError("imagesPerClass", "counts { train, validation }", options.imagesPerClass);
  checkNumber("imagesPerClass.train", options.imagesPerClass.train, count);
  checkNumber("imagesPerClass.validation", options.imagesPerClass.validation, count);
  checkNumber("imageSize", options.imageSize, { min: 16, max: 1024, integer: true });
  return options;
}

async function refuseFilledFolder(dir: string): Promise<void> {
  const entries = await readdir(dir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw writeError(dir, error);
  });
  if (entries.length === 0) return;
  const fix = "Choose a new folder, or remove this one to draw it again.";
  throw new InputError({
    expected: "a new or empty folder",
    where: dir,
    found: `${entries.length} files or folders in it`,
    fix,
  });
}
