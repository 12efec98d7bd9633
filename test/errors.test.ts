import assert from "node:assert/strict";
import { writeRunReport } from "../src/charts/run-report.js";
import { epochTable } from "../src/charts/tables.js";
import { epochMetricsChart } from "../src/charts/training.js";
import { findNearDuplicates } from "../src/data/audit/near-duplicates.js";
import { loadDataset } from "../src/data/load.js";
import { measureMatrixProduct } from "../src/engine/device.js";
import {
  checkChoice,
  checkLocal,
  checkNumber,
  checkPath,
  InputError,
  ParameterError,
  suggestion,
} from "../src/errors.js";
import { predictFaces } from "../src/faces/predict.js";
import { loadClassifier } from "../src/inference/classifier.js";
import { evaluate } from "../src/inference/evaluate.js";
import { loadEvaluationData } from "../src/inference/held-out.js";
import { loadModel } from "../src/model/weights/model-folder.js";
import { trainConfig } from "../src/presets.js";
import { augmentedChart, evaluatedImages, photosChart } from "../src/show/pictures.js";
import { saveLatestRun } from "../src/show/state.js";
import { bestModelDir } from "../src/training/best-model.js";
import { ofType } from "../src/training/events.js";
import { findLearningRate } from "../src/training/find-learning-rate.js";
import { loadMetrics } from "../src/training/metrics-log.js";
import { loadRuns } from "../src/training/runs.js";
import { train } from "../src/training/train.js";

describe("checkNumber", () => {
  it("returns a number within its range", () => {
    assert.equal(checkNumber("batchSize", 32, { min: 1, integer: true }), 32);
    assert.equal(checkNumber("share", 0, { min: 0, max: 1, exclusiveMax: true }), 0);
  });

  const cases: [unknown, Parameters<typeof checkNumber>[2], string][] = [
    [-1, { min: 1, integer: true }, "Expected an integer ≥ 1 for n but received -1 of type number"],
    [Number.NaN, {}, "Expected a finite number for n but received NaN of type number"],
    [
      1,
      { min: 0, max: 1, exclusiveMax: true },
      "Expected a number in [0, 1) for n but received 1 of type number",
    ],
    [1.5, { integer: true }, "Expected an integer for n but received 1.5 of type number"],
    ["3", { max: 5 }, "Expected a number ≤ 5 for n but received 3 of type string"],
  ];
  for (const [value, range, message] of cases)
    it(`refuses ${JSON.stringify(value)} of ${JSON.stringify(range)}`, () => {
      assert.throws(() => checkNumber("n", value, range), { name: "ParameterError", message });
    });
});

describe("checkChoice", () => {
  it("names the choices", () => {
    assert.equal(checkChoice("preset", "baseline", ["baseline", "tutorial"]), "baseline");
    assert.throws(() => checkChoice("preset", "quick", ["baseline", "tutorial"]), {
      message: "Expected one of baseline, tutorial for preset but received quick of type string",
    });
  });
});

describe("checkPath", () => {
  it("refuses an empty text, which would be the working folder", () => {
    assert.equal(checkPath("runDir", "runs/a"), "runs/a");
    for (const [value, shown] of [
      ["", '"" of type string'],
      [undefined, "undefined of type undefined"],
      [3, "3 of type number"],
    ])
      assert.throws(() => checkPath("runDir", value), {
        name: "ParameterError",
        message: `Expected a path for runDir but received ${shown}`,
      });
  });

  it("is asked by all that takes a folder", async () => {
    const refused = (name: string) => ({
      name: "ParameterError",
      message: `Expected a path for ${name} but received "" of type string`,
    });
    const data = { data: "a", imageSize: 8 };
    await assert.rejects(loadDataset({ ...data, data: "" }), refused("data"));
    for (const name of ["labels", "trainFolder", "validationFolder"])
      await assert.rejects(loadDataset({ ...data, [name]: "" }), refused(name));
    await assert.rejects(loadModel(""), refused("dir"));
    await assert.rejects(loadRuns(""), refused("folder"));
    for (const takesRun of [loadMetrics, writeRunReport, saveLatestRun])
      await assert.rejects(takesRun(""), refused("runDir"));
    assert.throws(() => bestModelDir(""), refused("runDir"));
  });
});

describe("checkLocal", () => {
  it("refuses addresses, and the hyphen for standard input", async () => {
    for (const path of ["a.jpg", "./-", "C:/a", "-x"]) assert.equal(checkLocal(path), path);
    const refused = (found: string, fix: string) => ({
      name: "InputError",
      message: `Expected a path on this computer but found ${found}. ${fix}`,
    });
    const address = "s3://bucket/images";
    const download = refused(`the address ${address}`, "Download it, and choose the file.");
    assert.throws(() => checkLocal(address), download);
    for (const [file, fix] of [
      ["file:///home/ada/my%20cat.jpg", "Choose it as a path, /home/ada/my cat.jpg."],
      ["FILE://localhost/home/ada/1.jpg", "Choose it as a path, /home/ada/1.jpg."],
      ["file://server/1.jpg", "Download it, and choose the file."],
    ])
      assert.throws(() => checkLocal(file), refused(`the address ${file}`, fix));
    await assert.rejects(loadDataset({ data: address, imageSize: 8 }), download);
    await assert.rejects(loadModel(address), download);
    assert.throws(
      () => checkLocal("-"),
      refused("-, for standard input or output", "Choose a file, or write ./- for one of this name."),
    );
  });
});

describe("an argument of another kind, from a program without types,", () => {
  const other = (value: unknown) => value as never;
  const refused = (message: string) => ({ name: "ParameterError", message });

  it("is refused by functions that take networks, images, data sets and events", async () => {
    const dataset = { classNames: ["a"], train: {}, validation: {} };
    const network = "a network, as loadModel returns it and classifier.network is one, for network";
    const images = "the images of a split, such as dataset.validation, for images";
    class Classifier {}
    await assert.rejects(
      evaluate(other(new Classifier()), other(dataset)),
      refused(`Expected ${network} but received a Classifier of type object`),
    );
    const likeNetwork = { config: {}, read: () => {}, logits: () => {} };
    await assert.rejects(
      evaluate(other(likeNetwork), other({ train: 1 })),
      refused(`Expected ${images} but received {"train":1} of type object`),
    );
    await assert.rejects(
      findNearDuplicates(other("data")),
      refused(
        "Expected a list of the images of splits, such as [dataset.train], for splits but received data of type string",
      ),
    );
    await assert.rejects(
      train(other("data"), trainConfig("tutorial"), { runDir: "a", data: "b" }).next(),
      refused("Expected a data set, as loadDataset returns it, for dataset but received data of type string"),
    );
    const pixels = new Uint8Array(48);
    const packed = {
      pixels,
      labels: Int32Array.of(0),
      numImages: 1,
      paths: ["a"],
      imageSize: 4,
      numChannels: 3,
    };
    const augmented = { augment: {}, numRows: 1 };
    const options = "Expected { augment, numVersions, numRows, seed }, for options but received";
    await assert.rejects(
      augmentedChart(other({ classNames: ["a"], train: packed, validation: packed }), other(augmented)),
      refused(`${options} {"augment":{},"numRows":1} of type object`),
    );
    const evaluation = other({ predicted: [], probs: [] });
    await assert.rejects(
      evaluatedImages(other(packed), evaluation, other("a"), other({ numImages: 1, seed: 0 })),
      refused("Expected a list of names of classes, for classNames but received a of type string"),
    );
    await assert.rejects(
      evaluatedImages(other(packed), evaluation, ["a"], other({ seed: 0 })),
      refused(
        'Expected { numImages } with a seed or an order, for choice but received {"seed":0} of type object',
      ),
    );
    await assert.rejects(
      photosChart(other("photo.jpg")),
      refused("Expected what predictFaces yields for photos but received photo.jpg of type string"),
    );
    await assert.rejects(
      loadEvaluationData("models/fer2013", other(undefined)),
      refused(
        "Expected the path of the images, as { data }, for options but received undefined of type undefined",
      ),
    );
    assert.throws(
      () => measureMatrixProduct(other(undefined)),
      refused("Expected { side, repeats }, for options but received undefined of type undefined"),
    );
    const events = (of: string) => `Expected ${of}, for events but received runs/a of type string`;
    assert.throws(
      () => ofType(other("runs/a"), "epoch"),
      refused(events("the events of a run, as loadMetrics returns them")),
    );
    for (const takesEpochs of [epochMetricsChart, epochTable])
      assert.throws(
        () => takesEpochs(other("runs/a")),
        refused(events('the epochs of a run, as ofType(events, "epoch") returns them')),
      );
  });
});

describe("an option of another name, from a program without types,", () => {
  it("is refused by each function that takes options", async () => {
    const options = (value: object) => value as never;
    const names = (known: string, found: string, hint = "") => ({
      name: "ParameterError",
      message: `${hint}Expected ${known} for the name of an option but received ${found} of type string`,
    });
    await assert.rejects(
      loadDataset(options({ data: "a", imageSize: 8, validation_split: 0.5 })),
      names("a known name", "validation_split", "Did you mean validationShare? "),
    );
    const images = {
      pixels: new Uint8Array(48),
      labels: Int32Array.of(0),
      numImages: 1,
      paths: ["a"],
      imageSize: 4,
      numChannels: 3,
    };
    const network = options({ config: {}, read: () => {}, logits: () => {} });
    await assert.rejects(
      evaluate(network, options(images), options({ flip: true })),
      names("one of values, views, onProgress, signal", "flip"),
    );
    await assert.rejects(loadClassifier("fer2013", options({ crops: true })), names("one of views", "crops"));
    const dataset = options({ classNames: ["a"], train: images, validation: images });
    const config = trainConfig("tutorial");
    const run = { runDir: "a", data: "b" };
    await assert.rejects(
      train(dataset, config, options({ ...run, abort: 1 })).next(),
      names("one of runDir, data, signal, onProgress", "abort"),
    );
    const misspelt = options({ ...config, epoch: 1 });
    for (const takesConfig of [
      () => train(dataset, misspelt, run).next(),
      () => findLearningRate(dataset, misspelt),
    ])
      await assert.rejects(takesConfig, names("a known name", "epoch", "Did you mean epochs? "));
    await assert.rejects(
      findLearningRate(dataset, config, options({ numSteps: 1 })),
      names("one of from, to, numBatches, phase, signal, onProgress", "numSteps"),
    );
    await assert.rejects(
      predictFaces(options({ predictPixels: () => {} }), "a.jpg", options({ top: 1 })).next(),
      names("one of onError, keepCrops", "top"),
    );
  });
});

describe("suggestion", () => {
  it("finds the choice that a mistyped word means, if one is near", () => {
    const names = ["epochs", "learningRate", "batchSize"];
    assert.equal(suggestion("epoch", names), "epochs");
    assert.equal(suggestion("learningrate", names), "learningRate");
    assert.equal(suggestion("bathcSize", names), "batchSize");
    assert.equal(suggestion("momentum", names), undefined);
    assert.equal(suggestion("x", []), undefined);
  });

  it("finds the only choice with a word of a name", () => {
    const names = [
      "weights",
      "weightsFamily",
      "classWeights",
      "horizontalFlip",
      "rotation",
      "imageSize",
      "batchSize",
    ];
    assert.equal(suggestion("flip", names), "horizontalFlip");
    assert.equal(suggestion("fliip", names), "horizontalFlip");
    assert.equal(suggestion("augment.rotate", names), "rotation");
    assert.equal(suggestion("initialWeights", names), "weights");
    assert.equal(suggestion("size", names), undefined); // images and batches have a size
    assert.equal(suggestion("lips", names), undefined);
    assert.throws(() => checkChoice("n", "epoch", ["epochs", "learningRate", "batchSize"]), {
      message:
        "Did you mean epochs? Expected one of epochs, learningRate, batchSize for n but received epoch of type string",
    });
  });
});

describe("ParameterError", () => {
  it("shows what is inside an object", () => {
    assert.equal(
      new ParameterError("x", "a number", { 10: 10 }).message,
      'Expected a number for x but received {"10":10} of type object',
    );
    assert.equal(
      new ParameterError("x", "a number", [1, 2]).message,
      "Expected a number for x but received [1,2] of type array",
    );
  });

  it("shortens what is long, and names the kind of what JSON does not show", () => {
    const shown = (value: unknown) =>
      /received (.*) of type/.exec(new ParameterError("x", "y", value).message)?.[1];
    assert.equal(shown(new Array(200).fill(1)), `[${"1,".repeat(99)}1…`);
    assert.equal(shown(new Map([[1, 2]])), "a Map");
    assert.equal(shown(Int32Array.of(1)), "an Int32Array");
    assert.equal(shown(Math.max), "the function max");
  });
});

describe("InputError", () => {
  it("names what was expected, where, what was found, and what to do", () => {
    const error = new InputError({
      expected: "a folder",
      where: "/x",
      found: "no such path",
      fix: "Check the path.",
    });
    assert.equal(error.message, "Expected a folder at /x but found no such path. Check the path.");
    assert.equal(
      new InputError({ expected: "two classes", found: "one" }).message,
      "Expected two classes but found one.",
    );
  });
});
