import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { TrainProgress } from "../../scripts/progress.js";
import type { TrainEvent } from "../../src/training/events.js";
import { epochEvent } from "../charts/fixtures.js";
import { workspace } from "../workspace.js";

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

  const add = async (...events: TrainEvent[]) => {
    const progress = new TrainProgress(2);
    for (const event of events) await progress.add(event);
  };

  it("says in the first line what the training loss is against", async () => {
    const targets = { trainTargets: "smoothed labels" };
    await add(epochEvent(1, 0.5, 0.5, targets), epochEvent(2, 0.5, 0.5, targets));
    assert.match(lines[0], / train loss \d\.\d{4} \(against smoothed labels\) accuracy /);
    assert.match(lines[1], / train loss \d\.\d{4} accuracy /);
  });

  it("prints a note once, though several trainings give it", async () => {
    const note: TrainEvent = { type: "note", text: "batches have 29 images instead of 32" };
    await add(note, { ...note, text: "another" }, note);
    assert.deepEqual(lines, ["note: batches have 29 images instead of 32", "note: another"]);
  });

  describe("at the end", () => {
    const folder = workspace();
    const classNames = ["cat", "dog"];
    const confusionMatrix = [
      [3, 1],
      [1, 3],
    ];
    const validation = {
      ...epochEvent(2, 0.9, 0.75).validation,
      macroF1: 0.749,
      classNames,
      confusionMatrix,
    };
    const done = (): TrainEvent => ({
      ...{ type: "done", reason: "completed", monitor: "loss", runDir: folder.path },
      ...{ bestEpoch: 2, bestAccuracy: 0.75, bestLoss: 0.25 },
    });
    const log = (kept: object) =>
      writeFileSync(
        folder.file("metrics.jsonl"),
        JSON.stringify({ ...epochEvent(2, 0.9, 0.75, { isBest: true }), ...kept }),
      );
    const best = "completed: the best model by validation loss is of epoch 2, kept in FOLDER/best";

    it("writes the scores of the kept epoch with their intervals", async () => {
      const intervals = { accuracy: [0.6, 1], macroF1: [0.5, 1] };
      log({ validation: { ...validation, intervals, numGroups: 7 } });
      await add(epochEvent(2, 0.9, 0.75), done());
      assert.deepEqual(lines.slice(1), [
        best.replace("FOLDER", folder.path),
        "validation: loss 0.2500, accuracy 75.0% (60.0%–100.0%), macro-F1 0.749 (0.500–1.000), 8 images in 7 groups",
        "always answering cat would score accuracy 50.0%: the model is not clearly better",
        "(in brackets: 95% interval, by a bootstrap over groups of near-duplicates and of --group)",
      ]);
    });

    it("writes what is known of a run before version 0.3, or one whose log is lost", async () => {
      log({ validation });
      await add(epochEvent(2, 0.9, 0.75), done());
      assert.equal(lines[2], "validation: loss 0.2500, accuracy 75.0%, macro-F1 0.749, 8 images");
      writeFileSync(folder.file("metrics.jsonl"), "");
      await add(epochEvent(2, 0.9, 0.75), done());
      assert.deepEqual(lines.slice(-2), [best.replace("FOLDER", folder.path), "validation: accuracy 75.0%"]);
    });
  });
});
