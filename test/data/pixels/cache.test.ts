import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import sharp from "sharp";
import { decodeAll, loadDecoded } from "../../../src/data/pixels/cache.js";
import type { Decoded, Undecoded } from "../../../src/data/pixels/packed-file.js";
import type { Listing } from "../../../src/data/sources/listing.js";
import type { LoadProgress, OnProgress } from "../../../src/progress.js";
import {
  contentOf,
  drawImage,
  drawImages,
  listFolder,
  temporaryFolder,
  valuesOf,
  writeFiles,
} from "../fixtures.js";

const TIME = new Date(1_000_000_000_000);
const GREYS = { "a/1.png": "#111111", "a/2.png": "#222222", "b/1.png": "#333333" };

/** Runs as a user other than root, since permissions do not apply to root. */
async function asOrdinaryUser<Result>(work: () => Promise<Result>): Promise<Result> {
  if (process.geteuid?.() !== 0) return work();
  process.seteuid?.(65_534);
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
  }
}

describe("loadDecoded", () => {
  const inFolder = temporaryFolder();
  const data = () => inFolder("data");
  const load = async (imageSize = 2, onProgress?: (progress: LoadProgress) => void) =>
    loadDecoded(listFolder(data()), imageSize, undefined, onProgress);
  const pixelsOf = async () => {
    const { pixels, samples } = await load();
    return valuesOf(pixels, samples.length);
  };
  const cacheFiles = () => {
    const dir = inFolder("cache/ferkit/pixels");
    return existsSync(dir) ? readdirSync(dir).map((name) => path.join(dir, name)) : [];
  };
  /** Four pixels of each value. */
  const squares = (...values: number[]) => values.flatMap((value) => Array(4).fill(value));

  it("gives pixels in the order of the samples, with one channel if all images are grey", async () => {
    await drawImages(data(), GREYS);
    const { pixels, numChannels, samples, unreadable } = await load();
    assert.equal(numChannels, 1);
    assert.deepEqual(await valuesOf(pixels, 3), squares(0x11, 0x22, 0x33));
    assert.deepEqual(
      samples.map(({ path, className, split, width, height }) => [path, className, split, width, height]),
      [
        ["a/1.png", "a", null, 8, 8],
        ["a/2.png", "a", null, 8, 8],
        ["b/1.png", "b", null, 8, 8],
      ],
    );
    assert.deepEqual(unreadable, []);
  });

  it("gives three channels if one image has a colour, whichever is decoded first", async () => {
    for (const coloured of [0, 7, 19]) {
      const colours = Array.from({ length: 20 }, (_, i) => (i === coloured ? [i, 2 * i, 255] : [i, i, i]));
      const files = colours.map((rgb, i) => [`${i < 10 ? "a" : "b"}/${i + 10}.png`, `rgb(${rgb})`]);
      await drawImages(data(), Object.fromEntries(files));
      const { pixels, numChannels } = await load(1);
      assert.equal(numChannels, 3);
      assert.deepEqual(await valuesOf(pixels, 20), colours.flat());
      rmSync(data(), { recursive: true });
    }
  });

  it("gives the digest of each file", async () => {
    await drawImages(data(), GREYS);
    const { samples } = await load();
    const digest = createHash("sha256")
      .update(readFileSync(inFolder("data/a/1.png")))
      .digest("hex");
    assert.equal(samples[0].digest, digest);
    assert.equal(new Set(samples.map(({ digest }) => digest)).size, 3);
  });

  for (const [kind, colour] of [
    ["grey", "#444444"],
    ["coloured", "rgb(10, 20, 30)"],
  ])
    it(`gives the same from the cache as from ${kind} files, without opening them`, async () => {
      await drawImages(data(), { ...GREYS, "b/2.png": colour });
      writeFiles(data(), { "b/3.png": "no image" });
      const folders = listFolder(data());
      const first = await contentOf(await loadDecoded(folders, 2));
      rmSync(inFolder("data/a/1.png"));
      assert.deepEqual(await contentOf(await loadDecoded(folders, 2)), first);
      for (const file of cacheFiles()) rmSync(file);
      const unreadable = (await loadDecoded(folders, 2)).unreadable.map(({ path }) => path);
      assert.deepEqual(unreadable, ["a/1.png", "b/3.png"]);
    });

  it("decodes again a file that was replaced by one of the same size and date", async () => {
    await drawImages(data(), GREYS);
    const other = inFolder("other.png");
    await drawImage(other, "#555555");
    const paths = [inFolder("data/a/1.png"), inFolder("data/a/2.png"), other];
    for (const file of paths) utimesSync(file, TIME, TIME);
    assert.equal(new Set(paths.map((file) => statSync(file).size)).size, 1);
    const [{ digest }] = (await load()).samples;
    renameSync(other, paths[0]);
    assert.deepEqual(await pixelsOf(), squares(0x55, 0x22, 0x33));
    assert.notEqual((await load()).samples[0].digest, digest);
    renameSync(paths[0], other); // two files change places
    renameSync(paths[1], paths[0]);
    renameSync(other, paths[1]);
    assert.deepEqual(await pixelsOf(), squares(0x22, 0x55, 0x33));
    writeFileSync(paths[0], readFileSync(paths[1])); // in place
    utimesSync(paths[0], TIME, TIME);
    assert.deepEqual(await pixelsOf(), squares(0x55, 0x55, 0x33));
  });

  it("uses one range for all files of a number format", async () => {
    const plain = async (file: string, value: number) => {
      const raw = { width: 2, height: 2, channels: 1 } as const;
      const png = sharp(new Uint16Array(4).fill(value), { raw }).toColourspace("grey16").png();
      writeFiles(data(), { [file]: await png.toBuffer() });
    };
    await plain("a/1.png", 400); // 10 bits
    await plain("a/2.png", 4095); // 12 bits
    await plain("b/1.png", 2048);
    const { pixels, whiteLevels } = await load();
    assert.deepEqual(await valuesOf(pixels, 3), squares(25, 255, 128)); // 400 / 4095 · 255 = 24.9
    assert.deepEqual(whiteLevels, { "16-bit": 4095 });
    assert.deepEqual((await load()).whiteLevels, whiteLevels);
  });

  it("keeps one cache for each way to make images square", async () => {
    await drawImages(data(), GREYS);
    const folders = listFolder(data());
    for (const fit of ["crop", "pad", "squash", "crop"] as const) await loadDecoded(folders, 2, { fit });
    assert.equal(cacheFiles().length, 3);
  });

  it("decodes again if a file is changed, added or removed", async () => {
    await drawImages(data(), GREYS);
    await load();
    await drawImage(inFolder("data/a/2.png"), "#777777");
    utimesSync(inFolder("data/a/2.png"), TIME, TIME);
    assert.deepEqual(await pixelsOf(), squares(0x11, 0x77, 0x33));
    await drawImage(inFolder("data/b/2.png"), "#888888");
    assert.deepEqual(await pixelsOf(), squares(0x11, 0x77, 0x33, 0x88));
    rmSync(inFolder("data/a/1.png"));
    assert.deepEqual(await pixelsOf(), squares(0x77, 0x33, 0x88));
    renameSync(inFolder("data/b/2.png"), inFolder("data/b/3.png"));
    assert.equal((await load()).samples[2].path, "b/3.png");
  });

  it("keeps one cache for each image size", async () => {
    await drawImages(data(), GREYS);
    for (const imageSize of [2, 3, 2])
      assert.equal((await valuesOf((await load(imageSize)).pixels, 3)).length, 3 * imageSize ** 2);
    assert.equal(cacheFiles().length, 2);
  });

  it("separates folders whose files have the same names, sizes and dates", async () => {
    await drawImages(data(), GREYS);
    const other = await drawImages(inFolder("other"), { ...GREYS, "b/1.png": "#999999" });
    for (const dir of [data(), other])
      for (const file of Object.keys(GREYS)) utimesSync(path.join(dir, file), TIME, TIME);
    const sizes = [data(), other].map((dir) => statSync(path.join(dir, "b/1.png")).size);
    assert.equal(sizes[0], sizes[1]);
    assert.deepEqual(await pixelsOf(), squares(0x11, 0x22, 0x33));
    const { pixels } = await loadDecoded(listFolder(other), 2);
    assert.deepEqual(await valuesOf(pixels, 3), squares(0x11, 0x22, 0x99));
  });

  it("names unreadable files, and leaves no gaps", async () => {
    await drawImages(data(), { ...GREYS, "c/1.png": "#555555" });
    writeFiles(data(), { "a/0.jpg": "", "a/11.jpg": "text", "b/0.jpg": "text" });
    symlinkSync(inFolder("nowhere"), inFolder("data/b/2.jpg"));
    const { pixels, samples, unreadable } = await load();
    assert.deepEqual(unreadable, [
      { path: "a/0.jpg", reason: "an empty file" },
      { path: "a/11.jpg", reason: "no image that can be read" },
      { path: "b/0.jpg", reason: "no image that can be read" },
      { path: "b/2.jpg", reason: "no such file" },
    ]);
    assert.deepEqual(
      samples.map(({ path }) => path),
      ["a/1.png", "a/2.png", "b/1.png", "c/1.png"],
    );
    assert.deepEqual(await valuesOf(pixels, 4), squares(0x11, 0x22, 0x33, 0x55));
  });

  it("reports progress while it decodes, but not from the cache", async () => {
    const colours = Array.from({ length: 101 }, (_, i) => [`${i < 50 ? "a" : "b"}/${i}.png`, "#101010"]);
    await drawImages(data(), Object.fromEntries(colours));
    const reports: LoadProgress[] = [];
    const onProgress = (progress: LoadProgress) => reports.push(progress);
    await load(1, onProgress);
    const expected = [100, 101].map((done) => ({ stage: "decode", done, total: 101, unit: "images" }));
    assert.deepEqual(reports, expected);
    await load(1, onProgress);
    assert.deepEqual(reports, expected);
  });

  it("replaces a truncated or overwritten cache", async () => {
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

  it("replaces a cache with another byte in its records, and refuses one with other pixels", async () => {
    await drawImages(data(), { ...GREYS, "a/c.png": "#102030" });
    const first = await contentOf(await load());
    const [file] = cacheFiles();
    const whole = readFileSync(file);
    const pixelBytes = 4 * 3 * 4; // four coloured images of 2 × 2 pixels
    for (let at = 0; at < whole.length; at += 13) {
      const bytes = Buffer.from(whole);
      bytes[at] ^= 0x10;
      writeFileSync(file, bytes);
      if (at < pixelBytes)
        await assert.rejects(load().then(contentOf), {
          name: "InputError",
          message:
            `Expected the decoded images as they were written at ${file} but found other bytes in image ${Math.floor(at / 12) + 1}. ` +
            "Remove the file and run again: the images are then decoded again.",
        });
      else {
        assert.deepEqual(await contentOf(await load()), first);
        assert.deepEqual(readFileSync(file), whole);
      }
    }
  });

  it("still gives pixels after the cache is emptied", async () => {
    await drawImages(data(), GREYS);
    const { pixels } = await load();
    for (const file of cacheFiles()) rmSync(file);
    assert.deepEqual(
      await valuesOf(pixels, 3),
      [0x11, 0x22, 0x33].flatMap((value) => Array(4).fill(value)),
    );
  });

  it("removes what a killed process left, but not what another process is writing", async () => {
    await drawImages(data(), GREYS);
    const pixels = inFolder("cache/ferkit/pixels");
    writeFiles(pixels, { "old.bin.1.tmp": "x", "new.bin.2.tmp": "x", "old.bin": "x" });
    for (const name of ["old.bin.1.tmp", "old.bin"]) utimesSync(path.join(pixels, name), TIME, TIME);
    await load();
    const left = cacheFiles().map((file) => path.basename(file));
    assert.equal(left.length, 3);
    assert.ok(left.includes("new.bin.2.tmp") && left.includes("old.bin"));
  });

  it("leaves no cache behind if it is stopped", async () => {
    await drawImages(data(), GREYS);
    const onProgress = () => {
      throw new Error("stopped");
    };
    await assert.rejects(load(2, onProgress), { message: "stopped" });
    assert.deepEqual(cacheFiles(), []);
  });

  it("does not cache that a permission to read was missing", async () => {
    await drawImages(data(), { "a/1.png": "#111111", "b/1.png": "#222222" });
    const loadOne = () => load(1);
    chmodSync(inFolder(), 0o777); // for the cache
    chmodSync(inFolder("data/b/1.png"), 0);
    const { pixels, samples, unreadable } = await asOrdinaryUser(loadOne);
    assert.deepEqual(await valuesOf(pixels, samples.length), [0x11]);
    assert.deepEqual(unreadable, [{ path: "b/1.png", reason: "no permission to read" }]);
    assert.deepEqual(readdirSync(inFolder("cache/ferkit/pixels")), []);
    chmodSync(inFolder("data/b/1.png"), 0o644);
    assert.deepEqual(await valuesOf((await asOrdinaryUser(loadOne)).pixels, 2), [0x11, 0x22]);
    assert.equal(readdirSync(inFolder("cache/ferkit/pixels")).length, 1);
  });
});

async function outcomesOf(folders: Pick<Listing, "root" | "samples">, onProgress?: OnProgress) {
  const outcomes: (Decoded | Undecoded)[] = [];
  for await (const outcome of decodeAll(folders, 2, { fit: "crop" }, onProgress)) outcomes.push(outcome);
  return outcomes;
}

describe("decodeAll", () => {
  const inFolder = temporaryFolder();
  const scan = async () => listFolder(await drawImages(inFolder("data"), GREYS));
  const settings = () => {
    const { memory, files, items } = sharp.cache();
    return { numThreads: sharp.concurrency(), memory: memory.max, files: files.max, items: items.max };
  };
  const before = settings();
  afterEach(() => {
    sharp.concurrency(before.numThreads);
    sharp.cache(before);
  });

  it("decodes each image on one thread without sharp's cache, and restores sharp's settings", async () => {
    const folders = await scan();
    await outcomesOf(folders); // imports sharp as an ES module, which sets its defaults
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

  it("says whether the same file would fail again", async () => {
    writeFiles(inFolder("data"), { "a/3.png": "text", "a/4.png": "" });
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
