import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { train, trainConfig } from "../../src/index.js";
import { CLASS_NAMES } from "../workload.js";
import { noise } from "./noise.js";

/** What the engine holds when an epoch has ended. */
export interface EpochTensors {
  epoch: number;
  numTensors: number;
  /** Memory of the process. */
  residentBytes: number;
}

const IMAGE_SIZE = 48;
const BATCH_SIZE = 32;

/** Trains for some epochs of a few batches and counts tensors and memory after each: a leak makes them more. */
export async function countEpochTensors(epochs: number): Promise<EpochTensors[]> {
  const config = trainConfig("baseline", {
    weights: "random",
    imageSize: IMAGE_SIZE,
    batchSize: BATCH_SIZE,
    epochs,
  });
  const images = noise(IMAGE_SIZE, 4 * BATCH_SIZE);
  const dataset = { name: "noise", classNames: CLASS_NAMES, train: images, validation: images };
  const runDir = await mkdtemp(path.join(os.tmpdir(), "ferkit-bench-"));
  const counts: EpochTensors[] = [];
  try {
    for await (const event of train(dataset, config, { runDir, data: "noise" }))
      if (event.type === "epoch")
        counts.push({
          epoch: event.epoch,
          numTensors: event.numTensors,
          residentBytes: process.memoryUsage.rss(),
        });
  } finally {
    await rm(runDir, { recursive: true });
  }
  return counts;
}
