import assert from "node:assert/strict";
import { mkdirSync, rmSync } from "node:fs";
import { walkFolder } from "../../../../src/data/sources/files.js";
import { findClassFolders } from "../../../../src/data/sources/folders/class-folders.js";
import { classesOf } from "../../../../src/data/sources/listing.js";
import { listFolder, temporaryFolder, writeFiles } from "../../fixtures.js";

/** Files of one byte, which are not opened. */
const files = (...names: string[]) => Object.fromEntries(names.map((name) => [name, "x"]));
/** Paths such as `train/a/1.png` for each part and class. */
const tree = (...folders: string[]) => folders.map((folder, i) => `${folder}/${i}.png`);

describe("findClassFolders", () => {
  const inFolder = temporaryFolder();
  const make = (...names: string[]) => writeFiles(inFolder("data"), files(...names));
  const read = (names: string[], choice = {}) => listFolder(make(...names), choice);
  /** Classes, and number of images in each part. */
  const summary = (names: string[], choice = {}) => {
    const { samples } = read(names, choice);
    const count = (part: string | null) => samples.filter(({ split }) => split === part).length;
    return `${classesOf(samples).join()} ${count("train")}+${count("validation")}+${count(null)}`;
  };
  const rejects = (names: string[], found: string, fix: string, expected = "folders with one meaning") =>
    assert.throws(() => read(names), {
      name: "InputError",
      message: `Expected ${expected} at ${inFolder("data")} but found ${found}. ${fix}`,
    });
  const chooseParts = (train: string, validation: string) =>
    `Choose the parts, for example --train-folder ${train} and --validation-folder ${validation}, or --train-folder . if these are classes, or --label-pattern '([^/]+)/[^/]+$' if the folders in them are, or leave folders out with --leave-out.`;
  const EXPECTED = "class folders with images, with or without train and validation folders around them";
  const leftOut = (names: string[], choice = {}) =>
    read(names, choice)
      .leftOut.list()
      .map(({ reason, folder, ending, count }) => `${count} ${ending} in ${folder}: ${reason}`);

  it("names a folder that cannot be read", () => {
    const file = `${make("note.txt")}/note.txt`;
    assert.throws(() => listFolder(file), {
      name: "InputError",
      message: `Expected a folder that can be read at ${file} but found the error ENOTDIR. Fix its permissions, or choose another folder.`,
    });
  });

  it("finds the images of class folders without a split, sorted", () => {
    const { root, samples } = read(["sad/b.png", "sad/a.JPG", "happy/c.jpeg"]);
    assert.equal(root, inFolder("data"));
    assert.deepEqual(
      samples.map(({ split, className, path }) => [split, className, path]),
      [
        [null, "happy", "happy/c.jpeg"],
        [null, "sad", "sad/a.JPG"],
        [null, "sad", "sad/b.png"],
      ],
    );
  });

  for (const [train, validation] of [
    ["train", "validation"],
    ["Training", "test"],
    ["TRAIN", "val"],
    ["training_set", "test_set"],
    ["train", "dev"],
    ["seg_train", "seg_test"],
    ["Train2017", "Val2017"],
    ["train_data", "eval-data"],
    ["FER2013Train", "FER2013Valid"],
    ["trainImages", "testImages"],
    ["birds train", "birds valid"],
    ["archive_train_224x224", "archive_test_224x224"],
  ])
    it(`reads ${train} and ${validation} as the parts of a split`, () => {
      const { samples } = read(tree(`${train}/a`, `${train}/b`, `${validation}/a`, `${validation}/b`));
      assert.deepEqual(
        samples.map(({ split, path }) => `${split} ${path}`),
        [
          `train ${train}/a/0.png`,
          `train ${train}/b/1.png`,
          `validation ${validation}/a/2.png`,
          `validation ${validation}/b/3.png`,
        ],
      );
    });

  it("enters a folder that is doubled inside of each part", () => {
    const names = tree(
      "seg_train/seg_train/a",
      "seg_train/seg_train/b",
      "seg_test/seg_test/a",
      "seg_test/seg_test/b",
    );
    assert.equal(summary([...names, "seg_pred/seg_pred/1.png"]), "a,b 2+2+0");
  });

  it("validates only on validation images if there are test images too, and counts these", () => {
    const names = tree("train/a", "train/b", "val/a", "val/b", "test/a", "Testing/b");
    assert.equal(summary(names), "a,b 2+2+0");
    const { unusedFolders, leftOut } = listFolder(inFolder("data"));
    assert.deepEqual(unusedFolders, ["Testing", "test"]);
    assert.deepEqual(
      leftOut.list().map(({ reason, folder }) => `${folder}: ${reason}`),
      [
        "Testing/b: in a test part, beside another for validation",
        "test/a: in a test part, beside another for validation",
      ],
    );
    for (const name of ["val", "Testing"]) rmSync(inFolder("data", name), { recursive: true });
    const { notes, unusedFolders: none } = listFolder(inFolder("data"));
    assert.deepEqual(none, []);
    assert.deepEqual(notes, ["No images are for validation but those for tests, so these are used."]);
  });

  for (const [name, neighbour] of [
    ["a flat test folder", "test/5.png"],
    ["a test folder with one folder of unlabelled images", "test/unknown/5.png"],
    ["a folder of masks", "masks/5.png"],
    ["a flat validation folder", "val/5.png"],
    ["a flat folder of other images", "unlabeled/5.png"],
  ])
    it(`holds out a share of train beside ${name}, and counts that`, () => {
      const names = [...tree("train/a", "train/b"), neighbour];
      assert.equal(summary(names), "a,b 0+0+2");
      assert.equal(leftOut(names).length, 1);
    });

  it("refuses folders that hold the same folders, with names that it does not know", () => {
    const names = tree("old/cat", "old/dog", "new/cat", "new/dog");
    rejects(names, "new and old, which hold the same folders cat, dog", chooseParts("new", "old"));
    assert.equal(summary(names, { trainFolder: "old", validationFolder: "new" }), "cat,dog 2+2+0");
    assert.equal(summary(names, { trainFolder: "old" }), "cat,dog 0+0+2");
    assert.equal(summary(names, { trainFolder: "." }), "new,old 0+0+4");
  });

  for (const [larger, smaller, train, validation] of [
    ["tr", "holdout", "tr", "holdout"],
    ["two", "one", "two", "one"],
    ["teste", "treino", "treino", "teste"],
    ["held_out", "new", "new", "held_out"],
  ])
    it(`suggests ${train} for training and ${validation} for validation`, () => {
      const names = [
        ...tree(`${larger}/a`, `${larger}/b`, `${smaller}/a`, `${smaller}/b`),
        `${larger}/a/9.png`,
      ];
      const found = `${[larger, smaller].sort().join(" and ")}, which hold the same folders a, b`;
      rejects(names, found, chooseParts(train, validation));
    });

  it("refuses a part of the split beside a folder with the same folders", () => {
    rejects(
      tree("train/cat", "train/dog", "held/cat", "held/dog"),
      "train and held, which hold the same folders",
      chooseParts("train", "held"),
    );
  });

  it("refuses several parts of each kind, as folds have", () => {
    const folders = ["train_1", "val_1", "train_2", "val_2"];
    const names = tree(...folders.flatMap((name) => [`${name}/a`, `${name}/b`]));
    rejects(names, "the folders train_1, train_2, val_1, val_2", chooseParts("train_1", "val_1"));
    assert.equal(summary(names, { trainFolder: "train_2", validationFolder: "val_2" }), "a,b 2+2+0");
  });

  it("refuses images in folders named for parts, without class folders", () => {
    rejects(
      tree("train", "test"),
      "images in test, train, in no class folder",
      "Move each image into a folder named by its class, or choose --train-folder . if these are the classes.",
      EXPECTED,
    );
    assert.equal(summary([], { trainFolder: "." }), "test,train 0+0+2");
  });

  it("chooses the folder that holds the parts, and names the others", () => {
    const names = tree("faces/train/a", "faces/train/b", "faces/test/a", "faces/test/b", "sample_images");
    assert.equal(summary(names), "a,b 2+2+0");
    const { root, notes, leftOut } = listFolder(inFolder("data"));
    assert.equal(root, inFolder("data/faces"));
    assert.equal(notes[0], "faces is the data set, and sample_images beside it is not used.");
    assert.deepEqual(
      leftOut.list().map(({ folder }) => folder),
      ["sample_images"],
    );
  });

  for (const neighbour of ["val", "valid", "test", "unlabelled", "extra"])
    it(`enters a folder with train alone beside images in ${neighbour}`, () => {
      const names = [...tree("faces/train/a", "faces/train/b"), `${neighbour}/8.png`, `${neighbour}/9.png`];
      assert.equal(summary(names), "a,b 0+0+2");
      assert.deepEqual(listFolder(inFolder("data")).notes, [
        `faces is the data set, and ${neighbour} beside it is not used.`,
      ]);
      assert.deepEqual(leftOut([]), [
        `2 .png in ${neighbour}: in a folder that is no class and no part of the split`,
      ]);
    });

  it("refuses a folder with train alone beside one with the same classes", () => {
    const names = tree("faces/train/a", "faces/train/b", "val/a", "val/b");
    rejects(names, "faces and val, which hold the same folders a, b", chooseParts("faces", "val"));
    assert.equal(summary(names, { trainFolder: "faces", validationFolder: "val" }), "a,b 2+2+0");
  });

  it("reads train inside of each class, with folders in it", () => {
    assert.equal(summary(tree("cat/train/1", "cat/train/2", "dog/train/1", "dog/train/2")), "cat,dog 0+0+4");
  });

  it("refuses two data sets", () => {
    rejects(
      tree("faces/train/a", "faces/test/a", "cars/train/x", "cars/test/x"),
      "cars, faces, which each hold parts of a split",
      `Choose one: give the folder ${inFolder("data/cars")}, or leave others out with --leave-out cars.`,
      "one data set",
    );
  });

  it("leaves out a folder beside the classes that holds folders named as classes", () => {
    const names = [...tree("a", "b"), "duplicates/a/1.png"];
    assert.equal(summary(names), "a,b 0+0+2");
    assert.deepEqual(listFolder(inFolder("data")).notes, [
      "duplicates is no class, since it holds folders named as classes: a.",
    ]);
    assert.equal(leftOut(names).length, 1);
  });

  it("refuses a folder of folders that holds most images, beside others", () => {
    const names = [...tree("faces/a", "faces/b", "faces/c"), "sample_images/9.png"];
    rejects(
      names,
      "faces with the folders a, b, c, beside sample_images",
      "Choose --train-folder faces if the folders in it are the classes, or --train-folder . if it is a class.",
    );
    assert.equal(summary(names, { trainFolder: "faces" }), "a,b,c 0+0+3");
    assert.equal(summary(names, { trainFolder: "." }), "faces,sample_images 0+0+4");
  });

  it("notes classes that may be neighbours of the data set, or are made of folders", () => {
    const { notes } = read([...tree("a", "a/x", "b", "c/2019", "c/2020", "masks"), "a/9.png", "b/9.png"]);
    assert.deepEqual(notes, [
      "masks is read as a class (--leave-out masks leaves it out).",
      "The class c has no images itself, but in 2019, 2020 (--label-pattern '([^/]+)/[^/]+$' takes the innermost folders for classes).",
    ]);
  });

  it("takes evaluation for tests beside validation", () => {
    assert.equal(
      summary(
        tree("training/a", "training/b", "validation/a", "validation/b", "evaluation/a", "evaluation/b"),
      ),
      "a,b 2+2+0",
    );
    assert.deepEqual(listFolder(inFolder("data")).unusedFolders, ["evaluation"]);
  });

  it("reads one part inside of each class", () => {
    assert.equal(summary(tree("cat/train", "dog/train")), "cat,dog 0+0+2");
  });

  it("reads one folder of classes beside loose images", () => {
    assert.equal(summary([...tree("data/a", "data/b", "data/c"), "preview.png"]), "a,b,c 0+0+3");
    assert.deepEqual(leftOut([]), ["1 .png in .: in no class folder"]);
  });

  for (const [names, classes] of [
    [["bus", "car", "train"], "bus,car,train"],
    [["bus", "Test"], "Test,bus"],
    [["valid", "invalid"], "invalid,valid"],
    [["dev", "ops"], "dev,ops"],
  ] as const)
    it(`takes ${names.join(", ")} as classes`, () => {
      assert.equal(summary(tree(...names)), `${classes} 0+0+${names.length}`);
    });

  it("takes a class named as a part below a part", () => {
    assert.equal(summary(tree("train/bus", "train/train", "val/bus", "val/train")), "bus,train 2+2+0");
  });

  for (const [train, validation] of [
    ["train", "val"],
    ["Train", "Test"],
    ["training_images", "dev_images"],
  ])
    it(`reads ${train} and ${validation} inside of each class`, () => {
      const names = tree(`cat/${train}`, `cat/${validation}`, `dog/${train}`, `dog/${validation}`);
      assert.equal(summary(names), "cat,dog 2+2+0");
    });

  it("refuses parts inside of some classes only", () => {
    rejects(
      tree("cat/train", "cat/val", "dog"),
      "train, val in cat, and images in dog",
      "Add such folders to dog, or leave it out with --leave-out dog.",
      "the parts of the split inside of every class",
    );
  });

  it("refuses images beside the parts inside of a class", () => {
    rejects(
      [...tree("cat/train", "cat/val", "dog/train", "dog/val"), "cat/9.png"],
      "train, val in cat, and images beside them",
      "Move these images into one of the folders.",
      "all images of a class in the parts of its split",
    );
  });

  it("refuses parts inside of a class that is in a part", () => {
    const names = tree("train/cat/train", "train/cat/val", "train/dog", "val/cat", "val/dog");
    rejects(
      names,
      "images in train, val in the class folder train/cat",
      "Choose --train-folder train if they are all of that class, or move them.",
    );
    assert.equal(summary(names, { trainFolder: "train", validationFolder: "val" }), "cat,dog 3+2+0");
  });

  it("enters single folders around the classes, and leaves out files that systems add", () => {
    const { root, samples, leftOut } = read([
      "archive/data/a/1.png",
      "archive/data/b/2.png",
      "archive/data/b/._2.png",
      "archive/data/.git/c/3.png",
      "__MACOSX/archive/data/a/1.png",
      "archive/data/a/Thumbs.db",
      "archive/README.md",
    ]);
    assert.equal(root, inFolder("data/archive/data"));
    assert.deepEqual(
      samples.map(({ path }) => path),
      ["a/1.png", "b/2.png"],
    );
    assert.equal(leftOut.count, 5);
  });

  it("takes images in folders below a class", () => {
    const { samples } = read(["a/1.png", "b/2019/2.png", "b/2020/may/3.png"]);
    assert.deepEqual(
      samples.map(({ className, path }) => `${className} ${path}`),
      ["a a/1.png", "b b/2019/2.png", "b b/2020/may/3.png"],
    );
  });

  it("takes the Unicode forms of a name for one class", () => {
    const names = tree("train/a", "train/caf\u00e9", "validation/a", "validation/cafe\u0301");
    assert.equal(summary(names), "a,caf\u00e9 2+2+0");
  });

  it("names folders without images beside the classes, with what they hold", () => {
    mkdirSync(inFolder("data/none"), { recursive: true });
    const { emptyClasses } = read([
      "a/1.png",
      "b/2.png",
      "neutral/1.heic",
      "neutral/2.heic",
      "notes/x/y.txt",
    ]);
    assert.deepEqual(emptyClasses, ["neutral (2 .heic)", "none (empty)", "notes (1 .txt)"]);
  });

  it("notes the size of each file", () => {
    const dir = writeFiles(inFolder("data"), { "a/1.png": "12345", "b/2.png": "1" });
    assert.deepEqual(
      listFolder(dir).samples.map(({ size }) => size),
      [5, 1],
    );
  });

  it("gives a refusal if there are no class folders", () => {
    mkdirSync(inFolder("data"));
    const refusal = (found: string) => {
      const result = findClassFolders(walkFolder(inFolder("data")), {});
      assert.deepEqual(result, {
        refusal: {
          expected: EXPECTED,
          where: inFolder("data"),
          found,
          fix: "Move each image into a folder named by its class.",
        },
      });
    };
    refusal("no images in class folders");
    make("notes.txt", "1.png");
    refusal("images in no class folder");
    make("a/1.png", "2.png", "3.png");
    refusal("3 images in no class folder, and 1 in a");
  });

  it("says which folders there are if a named one is not", () => {
    assert.throws(() => read(tree("train/a", "train/b"), { trainFolder: "tran" }), {
      message: `Expected the folder tran at ${inFolder("data")} but found a, b. Fix the name, which counts from the data set's folder.`,
    });
  });
});
