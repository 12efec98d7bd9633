import assert from "node:assert/strict";
import { chooseParts, classesOf } from "../../../src/data/sources/listing.js";
import { readSource, type SourceOptions } from "../../../src/data/sources/source.js";
import { temporaryFolder, writeFiles } from "../fixtures.js";

describe("nameLabels", () => {
  const inFolder = temporaryFolder();
  const read = async (data: string, options: Partial<SourceOptions> = {}) => {
    const { listing } = await readSource({ data, seed: 0, ...options });
    return chooseParts(listing);
  };
  const make = (...names: string[]) =>
    writeFiles(inFolder("data"), Object.fromEntries(names.map((name) => [name, "x"])));

  it("gives names to codes on request, and says that labels are codes otherwise", async () => {
    const dir = make("train/1/a.jpg", "train/2/b.jpg", "test/1/c.jpg", "test/2/d.jpg");
    const plain = await read(dir);
    assert.deepEqual(classesOf(plain.samples), ["1", "2"]);
    assert.match(
      plain.notes[0],
      /^The labels are codes: 1, 2 \(--label-names 1=NAME,… gives them names, or rafdb for RAF-DB\)\.$/,
    );
    const named = await read(dir, { labelNames: "rafdb" });
    assert.deepEqual(classesOf(named.samples), ["fear", "surprise"]);
    assert.equal(named.notes[0], "The labels' names are 1 surprise, 2 fear.");
    await assert.rejects(read(dir, { labelNames: "1=surprise" }), {
      message: `Expected a name for each label in --label-names at ${dir} but found none for 2. Write them as --label-names 2=NAME,…`,
    });
  });

  it("refuses two names for one code, of which one would be lost, and keeps = in a name", async () => {
    const dir = make("1/a.jpg", "2/b.jpg");
    await assert.rejects(read(dir, { labelNames: "1=sad,2=fear,1=happy" }), {
      message:
        "Expected one name for each label in --label-names but found 1=sad and 1=happy. Remove one of them.",
    });
    assert.deepEqual(classesOf((await read(dir, { labelNames: "1=a=b,2=c,2=c" })).samples), ["a=b", "c"]);
  });

  it("finds names of codes in any Unicode form", async () => {
    const dir = make("caf\u00e9/1.jpg", "b/2.jpg");
    const { listing } = await readSource({
      data: dir,
      seed: 0,
      labelNames: "cafe\u0301=coffee,b=cafe\u0301",
    });
    assert.deepEqual(listing.samples.map(({ className }) => className).sort(), ["caf\u00e9", "coffee"]);
  });
});
