import assert from "node:assert/strict";
import { listFolder, temporaryFolder, writeFiles } from "../../fixtures.js";

const FILES = [
  "cat/1.png",
  "cat/1_mask.png",
  "cat/raw/1.png",
  "dog/1.png",
  "dog/raw/1.png",
  "test/cat.1.gif",
];

describe("--leave-out", () => {
  const inFolder = temporaryFolder();
  const left = (...leaveOut: string[]) => {
    const dir = writeFiles(inFolder("data"), Object.fromEntries(FILES.map((name) => [name, "x"])));
    const { samples, leftOut } = listFolder(dir, { leaveOut });
    const reasons = leftOut.list().filter(({ reason }) => reason === "left out on request");
    return {
      read: samples.map(({ path }) => path),
      count: reasons.reduce((sum, { count }) => sum + count, 0),
    };
  };
  const without = (...names: string[]) => FILES.filter((name) => !names.includes(name));

  for (const [name, out] of [
    ["test", ["test/cat.1.gif"]],
    ["cat/raw/", ["cat/raw/1.png"]],
    ["./cat/../test", ["test/cat.1.gif"]],
    ["raw", ["cat/raw/1.png", "dog/raw/1.png"]],
    ["*_mask.png", ["cat/1_mask.png"]],
    ["*.gif", ["test/cat.1.gif"]],
    ["cat/*.png", ["cat/1.png", "cat/1_mask.png"]],
    ["*/r?w", ["cat/raw/1.png", "dog/raw/1.png"]],
    ["*.1.*", ["test/cat.1.gif"]],
  ] as const)
    it(`leaves out ${name}`, () => {
      assert.deepEqual(left(name), { read: without(...out), count: out.length });
    });

  it("leaves out what several names and patterns fit", () => {
    assert.deepEqual(left("test", "raw", "*_mask*").read, ["cat/1.png", "dog/1.png"]);
  });

  it("takes the path of a file, folders at any depth, and a pattern for folders", () => {
    assert.deepEqual(left("test", "cat/raw/1.png", "dog/raw").read, left("test", "**/raw/*").read);
    assert.deepEqual(left("test", "**/raw/*").read, left("test", "ra?/").read);
    assert.deepEqual(left("test", "**/raw/*").read, left("test", "raw").read);
    assert.deepEqual(left("test", "dog/**/1.png", "raw").read, left("test", "dog", "raw").read);
  });

  it("compares patterns with paths from the folder that the data set's folder wraps", () => {
    const files = Object.fromEntries(FILES.map((name) => [`pets/${name}`, "x"]));
    const dir = writeFiles(inFolder("wrapped"), files);
    for (const pattern of ["cat/*.png", "pets/cat/*.png"]) {
      const { samples } = listFolder(dir, { leaveOut: [pattern, "test"] });
      assert.deepEqual(
        samples.map(({ path }) => path),
        ["cat/raw/1.png", "dog/1.png", "dog/raw/1.png"],
      );
    }
  });

  it("is the advice for masks beside the images of each class", () => {
    const files = ["cat", "dog"].flatMap((name) => [`${name}/images/1.png`, `${name}/masks/1.png`]);
    const dir = writeFiles(inFolder("masked"), Object.fromEntries(files.map((name) => [name, "x"])));
    assert.throws(() => listFolder(dir), {
      message: `Expected folders with one meaning at ${dir} but found cat and dog, which hold the same folders images, masks. Choose --leave-out masks if these are masks or copies, or --label-pattern '([^/]+)/[^/]+$' if the folders images, masks are the classes.`,
    });
    const { samples } = listFolder(dir, { leaveOut: ["masks"] });
    assert.deepEqual(
      samples.map(({ path, className }) => `${path}: ${className}`),
      ["cat/images/1.png: cat", "dog/images/1.png: dog"],
    );
  });

  it("refuses names and patterns that fit nothing", () => {
    assert.throws(() => left("masks"), {
      message: `Expected the folder masks at ${inFolder("data")} but found cat, dog, test. Fix the name, which counts from the data set's folder.`,
    });
    assert.throws(() => left("*_seg.png"), {
      message: `Expected files or folders that fit *_seg.png at ${inFolder("data")} but found none. Fix --leave-out: without a slash, a pattern is compared with each name; otherwise, with each path.`,
    });
  });
});
