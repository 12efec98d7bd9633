import assert from "node:assert/strict";
import path from "node:path";
import {
  callerPath,
  collectAssignments,
  dataSource,
  numberFor,
  printData,
  scoredModelFolder,
} from "../../scripts/options.js";
import { printedLines } from "../workspace.js";

describe("collectAssignments", () => {
  it("gathers values one after another, a later one in place of an earlier", () => {
    const given = ["epochs=3", "weights=random", "epochs=5"];
    assert.deepEqual(
      given.reduce<Record<string, unknown>>((all, text) => collectAssignments(text, all), {}),
      { epochs: 5, weights: "random" },
    );
  });

  const cases: [string, unknown][] = [
    ["x=1e-3", 0.001],
    ["x=.001", 0.001],
    ["x=-5.", -5],
    ["x=.", "."],
    ["x=./5", "./5"],
    ["x=true", true],
    ["x=null", null],
    ['x={"rotation": 5}', { rotation: 5 }],
    ["x=[1,2]", [1, 2]],
    ['x="3"', "3"],
    ["x=imagenet", "imagenet"],
    ["x=NaN", "NaN"],
    ["x=a=b", "a=b"],
    ["x=", ""],
  ];
  for (const [text, value] of cases)
    it(`reads ${text} as ${JSON.stringify(value)}`, () => {
      assert.deepEqual(collectAssignments(text), { x: value });
    });

  for (const text of ["epochs", "=3", ""])
    it(`refuses ${JSON.stringify(text)}`, () => {
      assert.throws(() => collectAssignments(text), {
        name: "InputError",
        message: `Expected name=value for --set but found ${text || "nothing"}. Write for example --set epochs=3.`,
      });
    });

  it("takes __proto__ as a name like any other", () => {
    const assigned = collectAssignments("__proto__=1");
    assert.deepEqual(Object.keys(assigned), ["__proto__"]);
    assert.equal(Object.getPrototypeOf(assigned), Object.prototype);
  });
});

describe("numberFor", () => {
  for (const [text, value] of [
    ["3", 3],
    ["-0.5", -0.5],
    [" 1e3 ", 1000],
  ] as const)
    it(`reads ${JSON.stringify(text)}`, () => assert.equal(numberFor("--top")(text), value));

  for (const text of ["abc", "NaN", "Infinity", "3 classes", "", "  "])
    it(`refuses ${JSON.stringify(text)}`, () => {
      assert.throws(() => numberFor("--top")(text), {
        name: "InputError",
        message: `Expected a number for --top but found ${text.trim() || "nothing"}.`,
      });
    });
});

describe("callerPath", () => {
  const saved = process.env.INIT_CWD;
  afterEach(() => {
    if (saved === undefined) delete process.env.INIT_CWD;
    else process.env.INIT_CWD = saved;
  });

  it("counts from where npm was called", () => {
    process.env.INIT_CWD = "/home/caller";
    assert.equal(callerPath("images"), "/home/caller/images");
  });

  it("counts from the current folder without npm", () => {
    delete process.env.INIT_CWD;
    assert.equal(callerPath("images"), path.join(process.cwd(), "images"));
  });

  it("leaves an absolute path as it is", () => {
    process.env.INIT_CWD = "/home/caller";
    assert.equal(callerPath("/images"), "/images");
  });

  it("leaves the sources that have a name as they are", () => {
    process.env.INIT_CWD = "/home/caller";
    assert.deepEqual(["synthetic", "fer2013", "faces"].map(dataSource), [
      "synthetic",
      "fer2013",
      "/home/caller/faces",
    ]);
  });
});

describe("scoredModelFolder", () => {
  printedLines("error"); // which model it is
  const folderOf = (flags: Parameters<typeof scoredModelFolder>[0]) =>
    path.relative(path.join(__dirname, "../.."), scoredModelFolder(flags));

  const cases: [string, Parameters<typeof scoredModelFolder>[0], string][] = [
    ["the votes' majority", { labels: "ferplus" }, "models/ferplus"],
    ["the votes", { labels: "ferplus-soft" }, "models/ferplus"],
    ["the folders", { labels: "folders" }, "models/fer2013"],
    ["a table", { labels: "ferplus.csv" }, "models/fer2013"],
    ["no labels", {}, "models/fer2013"],
    ["a bundled model's name", { model: "fer2013", labels: "ferplus" }, "models/fer2013"],
  ];
  for (const [what, flags, folder] of cases)
    it(`is ${folder} for ${what}`, () => assert.equal(folderOf(flags), folder));

  it("is the folder that is given otherwise", () => {
    assert.equal(scoredModelFolder({ model: "runs/a/best" }), callerPath("runs/a/best"));
    assert.equal(scoredModelFolder({ model: "./ferplus" }), callerPath("ferplus"));
  });
});

describe("printData", () => {
  const printed = printedLines("error");
  const numImages = { train: 8, validation: 2 };

  it("says that a share has no effect on a data set with a split of its own", () => {
    const flags = { data: "a", validationShare: 0.5 };
    printData(flags, { numImages, split: "held-out" });
    printData({ data: "a" }, { numImages, split: "folders" });
    assert.deepEqual(printed, []);
    printData(flags, { numImages, split: "folders" });
    assert.deepEqual(printed, [
      "note: --validation-share has no effect, since the data set has a split of its own; --fold 1/5 validates on a part of its training images",
    ]);
  });
});
