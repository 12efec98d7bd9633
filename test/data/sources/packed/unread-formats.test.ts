import assert from "node:assert/strict";
import path from "node:path";
import { readSource } from "../../../../src/data/sources/source.js";
import { temporaryFolder, writeFiles } from "../../fixtures.js";

describe("readSource of files of a whole data set that are not read", () => {
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

  it("says so of Arrow files and of arrays, also of one with the ending of a table", async () => {
    const cases = {
      "data-00000-of-00001.arrow":
        "Arrow, which ferkit does not read: data-00000-of-00001.arrow. Write Parquet files with Hugging Face's datasets: dataset.to_parquet(FILE).",
      "mnist.npz":
        "arrays, which ferkit does not read: mnist.npz. Write the images into folders named by their classes, or into Parquet files.",
      "train-images-idx3-ubyte.gz":
        "arrays, which ferkit does not read: train-images-idx3-ubyte.gz. Write the images into folders named by their classes, or into Parquet files.",
      data_batch_1:
        "arrays, which ferkit does not read: data_batch_1. Write the images into folders named by their classes, or into Parquet files.",
    };
    for (const [name, rest] of Object.entries(cases)) {
      const dir = writeFiles(inFolder(name), { [name]: "\0" });
      for (const data of [dir, path.join(dir, name)])
        await assert.rejects(readSource({ data, seed: 0 }), ({ message }) =>
          message.endsWith(`but found ${rest}`),
        );
    }
  });

  it("does not blame the encoding of a table that is not read", async () => {
    const dir = writeFiles(inFolder("data"), {
      "1.jpg": "x",
      "2.jpg": "x",
      "labels.xlsx": Buffer.from("PK\x03\x04\0\xff", "latin1"),
    });
    const file = path.join(dir, "labels.xlsx");
    await assert.rejects(readSource({ data: file, seed: 0 }), {
      message: `Expected a table that names images beside it at ${file} but found labels.xlsx, which is not read, since .xlsx files are not read. Save it as CSV. Or choose the images with --data and the table with --labels.`,
    });
    await assert.rejects(readSource({ data: dir, labels: file, seed: 0 }), {
      message: `Expected folders, ferplus, ferplus-soft or a table that names images, for --labels at ${file} but found labels.xlsx, which is not read, since .xlsx files are not read. Save it as CSV.`,
    });
  });
});
