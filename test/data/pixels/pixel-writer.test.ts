import assert from "node:assert/strict";
import { closeSync, openSync, readFileSync } from "node:fs";
import { PixelWriter } from "../../../src/data/pixels/pixel-writer.js";
import { temporaryFolder } from "../fixtures.js";

/** Pixels that repeat only after a prime number of bytes, so that none can be misplaced unseen. */
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
