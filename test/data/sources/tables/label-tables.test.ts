import assert from "node:assert/strict";
import { readSource } from "../../../../src/data/sources/source.js";
import { writeFiles } from "../../fixtures.js";
import { FILES, images, tablesBesideImages } from "./tables-beside-images.js";

describe("readLabelTables", () => {
  const { inFolder, read, summary, rejects } = tablesBesideImages();
  const LABELLED = ["img/1.jpg cat null", "img/2.jpg dog null", "img/3.jpg cat null"];

  for (const [name, table, content] of [
    ["names of files", "labels.csv", "image,label\n1.jpg,cat\n2.jpg,dog\n3.jpg,cat\n"],
    [
      "paths, and a column of sizes",
      "labels.csv",
      "width,path,class\n4,img/1.jpg,cat\n4,img/2.jpg,dog\n5,img/3.jpg,cat\n",
    ],
    ["names without ending", "labels.csv", "id,breed\n1,cat\n2,dog\n3,cat\n"],
    [
      "addresses without a header",
      "all.csv",
      "gs://bucket/x/img/1.jpg,cat\ngs://bucket/x/img/2.jpg,dog\ngs://bucket/x/img/3.jpg,cat\n",
    ],
    ["tabs", "labels.tsv", "file\temotion\n1.jpg\tcat\n2.jpg\tdog\n3.jpg\tcat\n"],
    ["a list", "list.txt", "1.jpg cat\n2.jpg dog\n3.jpg cat\n"],
    [
      "JSON lines",
      "img/metadata.jsonl",
      '{"file_name":"1.jpg","label":"cat"}\n{"file_name":"2.jpg","label":"dog"}\n{"file_name":"3.jpg","label":"cat"}\n',
    ],
    [
      "one column for each class",
      "img/_classes.csv",
      "filename, cat, dog\n1.jpg,1,0\n2.jpg, 0, 1\n3.jpg,1,0\n",
    ],
    [
      "Windows paths",
      "labels.csv",
      "image;label\nC:\\data\\img\\1.jpg;cat\nC:\\data\\img\\2.jpg;dog\nC:\\data\\img\\3.jpg;cat\n",
    ],
  ])
    it(`reads ${name}`, () => {
      assert.deepEqual(summary({ ...FILES, [table]: content }), LABELLED);
    });

  it("reads the split from a column, in several words for it", () => {
    const table = (header: string, values: string[]) =>
      `image,${header},label\n${values.map((value, i) => `${i + 1}.jpg,${value},cat`).join("\n")}`;
    const splits = (header: string, values: string[]) =>
      read({ ...FILES, "labels.csv": table(header, values) })?.samples.map(({ split }) => split);
    assert.deepEqual(splits("split", ["train", "val", "test"]), ["train", "validation", "test"]);
    assert.deepEqual(splits("Usage", ["Training", "PublicTest", "PrivateTest"]), [
      "train",
      "validation",
      "test",
    ]);
    assert.deepEqual(splits("is_valid", ["False", "True", "False"]), ["train", "validation", "train"]);
    assert.deepEqual(splits("ml_use", ["TRAIN", "VALIDATION", "UNASSIGNED"]), ["train", "validation", null]);
  });

  describe("with a column for the split", () => {
    const four = images("1.jpg", "2.jpg", "3.jpg", "4.jpg");
    const table = (header: string, values: string[]) =>
      `file,label,${header}\n${values.map((value, i) => `${i + 1}.jpg,cat,${value}`).join("\n")}`;
    const files = (header: string, values: string[]) => ({ ...four, "labels.csv": table(header, values) });
    const where = () => inFolder("data", "labels.csv");
    const known = "train, validation, test, or unsup and extra, which are left out,";
    const fix = "Fix these values, or leave the column unread with --split-column none.";

    it("refuses values that name no part beside some that do", () => {
      rejects(
        files("split", ["train", "val", "trian", "val"]),
        `Expected ${known} in the column split at ${where()} but found trian in 1 of 4 rows, as that of 3.jpg. ${fix}`,
      );
      rejects(
        files("is_valid", ["true", "yes", "false", "1.0"]),
        `Expected true, false, 1 or 0 in the column is_valid at ${where()} but found yes in 1 of 4 rows, as that of 2.jpg. ${fix}`,
      );
    });

    it("leaves out images of a part without labels, and says so", () => {
      const listing = read(files("split", ["train", "val", "unsup", "extra"]));
      assert.deepEqual(
        listing?.samples.map(({ path, split }) => `${path} ${split}`),
        ["1.jpg train", "2.jpg validation"],
      );
      assert.deepEqual(listing?.notes, [
        "Images that labels.csv has in no part for training or tests, which are left out: 2.",
        "The column split of labels.csv is read as the split (--split-column none leaves it unread).",
      ]);
      assert.deepEqual(listing?.leftOut.list().map(({ reason, count }) => [reason, count])[1], [
        "in a part that is neither for training nor for validation, by the table",
        2,
      ]);
    });

    it("says that images without a part are not used", () => {
      assert.deepEqual(read(files("split", ["train", "val", "", "train"]))?.notes, [
        "The column split of labels.csv is read as the split (--split-column none leaves it unread).",
        "Images without a part of the split in labels.csv, which are not used: 1.",
      ]);
    });

    it("notes a column whose values name no part at all", () => {
      const listing = read(files("set", ["A", "A", "B", "unsup"]));
      assert.deepEqual(
        listing?.samples.map(({ split }) => split),
        [null, null, null, null],
      );
      assert.deepEqual(listing?.notes, [
        "The column set of labels.csv is not read as a split, since its values name no part: A, B, unsup.",
      ]);
    });

    it("takes the column for the label if it is chosen", () => {
      const listing = read(files("split", ["train", "val", "bus", "bus"]), { labelColumn: "split" });
      assert.deepEqual(
        listing?.samples.map(({ className }) => className),
        ["train", "val", "bus", "bus"],
      );
    });

    const message = (file: string) =>
      `Expected each image in one part of the split at ${inFolder("data", file)} but found 1.jpg in train and validation. Remove one of its rows.`;
    it("refuses an image in two parts of one table", () => {
      const rows = "file,label,split\n1.jpg,cat,train\n2.jpg,cat,val\n1.jpg,cat,val\n";
      rejects({ ...four, "labels.csv": rows }, message("labels.csv"));
    });

    it("refuses an image in the tables of two parts", () => {
      const [train, val] = ["file,label\n1.jpg,cat\n2.jpg,cat\n", "file,label\n1.jpg,cat\n3.jpg,cat\n"];
      rejects({ ...four, "train.csv": train, "val.csv": val }, message("val.csv"));
    });
  });

  it("reads AutoML's rows of part, address and label", () => {
    const rows = ["TRAINING,gs://b/1.jpg,cat", "VALIDATION,gs://b/2.jpg,dog", "TEST,gs://b/3.jpg,cat"];
    assert.deepEqual(summary({ ...FILES, "automl.csv": rows.join("\n") }), [
      "img/1.jpg cat train",
      "img/2.jpg dog validation",
      "img/3.jpg cat test",
    ]);
  });

  it("reads a table for each part, as labelling tools export them", () => {
    const header = "filename, cat, dog\n";
    const files = {
      ...images("train/1.jpg", "train/2.jpg", "valid/3.jpg"),
      "train/_classes.csv": `${header}1.jpg,1,0\n2.jpg,0,1\n`,
      "valid/_classes.csv": `${header}3.jpg,1,0\n`,
    };
    assert.deepEqual(summary(files), [
      "train/1.jpg cat train",
      "train/2.jpg dog train",
      "valid/3.jpg cat validation",
    ]);
  });

  it("keeps the split of folders if an image is in no part of it, and says so", () => {
    const listing = read({
      ...images("train/1.jpg", "train/2.jpg", "val/3.jpg", "misc/4.jpg"),
      "labels.csv": "file,label\n1.jpg,cat\n2.jpg,dog\n3.jpg,cat\n4.jpg,dog\n",
    });
    assert.deepEqual(
      listing?.samples.map(({ path, split }) => `${path} ${split}`),
      ["train/1.jpg train", "train/2.jpg train", "val/3.jpg validation"],
    );
    assert.deepEqual(listing?.notes, [
      "1 of 4 images are in no part of the split, such as misc/4.jpg, and are left out.",
    ]);
  });

  it("reads RAF-DB's list, with aligned images and the part in their names", () => {
    const files = {
      ...images(
        "Image/train_00001_aligned.jpg",
        "Image/train_00002_aligned.jpg",
        "Image/test_0001_aligned.jpg",
      ),
      "EmoLabel/list_patition_label.txt": "train_00001.jpg 5\ntrain_00002.jpg 1\ntest_0001.jpg 5\n",
    };
    assert.deepEqual(summary(files), [
      "Image/test_0001_aligned.jpg 5 test",
      "Image/train_00001_aligned.jpg 5 train",
      "Image/train_00002_aligned.jpg 1 train",
    ]);
  });

  it("does not take a competition's sample of a submission for labels", () => {
    const files = {
      ...images("train/1.jpg", "train/2.jpg", "test/8.jpg", "test/9.jpg"),
      "labels.csv": "id,breed\n1,cat\n2,dog\n",
      "sample_submission.csv": "id,breed\n8,cat\n9,cat\n",
      "test.csv": "id\n8\n9\n",
    };
    assert.deepEqual(
      summary(files),
      ["train/1.jpg cat null", "train/2.jpg dog null"].map((line) => line.replace("null", "train")),
    );
  });

  it("counts images without a label, and rows without an image", () => {
    const listing = read({
      ...FILES,
      ...images("img/4.jpg", "img/5.jpg"),
      "labels.csv": "image,label\n1.jpg,cat\n2.jpg,dog\n3.jpg,\n9.jpg,cat\n4.jpg,cat\n4.jpg,dog\n",
      "notes.md": "x",
    });
    assert.deepEqual(
      listing?.samples.map(({ path }) => path),
      ["img/1.jpg", "img/2.jpg"],
    );
    assert.deepEqual(
      listing?.leftOut.list().map(({ reason, example }) => `${example}: ${reason}`),
      [
        "labels.csv: a file of labels, which is used",
        "img/5.jpg: in no row of the table",
        "notes.md: not an image",
        "img/4.jpg: with several labels in the table",
        "img/3.jpg: without a label in the table",
      ],
    );
    assert.deepEqual(listing?.notes, [
      "1 of 6 rows of labels.csv name a file that is missing or not read as an image, such as 9.jpg.",
    ]);
  });

  it("counts images with several classes in a table of zeros and ones", () => {
    const files = { ...FILES, "t.csv": "filename,cat,dog\n1.jpg,1,1\n2.jpg,0,0\n3.jpg,1,0\n" };
    const listing = read(files, { labelColumn: "cat,dog" });
    assert.deepEqual(
      listing?.samples.map(({ path, className }) => `${path} ${className}`),
      ["img/3.jpg cat"],
    );
    assert.equal(listing?.leftOut.count, 3);
  });

  it("asks for the column if several may be meant", () => {
    const files = { ...FILES, "t.csv": "image,age,sex\n1.jpg,4,m\n2.jpg,5,f\n3.jpg,4,f\n" };
    const table = inFolder("data/t.csv");
    rejects(
      files,
      `Expected one column of labels at ${table} but found age, sex. Choose one with --label-column NAME.`,
    );
    assert.deepEqual(summary(files, { labelColumn: "sex" }), [
      "img/1.jpg m null",
      "img/2.jpg f null",
      "img/3.jpg f null",
    ]);
    rejects(
      files,
      `Expected the column sx at ${table} but found age, sex. Choose one with --label-column NAME.`,
      { labelColumn: "sx" },
    );
  });

  it("asks for the table if several may be meant", () => {
    const files = {
      ...FILES,
      "a.csv": "image,label\n1.jpg,cat\n2.jpg,dog\n",
      "b.csv": "image,label\n1.jpg,x\n2.jpg,y\n",
    };
    rejects(
      files,
      `Expected one table of labels, or one for each part of the split at ${inFolder("data")} but found a.csv, b.csv. Choose one with --labels FILE.`,
    );
    assert.deepEqual(summary(files, {}, "b.csv"), ["img/1.jpg x null", "img/2.jpg y null"]);
  });

  it("refuses a row that names two images", () => {
    const files = { ...images("original/1.jpg", "aligned/1.jpg"), "t.csv": "image,label\n1.jpg,cat\n" };
    const message =
      "Expected one image for each row of t.csv but found aligned/1.jpg and original/1.jpg for 1.jpg. Choose the folder of images with --data, and the table with --labels.";
    assert.throws(() => read(files), { name: "InputError", message });
    assert.throws(() => read(files, {}, "t.csv"), { name: "InputError", message });
    const more = {
      ...files,
      ...images("original/2.jpg", "aligned/2.jpg", "original/3.jpg", "aligned/3.jpg"),
    };
    assert.equal(read(more), null); // about few of the images, so that it may be about something else
  });

  it("reads a list of hundreds of thousands of rows", () => {
    const rows = Array.from({ length: 200_000 }, (_, i) => `img/${(i % 3) + 1}.jpg,cat\n`);
    assert.equal(read({ ...FILES, "t.csv": rows.join("") })?.samples.length, 3);
  });

  it("takes a table of more columns than a table of labels has for none", () => {
    const objects = Array.from({ length: 10_001 }, (_, i) => JSON.stringify({ [`c${i}`]: "1.jpg" }));
    assert.equal(read({ ...FILES, "t.jsonl": objects.join("\n") }), null);
    assert.equal(read({ ...FILES, "t.csv": `${"1.jpg,".repeat(10_001)}\n` }), null);
  });

  it("takes JSON that numbers the classes for no labels, beside a table of labels", async () => {
    const images = Object.fromEntries([1, 2, 3, 4, 5].map((i) => [`img/${i}.png`, "x"]));
    const dir = writeFiles(inFolder("data"), {
      ...images,
      "train.csv": "image_id,label\n1.png,0\n2.png,1\n3.png,0\n4.png,1\n5.png,0\n",
      "label_num_to_disease_map.json": '{"0": "Healthy", "1": "Blight"}',
    });
    const { listing } = await readSource({ data: dir, seed: 0 });
    assert.deepEqual([listing.labels, listing.samples.length, listing.notes.length], ["train.csv", 5, 1]);
  });

  it("reads several tables that were chosen", async () => {
    const dir = writeFiles(inFolder("data"), {
      "a/1.png": "x",
      "a/2.png": "x",
      "train.csv": "file,label\na/1.png,p\n",
      "val.csv": "file,label\na/2.png,q\n",
    });
    const { listing } = await readSource({ data: dir, seed: 0, labels: "train.csv, val.csv" });
    assert.deepEqual(
      listing.samples.map(({ className, split }) => `${className} ${split}`),
      ["p train", "q validation"],
    );
  });

  it("reads several tables that were chosen and are of different images", () => {
    const files = { ...FILES, "a.csv": "image,label\n1.jpg,cat\n", "b.csv": "image,label\n2.jpg,dog\n" };
    assert.deepEqual(summary(files, {}, "a.csv", "b.csv"), ["img/1.jpg cat null", "img/2.jpg dog null"]);
    const more = { ...files, "train/a.csv": files["a.csv"], "train/b.csv": files["b.csv"] };
    assert.deepEqual(
      summary(
        { ...more, "val/c.csv": "image,label\n3.jpg,dog\n" },
        {},
        "train/a.csv",
        "train/b.csv",
        "val/c.csv",
      ),
      ["img/1.jpg cat train", "img/2.jpg dog train", "img/3.jpg dog validation"],
    );
    for (const chosen of [
      ["a.csv", "train/a.csv"],
      ["a.csv", "train/b.csv"],
    ])
      assert.throws(() => read(more, {}, ...chosen), {
        name: "InputError",
        message: `Expected one table of labels, or one for each part of the split at ${inFolder("data")} but found ${chosen.join(", ")}. Choose one with --labels FILE.`,
      });
  });

  it("finds no table that names images", () => {
    assert.equal(
      read({ ...FILES, "notes.csv": "a,b\nfoo,100\nbar,200\n", "README.txt": "1.jpg is nice\n" }),
      null,
    );
  });
});
