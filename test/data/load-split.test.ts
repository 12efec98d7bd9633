import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { loadDataset } from "../../src/data/load.js";
import { drawImages, temporaryFolder, writeFiles } from "./fixtures.js";

describe("loadDataset", () => {
  const inFolder = temporaryFolder();
  const data = () => inFolder("data");
  const load = () => loadDataset({ data: data(), imageSize: 1 });

  const IN_COLUMN = "image,what,part\n1.png,a,train\n2.png,b,train\n3.png,a,val\n4.png,b,val\n5.png,a,test\n";
  const COLUMN = "the column part of labels.csv";
  const byPart = (part: string, ...names: string[]) => names.map((name) => `${part}${name}`);
  for (const [name, images, tables, splitBy, unused] of [
    ["a column", byPart("my/", "1", "2", "3", "4", "5"), { "labels.csv": IN_COLUMN }, COLUMN, []],
    [
      "a column of a table beside class folders",
      ["a/1", "b/2", "a/3", "b/4", "a/5"],
      { "labels.csv": IN_COLUMN.replaceAll("what,", "").replaceAll(/,[ab],/g, ",") },
      COLUMN,
      [],
    ],
    [
      "a column that has a folder for itself in its test part",
      ["a/1", "b/2", "a/3", "b/4", "a/late/5"],
      { "labels.csv": IN_COLUMN },
      COLUMN,
      ["a/late"],
    ],
    [
      "tables that are each for a part",
      byPart("my/", "1", "2", "3", "4"),
      { "train.csv": "image,what\n1.png,a\n2.png,b\n", "val.csv": "image,what\n3.png,a\n4.png,b\n" },
      "the table val.csv",
      [],
    ],
    [
      "the names of the files",
      ["my/train_1", "my/train_2", "my/val_3", "my/val_4"],
      { "labels.csv": "image,what\ntrain_1.png,a\ntrain_2.png,b\nval_3.png,a\nval_4.png,b\n" },
      "the names of the files",
      [],
    ],
    ["a folder for tests", ["train/a/1", "train/b/2", "Test/a/3", "Test/b/4"], {}, "the folder Test", []],
    [
      "folders in the class folders",
      ["a/train/1", "b/train/2", "a/val/3", "b/val/4", "a/test/5", "b/test/6"],
      {},
      "the folders for validation",
      ["a/test", "b/test"],
    ],
  ] as const)
    it(`names what has the split: ${name}`, async () => {
      const files = images.map((image, i) => [`${image}.png`, `#${String(i + 1).repeat(6)}`]);
      await drawImages(data(), Object.fromEntries(files));
      writeFiles(data(), tables);
      const { report, ...dataset } = await load();
      assert.deepEqual([report.split, report.splitBy, report.unusedFolders], ["folders", splitBy, unused]);
      assert.equal(dataset.splitBy, splitBy);
    });

  it("names nothing for a share that was held out", async () => {
    await drawImages(data(), {
      "a/1.png": "#111111",
      "a/2.png": "#222222",
      "b/1.png": "#333333",
      "b/2.png": "#444444",
    });
    const { report, splitBy } = await load();
    assert.deepEqual([report.split, report.splitBy, splitBy], ["held-out", null, undefined]);
  });

  it("names the option that leaves the split of lists or a column unread", async () => {
    const files = ["cat/1.png", "dog/2.png", "owl/3.png"];
    await drawImages(data(), Object.fromEntries(files.map((file, i) => [file, `#${i}0${i}040`])));
    const refused = (by: string) => ({
      name: "InputError",
      message: `Expected the same classes in train and validation at ${data()} but found cat, dog only in train and owl only in validation. Fix ${by}, or leave it unread with --split-column none.`,
    });
    writeFiles(data(), { "train.txt": "cat/1.png\ndog/2.png\n", "test.txt": "owl/3.png\n" });
    await assert.rejects(load(), refused("the list of each part (test.txt, train.txt)"));
    for (const list of ["train.txt", "test.txt"]) rmSync(inFolder("data", list));
    writeFiles(data(), { "a.csv": "file,split\ncat/1.png,train\ndog/2.png,train\nowl/3.png,val\n" });
    await assert.rejects(load(), refused("the column split of a.csv"));
  });
});
