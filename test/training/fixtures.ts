// Two classes that a network learns in seconds, and runs on them.
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import type { TrainConfig } from "../../src/config.js";
import { NO_AUGMENTATION } from "../../src/data/augment.js";
import type { Dataset, PackedImages } from "../../src/data/dataset.js";
import { PixelArray, PixelSelection } from "../../src/data/pixels/pixels.js";
import type { ModelConfig } from "../../src/model/network.js";
import { saveModel } from "../../src/model/weights/model-folder.js";
import { trainConfig } from "../../src/presets.js";
import { Random } from "../../src/random.js";
import type { TrainEvent } from "../../src/training/events.js";
import { train } from "../../src/training/train.js";
import { randomNetwork } from "../model/fixtures.js";

const IMAGE_SIZE = 40;

/** Draws noise with a bright stripe, across or down: two classes. */
export function stripes(numImages: number, seed: number): PackedImages {
  const bytes = new Uint8Array(numImages * IMAGE_SIZE * IMAGE_SIZE);
  const labels = Int32Array.from({ length: numImages }, (_, i) => i % 2);
  labels.forEach((label, i) => {
    const random = new Random(seed, i);
    const at = 8 + random.integer(24);
    for (let p = 0; p < IMAGE_SIZE * IMAGE_SIZE; p++) {
      const position = label === 0 ? Math.floor(p / IMAGE_SIZE) : p % IMAGE_SIZE;
      bytes[i * IMAGE_SIZE * IMAGE_SIZE + p] = Math.abs(position - at) < 4 ? 230 : random.integer(120);
    }
  });
  const paths = Array.from(labels, (label, i) => `${label}/${i}.png`);
  const pixels = new PixelArray(bytes, IMAGE_SIZE * IMAGE_SIZE);
  return { pixels, labels, numImages, imageSize: IMAGE_SIZE, numChannels: 1, paths };
}

/** Returns images several times over, so that an epoch has as many steps more for one validation and one checkpoint. */
export function repeated(images: PackedImages, times: number): PackedImages {
  const { numImages } = images;
  const indices = Int32Array.from({ length: times * numImages }, (_, i) => i % numImages);
  return {
    ...images,
    pixels: new PixelSelection(images.pixels, indices),
    labels: indices.map((index) => images.labels[index]),
    numImages: indices.length,
    paths: Array.from(indices, (index, i) => `${Math.floor(i / numImages)}/${images.paths[index]}`),
  };
}

export const dataset: Dataset = {
  name: "stripes",
  classNames: ["across", "down"],
  train: stripes(24, 1),
  validation: stripes(10, 2),
};

/** Random weights, two epochs of three batches. */
export const config = (overrides: Partial<TrainConfig> = {}): TrainConfig =>
  trainConfig("baseline", {
    weights: "random",
    imageSize: IMAGE_SIZE,
    batchSize: 8,
    epochs: 2,
    augment: { ...NO_AUGMENTATION, horizontalFlip: 0.5 },
    ...overrides,
  });

/** Trains the last layer alone, for tests of runs in which it does not matter what is trained: less is computed and saved. */
export const LAST_LAYER = { trainableFrom: "predictions" } as const;

/** Saves a model of random weights for the two classes. */
export async function randomModel(
  dir: string,
  seed: number,
  more: Partial<ModelConfig> = {},
): Promise<string> {
  const network = randomNetwork({ classNames: ["across", "down"], imageSize: 40, ...more }, seed);
  await saveModel(dir, network.config, await network.parameters());
  network.dispose();
  return dir;
}

/** Creates a folder for each test of the calling `describe`, and removes it afterwards. */
export function runFolder(): { dir: string } {
  const folder = { dir: "" };
  beforeEach(() => {
    folder.dir = mkdtempSync(path.join(os.tmpdir(), "ferkit-run-"));
  });
  afterEach(() => rmSync(folder.dir, { recursive: true }));
  return folder;
}

/** Trains to the end and returns all events. */
export async function collect(
  runDir: string,
  overrides: Partial<TrainConfig> = {},
  images: Dataset = dataset,
): Promise<TrainEvent[]> {
  const events: TrainEvent[] = [];
  for await (const event of train(images, config(overrides), { runDir, data: "stripes" })) events.push(event);
  return events;
}

/**
 * Trains a run before the tests of the calling `describe`.
 *
 * @returns Copies it into a folder, for a test of what comes after its training.
 */
export function trainedRun(overrides: Partial<TrainConfig>): (runDir: string) => void {
  let dir: string;
  before("trains a run", async () => {
    dir = mkdtempSync(path.join(os.tmpdir(), "ferkit-trained-"));
    await collect(dir, overrides);
  });
  after(() => rmSync(dir, { recursive: true }));
  return (runDir) => cpSync(dir, runDir, { recursive: true });
}
