import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { loadDecoded } from "../../../src/data/pixels/pixel-cache.js";
import { scanClassFolders } from "../../../src/data/sources/class-folders.js";
import { contentOf, drawImages, temporaryFolder, valuesOf, writeFiles } from "../fixtures.js";

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
    const first = await contentOf(await load());
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
      assert.deepEqual(await contentOf(await load()), first);
      assert.deepEqual(cacheFiles(), [file]);
      assert.deepEqual(readFileSync(file), whole);
    }
  });

  it("gives pixels still when the cache was emptied", async () => {
    await drawImages(data(), GREYS);
    const { pixels } = await load();
    for (const file of cacheFiles()) rmSync(file);
    assert.deepEqual(
      await valuesOf(pixels, 3),
      [0x11, 0x22, 0x33].flatMap((value) => Array(4).fill(value)),
    );
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
