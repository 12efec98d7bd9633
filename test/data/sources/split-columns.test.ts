import assert from "node:assert/strict";
import { walkFolder } from "../../../src/data/sources/files.js";
import type { LabelChoice } from "../../../src/data/sources/label-columns.js";
import { readLabelTables } from "../../../src/data/sources/tables.js";
import { temporaryFolder, writeFiles } from "../fixtures.js";

describe("splitColumns", () => {
  const inFolder = temporaryFolder();
  /** Reads a table whose rows each have a label and what is given, and returns the parts and the notes. */
  const read = (header: string, values: string[], choice: LabelChoice = {}, label = "label") => {
    const files = Object.fromEntries(values.map((_, i) => [`${i + 1}.jpg`, "x"]));
    const rows = values.map((value, i) => `${i + 1}.jpg,${["cat", "dog"][i % 2]},${value}\n`);
    const dir = writeFiles(inFolder("data"), {
      ...files,
      "t.csv": `file,${label},${header}\n${rows.join("")}`,
    });
    const listing = readLabelTables(walkFolder(dir), dir, choice);
    const parts = listing?.samples.map(({ className, split }) =>
      /^(cat|dog)$/.test(className) ? split : className,
    );
    return [parts?.join(), ...(listing?.notes ?? [])];
  };

  it("reads columns of 0 and 1 that are named for a part, and says how", () => {
    const note = (name: string, part: string, rest: string) =>
      `The column ${name} of t.csv is read as the split: 1 in ${name} is ${part}, and 0 is ${rest}.`;
    for (const name of ["is_test", "isTest", "IS_TEST", "test", "in_test_set"])
      assert.deepEqual(read(name, ["0", "0", "1"]), ["train,train,test", note(name, "test", "train")]);
    for (const name of ["is_train", "train", "Training", "is_training"])
      assert.deepEqual(read(name, ["True", "False", "True"]), [
        "train,validation,train",
        note(name, "train", "validation"),
      ]);
    assert.deepEqual(read("is_valid", ["0", "1", ""]), [
      "train,validation,",
      "Images without a part of the split in t.csv, which are not used: 1.",
    ]);
    for (const name of ["invalid", "is_cat", "latest"])
      assert.deepEqual(read(name, ["0", "1", "0"]), [",,"], name);
  });

  it("reads several such columns together", () => {
    assert.deepEqual(read("train,val,test", ["1,0,0", "0,1,0", "0,0,1"]), [
      "train,validation,test",
      "The columns train, val, test of t.csv are read as the split: 1 in train is train, 1 in val is validation, 1 in test is test, and 0 in all is no part.",
    ]);
    assert.deepEqual(read("is_valid,is_test", ["0,0", "1,0", "0,1"])[0], "train,validation,test");
    assert.throws(() => read("is_valid,is_test", ["0,0", "1,0", "1,1"]), {
      name: "InputError",
      message: `Expected each image in one part of the split at ${inFolder("data", "t.csv")} but found 3.jpg in validation and test. Fix its row, or rename the columns, so that they are not read as a split.`,
    });
  });

  it("reads a column of another name whose values are all names of parts, and says so", () => {
    for (const name of ["data_split", "fold", "train_test", "kind", "type"])
      assert.deepEqual(read(name, ["train", "val", "train"]), [
        "train,validation,train",
        `The column ${name} of t.csv is read as the split, since all of its values name parts.`,
      ]);
    assert.deepEqual(read("", ["train", "val", "train"]), [
      "train,validation,train",
      "Column 3 of t.csv is read as the split, since all of its values name parts.",
    ]);
    assert.deepEqual(read("kind", ["train", "val", "train"], {}, "animal")[0], "train,validation,train");
  });

  it("keeps classes that are named as parts", () => {
    assert.deepEqual(read("age", ["1", "2", "3"], {}, "label")[0], ",,");
    const labels = ["train", "test", "train"];
    assert.deepEqual(read("target", labels, { labelColumn: "target" })[0], "train,test,train");
    assert.deepEqual(
      read("train,bus", ["1,0", "0,1", "1,0"], { labelColumn: "train,bus" })[0],
      "train,bus,train",
    );
  });

  it("says which column may be the split and is not read", () => {
    const note = (name: string, values: string, some = "its") =>
      `The column ${name} of t.csv is not read as a split, since ${some} values name no part: ${values}.`;
    assert.deepEqual(read("fold", ["0", "1", "2"]), [",,", note("fold", "0, 1, 2")]);
    assert.deepEqual(read("test", ["0", "1", "2"]), [",,", note("test", "0, 1, 2")]);
    assert.deepEqual(read("kind", ["train", "val", "other"]), [",,", note("kind", "other", "some of its")]);
  });

  it("takes the usual name before others, and says where they differ", () => {
    assert.deepEqual(read("fold,split", ["val,train", "train,val", "val,train"]), [
      "train,validation,train",
      "The column fold of t.csv has another split than the column split, as for 1.jpg. The column split is used.",
    ]);
    assert.deepEqual(read("fold,split", ["train,train", "val,val", "train,train"]), [
      "train,validation,train",
    ]);
  });
});
