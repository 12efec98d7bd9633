import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import sharp from "sharp";
import { chooseParts, classesOf, type Listing } from "../../../src/data/sources/listing.js";
import { readSource, type SourceOptions } from "../../../src/data/sources/source.js";
import { tarOf, temporaryFolder, writeFiles } from "../fixtures.js";

/** Made by the tools whose files they are: see make_datasets.py there. */
const GOLDEN = path.join(__dirname, "../../golden/datasets");
const files = (...names: string[]) => Object.fromEntries(names.map((name) => [name, "x"]));

describe("readSource", () => {
  const inFolder = temporaryFolder();
  const read = async (data: string, options: Partial<SourceOptions> = {}) => {
    const { listing } = await readSource({ data, seed: 0, ...options });
    return chooseParts(listing);
  };
  const make = (...names: string[]) => writeFiles(inFolder("data"), files(...names));
  /** Class and part of each image, by its one grey level. */
  const byLevel = async ({ root, samples }: Listing) => {
    const entries = samples.map(async ({ path: file, className, split }) => {
      const [level] = await sharp(path.join(root, file)).toColourspace("b-w").raw().toBuffer();
      return [level, `${className} ${split}`] as const;
    });
    return new Map((await Promise.all(entries)).sort(([a], [b]) => a - b));
  };
  const NAMES = ["happy", "angry", "sad"];

  it("reads Parquet files of Hugging Face's datasets, with their names of classes and their split", async () => {
    const expected = new Map([
      ...[0, 1, 2, 3, 4, 5].map((i) => [i, `${NAMES[i % 3]} train`] as const),
      ...[100, 101, 102].map((i) => [i, `${NAMES[(i - 100) % 3]} validation`] as const),
    ]);
    const listing = await read(path.join(GOLDEN, "parquet"));
    assert.deepEqual(await byLevel(listing), expected);
    assert.deepEqual(
      await byLevel(await read(path.join(GOLDEN, "parquet"))),
      expected,
      "also from the cache",
    );
    assert.equal(listing.labels, "2 Parquet files");
    const one = await read(path.join(GOLDEN, "parquet/train-00000-of-00001.parquet"));
    assert.deepEqual([one.samples.length, one.samples[0].split], [6, null]);
  });

  it("asks for the column of a Parquet file, and refuses a file that is none", async () => {
    const file = path.join(GOLDEN, "parquet/train-00000-of-00001.parquet");
    await assert.rejects(read(file, { labelColumn: "kind" }), {
      message: `Expected the column kind at ${file} but found image, label. Choose the column with --label-column NAME.`,
    });
    writeFileSync(inFolder("x.parquet"), "PAR1 and no more PAR1");
    await assert.rejects(read(inFolder("x.parquet")), {
      name: "InputError",
      message:
        /^Expected a Parquet file at .*x\.parquet but found one that is damaged or of an unknown kind \(.+\)\. Download the file again\.$/,
    });
  });

  it("reads webdataset's tar files, with the split in their names", async () => {
    const listing = await read(path.join(GOLDEN, "webdataset"), { labelNames: "0=happy,1=angry,2=sad" });
    assert.deepEqual(
      await byLevel(listing),
      new Map([
        ...[0, 1, 2, 3, 4, 5].map((i) => [i, `${NAMES[i % 3]} train`] as const),
        ...[100, 101, 102].map((i) => [i, `${NAMES[i % 3]} validation`] as const),
      ]),
    );
    assert.deepEqual(listing.notes, ["The labels' names are 0 happy, 1 angry, 2 sad."]);
  });

  it("reads one tar file of webdataset, with labels in JSON files", async () => {
    assert.deepEqual(
      await byLevel(await read(path.join(GOLDEN, "labels-in-json.tar"))),
      new Map([0, 1, 2, 3].map((i) => [i, `${NAMES[i % 2]} null`] as const)),
    );
  });

  /** A webdataset shard; each value is the label of a sample. */
  const shard = (labels: Record<string, string>, images = ["png"]) =>
    tarOf(
      Object.fromEntries(
        Object.entries(labels).flatMap(([key, label]) => [
          ...images.map((ending) => [`${key}.${ending}`, Buffer.from(`${key} ${label}`)] as const),
          [`${key}.cls`, Buffer.from(label)] as const,
        ]),
      ),
    );
  const inWords = ({ samples }: Listing) =>
    samples.map(({ path: file, className, split }) => `${file}: ${className} ${split}`);

  it("keeps shards of one name in several folders apart, and takes their folders as the split", async () => {
    const dir = writeFiles(inFolder("data"), {
      "train/0000.tar": shard({ 1: "cat", 2: "dog" }),
      "train/0001.tar": shard({ 1: "dog" }),
      "val/0000.tar": shard({ 1: "dog", 2: "cat" }),
      "val.tar": shard({ 1: "cat" }),
    });
    const listing = await read(dir);
    const expected = [
      ...["train/0000/1.png: cat train", "train/0000/2.png: dog train", "train/0001/1.png: dog train"],
      ...["val/0000/1.png: dog validation", "val/0000/2.png: cat validation", "val_/1.png: cat validation"],
    ];
    assert.deepEqual(inWords(listing), expected);
    for (const { path: file, className } of listing.samples)
      assert.match(readFileSync(path.join(listing.root, file), "utf8"), new RegExp(className), file);
    assert.deepEqual(inWords(await read(dir)), expected, "also from the cache");
    assert.deepEqual(inWords(await read(`${dir}/train`)), [
      "0000/1.png: cat null",
      "0000/2.png: dog null",
      "0001/1.png: dog null",
    ]);
    writeFileSync(
      inFolder("all.tar"),
      tarOf(
        Object.fromEntries(
          ["train/0000.tar", "val/0000.tar"].map((file) => [file, readFileSync(`${dir}/${file}`)]),
        ),
      ),
    );
    assert.deepEqual(inWords(await read(inFolder("all.tar"))), [
      expected[0],
      expected[1],
      expected[3],
      expected[4],
    ]);
  });

  it("reads shards whose names are the classes, or that hold the same class folders, and refuses others with some of them", async () => {
    const images = (...names: string[]) =>
      tarOf(Object.fromEntries(names.map((name) => [name, Buffer.from(name)])));
    const dir = writeFiles(inFolder("data"), {
      "train/cat.tar": images("1.png"),
      "train/dog.tar": images("1.png"),
      "val/cat.tar": images("1.png"),
      "val/dog.tar": images("1.png"),
    });
    assert.deepEqual(inWords(await read(dir)), [
      ...["train/cat/1.png: cat train", "train/dog/1.png: dog train"],
      ...["val/cat/1.png: cat validation", "val/dog/1.png: dog validation"],
    ]);
    const parts = writeFiles(inFolder("parts"), {
      "train/0000.tar": images("cat/1.png", "dog/1.png"),
      "train/0001.tar": images("cat/1.png", "dog/1.png"),
      "val/0000.tar": images("cat/1.png", "dog/1.png"),
      "val/0001.tar": images("cat/1.png", "dog/1.png"),
    });
    const numbers = ["0000", "0001"];
    assert.deepEqual(
      inWords(await read(parts)),
      ["train", "val"].flatMap((part) =>
        numbers.flatMap((shard) =>
          ["cat", "dog"].map(
            (name) => `${part}/${shard}/${name}/1.png: ${name} ${part === "val" ? "validation" : part}`,
          ),
        ),
      ),
    );
    const uneven = writeFiles(inFolder("uneven"), {
      "train/0000.tar": images("a/1.png", "b/1.png", "c/1.png", "d/1.png", "e/1.png"),
      "train/0001.tar": images("a/1.png", "b/1.png"),
      "val/0000.tar": images("a/1.png", "b/1.png", "c/1.png", "d/1.png", "e/1.png"),
      "val/0001.tar": images("a/1.png", "b/1.png"),
    });
    await assert.rejects(read(uneven), {
      message: `Expected shards with a label beside each image, or one shard with class folders for each part at ${uneven} but found the folders a, b in several shards. Choose a folder, with all shards of a part unpacked into one folder in it.`,
    });
  });

  it("uses one image of each webdataset sample and says so, or asks", async () => {
    for (const [endings, used] of [
      [["jpg", "mask.png"], "jpg"],
      [["jpg", "seg.png", "depth.png"], "jpg"],
      [["image.png", "mask.png"], "image.png"],
      [["jpg.png", "mask.png"], "jpg.png"],
    ] as const) {
      const file = inFolder("train-0.tar");
      writeFileSync(file, shard({ 1: "cat", 2: "dog" }, [...endings]));
      const listing = await read(file);
      assert.deepEqual(
        listing.samples.map(({ path: one }) => one),
        [`1.${used}`, `2.${used}`],
      );
      assert.deepEqual(listing.notes, [
        `Samples hold several images: 1.${used} and its like are used, 1.${[...endings].sort().find((one) => one !== used)} and its like are not.`,
      ]);
      assert.equal(
        listing.leftOut.list().find(({ reason }) => reason.startsWith("another image"))?.count,
        2 * endings.length - 2,
      );
    }
    for (const endings of [
      ["left.png", "right.png"],
      ["jpg", "png"],
    ]) {
      const file = inFolder("train-0.tar");
      writeFileSync(file, shard({ 1: "cat", 2: "dog" }, endings));
      await assert.rejects(read(file), (error: Error) => {
        assert.match(error.message, /^Expected one image for each label at .* but found /);
        const found = endings.map((ending) => `1.${ending}`).join(" and ");
        assert.ok(
          error.message.endsWith(
            `found ${found}. Remove the others, or rename the image to train on as 1.jpg beside 1.cls.`,
          ),
        );
        return true;
      });
    }
  });

  it("pairs labels with images whose names differ after a dot", async () => {
    writeFileSync(inFolder("set.tar"), shard({ "a.1": "cat", "a.2": "dog" }));
    assert.deepEqual(inWords(await read(inFolder("set.tar"))), ["a.1.png: cat null", "a.2.png: dog null"]);
  });

  it("keeps the split beside a stray image, which it leaves out with its name", async () => {
    const dir = make("train/cat_1.png", "train/dog_1.png", "val/cat_2.png", "val/dog_2.png", "cat_3.png");
    const options = { labelPattern: "([a-z]+)_\\d" };
    const listing = await read(dir, options);
    assert.deepEqual(inWords(listing).slice(2), [
      "val/cat_2.png: cat validation",
      "val/dog_2.png: dog validation",
    ]);
    assert.deepEqual(listing.notes, [
      "1 of 5 images are in no part of the split, such as cat_3.png, and are left out.",
      "The label pattern finds 2 classes: cat, dog.",
    ]);
    assert.deepEqual(
      listing.leftOut.list().map(({ reason, example }) => `${example}: ${reason}`),
      ["cat_3.png: in no part of the split"],
    );
    const labelled = writeFiles(inFolder("shards"), {
      "train-0.tar": shard({ 1: "cat", 2: "dog" }),
      "val-0.tar": shard({ 1: "cat", 2: "dog" }),
      "more.tar": shard({ 1: "cat" }),
    });
    assert.match(
      (await read(labelled)).notes[0],
      /^1 of 5 images are in no part of the split, such as more\/1\.png,/,
    );
    for (let i = 10; i < 20; i++) writeFileSync(`${dir}/cat_${i}.png`, "x");
    await assert.rejects(read(dir, options), {
      message: `Expected images in the parts of a split at ${dir} but found 11 of 15 in no part, such as cat_10.png. Move them into a folder such as train, or out of the data set.`,
    });
  });

  it("says that a part alone beside other images is no split", async () => {
    const dir = make("test/cat_1.png", "test/dog_1.png", "cat_3.png", "dog_3.png");
    const listing = await read(dir, { labelPattern: "([a-z]+)_\\d" });
    assert.equal(listing.samples.length, 4);
    assert.deepEqual(listing.notes, [
      "Images in test are read as all others, since 2 are in no part of a split, such as cat_3.png.",
      "The label pattern finds 2 classes: cat, dog.",
    ]);
  });

  it("reads a table of pixels that is in a folder, an archive or alone", async () => {
    const text = `emotion,pixels,Usage\n0,1 2 3 4,Training\n3,4 5 6 7,PublicTest\n`;
    const dir = writeFiles(inFolder("data"), { "fer2013/fer2013.csv": text, "fer2013/README": "x" });
    writeFileSync(inFolder("fer.tar"), tarOf({ "fer2013/fer2013.csv": Buffer.from(text) }));
    for (const data of [dir, inFolder("fer.tar"), `${dir}/fer2013/fer2013.csv`])
      assert.deepEqual(
        (await read(data)).samples.map(({ className, split }) => `${className} ${split}`),
        ["angry train", "happy validation"],
        data,
      );
    assert.deepEqual(
      (await read(dir)).leftOut.list().map(({ reason, example }) => `${example}: ${reason}`),
      ["fer2013/README: not an image"],
    );
  });

  it("prefers the table of pixels with a split, and asks if there are several", async () => {
    const table = (header: string) => `emotion,${header}\n0,1 2 3 4,Training\n`;
    const dir = writeFiles(inFolder("data"), {
      "train.csv": "emotion,pixels\n0,1 2 3 4\n",
      "icml_face_data.csv": table("pixels, Usage"),
    });
    assert.equal((await read(dir)).labels, "icml_face_data.csv");
    writeFiles(dir, { "fer2013.csv": table("pixels,Usage") });
    await assert.rejects(read(dir), {
      message: `Expected one table of pixels, or one for each part of the split at ${dir} but found fer2013.csv, icml_face_data.csv. Choose one, for example --data ${dir}/fer2013.csv.`,
    });
  });

  it("takes labels from a table for images in no class folder", async () => {
    const dir = make("images/1.jpg", "images/2.jpg");
    writeFileSync(`${dir}/labels.csv`, "image,label\n1.jpg,cat\n2.jpg,dog\n");
    const listing = await read(dir);
    assert.deepEqual([listing.labels, classesOf(listing.samples)], ["labels.csv", ["cat", "dog"]]);
    assert.equal((await read(`${dir}/labels.csv`)).samples.length, 2);
  });

  it("keeps class folders beside a table that agrees, and asks if it does not", async () => {
    const dir = make("cat/1.jpg", "dog/2.jpg");
    writeFileSync(`${dir}/labels.csv`, "image,label\n1.jpg,cat\n2.jpg,dog\n");
    assert.equal((await read(dir)).labels, "class folders");
    writeFileSync(`${dir}/labels.csv`, "image,label\n1.jpg,black\n2.jpg,white\n");
    await assert.rejects(read(dir), {
      message: `Expected one kind of labels at ${dir} but found the folders cat, dog, and labels.csv with black, white. Choose with --labels folders or --labels labels.csv.`,
    });
    assert.deepEqual(classesOf((await read(dir, { labels: "folders" })).samples), ["cat", "dog"]);
    writeFileSync(`${dir}/labels.csv`, "image,label\n1.jpg,cat\n2.jpg,dog\n3.jpg,dog\n4.jpg,cat\n");
    make("cat/3.jpg", "dog/4.jpg");
    await assert.rejects(read(dir), {
      message: `Expected one kind of labels at ${dir} but found labels.csv with other labels for 2 of 4 images, for example dog for cat/3.jpg. Choose with --labels folders or --labels labels.csv.`,
    });
    writeFileSync(`${dir}/labels.csv`, "image,label\n1.jpg,black\n2.jpg,white\n");
    assert.deepEqual(classesOf((await read(dir, { labels: "labels.csv" })).samples), ["black", "white"]);
  });

  it("suggests a pattern for labels in file names", async () => {
    const dir = make("cat.1.png", "cat.2.png", "dog.1.png", "dog.2.png");
    await assert.rejects(read(dir), {
      message: `Expected class folders with images, with or without train and validation folders around them at ${dir} but found images in no class folder. Move each image into a folder named by its class. If the class is in the files' names, run again with --label-pattern '(?:^|/)([^/]+?)[ ._(-]*\\d+\\)?\\.\\w+$', which finds 2 classes: cat, dog.`,
    });
    const { samples, notes } = await read(dir, { labelPattern: "(?:^|/)([^/]+?)[ ._(-]*\\d+\\)?\\.\\w+$" });
    assert.deepEqual(classesOf(samples), ["cat", "dog"]);
    assert.deepEqual(notes, ["The label pattern finds 2 classes: cat, dog."]);
  });

  it("names what a folder without images holds", async () => {
    const dir = make("data.bin", "notes.md");
    const expected =
      "Expected class folders with images, with or without train and validation folders around them";
    await assert.rejects(read(dir), {
      message: `${expected} at ${dir} but found no images in class folders, but 2 other files (.bin, .md). Move each image into a folder named by its class.`,
    });
    writeFiles(dir, { "set.zip": "x" });
    await assert.rejects(read(dir), {
      message: `${expected} at ${dir} but found the archive set.zip. Choose it, for example --data ${dir}/set.zip.`,
    });
  });

  it("reads FER+'s labels from a table beside the data, by name or by path", async () => {
    const dir = make("train/sad/0.jpg", "train/sad/1.jpg");
    const header =
      "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF";
    writeFileSync(
      inFolder("fer2013new.csv"),
      `${header}\nTraining,a,0,9,0,0,0,0,0,0,0,0\nTraining,b,0,0,0,0,9,0,0,0,0,0\n`,
    );
    for (const labels of ["ferplus", "ferplus-soft", inFolder("fer2013new.csv")]) {
      const { samples } = await read(dir, { labels });
      assert.deepEqual(
        samples.map(({ className }) => className),
        ["happy", "angry"],
      );
      assert.equal(samples[0].shares?.happy, labels === "ferplus-soft" ? 1 : undefined);
    }
  });

  it("names the archive in errors, and its entries that were left out", async () => {
    const image = readFileSync(path.join(GOLDEN, "labels-in-json.tar"));
    writeFileSync(
      inFolder("set.tar"),
      tarOf({ "a/1.png": image, "b/2.png": image, "b/3.png": { target: "gone.png" } }),
    );
    const listing = await read(inFolder("set.tar"));
    assert.equal(listing.where, inFolder("set.tar"));
    assert.deepEqual(
      listing.leftOut.list().map(({ reason, example }) => `${example}: ${reason}`),
      ["b/3.png: a link to nothing in the archive"],
    );
  });

  it("refuses labels that are no table, or a table that names other images", async () => {
    const dir = make("cat/1.jpg", "dog/2.jpg", "other.csv");
    const expected = "Expected folders, ferplus, ferplus-soft or a table that names images, for --labels";
    const fix = "Fix the path, or choose the images with --data.";
    await assert.rejects(read(dir, { labels: "none.csv" }), {
      message: `${expected} at none.csv but found no such path. ${fix}`,
    });
    await assert.rejects(read(dir, { labels: "ferpluss" }), {
      message: `${expected} at ferpluss but found no such path. Did you mean ferplus? ${fix}`,
    });
    await assert.rejects(read(dir, { labels: "other.csv" }), {
      message: `${expected} at other.csv but found a table that names none of the images. ${fix}`,
    });
  });
});
