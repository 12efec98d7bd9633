import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { chooseParts } from "../../../../src/data/sources/listing.js";
import { readSource, type SourceOptions } from "../../../../src/data/sources/source.js";
import { temporaryFolder, writeFiles } from "../../fixtures.js";

const images = (...names: string[]) => Object.fromEntries(names.map((name) => [name, "x"]));

describe("readSource, for parts without class folders", () => {
  const inFolder = temporaryFolder();
  const read = async (files: Record<string, string>, options: Partial<SourceOptions> = {}) => {
    rmSync(inFolder("data"), { recursive: true, force: true });
    const data = writeFiles(inFolder("data"), files);
    const { listing } = await readSource({ data, seed: 0, ...options });
    const { labels, leftOut, notes } = listing;
    const parts = chooseParts(listing).samples;
    return {
      found: parts.map(({ path, className, split }) => `${path} ${className} ${split}`),
      labels,
      notes,
      leftOut: leftOut.list().map(({ example, reason }) => `${example}: ${reason}`),
    };
  };
  const TRAIN = images("train/cat/1.png", "train/cat/2.png", "train/dog/3.png", "train/dog/4.png");
  const IN_TRAIN = ["1.png cat", "2.png cat", "3.png dog", "4.png dog"].map((one) => {
    const [, className] = one.split(" ");
    return `train/${className}/${one} train`;
  });
  const VAL = images("val/5.png", "val/6.png");
  const IN_VAL = ["val/5.png cat validation", "val/6.png dog validation"];
  const noteOf = (folder: string, column: string, more = "") =>
    `Images in ${folder} are labelled by ${column}${more}, and the others by their folders (--leave-out ${folder} leaves them out).`;

  it("reads Tiny ImageNet, whose validation images are in one folder", async () => {
    const { found, notes, labels, leftOut } = await read({
      ...images(
        "tiny/train/n01443537/images/n01443537_0.JPEG",
        "tiny/train/n01629819/images/n01629819_0.JPEG",
        "tiny/val/images/val_0.JPEG",
        "tiny/val/images/val_1.JPEG",
        "tiny/test/images/test_0.JPEG",
      ),
      "tiny/train/n01443537/n01443537_boxes.txt": "n01443537_0.JPEG\t0\t10\t63\t58\n",
      "tiny/val/val_annotations.txt":
        "val_0.JPEG\tn01629819\t0\t32\t44\t62\nval_1.JPEG\tn01443537\t52\t55\t57\t59\n",
      "tiny/wnids.txt": "n01443537\nn01629819\n",
    });
    assert.deepEqual(found, [
      "tiny/train/n01443537/images/n01443537_0.JPEG n01443537 train",
      "tiny/train/n01629819/images/n01629819_0.JPEG n01629819 train",
      "tiny/val/images/val_0.JPEG n01629819 validation",
      "tiny/val/images/val_1.JPEG n01443537 validation",
    ]);
    assert.equal(labels, "class folders, and tiny/val/val_annotations.txt");
    assert.ok(notes.includes(noteOf("tiny/val", "column 2 of tiny/val/val_annotations.txt")));
    assert.ok(leftOut.includes("tiny/val/val_annotations.txt: a file of labels, which is used"));
    assert.ok(leftOut.includes("tiny/test/images/test_0.JPEG: in a test folder without the classes"));
  });

  it("reads GTSRB, whose test images have a table beside their folder", async () => {
    const header = "Width,Height,Roi.X1,Roi.Y1,Roi.X2,Roi.Y2,ClassId,Path\n";
    const { found, notes, leftOut } = await read({
      ...images("Train/0/00000_0.png", "Train/0/00000_1.png", "Train/16/00016_0.png"),
      ...images("Test/00000.png", "Test/00001.png", "Test/00002.png", "Meta/0.png", "Meta/16.png"),
      "Meta.csv": "Path,ClassId,ShapeId\nMeta/0.png,0,1\nMeta/16.png,16,0\n",
      "Train.csv": `${header}30,29,0,0,25,24,0,Train/0/00000_0.png\n30,29,0,16,25,24,0,Train/0/00000_1.png\n31,30,0,0,26,25,16,Train/16/00016_0.png\n`,
      "Test.csv": `${header}53,54,0,0,48,49,16,Test/00000.png\n42,45,0,16,36,40,0,Test/00001.png\n`,
    });
    assert.deepEqual(found, [
      "Train/0/00000_0.png 0 train",
      "Train/0/00000_1.png 0 train",
      "Train/16/00016_0.png 16 train",
      "Test/00000.png 16 validation",
      "Test/00001.png 0 validation",
    ]);
    assert.deepEqual(notes, [
      "Meta beside Train is not used, since the classes are the folders in Train (--train-folder . takes all for classes).",
      noteOf("Test", "the column ClassId of Test.csv"),
      "The labels are codes: 0, 16 (--label-names 0=NAME,… gives them names).",
    ]);
    assert.ok(leftOut.includes("Test/00002.png: in no row of the table"));
  });

  it("reads ImageNet as Kaggle has it, with a single note on the labels of its images for validation", async () => {
    const classes = ["n01440764", "n01443537"];
    const inData = "ILSVRC/Data/CLS-LOC";
    const { found, notes } = await read({
      ...images(...classes.flatMap((name) => [1, 2].map((i) => `${inData}/train/${name}/${name}_${i}.JPEG`))),
      ...images(`${inData}/val/val_01.JPEG`, `${inData}/val/val_02.JPEG`, `${inData}/test/test_01.JPEG`),
      "LOC_synset_mapping.txt": "n01440764 tench, Tinca tinca\nn01443537 goldfish, Carassius auratus\n",
      "LOC_train_solution.csv": `ImageId,PredictionString\n${classes.map((name) => `${name}_1,${name} 1 2 3 4\n${name}_2,${name} 1 2 3 4\n`).join("")}`,
      "LOC_val_solution.csv":
        "ImageId,PredictionString\nval_01,n01443537 85 1 499 272\nval_02,n01440764 1 0 4 2\nval_99,n99 1 2 3 4\n",
      "ILSVRC/ImageSets/CLS-LOC/train_cls.txt": `${classes.map((name, i) => `${name}/${name}_1 ${2 * i + 1}\n${name}/${name}_2 ${2 * i + 2}\n`).join("")}`,
      "ILSVRC/ImageSets/CLS-LOC/val.txt": "val_01 1\nval_02 2\n",
    });
    assert.deepEqual(found.slice(4), [
      `${inData}/val/val_01.JPEG n01443537 validation`,
      `${inData}/val/val_02.JPEG n01440764 validation`,
    ]);
    assert.deepEqual(notes, [
      `test beside train is not used, since the classes are the folders in train (--train-folder ${inData} takes all for classes).`,
      noteOf(
        `${inData}/val`,
        "the column PredictionString of LOC_val_solution.csv",
        ", such as n01443537 for n01443537 85 1 499 272",
      ),
      "1 of 3 rows of LOC_val_solution.csv name a file that is missing or not read as an image, such as val_99.",
    ]);
  });

  for (const [name, files, column, more] of [
    [
      "a table of all images",
      { "all.csv": "file,label\n1.png,cat\n5.png,cat\n6.png,dog\n" },
      "the column label of all.csv",
      "",
    ],
    [
      "a column of another name",
      { "val.csv": "file,size,kind\n5.png,3,cat\n6.png,4,dog\n" },
      "the column kind of val.csv",
      "",
    ],
    [
      "boxes behind the classes, as ImageNet's",
      { "LOC_val_solution.csv": "ImageId,PredictionString\n5,cat 0 1 20 30\n6,dog 3 4 5 6 dog 1 2 3 4\n" },
      "the column PredictionString of LOC_val_solution.csv",
      ", such as cat for cat 0 1 20 30",
    ],
  ] as [string, Record<string, string>, string, string][])
    it(`reads ${name}`, async () => {
      const { found, notes } = await read({ ...TRAIN, ...VAL, ...files });
      assert.deepEqual(found, [...IN_TRAIN, ...IN_VAL]);
      assert.ok(notes.includes(noteOf("val", column, more)), notes.join("\n"));
    });

  it("finds numbers of classes with other leading zeros", async () => {
    const train = images("train/00000/1.png", "train/00001/2.png");
    const { found, notes } = await read({ ...train, ...VAL, "val.csv": "file;ClassId\n5.png;1\n6.png;0\n" });
    assert.deepEqual(found.slice(2), ["val/5.png 00001 validation", "val/6.png 00000 validation"]);
    assert.ok(notes.includes(noteOf("val", "the column ClassId of val.csv", ", such as 00001 for 1")));
  });

  it("reads test images without labels, and names of another part, as before", async () => {
    const test = images("test/1.png", "test/2.png");
    for (const table of [
      { "test.csv": "file,patient,age\n1.png,a,3\n2.png,b,4\n" },
      { "train.csv": "file,label\n1.png,cat\n2.png,cat\n3.png,dog\n4.png,dog\n" },
      { "train_labels.csv": "file,label\n1.png,cat\n2.png,cat\n" },
      { "sample_submission.csv": "file,label\n1.png,cat\n2.png,cat\n" },
    ] as Record<string, string>[]) {
      const { found, leftOut } = await read({ ...TRAIN, ...test, ...table });
      assert.deepEqual(
        found,
        IN_TRAIN.map((one) => one.replace(/train$/, "null")),
      );
      assert.ok(leftOut.includes("test/1.png: in a folder without class folders"));
    }
  });

  it("says that several columns may have the labels, and takes the chosen one", async () => {
    const rows = (columns: string, ...labels: string[]) =>
      `file,${columns}\n${labels.map((label, i) => `${5 + i}.png,${label}\n`).join("")}`;
    const several = { ...TRAIN, ...VAL, "val.csv": rows("first,second", "cat,dog", "dog,dog") };
    const { notes } = await read(several);
    assert.ok(
      notes.includes(
        "val.csv does not label the images in val, since the column first, the column second all have names of classes (--label-column NAME takes one).",
      ),
      notes.join("\n"),
    );
    assert.deepEqual((await read(several, { labelColumn: "first" })).found.slice(4), IN_VAL);
    assert.equal((await read(several, { labels: "folders" })).found.length, 4);
  });

  it("refuses tables with different labels", () =>
    assert.rejects(
      read({
        ...TRAIN,
        ...VAL,
        "val.csv": "file,label\n5.png,cat\n",
        "val/labels.csv": "file,label\n5.png,dog\n",
      }),
      {
        name: "InputError",
        message: `Expected one label for each image at ${inFolder("data")}/val/labels.csv but found val/5.png as dog, and as cat in val.csv. Remove one of these tables.`,
      },
    ));
});
