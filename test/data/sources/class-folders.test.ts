import assert from "node:assert/strict";
import { mkdirSync, rmSync, symlinkSync } from "node:fs";
import path from "node:path";
import { scanClassFolders } from "../../../src/data/sources/class-folders.js";
import { temporaryFolder, writeFiles } from "../fixtures.js";

/** Files of one byte, which a scan does not open. */
const files = (...names: string[]) => Object.fromEntries(names.map((name) => [name, "x"]));

describe("scanClassFolders", () => {
  const inFolder = temporaryFolder();
  const scan = async (...names: string[]) => {
    const { root, classNames, samples } = await scanClassFolders(
      writeFiles(inFolder("data"), files(...names)),
    );
    return { root, classNames, samples: samples.map(({ split, path }) => `${split} ${path}`) };
  };
  const rejects = (scanned: Promise<unknown>, message: string) =>
    assert.rejects(scanned, { name: "InputError", message });

  it("names a folder that cannot be read", async () => {
    const file = `${writeFiles(inFolder("data"), files("note.txt"))}/note.txt`;
    await rejects(
      scanClassFolders(file),
      `Expected a folder that can be read at ${file} but found the error ENOTDIR. Fix its permissions, or choose another folder.`,
    );
  });

  it("finds the images of class folders without a split, sorted", async () => {
    assert.deepEqual(await scan("sad/b.png", "sad/a.JPG", "happy/c.jpeg"), {
      root: inFolder("data"),
      classNames: ["happy", "sad"],
      samples: ["null happy/c.jpeg", "null sad/a.JPG", "null sad/b.png"],
    });
  });

  for (const [train, validation] of [
    ["train", "validation"],
    ["Training", "test"],
    ["TRAIN", "val"],
  ])
    it(`takes ${train} and ${validation} as the splits`, async () => {
      const found = await scan(
        `${train}/a/1.png`,
        `${train}/b/2.png`,
        `${validation}/a/3.png`,
        `${validation}/b/4.png`,
      );
      assert.deepEqual(found.classNames, ["a", "b"]);
      assert.deepEqual(found.samples, [
        `train ${train}/a/1.png`,
        `train ${train}/b/2.png`,
        `validation ${validation}/a/3.png`,
        `validation ${validation}/b/4.png`,
      ]);
    });

  it("validates only on validation images if there are test images too", async () => {
    const validation = ["val/a/2.png", "val/b/2.png"];
    const found = await scan(
      "train/a/1.png",
      "train/b/1.png",
      ...validation,
      "test/a/3.png",
      "Testing/c/3.png",
    );
    assert.deepEqual(
      found.samples.filter((sample) => sample.startsWith("validation")),
      validation.map((file) => `validation ${file}`),
    );
    const { classNames, unusedFolders } = await scanClassFolders(inFolder("data"));
    assert.deepEqual(classNames, ["a", "b"]);
    assert.deepEqual(unusedFolders, ["Testing", "test"]);
    rmSync(inFolder("data/val"), { recursive: true });
    rmSync(inFolder("data/Testing"), { recursive: true });
    writeFiles(inFolder("data"), files("test/b/3.png"));
    assert.deepEqual((await scanClassFolders(inFolder("data"))).unusedFolders, []);
  });

  it("enters single folders around the classes, and leaves out files that systems add", async () => {
    const found = await scan(
      "archive/data/a/1.png",
      "archive/data/b/2.png",
      "archive/data/b/._2.png",
      "archive/data/.git/c/3.png",
      "__MACOSX/archive/data/a/1.png",
      "archive/data/a/Thumbs.db",
      "archive/README.md",
    );
    assert.deepEqual(found, {
      root: inFolder("data/archive/data"),
      classNames: ["a", "b"],
      samples: ["null a/1.png", "null b/2.png"],
    });
  });

  it("takes images in folders below a class", async () => {
    assert.deepEqual((await scan("a/1.png", "b/2019/2.png", "b/2020/may/3.png")).samples, [
      "null a/1.png",
      "null b/2019/2.png",
      "null b/2020/may/3.png",
    ]);
  });

  it("keeps a broken link as a sample, which is reported as unreadable", async () => {
    writeFiles(inFolder("data"), files("a/1.png", "b/2.png"));
    symlinkSync(inFolder("nowhere"), inFolder("data/b/3.png"));
    assert.deepEqual((await scan()).samples, ["null a/1.png", "null b/2.png", "null b/3.png"]);
  });

  it("notes the size of each file", async () => {
    const dir = writeFiles(inFolder("data"), { "a/1.png": "12345", "b/2.png": "1" });
    assert.deepEqual(
      (await scanClassFolders(dir)).samples.map(({ className, size }) => [className, size]),
      [
        ["a", 5],
        ["b", 1],
      ],
    );
  });

  it("says that a folder is empty", async () => {
    mkdirSync(inFolder("data"));
    const message = `Expected class folders with images, with or without train and validation folders around them at ${inFolder("data")} but found no images in class folders. Move each image into a folder named by its class.`;
    await rejects(scan(), message);
    await rejects(scan("notes.txt", "1.png"), message);
  });

  it("says that there is only one class", async () => {
    await rejects(
      scan("a/1.png", "a/2.png"),
      `Expected at least two classes at ${inFolder("data")} but found only a. Add a folder for each class.`,
    );
  });

  it("says which classes are not in both splits", async () => {
    await rejects(
      scan("train/a/1.png", "train/b/2.png", "train/c/3.png", "validation/a/4.png", "validation/d/5.png"),
      `Expected the same classes in train and validation at ${inFolder("data")} but found b, c only in train and d only in validation. Add or rename the folders.`,
    );
    mkdirSync(inFolder("data/validation/b"));
    await rejects(
      scan("validation/c/6.png", "train/d/7.png"),
      `Expected the same classes in train and validation at ${inFolder("data")} but found b only in train. Add or rename the folders.`,
    );
  });

  /** Files of one byte, which a scan does not open, and links to paths in the test's folder. */
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

  it("does not follow a link from a folder outside to a folder around it", async () => {
    make(["data/a/1.png", "pool/b/2.png", "pool/c/3.png"], { "data/b": "pool/b", "pool/b/up": "pool" });
    assert.deepEqual(await paths(), ["a/1.png", "b/2.png"]);
  });

  it("does not follow a link from outside back to the data set", async () => {
    make(["data/a/1.png", "data/b/2.png", "pool/3.png"], { "data/b/pool": "pool", "pool/back": "data" });
    assert.deepEqual(await paths(), ["a/1.png", "b/2.png", "b/pool/3.png"]);
  });

  it("counts a folder once in a class, with any number of circular links to it", async () => {
    const names = Array.from({ length: 12 }, (_, i) => `pool${i}`);
    const links = names.flatMap((from) => names.map((to) => [`${from}/to-${to}`, to]));
    make([...names.map((name) => `${name}/${name}.png`), "data/a/1.png"], {
      ...Object.fromEntries(links.filter(([link, to]) => !link.startsWith(`${to}/`))),
      "data/b": "pool0",
    });
    const found = (await paths()).map((file) => path.basename(file)).sort();
    assert.deepEqual(found, ["1.png", ...names.map((name) => `${name}.png`)].sort());
  });

  it("enters each of two single folders that link to each other once", async () => {
    make(["other/notes.txt"], { "data/link": "other", "other/link": "third", "third/link": "other" });
    await assert.rejects(scanClassFolders(inFolder("data")), ({ message }: Error) => {
      assert.match(message, /found no images in class folders/);
      assert.ok(message.includes(` at ${inFolder("data/link/link")} but `), message);
      return true;
    });
  });

  it("leaves out hidden folders, and links to nothing or to other kinds of files", async () => {
    make(["data/a/1.png", "data/b/2.png", "data/b/.checkpoints/2.png", "notes.txt"], {
      "data/gone": "nowhere",
      "data/notes": "notes.txt",
    });
    assert.deepEqual(await paths(), ["a/1.png", "b/2.png"]);
  });
});
