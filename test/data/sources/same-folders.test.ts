import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { classesOf } from "../../../src/data/sources/listing.js";
import { listFolder, temporaryFolder, writeFiles } from "../fixtures.js";

describe("findClassFolders, with folders in a part that hold the same folders", () => {
  const inFolder = temporaryFolder();
  const tree = (...folders: string[]) => folders.map((folder, i) => `${folder}/${i}.png`);
  /** Classes, and number of images in each part. */
  const summary = (names: string[], choice = {}) => {
    const dir = writeFiles(inFolder("data"), Object.fromEntries(names.map((name) => [name, "x"])));
    const { samples } = listFolder(dir, choice);
    const count = (part: string | null) => samples.filter(({ split }) => split === part).length;
    return `${classesOf(samples).join()} ${count("train")}+${count("validation")}+${count(null)}`;
  };
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
