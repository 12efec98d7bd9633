import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import fc from "fast-check";
import sharp from "sharp";
import { loadDataset } from "../../src/data/load.js";
import { temporaryFolder, writeFiles } from "../data/fixtures.js";

fc.configureGlobal({ seed: 21 }); // the same cases each time

/** Names that folders and files may have: no separators, not hidden, not those of splits. */
const NAME = fc
  .string({ unit: fc.constantFrom(..."abcxyzäß漢 ÉÑ-_+&%'\"0123456789😀"), minLength: 1, maxLength: 8 })
  .map((name) => `n${name.trim()}`.normalize("NFC"));
const unique = <T>(item: fc.Arbitrary<T>, keyOf: (value: T) => string, min: number, max: number) =>
  fc.uniqueArray(item, { selector: (value) => keyOf(value).toLowerCase(), minLength: min, maxLength: max });

/** Class folders, each with images of some names. */
const FOLDERS = unique(
  fc.record({ name: NAME, images: unique(NAME, (name) => name, 2, 5) }),
  ({ name }) => name,
  2,
  4,
);

describe("a data set of any class folders", function () {
  this.timeout(600_000);
  const inFolder = temporaryFolder();
  /** An image of each grey level, so that no two are near-duplicates by content. */
  let images: Buffer[];
  before(async () => {
    images = await Promise.all(
      Array.from({ length: 20 }, (_, i) => {
        const pixels = Buffer.from(
          Array.from({ length: 64 }, (_, p) => (p * (2 * i + 3) * 37 + i * 13) % 256),
        );
        return sharp(pixels, { raw: { width: 8, height: 8, channels: 1 } })
          .png()
          .toBuffer();
      }),
    );
  });

  it("is loaded whole: each image on one side, under its folder's name, the same for the same seed", () =>
    fc.assert(
      fc.asyncProperty(FOLDERS, fc.nat(), async (folders, seed) => {
        rmSync(inFolder("data"), { recursive: true, force: true });
        const files = folders.flatMap(({ name, images: names }) =>
          names.map((image) => `${name}/${image}.png`),
        );
        writeFiles(inFolder("data"), Object.fromEntries(files.map((file, i) => [file, images[i]])));
        const load = () => loadDataset({ data: inFolder("data"), imageSize: 8, seed });
        const { train, validation, classNames } = await load();
        const names = folders.map(({ name }) => name);
        assert.deepEqual([...classNames].sort(), [...names].sort());
        assert.deepEqual([...train.paths, ...validation.paths].sort(), [...files].sort());
        for (const side of [train, validation])
          side.paths.forEach((file, i) => {
            assert.equal(classNames[side.labels[i]], file.split("/")[0].normalize("NFC"));
          });
        for (const name of names)
          for (const side of [train, validation])
            assert.ok(
              side.paths.some((file) => file.startsWith(`${name}/`)),
              name,
            );
        const again = await load();
        assert.deepEqual([again.train.paths, again.validation.paths], [train.paths, validation.paths]);
        const all = (length: number) => Int32Array.from({ length }, (_, i) => i);
        assert.deepEqual(
          await again.train.pixels.read(all(train.numImages)),
          await train.pixels.read(all(train.numImages)),
        );
      }),
      { numRuns: 25 },
    ));
});
