import assert from "node:assert/strict";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { checkChart, checkCopies, checkNewFolder, checkOutput, type Inputs } from "../../scripts/outputs.js";
import { workspace } from "../workspace.js";

describe("checkOutput", () => {
  const folder = workspace("suite");
  const at = (...names: string[]) => names.map((name) => folder.file(name));

  before("writes inputs", () => {
    for (const name of ["images/cat", "run/best", "photos"])
      mkdirSync(folder.file(name), { recursive: true });
    for (const name of [
      "images/cat/1.png",
      "photos/face-2.png",
      "run/config.json",
      "run/chart.png",
      "other.png",
    ])
      writeFileSync(folder.file(name), name);
    writeFileSync(folder.file("images/old.svg"), "<svg/>");
    writeFileSync(folder.file("labels.csv"), "file,label\nphotos/face-2.png,cat\n");
    symlinkSync(folder.file("images"), folder.file("linked"));
  });

  const refused: [what: string, output: string, inputs: string[], found?: string][] = [
    ["an input itself", "other.png", ["other.png"]],
    ["an image in a folder of images", "images/cat/1.png", ["images"]],
    ["one through a link", "linked/cat/1.png", ["images"], "images/cat/1.png"],
    ["one of a folder that is given by a link", "images/cat/1.png", ["linked"]],
    ["an image that a table names", "photos/face-2.png", ["labels.csv"]],
    ["a page that is an input", "photos/face.png", ["photos/face-2.png"], "photos/face-2.png"],
  ];
  for (const [what, output, inputs, found = output] of refused)
    it(`refuses ${what}`, () => {
      assert.throws(() => checkOutput("--chart", folder.file(output), { data: at(...inputs) }), {
        name: "InputError",
        message: `Expected a path that is no input for --chart but found ${folder.file(found)}. Choose another name, so that the input is kept.`,
      });
    });

  for (const output of ["other.png/a.svg", "other.png/none/a.svg"])
    it(`refuses ${output}, which is below a file`, () => {
      assert.throws(() => checkOutput("--chart", folder.file(output), {}), {
        name: "InputError",
        message: `Expected a path in a folder for --chart at ${folder.file(output)} but found that ${folder.file("other.png")} is a file. Choose another path.`,
      });
    });

  it("refuses the JSON files of models and runs", () => {
    assert.throws(
      () => checkOutput("--chart", folder.file("run/config.json"), { models: at("run") }),
      /no input/,
    );
  });

  for (const [what, output, inputs] of [
    ["new files beside inputs", "images/new.png", { data: ["images"] }],
    ["an earlier drawing, which is no image that is read", "images/old.svg", { data: ["images"] }],
    ["an earlier chart of a run", "run/chart.png", { models: ["run"] }],
    ["a picture that a table does not name", "other.png", { data: ["labels.csv"] }],
    ["a file in a folder that is not there yet", "none/a.png", { data: ["images", "none"] }],
  ] as [string, string, Inputs][])
    it(`takes ${what}`, () => {
      const { data = [], models = [] } = inputs;
      const file = folder.file(output);
      assert.equal(checkOutput("--chart", file, { data: at(...data), models: at(...models) }), file);
    });
});

describe("checkCopies", () => {
  const folder = workspace("suite");
  const at = (...names: string[]) => names.map((name) => folder.file(name));
  before("writes runs", () => {
    for (const name of ["runs/a", "runs/b/a"]) mkdirSync(folder.file(name), { recursive: true });
    symlinkSync(folder.file("runs/a"), folder.file("linked"));
  });

  for (const [what, copy] of [
    ["inside of the run", "runs/a/a"],
    ["far inside of it", "runs/a/kept/more/a"],
    ["inside of it through a link", "linked/a"],
  ])
    it(`refuses a folder ${what}`, () => {
      assert.throws(() => checkCopies("--record", at(copy), at("runs/a")), {
        name: "InputError",
        message: `Expected a folder outside of runs for --record at ${folder.file(copy)} but found that it is inside of ${folder.file("runs/a")}. Choose another folder.`,
      });
    });

  it("refuses one folder for two runs", () => {
    const [a, b] = at("runs/a", "runs/b/a");
    assert.throws(() => checkCopies("--record", at("kept/a", "kept/a"), [a, b]), {
      name: "InputError",
      message: `Expected another folder for each run with --record at ${folder.file("kept/a")} but found that ${a} and ${b} have the same name. Rename one of them, or record them one by one.`,
    });
    checkCopies("--record", at("kept/a", "kept/b"), [a, b]);
  });
});

describe("checkNewFolder", () => {
  const folder = workspace("suite");

  before("writes folders", () => {
    for (const name of ["images/cat", "run/best", "empty"]) mkdirSync(folder.file(name), { recursive: true });
    for (const name of ["run/best/model.json", "run/best/a.bin", "file", "empty/.DS_Store"])
      writeFileSync(folder.file(name), "");
  });

  for (const name of ["empty", "new", "new/inner"])
    it(`takes ${name}`, () => assert.equal(checkNewFolder("--to", folder.file(name)), folder.file(name)));

  for (const [what, name, found] of [
    ["a folder of images", "images", "one that holds cat"],
    ["a run", "run", "one that holds best"],
    ["a model", "run/best", "one that holds a.bin and 1 more"],
    ["a file", "file", "a file"],
    ["a folder in a file", "file/inner", "a file above it"],
  ])
    it(`refuses ${what}`, () => {
      assert.throws(() => checkNewFolder("--to", folder.file(name)), {
        name: "InputError",
        message: `Expected a new or empty folder for --to at ${folder.file(name)} but found ${found}. Choose another folder, or remove this one first if nothing in it is needed.`,
      });
    });
});

describe("checkChart", () => {
  const folder = workspace();

  it("replaces an earlier chart, but no other JSON file", () => {
    const [chart, state] = [folder.file("chart.json"), folder.file("state.json")];
    writeFileSync(chart, '{"$schema":"https://vega.github.io/schema/vega-lite/v5.json"}');
    writeFileSync(state, '{"progress":{}}');
    assert.equal(checkChart("--chart", chart, {}), chart);
    assert.throws(() => checkChart("--chart", state, {}), {
      name: "InputError",
      message: `Expected a new file or an earlier chart for --chart at ${state} but found another JSON file. Choose another name, so that the file is kept.`,
    });
  });
});
