import assert from "node:assert/strict";
import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import type { FileTraits } from "../../../src/data/pixels/header.js";
import {
  type Decoded,
  PixelWriter,
  readPackedFile,
  type Undecoded,
  writePackedFile,
} from "../../../src/data/pixels/packed-file.js";
import { sampleOf, TRAITS, temporaryFolder, valuesOf } from "../fixtures.js";

const DIGEST = Buffer.alloc(32, 0xab);
const grey = (value: number): Decoded => ({
  pixels: new Uint8Array(4).fill(value),
  numChannels: 1,
  width: 7,
  height: 5,
  digest: DIGEST,
  traits: TRAITS,
});
const coloured = (value: number): Decoded => ({
  ...grey(value),
  pixels: Uint8Array.from({ length: 12 }, (_, i) => value + (i % 3)),
  numChannels: 3,
});
const unreadable = (reason: string, isLasting: boolean): Undecoded => ({ reason, isLasting });

describe("writePackedFile", () => {
  const inFolder = temporaryFolder();
  const file = () => inFolder("packed");
  const write = (outcomes: (Decoded | Undecoded)[]) =>
    writePackedFile(
      file(),
      2,
      outcomes.length,
      (async function* () {
        yield* outcomes;
      })(),
    );
  const samples = (count: number) => Array.from({ length: count }, (_, i) => sampleOf(`a/${i}.png`));
  const read = (count: number) => readPackedFile(file(), 2, samples(count));

  it("keeps pixels, records and reasons, wherever the unreadable images are", async () => {
    const written = await write([
      unreadable("an empty file", true),
      grey(1),
      unreadable("no image", true),
      unreadable("a folder", true),
      grey(2),
    ]);
    assert.deepEqual(written, { isLasting: true, isUniform: true, whiteLevels: {} });
    const decoded = await read(5);
    assert.equal(decoded.numChannels, 1);
    assert.deepEqual(await valuesOf(decoded.pixels, 2), [1, 1, 1, 1, 2, 2, 2, 2]);
    assert.deepEqual(
      decoded.samples,
      ["a/1.png", "a/4.png"].map((path, i) => ({
        ...sampleOf(path),
        digest: DIGEST.toString("hex"),
        width: 7,
        height: 5,
        isGrey: true,
        dark: i + 1,
        light: i + 1,
      })),
    );
    assert.deepEqual(decoded.unreadable, [
      { path: "a/0.png", reason: "an empty file" },
      { path: "a/2.png", reason: "no image" },
      { path: "a/3.png", reason: "a folder" },
    ]);
  });

  it("says that an outcome would not be the same again", async () => {
    const { isLasting } = await write([grey(1), unreadable("no permission", false), grey(2)]);
    assert.equal(isLasting, false);
  });

  it("keeps how each file stores its image, and which are grey", async () => {
    const jpeg: FileTraits = { ...TRAITS, format: "jpeg", quality: 75 };
    await write([{ ...grey(1), traits: jpeg }, coloured(2), { ...grey(3), traits: jpeg }]);
    assert.deepEqual(
      (await read(3)).samples.map(({ traits, isGrey }) => [traits, isGrey]),
      [
        [jpeg, true],
        [TRAITS, false],
        [jpeg, true],
      ],
    );
  });

  it("says which numbers are white, and whether they differ", async () => {
    const wide = (numbers: string, white: number): Decoded => ({
      ...grey(1),
      range: { numbers, white, highest: white, isGuess: true },
    });
    const written = await write([
      wide("16-bit", 1023),
      wide("float", 1),
      wide("16-bit", 4095),
      wide("float", 255),
    ]);
    assert.deepEqual(written, {
      isLasting: true,
      isUniform: false,
      whiteLevels: { "16-bit": 4095, float: 255 },
    });
    assert.deepEqual((await read(4)).whiteLevels, written.whiteLevels);
  });

  it("keeps an empty result", async () => {
    await write([unreadable("a folder", true)]);
    assert.deepEqual((await read(1)).samples, []);
  });

  it("repeats the channel of grey images before and after a coloured one", async () => {
    await write([grey(1), grey(2), coloured(10), grey(3)]);
    const { pixels, numChannels } = await read(4);
    assert.equal(numChannels, 3);
    const rows = [Array(12).fill(1), Array(12).fill(2), [10, 11, 12, 10, 11, 12, 10, 11, 12, 10, 11, 12]];
    assert.deepEqual(await valuesOf(pixels, 4), [...rows.flat(), ...Array(12).fill(3)]);
  });

  it("does not overwrite an existing file", async () => {
    writeFileSync(file(), "mine");
    await assert.rejects(write([grey(1)]), { code: "EEXIST" });
  });
});

/** Pixels that repeat after a prime number of bytes, so that a misplaced one shows. */
const wave = (length: number, from: number) => Uint8Array.from({ length }, (_, i) => (from + i) % 251);

describe("PixelWriter", () => {
  const inFolder = temporaryFolder();

  it("widens grey images of many blocks in place, from the last to the first", async () => {
    const side = 1024; // four images a block of 4 MiB
    const greys = Array.from({ length: 6 }, (_, i) => wave(side ** 2, 7 * i));
    const coloured = wave(3 * side ** 2, 100);
    const descriptor = openSync(inFolder("pixels"), "wx+");
    try {
      const writer = new PixelWriter(descriptor, side);
      for (const pixels of greys) await writer.append(pixels, 1);
      await writer.append(coloured, 3);
      await writer.append(greys[0], 1);
      assert.equal(await writer.flush(), 8 * 3 * side ** 2);
      assert.deepEqual([writer.numImages, writer.numChannels], [8, 3]);
    } finally {
      closeSync(descriptor);
    }
    const written = readFileSync(inFolder("pixels"));
    const images = Array.from({ length: 8 }, (_, i) =>
      written.subarray(3 * i * side ** 2, 3 * (i + 1) * side ** 2),
    );
    [...greys, null, greys[0]].forEach((pixels, i) => {
      const expected = pixels
        ? Uint8Array.from({ length: 3 * side ** 2 }, (_, p) => pixels[Math.floor(p / 3)])
        : coloured;
      assert.ok(images[i].equals(expected), `image ${i}`);
    });
  });
});
