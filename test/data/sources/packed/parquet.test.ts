import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import sharp from "sharp";
import { readSource, type SourceOptions } from "../../../../src/data/sources/source.js";
import { temporaryFolder, writeFiles } from "../../fixtures.js";

/** Made by pyarrow: see make_datasets.py there. */
const KINDS = path.join(__dirname, "../../../golden/datasets/parquet-kinds");

describe("readParquet", () => {
  const inFolder = temporaryFolder();
  const file = (kind: string) => path.join(KINDS, `${kind}.parquet`);
  const read = async (data: string, options: Partial<SourceOptions> = {}) => {
    const { listing } = await readSource({ data, seed: 0, ...options });
    const images = listing.samples.map(async ({ path: name, className }) => {
      const [level] = await sharp(path.join(listing.root, name)).toColourspace("b-w").raw().toBuffer();
      return `${level}: ${className}`;
    });
    return { ...listing, images: await Promise.all(images) };
  };
  const EXPECTED = ["0: 0", "1: 1", "2: 2", "3: 0", "4: 1", "5: 2"];
  const rejects = (kind: string, message: string, options: Partial<SourceOptions> = {}) =>
    assert.rejects(read(file(kind), options), { name: "InputError", message });

  it("takes the column image or img of several with images, and says so", async () => {
    const { images, notes } = await read(file("mask-first"));
    assert.deepEqual(images, EXPECTED);
    assert.equal(
      notes[0],
      "The images are those of the column image, not of mask (--path-column takes another).",
    );
    const masks = await read(file("mask-first"), { pathColumn: "mask" });
    assert.equal(masks.images[0], "200: 0");
    assert.ok(!masks.notes.some((note) => note.includes("mask")));
  });

  it("counts the files beside Parquet files", async () => {
    const dir = writeFiles(inFolder("data"), { ".hidden": "x", "notes.md": "x" });
    copyFileSync(file("zstd"), path.join(dir, "a.parquet"));
    assert.deepEqual(
      (await read(dir)).leftOut.list().map(({ reason, example }) => `${example}: ${reason}`),
      [".hidden: hidden or made by a system", "notes.md: not an image"],
    );
  });

  const inParts = async (kind: string, options: Partial<SourceOptions> = {}) => {
    const { samples, notes, leftOut } = await read(file(kind), options);
    const out = leftOut.list().map(({ count, reason }) => `${count} ${reason}`);
    return [samples.map(({ className, split }) => `${className} ${split}`).join(", "), ...notes, ...out];
  };
  const CODES = (codes: string) =>
    `The labels are codes: ${codes} (--label-names 0=NAME,… gives them names).`;

  it("reads the split of a column, as tables of files do", async () => {
    assert.deepEqual(await inParts("split-column"), [
      "0 train, 1 train, 2 train, 0 validation, 1 validation",
      "The column split of split-column.parquet is read as the split (--split-column none leaves it unread).",
      CODES("0, 1, 2"),
      "1 in a part that is neither for training nor for validation, by the table",
    ]);
    assert.deepEqual(await inParts("split-column", { splitColumn: "none" }), [
      "0 null, 1 null, 2 null, 0 null, 1 null, 2 null",
      CODES("0, 1, 2"),
    ]);
    await rejects(
      "wrong-split",
      `Expected train, validation, test, or unsup and extra, which are left out, in the column split at ${file("wrong-split")} but found trian in 1 of 6 rows, as that of row 6. Fix these values, or leave the column unread with --split-column none.`,
    );
    await rejects(
      "wrong-split",
      `Expected the column part, for --split-column at ${file("wrong-split")} but found label, split. Choose one of these, or none.`,
      { splitColumn: "part" },
    );
  });

  it("reads columns of flags, labels in a column of another usual name, and numbers that are not there", async () => {
    assert.deepEqual(await inParts("flag-column"), [
      "0 train, 1 train, 0 validation, 1 validation",
      "Rows of flag-column.parquet whose label is NaN, which are read as rows without one: 1.",
      "The column is_valid of flag-column.parquet is read as the split: 1 in is_valid is validation, and 0 is train (--split-column none leaves it unread).",
      CODES("0, 1"),
      "2 a row without a label",
    ]);
  });

  it("refuses numbers with more digits than are kept", () =>
    rejects(
      "decimals",
      `Expected numbers of at most 15 digits in the column label at ${file("decimals")} but found 9007199254740992. Write the file again with the numbers as text.`,
    ));

  it("says which labels have no name beside others that have one", async () => {
    assert.deepEqual(await inParts("unnamed"), [
      "happy null, angry null, sad null, 3 null, 4 null, 4 null",
      "The files name the classes, but not 3, 4, which are classes without a name.",
    ]);
  });

  it("passes over files without rows beside others, with a note, and refuses them alone", async () => {
    copyFileSync(file("zstd"), inFolder("a-0.parquet"));
    copyFileSync(file("empty"), inFolder("a-1.parquet"));
    const { images, notes, isTable } = await read(inFolder());
    assert.deepEqual([images, notes[0], isTable], [EXPECTED, "Files without rows: a-1.parquet.", true]);
    await rejects(
      "empty",
      `Expected Parquet files with images at ${file("empty")} but found no rows. Choose another.`,
    );
  });

  it("takes -1 for no label only if the file names the classes", async () => {
    assert.deepEqual(await inParts("minus-one"), [
      "happy null, angry null, sad null, happy null, angry null",
      "1 a row without a label",
    ]);
    assert.deepEqual(await inParts("minus-one", { labelColumn: "code" }), [
      "-1 null, 0 null, 1 null, -1 null, 0 null, 1 null",
      "The label -1 of minus-one.parquet is read as a class. Remove these rows if it stands for no label.",
    ]);
  });

  it("takes the column if the names of files say another part, and says so", async () => {
    copyFileSync(file("split-column"), inFolder("train-0.parquet"));
    const { samples, notes } = await read(inFolder("train-0.parquet"));
    assert.deepEqual(
      samples.map(({ split }) => split),
      ["train", "train", "train", "validation", "validation"],
    );
    assert.equal(
      notes[1],
      "The column split puts 3 of 6 images into another part than their files and folders, for example row 4 into validation. It is used (--split-column none takes the files and folders).",
    );
    const named = await read(inFolder("train-0.parquet"), { splitColumn: "none" });
    assert.deepEqual(new Set(named.samples.map(({ split }) => split)), new Set(["train"]));
  });

  it("asks which column of images is meant if none has a usual name", async () => {
    await rejects(
      "two-sides",
      `Expected one column of images at ${file("two-sides")} but found left, right. Choose one with --path-column NAME.`,
    );
    assert.equal((await read(file("two-sides"), { pathColumn: "right" })).images[5], "205: 2");
    await rejects(
      "two-sides",
      `Expected a column middle of images at ${file("two-sides")} but found left, right, label. Fix --path-column.`,
      { pathColumn: "middle" },
    );
  });

  it("reads a file whose first row has no image", async () => {
    const { images, leftOut } = await read(file("null-first"));
    assert.deepEqual(images, EXPECTED.slice(1));
    assert.equal(leftOut.list()[0].reason, "a row without an image");
  });

  it("reads lists of one label, and refuses several labels, one-hot lists and structures", async () => {
    assert.deepEqual((await read(file("list-of-one"))).images, EXPECTED);
    for (const [kind, found, fix] of [
      ["list", "[0,1]", "one label in each row"],
      ["one-hot", "[1,0,0]", "one label in each row"],
      ["struct", '{"name":"happy","id":0}', "the label in a column of its own"],
    ])
      await rejects(
        kind,
        `Expected one label for each image in the column label at ${file(kind)} but found ${found}. Choose another column with --label-column NAME, or write the file again with ${fix}.`,
      );
  });

  for (const compression of ["gzip", "zstd", "lz4", "brotli"])
    it(`reads ${compression}`, async () => {
      assert.deepEqual((await read(file(compression))).images, EXPECTED);
    });

  it("names another compression, with what to do", async () => {
    const bytes = readFileSync(file("gzip"));
    // The codec of a column is the field after its path: 2 is gzip, 3 LZO, and a number is stored twice as large.
    const codec = Buffer.of(0x15, 0x04, 0x16);
    for (let at = bytes.indexOf(codec); at >= 0; at = bytes.indexOf(codec)) bytes[at + 1] = 0x06;
    const lzo = inFolder("lzo.parquet");
    writeFileSync(lzo, bytes);
    await assert.rejects(read(lzo), {
      name: "InputError",
      message: `Expected a Parquet file with the compression SNAPPY, GZIP, ZSTD, BROTLI, LZ4, LZ4_RAW or none at ${lzo} but found LZO. Run pyarrow.parquet.write_table(pyarrow.parquet.read_table("FILE"), "FILE", compression="snappy") in Python.`,
    });
  });

  it("refuses several configurations, whose labels may differ, and reads one", async () => {
    for (const target of ["en/train-0", "en/test-0", "de/train-0", "de/test-0"]) {
      const to = inFolder("data", `${target}.parquet`);
      mkdirSync(path.dirname(to), { recursive: true });
      copyFileSync(file("gzip"), to);
    }
    const dir = inFolder("data");
    await assert.rejects(read(dir), {
      message: `Expected Parquet files of one data set at ${dir} but found the folders de, en, in which labels may differ. Choose one, for example --data ${dir}/de, or move the files into one folder if they are one data set.`,
    });
    assert.equal((await read(`${dir}/en`)).samples.length, 12);
    for (const part of ["train", "val"]) {
      mkdirSync(inFolder("split/data", part), { recursive: true });
      copyFileSync(file("gzip"), inFolder("split/data", part, "0.parquet"));
    }
    const { samples } = await read(inFolder("split"));
    assert.deepEqual(
      ["train", "validation"].map((part) => samples.filter(({ split }) => split === part).length),
      [6, 6],
    );
  });
});
