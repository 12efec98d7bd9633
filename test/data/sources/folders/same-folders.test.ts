import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { classesOf } from "../../../../src/data/sources/listing.js";
import { listFolder, temporaryFolder, writeFiles } from "../../fixtures.js";

const tree = (...folders: string[]) => folders.map((folder, i) => `${folder}/${i}.png`);

/** Returns a function that writes images, and returns the classes and the number of images in each part. */
function summaryIn(inFolder: ReturnType<typeof temporaryFolder>) {
  return (names: string[], choice = {}) => {
    const dir = writeFiles(inFolder("data"), Object.fromEntries(names.map((name) => [name, "x"])));
    const { samples } = listFolder(dir, choice);
    const count = (part: string | null) => samples.filter(({ split }) => split === part).length;
    return `${classesOf(samples).join()} ${count("train")}+${count("validation")}+${count(null)}`;
  };
}

describe("findClassFolders, with folders in a part that hold the same folders", () => {
  const inFolder = temporaryFolder();
  const summary = summaryIn(inFolder);
  const batches = (part: string, ...found: string[]) =>
    found.flatMap((batch) => [`${part}/${batch}/cat`, `${part}/${batch}/dog`]);
  const note = (part: string, found: string, choice: string) =>
    `${found} in ${part} hold the same folders cat, dog, so these are the classes (${choice} takes ${found.split(/,| and/)[0]} and the others for classes).`;
  const notes = () => listFolder(inFolder("data")).notes;

  it("takes those for the classes, beside a part without batches or with others, and says so", () => {
    const train = batches("train", "alice", "bob");
    const choice = "--train-folder train and --validation-folder val";
    assert.equal(summary(tree(...train, "val/cat", "val/dog")), "cat,dog 4+2+0");
    assert.deepEqual(notes(), [note("train", "alice, bob", choice)]);
    assert.equal(summary([], { trainFolder: "train" }), "alice,bob 0+0+4");
    rmSync(inFolder("data", "val"), { recursive: true });
    assert.equal(summary(tree(...batches("val", "carol", "dave"))), "cat,dog 4+4+0");
    assert.deepEqual(notes(), [note("train", "alice, bob", choice), note("val", "carol, dave", choice)]);
  });

  it("does so in train alone, and at any depth", () => {
    assert.equal(summary(tree(...batches("train", "batch1", "batch2"))), "cat,dog 0+0+4");
    assert.deepEqual(notes(), [note("train", "batch1, batch2", "--train-folder train")]);
    assert.equal(summary([], { trainFolder: "train" }), "batch1,batch2 0+0+4");
    rmSync(inFolder("data", "train"), { recursive: true });
    const days = [...batches("train/alice", "day1", "day2"), ...batches("train/bob", "day1", "day2")];
    assert.equal(summary(tree(...days)), "cat,dog 0+0+8");
    assert.deepEqual(notes(), [note("train", "alice, bob", "--train-folder train")]);
  });

  it("takes folders that lack a class for batches, too", () => {
    const names = ["train/1/cat", "train/1/dog", "train/1/owl", "train/2/cat", "train/2/owl", "val/cat"];
    assert.equal(summary(tree(...names)), "cat,dog,owl 5+1+0");
  });

  it("keeps classes that another part holds images of", () => {
    const names = ["train/cat/front", "train/cat/side", "train/dog/front", "train/dog/side"];
    assert.equal(summary(tree(...names, "val/cat", "val/dog")), "cat,dog 4+2+0");
  });

  it("keeps classes with numbered folders in them", () => {
    const classes = (part: string) =>
      ["cat", "dog"].flatMap((name) => [`${part}/${name}/1`, `${part}/${name}/2`]);
    assert.equal(summary(tree(...classes("train"), ...classes("val"))), "cat,dog 4+4+0");
  });

  it("refuses folders that may be both, since each part has the same", () => {
    const names = tree(...batches("train", "a", "b"), ...batches("test", "a", "b"));
    assert.throws(() => summary(names), {
      name: "InputError",
      message: `Expected folders with one meaning at ${inFolder("data")} but found a, b in train, which hold the same folders cat, dog. Choose --label-pattern '([^/]+)/[^/]+$' if the folders in them are the classes, or --train-folder train and --validation-folder test if they are.`,
    });
    assert.equal(summary([], { trainFolder: "train", validationFolder: "test" }), "a,b 4+4+0");
  });
});

describe("findClassFolders, with folders beside or in classes", () => {
  const inFolder = temporaryFolder();
  const summary = summaryIn(inFolder);
  const notes = () => listFolder(inFolder("data")).notes;

  it("reads parts in a single folder of each class", () => {
    const names = ["cat", "dog"].flatMap((name) => tree(`${name}/images/train`, `${name}/images/val`));
    assert.equal(summary(names), "cat,dog 2+2+0");
    assert.equal(summary([...tree("fox/train", "fox/val")]), "cat,dog,fox 3+3+0");
  });

  for (const copy of ["backup/2024", "backup/2023/old", "backup/x/y/z"])
    it(`finds copies of classes in ${copy}`, () => {
      assert.equal(summary(tree("a", "b", `${copy}/a`, `${copy}/b`)), "a,b 0+0+2");
      assert.deepEqual(notes(), ["backup is no class, since it holds folders named as classes: a, b."]);
    });

  it("advises no training on parts, or on one class, where classes hold parts without training", () => {
    assert.throws(() => summary(tree("cat/val", "cat/test", "dog/val", "dog/test", "fox")), {
      name: "InputError",
      message: `Expected folders with one meaning at ${inFolder("data")} but found cat and dog, which hold the same folders test, val. Add a folder for training to each class, such as cat/train.`,
    });
  });

  it("refuses folders that hold folders of the same names in other case, as parts of other names do", () => {
    assert.throws(() => summary(tree("learn/cat", "learn/dog", "check/Cat", "check/Dog")), {
      name: "InputError",
      message: `Expected folders with one meaning at ${inFolder("data")} but found check and learn, which hold the same folders cat, dog. Choose the parts, for example --train-folder check and --validation-folder learn, or --train-folder . if these are classes, or --label-pattern '([^/]+)/[^/]+$' if the folders in them are, or leave folders out with --leave-out.`,
    });
    assert.equal(summary([], { trainFolder: "learn" }), "cat,dog 0+0+2");
  });

  it("takes one name of a class in another one for chance", () => {
    assert.equal(summary(tree("a", "a", "b", "b", "c/x/a", "c/y")), "a,b,c 0+0+6");
  });

  it("refuses a folder named train beside others that hold folders, too, which may all be classes", () => {
    assert.throws(() => summary(tree("train/1", "train/2", "bus/3", "bus/4")), {
      name: "InputError",
      message: `Expected folders with one meaning at ${inFolder("data")} but found train with the folders 1, 2, beside bus. Choose --train-folder train if the folders in it are the classes, or --train-folder . if it is a class.`,
    });
    assert.equal(summary([], { trainFolder: "." }), "bus,train 0+0+4");
    assert.equal(summary([], { trainFolder: "train" }), "1,2 0+0+2");
  });

  it("names the folders beside the only part of a split", () => {
    summary(tree("train/a", "train/b", "bus"));
    assert.deepEqual(notes(), [
      "bus beside train is not used, since the classes are the folders in train (--train-folder . takes all for classes).",
    ]);
  });
});
