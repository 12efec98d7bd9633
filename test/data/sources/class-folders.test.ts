import assert from "node:assert/strict";
import { mkdirSync, rmSync, symlinkSync } from "node:fs";
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
    const place = `${writeFiles(inFolder("data"), files("note.txt"))}/note.txt`;
    await rejects(
      scanClassFolders(place),
      `Expected a folder that can be read at ${place} but found the error ENOTDIR. Mend its permissions, or give another folder.`,
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

  it("validates on the images for validation alone where others are for tests", async () => {
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

  it("looks into lone folders around the classes, and leaves out what systems add", async () => {
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

  it("takes images in folders below a class as the class's", async () => {
    assert.deepEqual((await scan("a/1.png", "b/2019/2.png", "b/2020/may/3.png")).samples, [
      "null a/1.png",
      "null b/2019/2.png",
      "null b/2020/may/3.png",
    ]);
  });

  it("keeps a link to nowhere as a sample, to be named when it cannot be read", async () => {
    writeFiles(inFolder("data"), files("a/1.png", "b/2.png"));
    symlinkSync(inFolder("nowhere"), inFolder("data/b/3.png"));
    assert.deepEqual((await scan()).samples, ["null a/1.png", "null b/2.png", "null b/3.png"]);
  });

  it("notes each file's size", async () => {
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
    const message = `Expected folders named by class that hold images, under train and validation or not at ${inFolder("data")} but found no images in class folders. Put each image into a folder named by its class.`;
    await rejects(scan(), message);
    await rejects(scan("notes.txt", "1.png"), message);
  });

  it("says that there is one class only", async () => {
    await rejects(
      scan("a/1.png", "a/2.png"),
      `Expected at least two classes at ${inFolder("data")} but found only a. Add a folder for each other class.`,
    );
  });

  it("says which classes are not in both splits", async () => {
    await rejects(
      scan("train/a/1.png", "train/b/2.png", "train/c/3.png", "validation/a/4.png", "validation/d/5.png"),
      `Expected the same classes in train and validation at ${inFolder("data")} but found b, c in train alone and d in validation alone. Add or rename the folders.`,
    );
    mkdirSync(inFolder("data/validation/b"));
    await rejects(
      scan("validation/c/6.png", "train/d/7.png"),
      `Expected the same classes in train and validation at ${inFolder("data")} but found b in train alone. Add or rename the folders.`,
    );
  });
});
