import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { scanClassFolders } from "../../src/data/folder.js";
import { loadDecoded } from "../../src/data/pixel-cache.js";
import { PixelArray, PixelFile } from "../../src/data/pixels.js";
import { drawImages, temporaryFolder, writeFiles } from "./fixtures.js";

const TIME = new Date(1_000_000_000_000);
const GREYS = { "a/1.png": "#111111", "a/2.png": "#222222", "b/1.png": "#333333" };

describe("the file of loadDecoded", () => {
  const inFolder = temporaryFolder();
  const data = () => inFolder("data");
  const load = async (onProgress?: () => void) => loadDecoded(await scanClassFolders(data()), 2, onProgress);
  const cacheFiles = () => {
    const dir = inFolder("cache/ferkit/pixels");
    return existsSync(dir) ? readdirSync(dir).map((name) => path.join(dir, name)) : [];
  };

  it("makes a cache anew that was cut short or overwritten", async () => {
    await drawImages(data(), GREYS);
    const first = await load();
    const [file] = cacheFiles();
    const whole = readFileSync(file);
    const huge = Array.from({ length: 4 }, (_, i) => {
      const bytes = Buffer.from(whole);
      bytes.writeUInt32LE(2 ** 32 - 1, whole.length - 16 + 4 * i); // size, channels, images, length of the JSON
      return bytes;
    });
    const broken = [0, 3, 19, 20, 100, whole.length - 1].map((length) => whole.subarray(0, length));
    for (const bytes of [...broken, ...huge, Buffer.alloc(whole.length), Buffer.from("text")]) {
      writeFileSync(file, bytes);
      assert.deepEqual(await load(), first);
      assert.deepEqual(cacheFiles(), [file]);
      assert.deepEqual(readFileSync(file), whole);
    }
  });

  it("gives the same pixels from the file where they are too many for memory", async () => {
    const colours = Array.from({ length: 5 }, (_, i) => `rgb(${i}, ${2 * i}, ${3 * i})`);
    const files = colours.map((colour, i) => [`${i < 2 ? "a" : "b"}/${i}.png`, colour]);
    await drawImages(data(), Object.fromEntries(files));
    const folders = await scanClassFolders(data());
    const values = colours.map((_, i) => [i, 2 * i, 3 * i]);
    for (const memoryBytes of [15, 14]) {
      const { pixels } = await loadDecoded(folders, 1, undefined, memoryBytes);
      assert.equal(pixels.constructor, memoryBytes < 15 ? PixelFile : PixelArray);
      for (const file of cacheFiles()) rmSync(file); // as an emptied cache does while a run goes on
      assert.deepEqual(
        [...(await pixels.read(Int32Array.of(4, 0, 1, 3)))],
        [4, 0, 1, 3].flatMap((i) => values[i]),
      );
    }
  });

  it("removes what a killed process left, and not what another is at", async () => {
    await drawImages(data(), GREYS);
    const pixels = inFolder("cache/ferkit/pixels");
    writeFiles(pixels, { "old.bin.1.tmp": "x", "new.bin.2.tmp": "x", "old.bin": "x" });
    for (const name of ["old.bin.1.tmp", "old.bin"]) utimesSync(path.join(pixels, name), TIME, TIME);
    await load();
    const left = cacheFiles().map((file) => path.basename(file));
    assert.equal(left.length, 3);
    assert.ok(left.includes("new.bin.2.tmp") && left.includes("old.bin"));
  });

  it("leaves no cache behind when it is stopped", async () => {
    await drawImages(data(), GREYS);
    const onProgress = () => {
      throw new Error("stopped");
    };
    await assert.rejects(load(onProgress), { message: "stopped" });
    assert.deepEqual(cacheFiles(), []);
  });
});
