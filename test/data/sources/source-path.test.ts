import assert from "node:assert/strict";
import { readSource } from "../../../src/data/sources/source.js";
import { temporaryFolder, writeFiles } from "../fixtures.js";

describe("readSource, for a wrong path", () => {
  const inFolder = temporaryFolder();
  const read = (data: string) => readSource({ data, seed: 0 });
  const make = (...names: string[]) =>
    writeFiles(inFolder("data"), Object.fromEntries(names.map((name) => [name, "x"])));

  it("suggests the folder around if a class folder was chosen", async () => {
    const dir = make(
      "sets/cat/1.jpg",
      "sets/dog/2.jpg",
      "sets/.cache/x",
      "split/train/1.jpg",
      "split/test/2.jpg",
    );
    const message = (folder: string, hint = "") =>
      `Expected class folders with images, with or without train and validation folders around them at ${folder} but found images in no class folder. ${hint}Move each image into a folder named by its class.`;
    await assert.rejects(read(`${dir}/sets/cat`), {
      message: message(`${dir}/sets/cat`, `Did you mean ${dir}/sets, whose folders all hold images? `),
    });
    await assert.rejects(read(`${dir}/split/train`), { message: message(`${dir}/split/train`) });
    make("sets/notes/readme.md");
    await assert.rejects(read(`${dir}/sets/cat`), { message: message(`${dir}/sets/cat`) });
  });

  it("suggests the data set beside a path that does not exist", async () => {
    const dir = make("my-images/cat/1.jpg", "my-imagex.md", "faces.zip", ".my-imges/x");
    for (const [name, fix] of [
      ["my-imges", "Did you mean my-images? Fix the path."],
      ["facs.zip", "Did you mean faces.zip? Fix the path."],
      ["synthetics", "Did you mean synthetic? Fix the path."],
      ["other", "Fix the path."],
    ])
      await assert.rejects(read(`${dir}/${name}`), {
        message: `Expected synthetic, fer2013, or a folder, an archive (.tar.gz, .tgz, .tar, .zip), a table (.csv, .tsv, .jsonl, .txt) or a Parquet file at ${dir}/${name} but found no such path. ${fix}`,
      });
  });

  it("says to unpack an archive of a kind that is not read", async () => {
    const dir = make("a.rar", "a.tar.xz");
    for (const name of ["a.rar", "a.tar.xz"])
      await assert.rejects(read(`${dir}/${name}`), {
        message: `Expected synthetic, fer2013, or a folder, an archive (.tar.gz, .tgz, .tar, .zip), a table (.csv, .tsv, .jsonl, .txt) or a Parquet file at ${dir}/${name} but found an archive of another kind. Unpack it, and choose the folder.`,
      });
  });
});
