import assert from "node:assert/strict";
import { chmodSync, readdirSync } from "node:fs";
import sharp from "sharp";
import { type Decoded, decodeAll, type Undecoded } from "../../../src/data/pixels/decode-all.js";
import { loadDecoded } from "../../../src/data/pixels/pixel-cache.js";
import { type ClassFolders, scanClassFolders } from "../../../src/data/sources/class-folders.js";
import type { OnProgress } from "../../../src/progress.js";
import { drawImages, temporaryFolder, valuesOf, writeFiles } from "../fixtures.js";

const GREYS = { "a/1.png": "#111111", "b/1.png": "#222222" };

async function outcomesOf(folders: ClassFolders, onProgress?: OnProgress) {
  const outcomes: (Decoded | Undecoded)[] = [];
  for await (const outcome of decodeAll(folders, 2, onProgress)) outcomes.push(outcome);
  return outcomes;
}

/** As a user whom permissions bind, as they do not bind root. */
async function asOrdinaryUser<Result>(work: () => Promise<Result>): Promise<Result> {
  if (process.geteuid?.() !== 0) return work();
  process.seteuid?.(65_534);
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
  }
}

describe("decodeAll", () => {
  const inFolder = temporaryFolder();
  const scan = async () => scanClassFolders(await drawImages(inFolder("data"), GREYS));
  const settings = () => {
    const { memory, files, items } = sharp.cache();
    return { numThreads: sharp.concurrency(), memory: memory.max, files: files.max, items: items.max };
  };
  const before = settings();
  afterEach(() => {
    sharp.concurrency(before.numThreads);
    sharp.cache(before);
  });

  it("decodes on one thread an image without sharp's cache, and leaves sharp as it was", async () => {
    const folders = await scan();
    await outcomesOf(folders); // which imports sharp, as a module of the other kind, that sets its defaults
    sharp.concurrency(3);
    sharp.cache({ memory: 7, files: 8, items: 9 });
    let during: object = {};
    const onProgress = () => {
      during = settings();
    };
    await outcomesOf(folders, onProgress);
    assert.deepEqual(during, { numThreads: 1, memory: 0, files: 0, items: 0 });
    assert.deepEqual(settings(), { numThreads: 3, memory: 7, files: 8, items: 9 });
    const stop = () => {
      throw new Error("stopped");
    };
    await assert.rejects(outcomesOf(folders, stop), { message: "stopped" });
    assert.deepEqual(settings(), { numThreads: 3, memory: 7, files: 8, items: 9 });
  });

  it("says whether the same files would give the same again", async () => {
    writeFiles(inFolder("data"), { "a/2.png": "text", "a/3.png": "" });
    const { samples, ...folders } = await scan();
    const gone = { ...samples[0], path: "a/gone.png" };
    const outcomes = await outcomesOf({ ...folders, samples: [...samples, gone] });
    const failures = outcomes.flatMap((outcome) => ("reason" in outcome ? [outcome] : []));
    assert.deepEqual(failures, [
      { reason: "no image that can be read", isLasting: true },
      { reason: "an empty file", isLasting: true },
      { reason: "no such file", isLasting: false },
    ]);
  });
});

describe("loadDecoded", () => {
  const inFolder = temporaryFolder();

  it("does not remember that a permission lacked to read an image", async () => {
    await drawImages(inFolder("data"), GREYS);
    const load = async () => loadDecoded(await scanClassFolders(inFolder("data")), 1);
    chmodSync(inFolder(), 0o777); // for the cache
    chmodSync(inFolder("data/b/1.png"), 0);
    const { pixels, samples, unreadable } = await asOrdinaryUser(load);
    assert.deepEqual(await valuesOf(pixels, samples.length), [0x11]);
    assert.deepEqual(unreadable, [{ path: "b/1.png", reason: "no permission to read" }]);
    assert.deepEqual(readdirSync(inFolder("cache/ferkit/pixels")), []);
    chmodSync(inFolder("data/b/1.png"), 0o644);
    assert.deepEqual(await valuesOf((await asOrdinaryUser(load)).pixels, 2), [0x11, 0x22]);
    assert.equal(readdirSync(inFolder("cache/ferkit/pixels")).length, 1);
  });
});
