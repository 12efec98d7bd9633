import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { walkFolder } from "../../../../src/data/sources/files.js";
import { readSource, type SourceOptions } from "../../../../src/data/sources/source.js";
import type { LabelChoice } from "../../../../src/data/sources/tables/label-columns.js";
import { readLabelTables } from "../../../../src/data/sources/tables/label-tables.js";
import { temporaryFolder, writeFiles } from "../../fixtures.js";

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
    const listing = readLabelTables(walkFolder(dir), choice);
    const parts = listing?.samples.map(({ className, split }) =>
      /^(cat|dog)$/.test(className) ? split : className,
    );
    return [parts?.join(), ...(listing?.notes ?? [])];
  };

  it("reads columns of 0 and 1 that are named for a part, and says how", () => {
    const note = (name: string, part: string, rest: string) =>
      `The column ${name} of t.csv is read as the split: 1 in ${name} is ${part}, and 0 is ${rest} (--split-column none leaves it unread).`;
    for (const name of ["is_test", "isTest", "IS_TEST", "test", "in_test_set"])
      assert.deepEqual(read(name, ["0", "0", "1"]), ["train,train,test", note(name, "test", "train")]);
    for (const name of ["is_train", "train", "Training", "is_training"])
      assert.deepEqual(read(name, ["True", "False", "True"]), [
        "train,validation,train",
        note(name, "train", "validation"),
      ]);
    assert.deepEqual(read("is_valid", ["0", "1", ""]), [
      "train,validation,",
      note("is_valid", "validation", "train"),
      "Images without a part of the split in t.csv, which are not used: 1.",
    ]);
    for (const name of ["invalid", "is_cat", "latest"])
      assert.deepEqual(read(name, ["0", "1", "0"]), [",,"], name);
  });

  it("reads several such columns together", () => {
    assert.deepEqual(read("train,val,test", ["1,0,0", "0,1,0", "0,0,1"]), [
      "train,validation,test",
      "The columns train, val, test of t.csv are read as the split: 1 in train is train, 1 in val is validation, 1 in test is test, and 0 in all is no part (--split-column none leaves them unread).",
    ]);
    assert.deepEqual(read("is_valid,is_test", ["0,0", "1,0", "0,1"])[0], "train,validation,test");
    assert.throws(() => read("is_valid,is_test", ["0,0", "1,0", "1,1"]), {
      name: "InputError",
      message: `Expected each image in one part of the split at ${inFolder("data", "t.csv")} but found 3.jpg in validation and test. Fix its row, or leave the columns unread with --split-column none.`,
    });
  });

  it("reads a column of another name whose values are all names of parts, and says so", () => {
    for (const name of ["data_split", "fold", "train_test", "kind", "type"])
      assert.deepEqual(read(name, ["train", "val", "train"]), [
        "train,validation,train",
        `The column ${name} of t.csv is read as the split, since all of its values name parts (--split-column none leaves it unread).`,
      ]);
    assert.deepEqual(read("", ["train", "val", "train"]), [
      "train,validation,train",
      "Column 3 of t.csv is read as the split, since all of its values name parts (--split-column none leaves it unread).",
    ]);
    assert.deepEqual(read("kind", ["train", "val", "train"], {}, "animal")[0], "train,validation,train");
  });

  it("reads the columns that were chosen, and leaves all unread if asked to", () => {
    assert.deepEqual(read("split,is_test", ["train,1", "train,0", "val,0"]), [
      "train,train,validation",
      "The column split of t.csv is read as the split (--split-column none leaves it unread).",
      "The column is_test of t.csv has another split than the column split, as for 1.jpg. The column split is used (--split-column is_test takes the other).",
    ]);
    assert.equal(
      read("split,is_test", ["train,1", "train,0", "val,0"], { splitColumn: "is_test" })[0],
      "test,train,train",
    );
    assert.deepEqual(
      read("a,b", ["train,val", "val,x", "train,x"], { splitColumn: "a", labelColumn: "label" }),
      ["train,validation,train"],
    );
    assert.equal(
      read("a,b", ["train,val", "val,train", "train,val"], { splitColumn: "a" }, "animal")[0],
      "train,validation,train",
    );
    for (const [header, values] of [
      ["split", ["train", "val", "train"]],
      ["is_test", ["0", "1", "0"]],
      ["half", ["train", "val", "train"]],
      ["split", ["train", "val", "x"]],
    ] as const)
      assert.deepEqual(read(header, [...values], { splitColumn: "none" }, "animal"), [",,"], header);
    assert.throws(() => read("a", ["x", "y", "train"], { splitColumn: "a", labelColumn: "label" }), {
      message: `Expected train, validation, test, or unsup and extra, which are left out, in the column a at ${inFolder("data", "t.csv")} but found x, y in 2 of 3 rows, as that of 1.jpg. Fix these values, or leave the column unread with --split-column none.`,
    });
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
    for (const name of ["fold", "kfold"])
      assert.deepEqual(read(name, ["0", "1", "2"]), [",,", note(name, "0, 1, 2")]);
    assert.deepEqual(read("test", ["0", "1", "2"]), [",,", note("test", "0, 1, 2")]);
    assert.deepEqual(read("kind", ["train", "val", "other"]), [",,", note("kind", "other", "some of its")]);
  });

  it("takes the usual name before others, and says where they differ", () => {
    assert.deepEqual(read("fold,split", ["val,train", "train,val", "val,train"]), [
      "train,validation,train",
      "The column split of t.csv is read as the split (--split-column none leaves it unread).",
      "The column fold of t.csv has another split than the column split, as for 1.jpg. The column split is used (--split-column fold takes the other).",
    ]);
    assert.deepEqual(read("fold,split", ["train,train", "val,val", "train,train"]), [
      "train,validation,train",
      "The column split of t.csv is read as the split (--split-column none leaves it unread).",
    ]);
  });

  describe("in codes, in a table of nothing else", () => {
    const IMAGES = { "img/1.jpg": "x", "img/2.jpg": "x", "img/3.jpg": "x" };
    const made = (tables: Record<string, string>) => writeFiles(inFolder("data"), { ...IMAGES, ...tables });
    const readAll = async (options: Partial<SourceOptions> = {}) => {
      const { listing } = await readSource({ data: inFolder("data"), seed: 0, ...options });
      return [listing.samples.map(({ className }) => className).join(), listing.notes[0]];
    };
    const WHY = (codes: string) => `it is named for a split, and ${codes} in it may stand for any part`;

    for (const [file, column, table] of [
      ["train_test_split.txt", "2", "1.jpg 0\n2.jpg 1\n3.jpg 1\n"],
      ["list_eval_partition.csv", "partition", "image_id,partition\n1.jpg,0\n2.jpg,1\n3.jpg,1\n"],
      ["folds.tsv", "fold", "file\tfold\n1.jpg\t0\n2.jpg\t1\n3.jpg\t1\n"],
    ])
      it(`takes them for no labels: ${file}`, async () => {
        made({ [file]: table });
        const note = `Images are labelled by their folders, not by ${file}, which is not read, since ${WHY("0, 1")}.`;
        assert.deepEqual(await readAll(), ["img,img,img", note]);
        for (const option of [{ labels: file }, { labelColumn: column }])
          assert.equal((await readAll(option))[0], "0,1,1");
      });

    for (const [file, codes, table] of [
      ["setid.csv", "1, 2", "image,setid\n1.jpg,1\n2.jpg,1\n3.jpg,2\n"],
      ["split.txt", "T, V", "1.jpg T\n2.jpg V\n3.jpg T\n"],
      ["holdout.csv", "no, yes", "image,holdout\n1.jpg,no\n2.jpg,yes\n3.jpg,no\n"],
      ["list.csv", "N, Y", "image,is_valid\n1.jpg,N\n2.jpg,Y\n3.jpg,N\n"],
      ["train.csv", "no, yes", "image,train\n1.jpg,no\n2.jpg,yes\n3.jpg,no\n"],
      ["is_train.txt", "0, 1", "1.jpg 0\n2.jpg 1\n3.jpg 1\n"],
      ["k.csv", "fold_1, fold_2, fold_3", "image,folds\n1.jpg,fold_1\n2.jpg,fold_2\n3.jpg,fold_3\n"],
      ["usage.txt", "a, b", "1.jpg a\n2.jpg b\n3.jpg b\n"],
      ["k.csv", "A, B", "image,subset\n1.jpg,A\n2.jpg,B\n3.jpg,A\n"],
    ])
      it(`takes them for no labels: ${file} with ${codes}`, async () => {
        made({ [file]: table });
        const note = `Images are labelled by their folders, not by ${file}, which is not read, since ${WHY(codes)}.`;
        assert.deepEqual(await readAll(), ["img,img,img", note]);
      });

    it("says so beside a table of labels, and beside folders that may be no classes", async () => {
      const split = { "list_eval_partition.txt": "1.jpg 0\n2.jpg 1\n3.jpg 2\n" };
      made({ ...split, "list_attr.txt": "3\nMale Smiling\n1.jpg 1 -1\n2.jpg -1 1\n3.jpg -1 -1\n" });
      await assert.rejects(readAll(), {
        message: `Expected one column of labels at ${inFolder("data/list_attr.txt")} but found Male, Smiling. Choose one with --label-column NAME.`,
      });
      assert.deepEqual(await readAll({ labelColumn: "Smiling" }), [
        "-1,1,-1",
        `list_eval_partition.txt is not read, since ${WHY("0, 1, 2")}.`,
      ]);
      const dir = writeFiles(inFolder("parts"), {
        "part1/1.jpg": "x",
        "part2/2.jpg": "x",
        "part2/3.jpg": "x",
        ...split,
      });
      await assert.rejects(readAll({ data: dir }), {
        message: `Expected class folders, or a table that names images at ${dir} but found the folders part1, part2, and list_eval_partition.txt, which is not read, since ${WHY("0, 1, 2")}. Write train, validation or test instead of 0, 1, 2, or choose --labels list_eval_partition.txt if these are the classes. Or choose --labels folders if these are the classes.`,
      });
    });

    it("takes codes for labels in a list of one part, and in a column of labels", async () => {
      for (const [file, header] of [
        ["train_split.txt", ""],
        ["list.txt", ""],
        ["split.csv", "file label\n"],
      ]) {
        made({ [file]: `${header}1.jpg 0\n2.jpg 1\n3.jpg 0\n` });
        assert.equal((await readAll())[0], "0,1,0", file);
        rmSync(inFolder("data"), { recursive: true });
      }
    });
  });
});
