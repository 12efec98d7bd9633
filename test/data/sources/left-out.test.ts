import assert from "node:assert/strict";
import { filesInWords, LeftOutFiles, mayBeMissed, REASONS } from "../../../src/data/sources/left-out.js";

describe("filesInWords", () => {
  it("has a line for each reason, folder and ending", () => {
    const leftOut = new LeftOutFiles();
    for (const file of ["a/1.heic", "a/2.heic", "b/3.HEIC", "notes.txt"])
      leftOut.add(
        file.endsWith("txt")
          ? "not an image"
          : "an image format that is not read (convert it to JPEG or PNG)",
        file,
      );
    assert.deepEqual(filesInWords(leftOut.counts(6)), [
      "files: 6 of 10 are used as images; the other 4:",
      "  2 .heic in a: an image format that is not read (convert it to JPEG or PNG), such as a/1.heic",
      "  1 .heic in b: an image format that is not read (convert it to JPEG or PNG)",
      "  1 .txt in .: not an image, such as notes.txt",
    ]);
    assert.deepEqual(filesInWords(new LeftOutFiles().counts(3)), ["files: all 3 are used as images"]);
  });

  it("is said before a training only of files that may be missed", () => {
    const said = (reason: string, ...names: string[]) => {
      const leftOut = new LeftOutFiles();
      for (const name of names) leftOut.add(reason, name);
      return mayBeMissed(leftOut.counts(5));
    };
    assert.equal(said(REASONS.notImage, "README.txt", "a/labels.CSV"), false);
    assert.equal(said(REASONS.hidden, ".DS_Store"), false);
    assert.equal(said(REASONS.notImage, "notes.txt", "a/1"), true);
    assert.equal(said(REASONS.notImage, "a/1.mp4"), true);
    assert.equal(said(REASONS.format, "a/1.heic"), true);
    assert.equal(said("in a folder of no class", "x.txt"), true);
  });

  it("shortens a long list", () => {
    const leftOut = new LeftOutFiles();
    for (let i = 10; i < 35; i++) leftOut.add("not an image", `${i}/a.txt`, 2);
    const lines = filesInWords(leftOut.counts(0));
    assert.equal(lines.length, 22);
    assert.equal(lines.at(-1), "  10 more in 5 other kinds (--json lists all)");
  });
});
