import assert from "node:assert/strict";
import { closeSync, fstatSync, openSync, truncateSync, writeFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { crc32 } from "node:zlib";
import { PixelArray, PixelFile, PixelSelection } from "../../../src/data/pixels/pixels.js";
import { temporaryFolder } from "../fixtures.js";

/** Four images of three bytes; the tens digit is the image. */
const BYTES = Uint8Array.of(0, 1, 2, 10, 11, 12, 20, 21, 22, 30, 31, 32);
const INDICES = Int32Array.of(2, 3, 0, 2);
const VALUES = [20, 21, 22, 30, 31, 32, 0, 1, 2, 20, 21, 22];

describe("PixelArray", () => {
  it("copies images in any order", async () => {
    const pixels = new PixelArray(Uint8Array.from(BYTES), 3);
    const copy = await pixels.read(INDICES);
    assert.deepEqual([...copy], VALUES);
    copy.fill(255);
    assert.deepEqual([...(await pixels.read(INDICES))], VALUES);
  });
});

describe("PixelSelection", () => {
  it("reads images by its own indices", async () => {
    const pixels = new PixelSelection(new PixelArray(BYTES, 3), Int32Array.of(3, 1));
    assert.deepEqual([...(await pixels.read(Int32Array.of(1, 0)))], [10, 11, 12, 30, 31, 32]);
  });
});

describe("PixelFile", () => {
  const inFolder = temporaryFolder();
  const openFile = () => {
    writeFileSync(inFolder("pixels"), BYTES);
    return openSync(inFolder("pixels"), "r");
  };
  const CHECKSUMS = Uint32Array.from([0, 1, 2, 3], (i) => crc32(BYTES.subarray(3 * i, 3 * i + 3)));
  const open = (descriptor: number) => new PixelFile(descriptor, 3, CHECKSUMS, inFolder("pixels"));
  const damaged = (found: string) => ({
    name: "InputError",
    message:
      `Expected the decoded images as they were written at ${inFolder("pixels")} but found ${found}. ` +
      "Remove the file and run again: the images are then decoded again.",
  });

  it("reads images in any order, including neighbours", async () => {
    const pixels = open(openFile());
    assert.deepEqual([...(await pixels.read(INDICES))], VALUES);
    assert.deepEqual([...(await pixels.read(Int32Array.of(0, 1, 2, 3)))], [...BYTES]);
    assert.deepEqual([...(await pixels.read(new Int32Array()))], []);
  });

  it("refuses images that the file no longer contains", async () => {
    const pixels = open(openFile());
    truncateSync(inFolder("pixels"), 10);
    await assert.rejects(pixels.read(Int32Array.of(0, 3)), damaged("a file that was cut short"));
  });

  it("refuses an image whose bytes changed, and reads the others", async () => {
    const pixels = open(openFile());
    const changed = Uint8Array.from(BYTES);
    changed[7] ^= 1;
    writeFileSync(inFolder("pixels"), changed);
    assert.deepEqual([...(await pixels.read(Int32Array.of(1)))], [...BYTES.subarray(3, 6)]);
    await assert.rejects(pixels.read(Int32Array.of(1, 2)), damaged("other bytes in image 3"));
  });

  it("closes the file when it is no longer used, but not during a read", async () => {
    const descriptor = openFile();
    const reading = open(descriptor).read(INDICES);
    await collectGarbage();
    assert.deepEqual([...(await reading)], VALUES);
    for (let i = 0; i < 100 && isOpen(descriptor); i++) await collectGarbage();
    const wasOpen = isOpen(descriptor);
    if (wasOpen) closeSync(descriptor);
    assert.equal(wasOpen, false);
  });
});

/** Lets finalizers run too. */
async function collectGarbage(): Promise<void> {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
  await new Promise((resolve) => setTimeout(resolve, 1));
}

function isOpen(descriptor: number): boolean {
  try {
    fstatSync(descriptor);
    return true;
  } catch {
    return false;
  }
}
