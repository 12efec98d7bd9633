import assert from "node:assert/strict";
import { cpSync } from "node:fs";
import path from "node:path";
import { walkFolder } from "../../../../src/data/sources/files.js";
import { archiveNotes, missingNotes } from "../../../../src/data/sources/packed/missing-files.js";
import { readSource } from "../../../../src/data/sources/source.js";
import { temporaryFolder, writeFiles } from "../../fixtures.js";

/** Made by webdataset and pyarrow: see make_datasets.py there. */
const GOLDEN = path.join(__dirname, "../../../golden/datasets");

const missing = (names: string) =>
  `Missing, by the numbers of the other files: ${names}. Add what belongs to the data set.`;

describe("missingNotes", () => {
  it("names the files that a series lacks", () => {
    assert.deepEqual(missingNotes(["a/train-00000-of-00002.parquet"]), [
      missing("train-00001-of-00002.parquet"),
    ]);
    assert.deepEqual(missingNotes(["train-000000.tar", "train-000001.tar", "train-000004.tar"]), [
      missing("train-000002.tar, train-000003.tar"),
    ]);
    assert.deepEqual(missingNotes(["t/00-of-03.tar.gz", "v/00-of-02.tar.gz", "v/01-of-02.tar.gz"]), [
      missing("01-of-03.tar.gz, 02-of-03.tar.gz"),
    ]);
    assert.deepEqual(
      missingNotes([
        "train-00000-of-00003-abcdef123456.parquet",
        "train-00002-of-00003-0123456789ab.parquet",
        "test-00000-of-00001-0123456789ab.parquet",
      ]),
      [missing("train-00001-of-00003-….parquet")],
    );
    assert.deepEqual(missingNotes(["x-2099.tar", "x-2100.tar", "x-2102.tar"]), [missing("x-2101.tar")]);
  });

  it("says nothing of whole series, of other numbers, and of names without one", () => {
    for (const files of [
      ["train-00000-of-00001.parquet", "test-00000-of-00001.parquet"],
      ["a-01.tar", "a-02.tar"],
      ["20240101.parquet", "20250101.parquet"],
      ["train-2019.parquet", "train-2021.parquet"],
      ["train.parquet", "v2.parquet"],
    ])
      assert.deepEqual(missingNotes(files), []);
  });
});

describe("archiveNotes", () => {
  const inFolder = temporaryFolder();
  const notes = (...files: string[]) =>
    archiveNotes(
      walkFolder(writeFiles(inFolder("data"), Object.fromEntries(files.map((f) => [f, "x"])))).root,
    );

  it("names archives beside images, except those that were unpacked there", () => {
    assert.deepEqual(notes("a/1.png", "b/2.png", "b.zip", "a/notes.txt"), []);
    assert.deepEqual(notes("val.zip"), [
      "Not read beside the images: val.zip. Unpack it if its images belong to the data set.",
    ]);
    assert.deepEqual(notes("a/more.tar.xz"), [
      "Not read beside the images: val.zip, a/more.tar.xz. Unpack them if their images belong to the data set.",
    ]);
  });

  it("says nothing of archives alone", () => {
    assert.deepEqual(notes("train.zip"), []);
  });
});

describe("readSource, for a part of a data set", () => {
  const inFolder = temporaryFolder();
  const notesOf = async (data: string) => (await readSource({ data, seed: 0 })).listing.notes;

  it("notes what is missing", async () => {
    cpSync(path.join(GOLDEN, "webdataset/train-000000.tar"), inFolder("shards/train-000000.tar"));
    cpSync(path.join(GOLDEN, "webdataset/train-000001.tar"), inFolder("shards/train-000002.tar"));
    cpSync(
      path.join(GOLDEN, "parquet/train-00000-of-00001.parquet"),
      inFolder("parquet/train-00000-of-00002.parquet"),
    );
    assert.equal((await notesOf(inFolder("shards")))[0], missing("train-000001.tar"));
    for (const data of ["parquet", "parquet/train-00000-of-00002.parquet"])
      assert.deepEqual(await notesOf(inFolder(data)), [missing("train-00001-of-00002.parquet")]);
    writeFiles(inFolder("images"), { "train/a/1.png": "x", "train/b/2.png": "x", "val.zip": "x" });
    assert.deepEqual(await notesOf(inFolder("images")), [
      "Not read beside the images: val.zip. Unpack it if its images belong to the data set.",
    ]);
  });
});
