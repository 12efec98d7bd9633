// Whole trainings against the clock, by ferkit and by PyTorch, on the same images.
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { type Dataset, loadDataset, type PackedImages, type TrainConfig, train } from "../src/index.js";
import type { CurvePoint } from "./accuracy-record.js";
import type { Layout } from "./contenders.js";
import { startWorker } from "./workers.js";

export interface Training {
  config: TrainConfig;
  /** Folder or archive of class folders. */
  data: string;
  /** Validation accuracy at which to stop; without it, the last epoch. */
  until?: number;
  onPoint: (point: CurvePoint) => void;
}

/** How PyTorch does it. */
export interface PytorchWay {
  layout: Layout;
  /** Whose initial values the last layer has: timm's are larger, and training takes longer to get over them. */
  head: "timm" | "ferkit";
}

/** The data set at the size that a configuration trains on. */
export function loadFor({ imageSize, seed }: TrainConfig, data: string) {
  return loadDataset({ data, imageSize, seed });
}

/** Trains as `npx ferkit train` does; the clock starts when the images are in memory. */
export async function trainInFerkit({ config, data, until, onPoint }: Training): Promise<void> {
  const dataset: Dataset = await loadFor(config, data);
  const runDir = await mkdtemp(path.join(os.tmpdir(), "ferkit-bench-"));
  try {
    const start = performance.now();
    for await (const event of train(dataset, config, { runDir, data })) {
      if (event.type !== "epoch") continue;
      const { accuracy } = event.validation;
      onPoint({ epoch: event.epoch, seconds: (performance.now() - start) / 1000, accuracy });
      if (until !== undefined && accuracy >= until) break;
    }
  } finally {
    await rm(runDir, { recursive: true });
  }
}

/** Trains with the same configuration in PyTorch; that reads the files which ferkit found, by their paths. */
export async function trainInPytorch(
  { config, data, until, onPoint }: Training,
  { layout, head }: PytorchWay,
): Promise<void> {
  const { train: trainImages, validation, classNames, report } = await loadFor(config, data);
  const split = ({ paths, labels }: PackedImages) => ({ paths, labels: Array.from(labels) });
  const splits = { train: split(trainImages), validation: split(validation) };
  const worker = await startWorker("pytorch");
  try {
    const options = { config, root: path.resolve(report.root), splits, numClasses: classNames.length };
    await worker.request<null, CurvePoint>("train", { ...options, layout, head, until }, onPoint);
  } finally {
    await worker.close();
  }
}
