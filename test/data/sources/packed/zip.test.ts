import assert from "node:assert/strict";
import { readdirSync, writeFileSync } from "node:fs";
import { unpackArchive } from "../../../../src/data/sources/packed/archive.js";
import { readSource } from "../../../../src/data/sources/source.js";
import { latin, renamed, temporaryFolder, UTF8_FLAG, withFlags, zipOf } from "../../fixtures.js";

describe("unpackZip", () => {
  const inFolder = temporaryFolder();
  const unpack = async (data: Buffer) => {
    writeFileSync(inFolder("faces.zip"), data);
    const { dir, notes } = await unpackArchive(inFolder("faces.zip"));
    return { names: readdirSync(dir).sort(), ...notes };
  };

  it("reads names that are UTF-8 as such, with the flag that says so and without", async () => {
    const packed = zipOf({ "pêche/1.png": latin("x"), "pèche/1.png": latin("y") });
    for (const flags of [0, UTF8_FLAG])
      assert.deepEqual(await unpack(withFlags(packed, flags)), {
        names: ["pèche", "pêche"],
        skipped: [],
        guesses: [],
      });
  });

  it("reads other names in code page 437, which merges none, and says so", async () => {
    const packed = zipOf({ "p?che/1.png": latin("x"), "p!che/1.png": latin("y"), "a/1.png": latin("z") });
    const data = renamed(renamed(packed, "p?che", latin("p\x88che")), "p!che", latin("p\x8ache"));
    const { names, skipped, guesses } = await unpack(data);
    assert.deepEqual([names, skipped], [["a", "pèche", "pêche"], []]);
    const note =
      "Names in faces.zip are not UTF-8 and do not say what they are, so they are read in code page 437, for example pêche/1.png. If they look wrong, unpack it in their encoding (unzip -O GBK) and choose the folder.";
    assert.deepEqual(guesses, [note]);
    const { listing } = await readSource({ data: inFolder("faces.zip"), seed: 0 });
    assert.deepEqual(listing.notes, [note]);
  });

  it("keeps folders without files, which may be classes without images", async () => {
    const packed = zipOf({ "cat/1.png": latin("x"), "dog/1.png": latin("y"), "fox/": latin("") });
    assert.deepEqual((await unpack(packed)).names, ["cat", "dog", "fox"]);
    const { listing } = await readSource({ data: inFolder("faces.zip"), seed: 0 });
    assert.deepEqual(listing.emptyClasses, ["fox (empty)"]);
  });

  it("leaves out links whose target is not UTF-8", async () => {
    const packed = zipOf({ "a/1.png": latin("x"), "a/2.png": latin("\xea.png") });
    packed.writeUInt16LE(0o120777, packed.lastIndexOf("PK\x01\x02", undefined, "latin1") + 40);
    const { skipped } = await unpack(packed);
    assert.deepEqual(
      skipped.map(({ path }) => path),
      ["a/2.png"],
    );
  });
});
