import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { copyImageList, type ImageList, readImageList, writeImageList } from "../../src/data/image-list.js";
import { temporaryFolder } from "./fixtures.js";

describe("readImageList", () => {
  const inFolder = temporaryFolder();
  const file = () => inFolder("images.jsonl.gz");
  const list: ImageList = {
    options: { seed: 3 },
    split: "held-out",
    images: [
      { split: "train", className: "a", digest: "0123456789abcdef", path: "a/1.png", shares: [1, 0] },
      { split: "validation", className: "b", digest: "fedcba9876543210", path: "b/1.png" },
    ],
  };
  const refused = (found: string) =>
    assert.rejects(readImageList(file()), {
      name: "InputError",
      message: `Expected a list of images at ${file()} but found ${found}. Remove it; then nothing is known about the images of the training.`,
    });

  it("reads what was written, and null if there is no file", async () => {
    assert.equal(await readImageList(file()), null);
    await writeImageList(file(), list, true);
    assert.deepEqual(await readImageList(file()), list);
  });

  it("refuses a broken file, and lines of other values", async () => {
    writeFileSync(file(), "no gzip");
    await refused("a broken file");
    for (const text of [
      "null\n[]\n",
      "{}\n7\n",
      '{}\n["train",1,"x"]\n',
      '{}\n["train","a",null]\n',
      "{\n",
    ]) {
      writeFileSync(file(), gzipSync(text));
      await refused("a broken file");
    }
  });

  it("refuses a few bytes that unpack to many, and a named pipe", async () => {
    writeFileSync(file(), gzipSync(`{}\n${" ".repeat(2 ** 26)}`));
    await refused("a broken file");
    execFileSync("rm", [file()]);
    execFileSync("mkfifo", [file()]);
    await refused("a named pipe");
  });
});

describe("copyImageList", () => {
  const inFolder = temporaryFolder();
  const list: ImageList = {
    options: { seed: 5 },
    images: [{ split: "train", className: "a", digest: "0123456789abcdef" }],
  };

  it("replaces the list of the model that was there, also by none", async () => {
    for (const dir of ["one", "other", "none"]) mkdirSync(inFolder(dir));
    const file = (dir: string) => inFolder(`${dir}/images.jsonl.gz`);
    await writeImageList(file("one"), list, false);
    await copyImageList(inFolder("one"), inFolder("other"));
    assert.deepEqual(await readImageList(file("other")), list);
    await copyImageList(inFolder("one"), inFolder("one"));
    assert.deepEqual(await readImageList(file("one")), list);
    await copyImageList(inFolder("none"), inFolder("other"));
    assert.equal(await readImageList(file("other")), null);
    writeFileSync(inFolder("weights.safetensors"), "");
    await copyImageList(inFolder("weights.safetensors"), inFolder("one"));
    assert.equal(await readImageList(file("one")), null);
  });
});
