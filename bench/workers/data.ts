// How long ferkit takes to bring a data set's images into memory.
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { loadDataset, trainConfig } from "../../src/index.js";
import { greyJpeg } from "../grey-jpeg.js";
import { CLASS_NAMES } from "../workload.js";
import { firstBatch } from "./steps.js";

export interface DataOptions {
  numImages: number;
  /** Images that are decoded one after another; the time of all is reckoned from them. */
  numSerialImages: number;
}

/** Seconds that the same images take. */
export interface DataTimes {
  /** Found, decoded and written to the cache. */
  decode: number;
  /** Decoded by sharp, one call after another. */
  decodeSerially: number;
  /** From the cache to the first batch in the engine. */
  startEpoch: number;
}

const IMAGE_SIZE = 48;
/** Different files, which are written over and over under other names. */
const NUM_DRAWN = 256;

/** Times a data set of grey JPEG files as large as FER-2013's, in a folder and a cache of its own. */
export async function timeData({ numImages, numSerialImages }: DataOptions): Promise<DataTimes> {
  const dir = await mkdtemp(path.join(os.tmpdir(), "ferkit-bench-"));
  const { FERKIT_CACHE } = process.env;
  try {
    const images = path.join(dir, "images");
    await writeImages(images, numImages);
    process.env.FERKIT_CACHE = path.join(dir, "cache");
    const load = () => loadDataset({ data: images, imageSize: IMAGE_SIZE });
    const decode = await secondsOf(load);
    const startEpoch = await secondsOf(async () => {
      const { train } = await load();
      const { images: first } = await firstBatch(train, trainConfig("baseline", { imageSize: IMAGE_SIZE }));
      first.dispose();
    });
    const serially = await secondsOf(() => decodeSerially(images, numSerialImages));
    return { decode, decodeSerially: (serially * numImages) / numSerialImages, startEpoch };
  } finally {
    if (FERKIT_CACHE === undefined) delete process.env.FERKIT_CACHE;
    else process.env.FERKIT_CACHE = FERKIT_CACHE;
    await rm(dir, { recursive: true });
  }
}

async function writeImages(dir: string, numImages: number): Promise<void> {
  const drawn = await Promise.all(Array.from({ length: NUM_DRAWN }, (_, seed) => greyJpeg(IMAGE_SIZE, seed)));
  for (const className of CLASS_NAMES) await mkdir(path.join(dir, className), { recursive: true });
  for (let i = 0; i < numImages; i++)
    await writeFile(path.join(dir, CLASS_NAMES[i % CLASS_NAMES.length], `${i}.jpg`), drawn[i % NUM_DRAWN]);
}

async function decodeSerially(dir: string, numImages: number): Promise<void> {
  const { default: sharp } = await import("sharp");
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).slice(0, numImages);
  for (const { parentPath, name } of files)
    await sharp(await readFile(path.join(parentPath, name)))
      .resize(IMAGE_SIZE, IMAGE_SIZE)
      .raw()
      .toBuffer();
}

async function secondsOf(run: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await run();
  return (performance.now() - start) / 1000;
}
