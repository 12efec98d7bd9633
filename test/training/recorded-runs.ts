// Run folders without a trained network.
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { type Overrides, trainConfig } from "../../src/presets.js";
import type { DoneEvent, TrainEvent } from "../../src/training/events.js";
import type { RunConfig } from "../../src/training/run-config.js";
import { batchEvent, epochEvent } from "../charts/fixtures.js";

export function runConfig(overrides: Overrides = {}): RunConfig {
  const train = trainConfig("baseline", { epochs: 3, ...overrides });
  return { train, classNames: ["a", "b"], data: "/my/faces.tar.gz", numImages: { train: 64, validation: 8 } };
}

/** Builds batches, epochs of 60 seconds with these validation accuracies, and the end if a reason is given. */
export function runEvents(accuracies: number[], reason?: DoneEvent["reason"]): TrainEvent[] {
  const best = accuracies.indexOf(Math.max(...accuracies)) + 1;
  const epochs = accuracies.flatMap((accuracy, i): TrainEvent[] => [
    batchEvent(100 * i + 1, { epoch: i + 1 }),
    epochEvent(i + 1, accuracy, accuracy, {
      durationMs: 60_000,
      isBest: accuracies.slice(0, i).every((a) => a < accuracy),
    }),
  ]);
  if (!reason) return epochs;
  const done: DoneEvent = {
    type: "done",
    reason,
    bestEpoch: best,
    bestAccuracy: Math.max(...accuracies),
    runDir: "/my/run",
  };
  return [...epochs, done];
}

/** Writes the given files of a run's folder. */
export function writeRun(
  folder: string,
  {
    config = runConfig(),
    events = [],
    environment,
  }: { config?: object | null; events?: TrainEvent[]; environment?: object },
): void {
  mkdirSync(folder, { recursive: true });
  if (config) writeFileSync(path.join(folder, "config.json"), JSON.stringify(config));
  if (environment) writeFileSync(path.join(folder, "environment.json"), JSON.stringify(environment));
  writeFileSync(
    path.join(folder, "metrics.jsonl"),
    events.map((event) => `${JSON.stringify(event)}\n`).join(""),
  );
}
