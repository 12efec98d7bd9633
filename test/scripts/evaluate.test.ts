import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import sharp from "sharp";
import { reportText } from "../../scripts/commands/evaluate.js";
import type { EvaluationReport } from "../../src/inference/evaluate.js";
import { Random } from "../../src/random.js";
import { drawClassFolders, workspace } from "../workspace.js";

const PER_CLASS = 6;

const parse = (text: string) => JSON.parse(text) as Record<string, unknown>;

describe("ferkit", function () {
  this.timeout(600_000);

  const folder = workspace("suite");
  const { ferkit } = folder;
  before("trains", async () => {
    await drawClassFolders(folder.file("images"), PER_CLASS);
    const small = ["weights=random", "epochs=1", "imageSize=33", "batchSize=4"];
    const values = small.flatMap((value) => ["--set", value]);
    await ferkit("train", "--data", "images", "--run", "run", ...values);
  });

  describe("data", () => {
    it("reports on a folder, from the current one", async () => {
      const { status, stdout, stderr } = await ferkit(
        "data",
        "--data",
        "images",
        "--image-size",
        "33",
        "--json",
      );
      assert.equal(stderr, "");
      assert.equal(status, 0);
      const { name, classNames, imageSize, numImages, unreadable, split, nearDuplicates } = parse(stdout);
      assert.equal(split, "held-out");
      assert.deepEqual(Object.keys(nearDuplicates as object), [
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

    it("says the same in words, and holds out the share it is given", async () => {
      const { status, stdout } = await ferkit(
        "data",
        "--data",
        folder.file("images"),
        "--validation-share",
        "0.5",
      );
      assert.equal(status, 0);
      assert.match(stdout, /^images: 6 training and 6 validation images\n/);
      assert.match(stdout, /^ {2}disc +3 +3\n {2}square +3 +3\n/m);
      assert.match(stdout, /^validation images: a share that was held out$/m);
      assert.match(stdout, /^near-duplicates, duplicates included: \d+ groups?; /m);
    });

    it("draws pairs of near-duplicate images", async () => {
      const { status } = await ferkit("data", "--data", "images", "--chart", "pairs.svg");
      assert.equal(status, 0);
      assert.match(readFileSync(folder.file("pairs.svg"), "utf8"), /Near-duplicates/);
    });

    it("says why it cannot split as FER-2013 was split", async () => {
      const { status, stderr } = await ferkit("data", "--data", "images", "--split", "official");
      assert.equal(status, 1);
      assert.match(
        stderr,
        /Expected files named by the rows 0 to 35886 of fer2013.csv or as PublicTest_1.jpg, each once/,
      );
    });
  });

  describe("evaluate", () => {
    it("prints exactly the promised values, for the images that the run held out", async () => {
      const { status, stdout, stderr } = await ferkit(
        "evaluate",
        "--data",
        "images",
        "--model",
        "run/best",
        "--json",
      );
      assert.equal(status, 0);
      const result = parse(stdout);
      assert.deepEqual(Object.keys(result).sort(), [
        "accuracy",
        "classNames",
        "confusionMatrix",
        "crops",
        "ece",
        "eceUncalibrated",
        "flip",
        "intervals",
        "largestClass",
        "likeTraining",
        "loss",
        "macroF1",
        "model",
        "numGroups",
        "numImages",
        "perClass",
        "perClassRecall",
        "predictionSets",
        "riskCoverage",
        "split",
        "splitBy",
        "temperature",
        "trainedOn",
        "withoutDuplicates",
        "withoutNearDuplicates",
      ]);
      const { split, flip, crops, trainedOn, temperature, predictionSets } = result;
      assert.equal(split, "run");
      assert.match(
        stderr,
        /^note: the model's run was trained on this data set; the images are those that it held out \(seed 0, share 0.2\)$/m,
      );
      // Too few validation images to calibrate on.
      assert.deepEqual([flip, crops, trainedOn, temperature, predictionSets], Array(5).fill(null));
      const matrix = result.confusionMatrix as number[][];
      assert.deepEqual(
        matrix.map(([a, b]) => a + b),
        [1, 1], // a fifth of 6, rounded, of each class
      );
      assert.equal(result.accuracy, (matrix[0][0] + matrix[1][1]) / 2);
    });

    it("says how many images the model was trained on when all are scored", async () => {
      const all = ["--data", "images", "--model", "run/best", "--validation-share", "1"];
      const { stdout } = await ferkit("evaluate", ...all, "--json");
      const result = parse(stdout);
      assert.deepEqual([result.split, result.numImages], ["all", 2 * PER_CLASS]);
      assert.equal((result.trainedOn as { numImages: number }).numImages, 10);
      assert.match(
        (await ferkit("evaluate", ...all)).stdout,
        /^the model, or one that it started from or learned from, was trained on 10 of these 12 images\nwithout them: accuracy .*, 2 images$/m,
      );
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

    it("warns with --flip if mirroring makes two classes one", async () => {
      const random = new Random(1);
      for (const split of ["train", "validation"])
        for (let i = 0; i < 6; i++) {
          const raw = Buffer.from(Array.from({ length: 6 * 6 * 3 }, () => random.integer(256)));
          for (const className of ["disc", "square"]) {
            const file = folder.file("mirrored", split, className, `${i}.png`);
            mkdirSync(path.dirname(file), { recursive: true });
            const image = sharp(raw, { raw: { width: 6, height: 6, channels: 3 } }).resize(40, 40);
            await (className === "disc" ? image : image.flop()).toFile(file);
          }
        }
      const args = ["evaluate", "--data", "mirrored", "--model", "run/best"];
      const warning = /^note: 12 of 12 pairs of mirror images have two labels .* evaluate without --flip\.$/m;
      assert.match((await ferkit(...args, "--flip")).stderr, warning);
      assert.doesNotMatch((await ferkit(...args)).stderr, /mirror/);
    });

    for (const command of ["evaluate", "robustness"])
      it(`refuses a set without images to score (${command})`, async () => {
        const args = ["--data", "images", "--model", "run/best", "--validation-share", "0"];
        const { status, stderr } = await ferkit(command, ...args);
        assert.equal(status, 1);
        assert.match(
          stderr,
          /Expected images to evaluate at images but found none\. Choose a --validation-share above 0\.$/m,
        );
      });

    it("says in robustness too how many images the model was trained on", async () => {
      const args = ["--data", "images", "--model", "run/best", "--validation-share", "1", "--images", "2"];
      const { stderr } = await ferkit("robustness", ...args);
      assert.match(
        stderr,
        /^note: the model, or one that it started from or learned from, was trained on 10 of these 12 images$/m,
      );
    });

    it("evaluates the share that was held out", async () => {
      const share = ["--validation-share", "0.2", "--json"];
      const { stdout } = await ferkit("evaluate", "--data", "images", "--model", "run/best", ...share);
      assert.equal(parse(stdout).numImages, 2);
    });

    it("says in words what it found, the same twice, and draws it", async () => {
      const options = ["--validation-share", "0.5", "--flip", "--crops", "--chart", "evaluation.svg"];
      const run = () => ferkit("evaluate", "--data", "images", "--model", "run/best", ...options);
      const { status, stdout, stderr } = await run();
      assert.equal(status, 0);
      assert.match(stderr, /^wrote \S+\/evaluation\.svg$/m);
      assert.match(stdout, /^images: accuracy .*%\), macro-F1 .*\), 6 images: a share that was held out$/m);
      assert.match(stdout, /^with mirror images: accuracy .*, calibration error .*%$/m);
      assert.match(stdout, /^with crops and mirror images: accuracy .*, calibration error .*%$/m);
      assert.match(stdout, /^duplicates and near-duplicates of training images: none$/m);
      assert.match(stdout, /^class +precision +recall +F1 +images\ndisc .*3\nsquare .*3$/m);
      assert.match(readFileSync(folder.file("evaluation.svg"), "utf8"), /Evaluation on images/);
      assert.equal((await run()).stdout, stdout);
    });
  });
});

const REPORT: EvaluationReport = {
  classNames: ["sad"],
  split: "folders",
  splitBy: "the column part of labels.csv",
  accuracy: 0.75,
  macroF1: 0.7333,
  numImages: 4,
  numGroups: 4,
  loss: 0.5,
  intervals: { accuracy: [0.25, 1], macroF1: [0.2, 1] },
  ece: 0.02,
  eceUncalibrated: 0.08,
  temperature: 0.8,
  perClass: { sad: { precision: null, recall: 0.5, f1: 0.625, count: 2 } },
  perClassRecall: { sad: 0.5 },
  confusionMatrix: [[1]],
  predictionSets: [
    {
      coverage: 0.9,
      minProb: 0.2,
      covered: 0.875,
      meanSize: 1.5,
      intervals: { covered: [0.5, 1], meanSize: [1.25, 1.75] },
      sizes: [2, 2],
      perClass: { sad: 0.875 },
      answered: { share: 0.5, accuracy: 0.8 },
    },
  ],
  riskCoverage: {
    aurc: 0.1234,
    points: [
      { answered: 0.5, risk: 0.1, minProb: 0.7 },
      { answered: 1, risk: 0.25, minProb: 0.4 },
    ],
  },
  flip: null,
  crops: null,
  withoutDuplicates: null,
  withoutNearDuplicates: null,
  likeTraining: null,
  trainedOn: null,
  largestClass: { className: "sad", accuracy: 0.5, isBeaten: true },
};

describe("reportText", () => {
  it("says the scores with their intervals, and a dash for what is not defined", () => {
    assert.deepEqual(reportText(REPORT, "faces").split("\n"), [
      "faces: accuracy 75.0% (25.0%–100.0%), macro-F1 0.733 (0.200–1.000), 4 images: the column part of labels.csv",
      "loss 0.500, calibration error 2.0% (8.0% before calibration)",
      "sets for 90%: hold the right class of 87.5% (50.0%–100.0%), 1.50 classes (1.25–1.75); 50.0% have one class, 80.0% of these are correct",
      "accuracy 90.0% on the half with the most probable answers; area under the risk–coverage curve 0.123",
      "(in brackets: 95% interval, by a bootstrap over the images)",
      "a class has fewer than 10 images (sad: 2), so the interval of macro-F1 is too narrow",
      "",
      "class  precision  recall     F1  images",
      "sad            –   50.0%  0.625       2",
    ]);
  });

  it("says of how many groups the images are, and that few make the intervals too narrow", () => {
    const brackets = (numGroups: number) =>
      reportText({ ...REPORT, numImages: 40, numGroups }, "faces").split("\n");
    const groups =
      "(in brackets: 95% interval, by a bootstrap over groups of near-duplicates and of --group)";
    const few = "there are fewer than 10 groups, so these intervals are too narrow";
    const [first, ...others] = brackets(8);
    assert.match(first, /, 40 images in 8 groups: the column part of labels\.csv$/);
    assert.ok(others.includes(groups) && others.includes(few));
    assert.ok(brackets(10).includes(groups) && !brackets(10).includes(few));
  });

  it("says what always answering the largest class would score, if the model is not clearly better", () => {
    const largestClass = { className: "happy", accuracy: 0.8, isBeaten: false };
    assert.ok(
      reportText({ ...REPORT, largestClass }, "faces")
        .split("\n")
        .includes("always answering happy would score accuracy 80.0%: the model is not clearly better"),
    );
  });

  it("says no interval of macro-F1 if it has no width", () => {
    const intervals: EvaluationReport["intervals"] = { accuracy: [0.701, 1], macroF1: [1, 1] };
    assert.match(
      reportText({ ...REPORT, accuracy: 1, macroF1: 1, numImages: 9, numGroups: 9, intervals }, "faces"),
      /^faces: accuracy 100\.0% \(70\.1%–100\.0%\), macro-F1 1\.000, 9 images: /,
    );
  });

  it("scores without images like those of training if there are some, and once if these are the same", () => {
    const { accuracy, macroF1, intervals, ece } = REPORT;
    const scored = (numImages: number) => ({
      accuracy,
      macroF1,
      intervals,
      ece,
      numImages,
      numGroups: numImages,
    });
    const linesFor = (withoutDuplicates: number, withoutNearDuplicates: number | null) => {
      const unseen = {
        withoutDuplicates: scored(withoutDuplicates),
        withoutNearDuplicates: withoutNearDuplicates === null ? null : scored(withoutNearDuplicates),
      };
      const flip = { ...scored(4), loss: 0.5, ...unseen };
      const lines = reportText({ ...REPORT, ...unseen, flip }, "faces").split("\n");
      return lines
        .filter((one) => one.includes("of training images"))
        .map((one) => one.replace(/: acc.*, /, ": "));
    };
    assert.deepEqual(linesFor(4, 4), ["duplicates and near-duplicates of training images: none"]);
    assert.deepEqual(linesFor(4, null), ["duplicates of training images: none"]);
    assert.deepEqual(linesFor(4, 2), [
      "duplicates of training images: none",
      "without near-duplicates of training images: 2 images",
      "with mirror images, without near-duplicates of training images: 2 images",
    ]);
    assert.deepEqual(linesFor(3, 3), [
      "without duplicates and near-duplicates of training images: 3 images",
      "with mirror images, without duplicates and near-duplicates of training images: 3 images",
    ]);
    assert.deepEqual(linesFor(3, 2).slice(0, 2), [
      "without duplicates of training images: 3 images",
      "without near-duplicates of training images: 2 images",
    ]);
  });

  it("says if all images are like those of training", () => {
    const linesFor = (duplicates: number, nearDuplicates: number) =>
      reportText({ ...REPORT, numImages: 4, likeTraining: { duplicates, nearDuplicates } }, "faces")
        .split("\n")
        .filter((one) => one.startsWith("all of these"));
    assert.deepEqual(linesFor(0, 3), []);
    assert.deepEqual(linesFor(1, 4), [
      "all of these images are duplicates or near-duplicates of training images, so their scores say nothing about new ones",
    ]);
    assert.deepEqual(linesFor(4, 4), [
      "all of these images are duplicates of training images, so their scores say nothing about new ones",
    ]);
  });

  it("warns of models that have seen the images of an official split", () => {
    assert.match(
      reportText({ ...REPORT, split: "official-test" }, "faces"),
      /PrivateTest of the official split\nonly fair for a model that was trained with --split official or official-test; others/,
    );
  });
});
