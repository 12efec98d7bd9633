import assert from "node:assert/strict";
import { TrainProgress } from "../../scripts/progress.js";
import type { TrainEvent } from "../../src/training/events.js";
import { epochEvent } from "../charts/fixtures.js";

describe("TrainProgress", () => {
  const { error } = console;
  let lines: string[];
  beforeEach(() => {
    lines = [];
    console.error = (line: string) => lines.push(line);
  });
  afterEach(() => {
    console.error = error;
  });

  const add = (...events: TrainEvent[]) => {
    const progress = new TrainProgress(2, ["cat", "dog"]);
    for (const event of events) progress.add(event);
  };

  it("says in the first line what the training loss is against", () => {
    const targets = { trainTargets: "smoothed labels" };
    add(epochEvent(1, 0.5, 0.5, targets), epochEvent(2, 0.5, 0.5, targets));
    assert.match(lines[0], / train loss \d\.\d{4} \(against smoothed labels\) accuracy /);
    assert.match(lines[1], / train loss \d\.\d{4} accuracy /);
  });

  it("prints a note once, though several trainings give it", () => {
    const note: TrainEvent = { type: "note", text: "batches have 29 images instead of 32" };
    add(note, { ...note, text: "another" }, note);
    assert.deepEqual(lines, ["note: batches have 29 images instead of 32", "note: another"]);
  });
});
