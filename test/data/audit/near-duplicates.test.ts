import assert from "node:assert/strict";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import sharp from "sharp";
import { drawFace } from "../../../src/cartoons/draw.js";
import { findNearDuplicates } from "../../../src/data/audit/near-duplicates.js";
import { mirror, THUMBNAIL_SIZE as SIDE } from "../../../src/data/audit/thumbnails.js";
import type { Dataset, PackedImages } from "../../../src/data/dataset.js";
import { PixelArray } from "../../../src/data/pixels/pixels.js";
import type { LoadProgress } from "../../../src/progress.js";
import { Random } from "../../../src/random.js";
import { workspace } from "../../workspace.js";

const SIZE = 48;

const face = async (seed: number, change = (image: sharp.Sharp) => image) => {
  const drawn = await drawFace(seed % 2 ? "happy" : "angry", new Random(seed, "face"), 96);
  return change(sharp(await sharp(drawn).png().toBuffer()))
    .resize(SIZE, SIZE)
    .toColourspace("b-w")
    .raw()
    .toBuffer();
};
const jpeg = async (seed: number) => {
  const drawn = await drawFace(seed % 2 ? "happy" : "angry", new Random(seed, "face"), 96);
  const compressed = await sharp(drawn).jpeg({ quality: 50 }).toBuffer();
  return sharp(compressed).resize(SIZE, SIZE).toColourspace("b-w").raw().toBuffer();
};
const plain = (value: number) => Buffer.alloc(SIZE * SIZE, value);

function packed(images: Buffer[], labels: number[], split: string): PackedImages {
  return {
    pixels: new PixelArray(Buffer.concat(images), SIZE * SIZE),
    labels: Int32Array.from(labels),
    numImages: images.length,
    imageSize: SIZE,
    numChannels: 1,
    paths: images.map((_, i) => `${split}/${i}.png`),
  };
}

describe("findNearDuplicates", () => {
  let dataset: Dataset;
  before(async () => {
    const train = packed(
      [await face(0), await face(1), await face(0), await face(2), plain(0), plain(80)],
      [0, 1, 1, 0, 0, 1],
      "train",
    );
    const validation = packed(
      [
        await face(3),
        await jpeg(1),
        await face(2, (image) => image.flop()),
        await face(1, (image) => image.linear(0.6, 60)),
        await face(0),
        plain(0),
        plain(81),
      ],
      [1, 0, 0, 1, 0, 0, 0],
      "validation",
    );
    dataset = { name: "faces", classNames: ["angry", "happy"], train, validation };
  });
  it("refuses a list without images", async () => {
    await assert.rejects(findNearDuplicates([]), {
      name: "ParameterError",
      message: "Expected the images of a split or more for splits but received none of type string",
    });
  });

  const find = () => findNearDuplicates([dataset.train, dataset.validation]);

  it("groups equal pixels by the first image that has them", async () => {
    const { duplicates } = await find();
    // train 0, 1, 2 (= 0), 3, 4, 5; validation 6, 7, 8, 9, 10 (= 0), 11 (= 4), 12
    assert.deepEqual([...duplicates], [0, 1, 0, 3, 4, 5, 6, 7, 8, 9, 0, 4, 12]);
  });

  it("groups recompressed, lighter and mirrored images, but not other faces or plain images", async () => {
    const { groups, pairs } = await find();
    assert.deepEqual([...groups], [0, 1, 0, 3, 4, 5, 6, 1, 3, 1, 0, 4, 12]);
    const mirrored = pairs.filter(({ isMirrored }) => isMirrored);
    assert.deepEqual(
      mirrored.map(({ indices }) => indices),
      [[3, 8]],
    );
    for (const { similarity } of pairs) assert.ok(similarity >= 0.86 && similarity <= 1);
  });

  it("takes images apart that share a layout, but for equal ones", async () => {
    const form = await face(0);
    const filledIn = (number: number) => {
      const image = Buffer.from(form);
      for (let i = 0; i < 6; i++) image[SIZE * 40 + 20 + i] = number & (1 << i) ? 0 : 255;
      return image;
    };
    const forms = (count: number) => Array.from({ length: count }, (_, i) => filledIn(i));
    const others = [await face(1), await jpeg(1)];
    const images = [...forms(12), filledIn(3), ...others];
    const found = await findNearDuplicates([packed(images, Array(15).fill(0), "train")]);
    assert.deepEqual([...found.alike], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    assert.deepEqual([...found.groups], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 3, 13, 13]);
    assert.deepEqual(
      found.pairs.map(({ indices }) => indices),
      [[13, 14]],
    );
    const few = [...forms(6), ...others];
    const { alike, groups } = await findNearDuplicates([packed(few, Array(8).fill(0), "train")]);
    assert.deepEqual([[...alike], [...groups]], [[], [0, 0, 0, 0, 0, 0, 6, 6]]);
  });

  it("finds the same pairs in any order of the images", async () => {
    const images: Buffer[] = [];
    for (let seed = 0; seed < 40; seed++) {
      const left = 1 + (seed % 7);
      const cropped = (image: sharp.Sharp) =>
        image
          .extract({ left, top: 7 - left, width: 89, height: 89 })
          .linear(0.7, 5)
          .blur(1.5);
      images.push(await face(seed), await face(seed, cropped));
    }
    const pairsOf = async (some: Buffer[]) =>
      (await findNearDuplicates([packed(some, Array(80).fill(0), "train")])).pairs;
    const reversed = (await pairsOf([...images].reverse())).map(({ indices: [a, b] }) => [79 - b, 79 - a]);
    const inOrder = (pairs: number[][]) => pairs.sort(([a], [b]) => a - b);
    const forward = (await pairsOf(images)).map(({ indices }) => indices);
    assert.ok(forward.length > 10, String(forward.length));
    assert.deepEqual(inOrder(reversed), inOrder(forward));
  });

  it("groups the images of one split for a split that keeps groups together", async () => {
    const { groups } = await findNearDuplicates([dataset.train]);
    assert.deepEqual([...groups], [0, 1, 0, 3, 4, 5]);
  });

  it("gives the same result again, and reports progress", async () => {
    const reports: LoadProgress[] = [];
    const first = await findNearDuplicates([dataset.train, dataset.validation], (one) => reports.push(one));
    assert.deepEqual(await find(), first);
    assert.deepEqual(reports, [
      { stage: "compare", done: 6, total: 13, unit: "images" },
      { stage: "compare", done: 13, total: 13, unit: "images" },
    ]);
  });

  it("finds nothing among different images, also in colour", async () => {
    const colours = Buffer.concat(
      await Promise.all(
        [0, 1, 2].map(async (seed) => {
          const drawn = await drawFace("happy", new Random(seed, "colour"), 96);
          return sharp(drawn).resize(SIZE, SIZE).raw().toBuffer();
        }),
      ),
    );
    const images: PackedImages = {
      ...packed([], [], "train"),
      pixels: new PixelArray(colours, SIZE * SIZE * 3),
      numImages: 3,
      numChannels: 3,
    };
    const { groups, pairs } = await findNearDuplicates([images]);
    assert.deepEqual([...groups], [0, 1, 2]);
    assert.deepEqual(pairs, []);
  });
});

describe("findNearDuplicates, of many images", () => {
  const folder = workspace();
  const { FERKIT_CACHE } = process.env;
  beforeEach(() => {
    process.env.FERKIT_CACHE = folder.file("cache");
  });
  afterEach(() => {
    if (FERKIT_CACHE === undefined) delete process.env.FERKIT_CACHE;
    else process.env.FERKIT_CACHE = FERKIT_CACHE;
  });
  const found = () => readdirSync(folder.file("cache/near-duplicates"));

  /** 1,000 images of noise, of which the last is the mirror image of the first. */
  const bytes = Uint8Array.from(
    new Random(0, "many").permutation(1000 * SIDE * SIDE),
    (value) => value % 256,
  );
  bytes.set(mirror(bytes.slice(0, SIDE * SIDE), SIDE, 1), 999 * SIDE * SIDE);
  /** Reads of the images so far. */
  let numRead = 0;
  class Counted extends PixelArray {
    override read(indices: Int32Array) {
      numRead += indices.length;
      return super.read(indices);
    }
  }
  const images = (pixels = bytes): PackedImages => ({
    ...packed([], [], "train"),
    pixels: new Counted(pixels, SIDE * SIDE),
    numImages: 1000,
    imageSize: SIDE,
  });

  it("reads the images once if they were compared before, in any split", async () => {
    const first = await findNearDuplicates([images()]);
    assert.deepEqual(
      first.pairs.map(({ indices }) => indices),
      [[0, 999]],
    );
    numRead = 0;
    const [head, rest] = [images(bytes.subarray(0, SIDE * SIDE)), images(bytes.subarray(SIDE * SIDE))];
    const splits = [
      { ...head, numImages: 1 },
      { ...rest, numImages: 999 },
    ];
    assert.deepEqual(await findNearDuplicates(splits), first);
    assert.equal(numRead, 1000);
  });

  it("compares again what has other pixels, or if the file of the result is damaged", async () => {
    const first = await findNearDuplicates([images()]);
    const [name] = found();
    const file = folder.file("cache/near-duplicates", name);
    const text = readFileSync(file, "utf8");
    for (const damaged of ["", text.slice(0, -9), text.replace("999", "998"), "{}\n{}"]) {
      writeFileSync(file, damaged);
      assert.deepEqual(await findNearDuplicates([images()]), first);
      assert.equal(readFileSync(file, "utf8"), text);
    }
    const changed = bytes.slice();
    changed.set(bytes.subarray(SIDE * SIDE, 2 * SIDE * SIDE), 999 * SIDE * SIDE);
    const { duplicates, pairs } = await findNearDuplicates([images(changed)]);
    assert.deepEqual([duplicates[999], pairs], [1, []]);
    assert.equal(found().length, 2);
  });

  it("needs no cache that can be written", async () => {
    rmSync(folder.file("cache"), { recursive: true, force: true });
    writeFileSync(folder.file("cache"), "");
    const { pairs } = await findNearDuplicates([images()]);
    assert.equal(pairs.length, 1);
  });
});
