import assert from "node:assert/strict";
import { readSource } from "../../../src/data/sources/source.js";
import { temporaryFolder, writeFiles } from "../fixtures.js";

describe("readSource of a folder with TFRecord files", () => {
  const inFolder = temporaryFolder();

  it("says so of such a file, too", async () => {
    const file = `${writeFiles(inFolder("data"), { "x.tfrecord": "x" })}/x.tfrecord`;
    await assert.rejects(readSource({ data: file, seed: 0 }), {
      name: "InputError",
      message:
        "Expected synthetic, fer2013, or a folder, an archive (.tar.gz, .tgz, .tar, .zip), a table (.csv, .tsv, .jsonl, .txt) or a " +
        `Parquet file at ${file} but found TFRecord, which ferkit does not read: x.tfrecord. Write the images into folders named by ` +
        "their classes, or into Parquet files, with TensorFlow.",
    });
  });

  it("says that they are not read, and what to do", async () => {
    const dir = writeFiles(inFolder("data"), {
      "train.tfrecord-00000-of-00002": "x",
      "val.tfrec.gz": "x",
      "notes.md": "x",
    });
    await assert.rejects(readSource({ data: dir, seed: 0 }), {
      name: "InputError",
      message:
        `Expected class folders with images, with or without train and validation folders around them at ${dir} ` +
        "but found TFRecord, which ferkit does not read: train.tfrecord-00000-of-00002, val.tfrec.gz. " +
        "Write the images into folders named by their classes, or into Parquet files, with TensorFlow.",
    });
  });
});
