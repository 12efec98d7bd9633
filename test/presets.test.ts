import assert from "node:assert/strict";
import { type Overrides, PRESETS, trainConfig } from "../src/presets.js";
import { readProjectFile } from "./source-files.js";

describe("trainConfig", () => {
  it("accepts every preset", () => {
    for (const name of Object.keys(PRESETS)) assert.equal(trainConfig(name).variant, "lite0");
  });

  it("is the recipe to compare with in `baseline`", () => {
    const { batchSize, epochs, learningRate, weightDecay, schedule, imageSize, augment } =
      trainConfig("baseline");
    assert.deepEqual(
      [batchSize, epochs, learningRate, weightDecay, schedule, imageSize],
      [32, 15, 1e-3, 0, "constant", 48],
    );
    assert.deepEqual([augment.horizontalFlip, augment.rotation], [0.5, 20]);
  });

  it("replaces single values, also inside the augmentation", () => {
    const config = trainConfig("baseline", { epochs: 3, augment: { rotation: 5 } });
    assert.deepEqual([config.epochs, config.augment.rotation, config.augment.horizontalFlip], [3, 5, 0.5]);
  });

  it("replaces options of the augmentation by their own names", () => {
    const { augment } = trainConfig("baseline", { horizontalFlip: 0, rotation: null });
    assert.deepEqual([augment.horizontalFlip, augment.rotation], [0, 20]);
    const dotted = { "augment.rotation": 3 } as Overrides; // as `--set augment.rotation=3` gives it
    assert.equal(trainConfig("baseline", dotted).augment.rotation, 3);
  });

  it("refuses an augmentation without names", () => {
    for (const [augment, shown] of [
      [3, "3 of type number"],
      ["rotation=3", "rotation=3 of type string"],
      [[3], "[3] of type array"],
    ])
      assert.throws(() => trainConfig("baseline", { augment } as unknown as Overrides), {
        message: `Expected augmentation options by name, as in --set 'augment={"rotation":10,"zoom":[0.9,1.1]}', for augment but received ${shown}`,
      });
  });

  it("compares epochs by macro-F1 with balanced class weights, unless another score is chosen", () => {
    assert.equal(trainConfig("baseline").monitor, "accuracy");
    assert.equal(trainConfig("baseline", { classWeights: "balanced" }).monitor, "macroF1");
    assert.equal(trainConfig("baseline", { classWeights: "balanced", monitor: "loss" }).monitor, "loss");
  });

  it("shares no list with a preset, another configuration or the caller", () => {
    const teachers = ["runs/a/best"];
    const config = trainConfig("tutorial", { teachers });
    config.teachers.push("runs/b/best");
    config.augment.zoom[0] = 0.5;
    assert.deepEqual(teachers, ["runs/a/best"]);
    const { teachers: none, augment } = trainConfig("tutorial");
    assert.deepEqual([none, augment.zoom], [[], [0.9, 1.1]]);
    assert.throws(() => PRESETS.baseline.teachers.push("runs/b/best"), TypeError);
    assert.throws(() => {
      PRESETS.tutorial.augment.zoom[0] = 0.5;
    }, TypeError);
  });

  it("takes options by name only", () => {
    for (const [given, shown] of [
      [null, "null of type object"],
      ["epochs=3", "epochs=3 of type string"],
      [["epochs"], '["epochs"] of type array'],
    ])
      assert.throws(() => trainConfig("tutorial", given as unknown as Overrides), {
        name: "ParameterError",
        message: `Expected options by name, as in { epochs: 3 }, for overrides but received ${shown}`,
      });
  });

  it("keeps the preset's value for null", () => {
    assert.deepEqual(trainConfig("baseline", { epochs: null, variant: null }), trainConfig("baseline"));
  });

  const cases: [Record<string, unknown>, string][] = [
    [{ epochs: -1 }, "Expected an integer ≥ 1 for epochs but received -1 of type number"],
    [
      { learningRate: Number.NaN },
      "Expected a number in [0, 10] for learningRate but received NaN of type number",
    ],
    [{ learningRate: 0 }, "Expected a number > 0 for learningRate but received 0 of type number"],
    [{ labelSmoothing: 1 }, "Expected a number in [0, 1) for labelSmoothing but received 1 of type number"],
    [
      { weights: 3 },
      "Expected imagenet, random, or a path of weights for weights but received 3 of type number",
    ],
    [
      { weights: "" },
      'Expected imagenet, random, or a path of weights for weights but received "" of type string',
    ],
    [
      { weights: {} },
      "Expected imagenet, random, or a path of weights for weights but received {} of type object",
    ],
    [{ imageSize: 16 }, "Expected an integer in [33, 1024] for imageSize but received 16 of type number"],
    [{ headEpochs: 99 }, "Expected an integer in [0, 15] for headEpochs but received 99 of type number"],
    [{ schedule: "step" }, "Expected one of cosine, constant for schedule but received step of type string"],
    [
      { learningrate: 1 },
      "Did you mean learningRate? Expected a known name for a training option but received learningrate of type string",
    ],
    [
      { num_epochs: 1 },
      "Did you mean epochs? Expected a known name for a training option but received num_epochs of type string",
    ],
  ];
  for (const [overrides, message] of cases)
    it(`refuses ${JSON.stringify(overrides)}`, () => {
      assert.throws(() => trainConfig("baseline", overrides as Overrides), {
        name: "ParameterError",
        message,
      });
    });

  for (const [name, flag, option] of [
    ["validationShare", "--validation-share", "validationShare"],
    ["validation-share", "--validation-share", "validationShare"],
    ["leave_out", "--leave-out", "leaveOut"],
    ["dropLeaked", "--drop-leaked", "dropLeaked"],
    ["group", "--group", "group"],
    ["split", "--split", "split"],
  ])
    it(`says that ${name} is an option of the data set`, () => {
      assert.throws(() => trainConfig("baseline", { [name]: 0.3 } as Overrides), {
        name: "InputError",
        message: `Expected the name of a training option but found ${name}, which is an option of the data set. Choose it with ${flag}, or in a program as ${option} of loadDataset.`,
      });
    });

  it("names the presets when it refuses another", () => {
    assert.throws(() => trainConfig("quick"), {
      message:
        "Expected one of baseline, tutorial, fer2013, fer2013-best, fer2013-fast for preset but received quick of type string",
    });
  });
});

describe("docs/presets.md", () => {
  it("has the values of every preset", () => {
    const [, differing, same] = readProjectFile("docs/presets.md").split(/^## .*$/m);
    const rowsOf = (text: string) =>
      [...text.matchAll(/^\| (.+) \|$/gm)].map(([, row]) => row.split("|").map((cell) => cell.trim()));
    const [[, ...names], , ...rows] = rowsOf(differing);
    const listed = names.map((name, column) => {
      const own = rows.map(([setting, ...values]) => [setting, values[column]]);
      return [name, Object.fromEntries([...own, ...rowsOf(same).slice(2)])];
    });
    const expected = Object.entries(PRESETS).map(([name, { augment, ...settings }]) => {
      const values = Object.entries({ ...settings, ...augment }).map(([setting, value]) => [
        `\`${setting}\``,
        typeof value === "string" ? value : JSON.stringify(value).replaceAll(",", ", "),
      ]);
      return [`\`${name}\``, Object.fromEntries(values)];
    });
    assert.deepEqual(Object.fromEntries(listed), Object.fromEntries(expected));
  });
});
