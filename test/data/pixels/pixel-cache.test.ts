import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import {
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
import { loadDecoded } from "../../../src/data/pixels/pixel-cache.js";
import { scanClassFolders } from "../../../src/data/sources/class-folders.js";
import type { LoadProgress } from "../../../src/progress.js";
import { contentOf, drawImage, drawImages, temporaryFolder, valuesOf, writeFiles } from "../fixtures.js";

const TIME = new Date(1_000_000_000_000);
const GREYS = { "a/1.png": "#111111", "a/2.png": "#222222", "b/1.png": "#333333" };

describe("loadDecoded", () => {
  const inFolder = temporaryFolder();
  const data = () => inFolder("data");
  const load = async (imageSize = 2, onProgress?: (progress: LoadProgress) => void) =>
    loadDecoded(await scanClassFolders(data()), imageSize, onProgress);
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

  it("gives the pixels in the order of the samples, one channel where all images are grey", async () => {
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

  it("gives three channels where one image has a colour, whichever is decoded first", async () => {
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

  it("tells the digest of each file", async () => {
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
    it(`gives the same from the cache as from ${kind} files, which it does not open`, async () => {
      await drawImages(data(), { ...GREYS, "b/2.png": colour });
      writeFiles(data(), { "b/3.png": "no image" });
      utimesSync(inFolder("data/a/1.png"), TIME, TIME);
      const first = await contentOf(await load());
      writeFileSync(inFolder("data/a/1.png"), Buffer.alloc(readFileSync(inFolder("data/a/1.png")).length));
      utimesSync(inFolder("data/a/1.png"), TIME, TIME);
      assert.deepEqual(await contentOf(await load()), first);

      for (const file of cacheFiles()) rmSync(file);
      const unreadable = (await load()).unreadable.map(({ path }) => path);
      assert.deepEqual(unreadable, ["a/1.png", "b/3.png"]);
    });

  it("decodes anew when a file changed, came or went", async () => {
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

  it("keeps a cache for each image size", async () => {
    await drawImages(data(), GREYS);
    for (const imageSize of [2, 3, 2])
      assert.equal((await valuesOf((await load(imageSize)).pixels, 3)).length, 3 * imageSize ** 2);
    assert.equal(cacheFiles().length, 2);
  });

  it("tells folders apart whose files look alike", async () => {
    await drawImages(data(), GREYS);
    const other = await drawImages(inFolder("other"), { ...GREYS, "b/1.png": "#999999" });
    for (const dir of [data(), other])
      for (const file of Object.keys(GREYS)) utimesSync(path.join(dir, file), TIME, TIME);
    const sizes = [data(), other].map((dir) => statSync(path.join(dir, "b/1.png")).size);
    assert.equal(sizes[0], sizes[1]);
    assert.deepEqual(await pixelsOf(), squares(0x11, 0x22, 0x33));
    const { pixels } = await loadDecoded(await scanClassFolders(other), 2);
    assert.deepEqual(await valuesOf(pixels, 3), squares(0x11, 0x22, 0x99));
  });

  it("names what cannot be read, and closes the gaps", async () => {
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

  it("reports progress while it decodes, and none from the cache", async () => {
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
});
