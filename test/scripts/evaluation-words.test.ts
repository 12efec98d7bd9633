import assert from "node:assert/strict";
import { inWords } from "../../scripts/commands/evaluation-words.js";
import type { EvaluationReport } from "../../src/inference/evaluate.js";

const REPORT: EvaluationReport = {
  split: "folders",
  accuracy: 0.75,
  macroF1: 0.7333,
  numImages: 4,
  loss: 0.5,
  intervals: { accuracy: [0.25, 1], macroF1: [0.2, 1] },
  ece: 0.02,
  eceUncalibrated: 0.08,
  temperature: 0.8,
  perClass: { sad: { precision: null, recall: 0.5, f1: 0.625, count: 2 } },
  perClassRecall: { sad: 0.5 },
  confusionMatrix: [[1]],
  flip: null,
  withoutDuplicates: null,
  withoutNearDuplicates: null,
};

describe("inWords", () => {
  it("says the scores with their intervals, and a dash for what is not defined", () => {
    assert.deepEqual(inWords(REPORT, "faces").split("\n"), [
      "faces: accuracy 75.0% (25.0%–100.0%), macro-F1 0.733 (0.200–1.000), 4 images: the validation folder",
      "loss 0.500, calibration error 2.0% (8.0% before calibration)",
      "(in brackets: 95% of other draws of as many images)",
      "",
      "class  precision  recall     F1  images",
      "sad            –   50.0%  0.625       2",
    ]);
  });

  it("warns of models that have seen the images of an official split", () => {
    assert.match(
      inWords({ ...REPORT, split: "official-test" }, "faces"),
      /PrivateTest of the official split\nfair only to a model trained with --split official or official-test: others/,
    );
  });
});
