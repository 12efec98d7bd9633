import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { drawClassFolders, runFerkit } from "./fixtures.js";

const PER_CLASS = 6;

let dir: string;
let images: string;
const ferkit = (...args: string[]) => runFerkit(args, dir);
const parse = (text: string) => JSON.parse(text) as Record<string, unknown>;

describe("ferkit", function () {
  this.timeout(120_000);

  before(async () => {
    dir = mkdtempSync(path.join(os.tmpdir(), "ferkit-cli-evaluate-"));
    images = path.join(dir, "images");
    await drawClassFolders(images, PER_CLASS);
    const small = ["weights=random", "epochs=1", "imageSize=33", "batchSize=4"];
    const values = small.flatMap((value) => ["--set", value]);
    ferkit("train", "--data", "images", "--run", "run", ...values);
  });
  after(() => rmSync(dir, { recursive: true }));

  describe("data", () => {
    it("reports on a folder, from the current one", () => {
      const { status, stdout, stderr } = ferkit("data", "--data", "images", "--image-size", "33", "--json");
      assert.equal(stderr, "");
      assert.equal(status, 0);
      const { name, classNames, imageSize, numImages, unreadable, split, nearIdentical } = parse(stdout);
      assert.equal(split, "held-out");
      assert.deepEqual(Object.keys(nearIdentical as object), [
        "groups",
        "images",
        "leaked",
        "labelConflicts",
        "mirroredPairs",
        "examples",
      ]);
      assert.deepEqual(
        { name, classNames, imageSize, numImages, unreadable },
        {
          name: "images",
          classNames: ["disc", "square"],
          imageSize: 33,
          numImages: { train: 10, validation: 2 }, // a fifth of 6, rounded, of each class
          unreadable: [],
        },
      );
    });

    it("says the same in words, and holds out the share it is given", () => {
      const { status, stdout } = ferkit("data", "--data", images, "--validation-share", "0.5");
      assert.equal(status, 0);
      assert.match(stdout, /^images: 6 training and 6 validation images\n/);
      assert.match(stdout, /^ {2}disc +3 +3\n {2}square +3 +3\n/m);
      assert.match(stdout, /^validation images: a share that was held out$/m);
      assert.match(stdout, /^near-identical, those among them: \d+ groups; /m);
    });

    it("draws pairs of near-identical images", () => {
      const { status } = ferkit("data", "--data", "images", "--chart", "pairs.svg");
      assert.equal(status, 0);
      assert.match(readFileSync(path.join(dir, "pairs.svg"), "utf8"), /Near-identical images/);
    });

    it("says why it cannot split as FER-2013 was split", () => {
      const { status, stderr } = ferkit("data", "--data", "images", "--split", "official");
      assert.equal(status, 1);
      assert.match(stderr, /Expected files named by the rows 0 to 35886 of fer2013.csv, each once/);
    });
  });

  describe("evaluate", () => {
    it("prints exactly the promised values, of all images where there is no split", () => {
      const { status, stdout } = ferkit("evaluate", "--data", "images", "--model", "run/best", "--json");
      assert.equal(status, 0);
      const result = parse(stdout);
      assert.deepEqual(Object.keys(result).sort(), [
        "accuracy",
        "confusionMatrix",
        "ece",
        "eceUncalibrated",
        "flip",
        "intervals",
        "loss",
        "macroF1",
        "numImages",
        "perClass",
        "perClassRecall",
        "split",
        "temperature",
        "withoutDuplicates",
        "withoutNearDuplicates",
      ]);
      const { split, flip, withoutDuplicates, withoutNearDuplicates, temperature } = result;
      assert.equal(split, "all");
      // Nothing to compare with, and too few validation images to calibrate on.
      assert.deepEqual(
        [flip, withoutDuplicates, withoutNearDuplicates, temperature],
        [null, null, null, null],
      );
      assert.equal(result.numImages, 2 * PER_CLASS);
      const matrix = result.confusionMatrix as number[][];
      assert.deepEqual(
        matrix.map(([a, b]) => a + b),
        [PER_CLASS, PER_CLASS],
      );
      assert.equal(result.accuracy, (matrix[0][0] + matrix[1][1]) / (2 * PER_CLASS));
      assert.deepEqual(result.perClassRecall, {
        disc: matrix[0][0] / PER_CLASS,
        square: matrix[1][1] / PER_CLASS,
      });
    });

    it("evaluates the share that was held out", () => {
      const share = ["--validation-share", "0.2", "--json"];
      const { stdout } = ferkit("evaluate", "--data", "images", "--model", "run/best", ...share);
      assert.equal(parse(stdout).numImages, 2);
    });

    it("says in words what it found, the same twice, and draws it", () => {
      const options = ["--validation-share", "0.5", "--flip", "--chart", "evaluation.svg"];
      const run = () => ferkit("evaluate", "--data", "images", "--model", "run/best", ...options);
      const { status, stdout } = run();
      assert.equal(status, 0);
      assert.match(stdout, /^images: accuracy .*%\), macro-F1 .*\), 6 images: a share that was held out$/m);
      assert.match(stdout, /^with mirror images: accuracy /m);
      assert.match(stdout, /^without near-identical ones in train: accuracy /m);
      assert.match(stdout, /^class +precision +recall +F1 +images\ndisc .*3\nsquare .*3$/m);
      assert.match(readFileSync(path.join(dir, "evaluation.svg"), "utf8"), /Evaluation on images/);
      assert.equal(run().stdout, stdout);
    });
  });
});
