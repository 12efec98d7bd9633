import assert from "node:assert/strict";
import { mkdirSync, symlinkSync } from "node:fs";
import path from "node:path";
import { scanClassFolders } from "../../../src/data/sources/class-folders.js";
import { temporaryFolder, writeFiles } from "../fixtures.js";

describe("scanClassFolders", () => {
  const inFolder = temporaryFolder();
  /** Files of one byte, which a scan does not open, and links to what is named by the path from the test's folder. */
  const make = (files: string[], links: Record<string, string>) => {
    writeFiles(inFolder(), Object.fromEntries(files.map((name) => [name, "x"])));
    for (const [link, target] of Object.entries(links)) {
      mkdirSync(path.dirname(inFolder(link)), { recursive: true });
      symlinkSync(inFolder(target), inFolder(link));
    }
  };
  const paths = async () => (await scanClassFolders(inFolder("data"))).samples.map(({ path }) => path);

  it("follows links to class folders, and to folders below and around them", async () => {
    make(["pool/cats/1.png", "pool/dogs/2.png", "pool/more/may/3.png"], {
      "shelf/train/cat": "pool/cats",
      "shelf/train/dog": "pool/dogs",
      "shelf/train/dog2/more": "pool/more",
      "shelf/val": "shelf/train",
      "data/shelf": "shelf",
    });
    const { root, classNames, samples } = await scanClassFolders(inFolder("data"));
    assert.equal(root, inFolder("data/shelf"));
    assert.deepEqual(classNames, ["cat", "dog", "dog2"]);
    assert.deepEqual(
      samples.map(({ split, path }) => `${split} ${path}`),
      ["train train/", "validation val/"].flatMap((split) => [
        `${split}cat/1.png`,
        `${split}dog/2.png`,
        `${split}dog2/more/may/3.png`,
      ]),
    );
  });

  it("does not follow a link back to a folder around it", async () => {
    make(["data/a/1.png", "data/b/c/2.png"], {
      "data/here": "data",
      "data/a/up": "data",
      "data/b/self": "data/b",
      "data/b/c/above": "",
    });
    assert.deepEqual(await paths(), ["a/1.png", "b/c/2.png"]);
  });

  it("does not follow a link from a folder outside to one around that", async () => {
    make(["data/a/1.png", "pool/b/2.png", "pool/c/3.png"], { "data/b": "pool/b", "pool/b/up": "pool" });
    assert.deepEqual(await paths(), ["a/1.png", "b/2.png"]);
  });

  it("does not follow a link from outside back to the data set", async () => {
    make(["data/a/1.png", "data/b/2.png", "pool/3.png"], { "data/b/pool": "pool", "pool/back": "data" });
    assert.deepEqual(await paths(), ["a/1.png", "b/2.png", "b/pool/3.png"]);
  });

  it("counts a folder once in a class, however many links lead to it in circles", async () => {
    const names = Array.from({ length: 12 }, (_, i) => `pool${i}`);
    const links = names.flatMap((from) => names.map((to) => [`${from}/to-${to}`, to]));
    make([...names.map((name) => `${name}/${name}.png`), "data/a/1.png"], {
      ...Object.fromEntries(links.filter(([link, to]) => !link.startsWith(`${to}/`))),
      "data/b": "pool0",
    });
    const found = (await paths()).map((file) => path.basename(file)).sort();
    assert.deepEqual(found, ["1.png", ...names.map((name) => `${name}.png`)].sort());
  });

  it("goes into two lone folders that lead to each other once", async () => {
    make(["other/notes.txt"], { "data/link": "other", "other/link": "third", "third/link": "other" });
    await assert.rejects(scanClassFolders(inFolder("data")), ({ message }: Error) => {
      assert.match(message, /found no images in class folders/);
      assert.ok(message.includes(` at ${inFolder("data/link/link")} but `), message);
      return true;
    });
  });

  it("leaves out links to nowhere and to files of other kinds, and hidden folders", async () => {
    make(["data/a/1.png", "data/b/2.png", "data/b/.checkpoints/2.png", "notes.txt"], {
      "data/gone": "nowhere",
      "data/notes": "notes.txt",
    });
    assert.deepEqual(await paths(), ["a/1.png", "b/2.png"]);
  });
});
