import assert from "node:assert/strict";
import type { NearDuplicates } from "../../src/data/audit/near-duplicates.js";
import type { Dataset, PackedImages } from "../../src/data/dataset.js";
import { PixelArray } from "../../src/data/pixels/pixels.js";
import { score } from "../../src/inference/evaluate.js";
import { evaluationReport } from "../../src/inference/evaluation-report.js";
import { withTemperature } from "../../src/metrics/calibration.js";
import { TINY } from "../model/fixtures.js";

const CLASS_NAMES = ["a", "b"];
const packed = (labels: number[]): PackedImages => ({
  pixels: new PixelArray(new Uint8Array(labels.length), 1),
  labels: Int32Array.from(labels),
  numImages: labels.length,
  imageSize: 1,
  numChannels: 1,
  paths: labels.map(String),
});
const dataset: Dataset = {
  name: "letters",
  classNames: CLASS_NAMES,
  split: "folders",
  train: packed([0, 1]),
  validation: packed([0, 0, 1, 1]),
};
/** Right, wrong, right, wrong by its mirror image alone. */
const probs = Float32Array.of(0.9, 0.1, 0.4, 0.6, 0.2, 0.8, 0.45, 0.55);
const mirroredProbs = Float32Array.of(0.9, 0.1, 0.4, 0.6, 0.2, 0.8, 0.75, 0.25);
const config = { ...TINY, classNames: CLASS_NAMES };
const groups = (validation: number[]) => Int32Array.from([0, 1, ...validation]);

function reportOf(given: Partial<Parameters<typeof evaluationReport>[0]> = {}) {
  const { labels } = dataset.validation;
  const evaluation = score(probs, labels, CLASS_NAMES);
  return evaluationReport({ dataset, config, evaluation, nearIdentical: null, seed: 0, ...given });
}

describe("evaluationReport", () => {
  it("scores all images, with intervals around the scores", () => {
    const { accuracy, numImages, perClass, intervals, split, loss } = reportOf();
    assert.equal(accuracy, 3 / 4);
    assert.equal(numImages, 4);
    assert.equal(split, "folders");
    assert.deepEqual(perClass.a, { precision: 1, recall: 1 / 2, f1: 2 / 3, count: 2 });
    assert.ok(intervals.accuracy[0] <= 0.75 && intervals.accuracy[1] >= 0.75);
    const nats = -(Math.log(0.9) + Math.log(0.4) + Math.log(0.8) + Math.log(0.55)) / 4;
    assert.ok(Math.abs(loss - nats) < 1e-6);
  });

  it("leaves out images that also stand in train, and those like one there", () => {
    const nearIdentical: NearDuplicates = {
      duplicates: groups([2, 1, 4, 5]), // the second, a mistake
      groups: groups([0, 1, 4, 4]), // the first too; the last two are alike, not in train
      pairs: [],
    };
    const { withoutDuplicates, withoutNearDuplicates } = reportOf({ nearIdentical });
    assert.deepEqual([withoutDuplicates?.accuracy, withoutDuplicates?.numImages], [3 / 3, 3]);
    assert.deepEqual([withoutNearDuplicates?.accuracy, withoutNearDuplicates?.numImages], [2 / 2, 2]);
    assert.deepEqual(withoutNearDuplicates?.intervals, { accuracy: [1, 1], macroF1: [1, 1] });
  });

  it("has nothing of that where there are no training images, or no image is left", () => {
    assert.equal(reportOf().withoutDuplicates, null);
    const all = groups([0, 1, 0, 1]);
    const { withoutNearDuplicates } = reportOf({
      nearIdentical: { duplicates: all, groups: all, pairs: [] },
    });
    assert.equal(withoutNearDuplicates, null);
  });

  it("undoes the temperature for the calibration error before", () => {
    assert.deepEqual([reportOf().eceUncalibrated, reportOf().temperature], [null, null]);
    const calibration = { temperature: 0.5, numImages: 100 };
    const { ece, eceUncalibrated, temperature } = reportOf({ config: { ...config, calibration } });
    assert.equal(temperature, 0.5);
    // Each image has a bin of its own: the mean gap to 0 or 1.
    const gap = (some: Float32Array) => (1 - some[0] + some[3] + (1 - some[5]) + (1 - some[7])) / 4;
    assert.ok(Math.abs(ece - gap(probs)) < 1e-6);
    assert.ok(Math.abs((eceUncalibrated as number) - gap(withTemperature(probs, 2, 2))) < 1e-6);
  });

  it("takes the mean of an image and its mirror image where they are given", () => {
    assert.equal(reportOf().flip, null);
    const { flip } = reportOf({ mirroredProbs });
    assert.equal(flip?.accuracy, 2 / 4); // the last: (0.55 + 0.25) / 2 = 0.4
    assert.ok(
      Math.abs((flip?.loss ?? 0) + (Math.log(0.9) + Math.log(0.4) + Math.log(0.8) + Math.log(0.4)) / 4) <
        1e-6,
    );
  });
});
