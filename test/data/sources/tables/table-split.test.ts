import assert from "node:assert/strict";
import { readSource, type SourceOptions } from "../../../../src/data/sources/source.js";
import { temporaryFolder, writeFiles } from "../../fixtures.js";

describe("withTableSplit, for lists of the parts", () => {
  const inFolder = temporaryFolder();
  const make = (images: string[], tables: Record<string, string>) =>
    writeFiles(inFolder("data"), { ...Object.fromEntries(images.map((name) => [name, "x"])), ...tables });
  const read = async (data: string, options: Partial<SourceOptions> = {}) => {
    const { listing } = await readSource({ data, seed: 0, ...options });
    const found = listing.samples.map(({ path, className, split }) => `${path} ${className} ${split}`);
    return { ...listing, found: found.sort() };
  };
  const IMAGES = ["images/cat/1.jpg", "images/cat/2.jpg", "images/dog/3.jpg", "images/dog/4.jpg"];
  const SPLIT = ["cat/1.jpg cat train", "cat/2.jpg cat test", "dog/3.jpg dog train", "dog/4.jpg dog test"];
  const FILES = { "meta/train.txt": "cat/1\ndog/3\n", "meta/test.txt": "cat/2\ndog/4\n" };
  const used = (...files: string[]) =>
    `The list of each part (${files.join(", ")}) is used as the split (--split-column none leaves it unread).`;

  it("reads lists of names alone", async () => {
    const dir = make(IMAGES, FILES);
    const { found, notes, splitBy } = await read(dir);
    assert.deepEqual(found, SPLIT);
    assert.deepEqual(notes, [used("meta/test.txt", "meta/train.txt")]);
    assert.deepEqual(splitBy, {
      words: "the list of each part (meta/test.txt, meta/train.txt)",
      isColumn: false,
      isList: true,
    });
    assert.deepEqual((await read(dir, { labels: "folders" })).found, SPLIT);
    const own = await read(dir, { splitColumn: "none" });
    assert.deepEqual([own.found[0], own.notes], ["cat/1.jpg cat null", []]);
  });

  it("reads tables of each part, also if their column of labels is not clear", async () => {
    const dir = make(IMAGES, {
      "train.csv": "file,label\n1.jpg,cat\n3.jpg,dog\n",
      "test.csv": "file,label\n2.jpg,cat\n4.jpg,dog\n",
    });
    const { found, notes } = await read(dir);
    assert.deepEqual(found, SPLIT);
    assert.deepEqual(notes, [used("test.csv", "train.csv")]);
    make([], {
      "train.csv": "file,label,class\n1.jpg,0,cat\n3.jpg,1,dog\n",
      "test.csv": "file,label,class\n2.jpg,0,cat\n4.jpg,1,dog\n",
    });
    assert.deepEqual((await read(dir)).found, SPLIT);
  });

  it("reads them beside a table of labels", async () => {
    const dir = make(["img/1.jpg", "img/2.jpg"], {
      "labels.csv": "file,label\n1.jpg,cat\n2.jpg,dog\n",
      "train.txt": "1.jpg\n",
      "val.txt": "2.jpg\n",
    });
    const { found, notes, labels } = await read(dir);
    assert.deepEqual(found, ["img/1.jpg cat train", "img/2.jpg dog validation"]);
    assert.deepEqual([labels, notes], ["labels.csv", [used("train.txt", "val.txt")]]);
  });

  it("does not use lists with an image in two parts, and says so", async () => {
    const dir = make(IMAGES, { ...FILES, "meta/train2.txt": "cat/2\ndog/4\n" });
    const { found, notes } = await read(dir);
    assert.equal(found[0], "cat/1.jpg cat null");
    assert.deepEqual(notes, [
      "The lists meta/test.txt, meta/train.txt, meta/train2.txt are not used as the split, since they have images/cat/2.jpg in test and train. Choose one list for each part, such as --labels meta/test.txt,meta/train.txt.",
    ]);
  });

  it("takes the rest for training, if no list is for it", async () => {
    const lists = (...files: string[]) => `The list of each part (${files.join(", ")})`;
    const dir = make([...IMAGES, "images/dog/5.jpg"], { "testing_list.txt": "cat/2.jpg\n" });
    const one = await read(dir);
    assert.deepEqual(one.found, [
      "cat/1.jpg cat train",
      SPLIT[1],
      ...[3, 4, 5].map((i) => `dog/${i}.jpg dog train`),
    ]);
    assert.deepEqual(one.notes, [
      `${lists("testing_list.txt")} is used as the split, with the other 4 of 5 images for training (--split-column none leaves it unread).`,
    ]);
    assert.deepEqual((await read(dir, { splitColumn: "none" })).found[0], "cat/1.jpg cat null");
    make([], { "validation_list.txt": "dog/4.jpg\n" });
    assert.deepEqual((await read(dir)).found, [
      ...SPLIT.slice(0, 3),
      "dog/4.jpg dog validation",
      "dog/5.jpg dog train",
    ]);
    make([], { "validation_list.txt": "dog/4.jpg\ndog/3.jpg\n" });
    const most = await read(dir);
    assert.equal(most.found[0], "cat/1.jpg cat null");
    assert.deepEqual(most.notes, [
      `${lists("testing_list.txt", "validation_list.txt")} is not used as a split, since none is for training, and only 2 of 5 images are in none.`,
    ]);
  });

  it("does not use a list for training alone, or lists that most images are not in", async () => {
    const dir = make(IMAGES, { "meta/train.txt": "cat/1\ndog/3\n" });
    assert.deepEqual((await read(dir)).notes, []);
    make(
      [5, 6, 7, 8, 9].map((i) => `images/dog/${i}.jpg`),
      FILES,
    );
    assert.deepEqual((await read(dir)).notes, [
      "The list of each part (meta/test.txt, meta/train.txt) is not used as a split, since 5 of 9 images have no part in it, such as dog/5.jpg.",
    ]);
  });

  it("says where the folders have another split", async () => {
    const dir = make(["train/cat/1.jpg", "train/dog/3.jpg", "test/cat/2.jpg", "test/dog/4.jpg"], {
      "meta/train.txt": "1.jpg\n3.jpg\n4.jpg\n",
      "meta/test.txt": "2.jpg\n",
    });
    assert.deepEqual((await read(dir)).notes, [
      "The list of each part (meta/test.txt, meta/train.txt) puts 1 of 4 images into another part than their folders, for example test/dog/4.jpg into train. The folders are used.",
    ]);
  });

  it("says that more lists than it reads are not read", async () => {
    const lists = Array.from({ length: 21 }, (_, i) => [`meta/train${i}.txt`, "cat/1\n"]);
    const { notes } = await read(make(IMAGES, Object.fromEntries(lists)));
    assert.deepEqual(notes, [
      "There are 21 tables beside the class folders, of which none is read, such as meta/train0.txt. Keep at most 20 to read the split in them.",
    ]);
  });

  it("reads the lists that were chosen among numbered ones, as those of DTD", async () => {
    const numbers = Array.from({ length: 10 }, (_, i) => i + 1);
    const lists = numbers.flatMap((i) => [
      [`labels/train${i}.txt`, "cat/1.jpg\ndog/3.jpg\n"],
      [`labels/val${i}.txt`, `${i % 2 ? "cat/2.jpg" : "dog/4.jpg"}\n`],
      [`labels/test${i}.txt`, `${i % 2 ? "dog/4.jpg" : "cat/2.jpg"}\n`],
    ]);
    const dir = make(IMAGES, Object.fromEntries(lists));
    const all = await read(dir);
    assert.equal(all.found[0], "cat/1.jpg cat null");
    assert.equal(
      all.notes.at(-1),
      "There are 30 tables beside the class folders, of which none is read, such as labels/test1.txt. Choose one list for each part, such as --labels labels/test1.txt,labels/train1.txt,labels/val1.txt.",
    );
    const labels = "labels/train2.txt,labels/val2.txt,labels/test2.txt";
    const { found, notes } = await read(dir, { labels });
    assert.deepEqual(found, [
      ...["cat/1.jpg cat train", "cat/2.jpg cat test"],
      ...["dog/3.jpg dog train", "dog/4.jpg dog validation"],
    ]);
    assert.equal(notes.at(-1), used("labels/test2.txt", "labels/train2.txt", "labels/val2.txt"));
    make([], { "labels/other.txt": "cat/9.jpg\n" });
    await assert.rejects(read(dir, { labels: "labels/other.txt" }), {
      message:
        "Expected folders, ferplus, ferplus-soft or a table that names images, for --labels at labels/other.txt but found a table that names none of the images. Fix the path, or choose the images with --data.",
    });
  });

  it("says that several tables have a column of the split", async () => {
    const dir = make(IMAGES, {
      "a.csv": "file,split\n1.jpg,train\n3.jpg,val\n",
      "b.csv": "file,split\n2.jpg,train\n4.jpg,val\n",
    });
    assert.deepEqual((await read(dir)).notes, [
      "Each of a.csv, b.csv has a column of the split, so none of them is used.",
    ]);
  });
});
