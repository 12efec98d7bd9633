import assert from "node:assert/strict";
import { writeRunReport } from "../src/charts/run-report.js";
import { loadDataset } from "../src/data/load.js";
import {
  checkChoice,
  checkNumber,
  checkPath,
  InputError,
  ParameterError,
  suggestion,
} from "../src/errors.js";
import { loadModel } from "../src/model/weights/model-folder.js";
import { saveLatestRun } from "../src/show/state.js";
import { bestModelDir } from "../src/training/best-model.js";
import { loadMetrics } from "../src/training/metrics-log.js";
import { loadRuns } from "../src/training/runs.js";

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

describe("suggestion", () => {
  it("finds the choice that a mistyped word means, if one is near", () => {
    const names = ["epochs", "learningRate", "batchSize"];
    assert.equal(suggestion("epoch", names), "epochs");
    assert.equal(suggestion("learningrate", names), "learningRate");
    assert.equal(suggestion("bathcSize", names), "batchSize");
    assert.equal(suggestion("momentum", names), undefined);
    assert.equal(suggestion("x", []), undefined);
    assert.throws(() => checkChoice("n", "epoch", names), {
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
