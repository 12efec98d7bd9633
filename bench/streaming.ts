// Measures whether a data set a hundred times as large still costs the same for each image, and how much memory it needs.
//
//   npx tsx bench/streaming.ts [NUM_IMAGES...]
//
// By default 10,000, 100,000 and 1,000,000 images: a quarter of an hour on two cores, most of it for decoding, and 3 GB of disk.
import { fork } from "node:child_process";
import { linkSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { batches, type Dataset, loadDataset, tf } from "../src/index.js";
import { CLASS_NAMES } from "./suite.js";
import { greyJpeg } from "./workers/noise.js";

const IMAGE_SIZE = 48;
const BATCH_SIZE = 128;
/** Number of distinct files; the others are links to them. */
const NUM_DRAWN = 1024;

/** Figures of a process that opens the data set and reads it for two epochs. */
interface Figures {
  numImages: number;
  openMs: number;
  firstBatchMs: number;
  /** Time in the second epoch; compiler and engine warm up in the first. */
  epochMicrosecondsPerImage: number;
  peakResidentMegabytes: number;
}

async function measureAll(sizes: number[]): Promise<void> {
  const dir = await mkdtemp(path.join(os.tmpdir(), "ferkit-streaming-"));
  try {
    for (const numImages of sizes) {
      const images = path.join(dir, `${numImages}`);
      await linkImages(images, numImages);
      const env = { ...process.env, FERKIT_CACHE: path.join(dir, "cache"), FERKIT_STREAMING: images };
      for (const state of ["decoded now", "decoded before"])
        console.log(JSON.stringify({ state, ...(await inProcess(env)) }));
    }
  } finally {
    await rm(dir, { recursive: true });
  }
}

function inProcess(env: NodeJS.ProcessEnv): Promise<Figures> {
  return new Promise((resolve, reject) => {
    const child = fork(__filename, { env });
    child.on("message", resolve);
    child.on("exit", (code) => reject(new Error(`ended with ${code}`)));
  });
}

async function measure(data: string): Promise<Figures> {
  const start = performance.now();
  const dataset = await loadDataset({ data, imageSize: IMAGE_SIZE });
  const openMs = performance.now() - start;
  const { firstBatchMs } = await passOnce(dataset, 1);
  const { epochMs } = await passOnce(dataset, 2);
  const numImages = dataset.train.numImages + dataset.validation.numImages;
  return {
    numImages,
    openMs: Math.round(openMs),
    firstBatchMs: Math.round(firstBatchMs),
    epochMicrosecondsPerImage: Number(((1000 * epochMs) / dataset.train.numImages).toFixed(1)),
    peakResidentMegabytes: Math.round((process.resourceUsage().maxRSS * 1024) / 1e6),
  };
}

/** Loads every training image into the engine, in random order, and reads it there. */
async function passOnce(
  { train }: Dataset,
  epoch: number,
): Promise<{ firstBatchMs: number; epochMs: number }> {
  const start = performance.now();
  let [firstBatchMs, numSeen] = [0, 0];
  const options = { batchSize: BATCH_SIZE, shuffle: true, seed: 0, epoch, dropLast: false };
  for await (const { images, labels } of batches(train, options)) {
    if (numSeen === 0) firstBatchMs = performance.now() - start;
    numSeen += labels.length;
    const mean = tf.mean(images);
    const [value] = await mean.data();
    if (!(value > 0 && value < 255)) throw new Error(`a batch of mean ${value}`);
    tf.dispose([images, mean]);
  }
  if (numSeen !== train.numImages) throw new Error(`${numSeen} of ${train.numImages} images seen`);
  return { firstBatchMs, epochMs: performance.now() - start };
}

async function linkImages(dir: string, numImages: number): Promise<void> {
  for (const className of CLASS_NAMES) await mkdir(path.join(dir, className), { recursive: true });
  for (let i = 0; i < NUM_DRAWN; i++)
    await writeFile(path.join(dir, `${i}.jpg`), await greyJpeg(IMAGE_SIZE, i));
  for (let i = 0; i < numImages; i++)
    linkSync(
      path.join(dir, `${i % NUM_DRAWN}.jpg`),
      path.join(dir, CLASS_NAMES[i % CLASS_NAMES.length], `${i}.jpg`),
    );
}

const data = process.env.FERKIT_STREAMING;
const sizes = process.argv.slice(2).map(Number);
if (data) measure(data).then((figures) => process.send?.(figures));
else measureAll(sizes.length > 0 ? sizes : [1e4, 1e5, 1e6]);
