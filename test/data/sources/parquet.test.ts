import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import sharp from "sharp";
import { readSource, type SourceOptions } from "../../../src/data/sources/source.js";
import { temporaryFolder } from "../fixtures.js";

/** Made by pyarrow: see make_datasets.py there. */
const KINDS = path.join(__dirname, "../../golden/datasets/parquet-kinds");

describe("readParquet", () => {
  const inFolder = temporaryFolder();
  const file = (kind: string) => path.join(KINDS, `${kind}.parquet`);
  const read = async (data: string, options: Partial<SourceOptions> = {}) => {
    const { listing } = await readSource({ data, seed: 0, ...options });
    const images = listing.samples.map(async ({ path: name, className }) => {
      const [level] = await sharp(path.join(listing.root, name)).toColourspace("b-w").raw().toBuffer();
      return `${level}: ${className}`;
    });
    return { ...listing, images: await Promise.all(images) };
  };
  const EXPECTED = ["0: 0", "1: 1", "2: 2", "3: 0", "4: 1", "5: 2"];
  const rejects = (kind: string, message: string, options: Partial<SourceOptions> = {}) =>
    assert.rejects(read(file(kind), options), { name: "InputError", message });

  it("takes the column image or img of several with images, and says so", async () => {
    const { images, notes } = await read(file("mask-first"));
    assert.deepEqual(images, EXPECTED);
    assert.equal(
      notes[0],
      "The images are those of the column image, not of mask (--path-column takes another).",
    );
    const masks = await read(file("mask-first"), { pathColumn: "mask" });
    assert.equal(masks.images[0], "200: 0");
    assert.ok(!masks.notes.some((note) => note.includes("mask")));
  });

  it("asks which column of images is meant if none has a usual name", async () => {
    await rejects(
      "two-sides",
      `Expected one column of images at ${file("two-sides")} but found left, right. Choose one with --path-column NAME.`,
    );
    assert.equal((await read(file("two-sides"), { pathColumn: "right" })).images[5], "205: 2");
    await rejects(
      "two-sides",
      `Expected a column middle of images at ${file("two-sides")} but found left, right, label. Fix --path-column.`,
      { pathColumn: "middle" },
    );
  });

  it("reads a file whose first row has no image", async () => {
    const { images, leftOut } = await read(file("null-first"));
    assert.deepEqual(images, EXPECTED.slice(1));
    assert.equal(leftOut.list()[0].reason, "a row without an image");
  });

  it("reads lists of one label, and refuses several labels, one-hot lists and structures", async () => {
    assert.deepEqual((await read(file("list-of-one"))).images, EXPECTED);
    for (const [kind, found] of [
      ["list", "[0,1]"],
      ["one-hot", "[1,0,0]"],
      ["struct", '{"name":"happy","id":0}'],
    ])
      await rejects(
        kind,
        `Expected one label for each image in the column label at ${file(kind)} but found ${found}. Choose another column with --label-column NAME, or write the file again with one label in each row.`,
      );
  });

  for (const compression of ["gzip", "zstd", "lz4", "brotli"])
    it(`reads ${compression}`, async () => {
      assert.deepEqual((await read(file(compression))).images, EXPECTED);
    });

  it("names another compression, with what to do", async () => {
    const bytes = readFileSync(file("gzip"));
    // The codec of a column is the field after its path: 2 is gzip, 3 LZO, and a number is stored twice as large.
    const codec = Buffer.of(0x15, 0x04, 0x16);
    for (let at = bytes.indexOf(codec); at >= 0; at = bytes.indexOf(codec)) bytes[at + 1] = 0x06;
    const lzo = inFolder("lzo.parquet");
    writeFileSync(lzo, bytes);
    await assert.rejects(read(lzo), {
      name: "InputError",
      message: `Expected a Parquet file with the compression SNAPPY, GZIP, ZSTD, BROTLI, LZ4, LZ4_RAW or none at ${lzo} but found LZO. Run pyarrow.parquet.write_table(pyarrow.parquet.read_table("FILE"), "FILE", compression="snappy") in Python.`,
    });
  });

  it("refuses several configurations, whose labels may differ, and reads one", async () => {
    for (const target of ["en/train-0", "en/test-0", "de/train-0", "de/test-0"]) {
      const to = inFolder("data", `${target}.parquet`);
      mkdirSync(path.dirname(to), { recursive: true });
      copyFileSync(file("gzip"), to);
    }
    const dir = inFolder("data");
    await assert.rejects(read(dir), {
      message: `Expected Parquet files of one data set at ${dir} but found the folders de, en, in which labels may differ. Choose one, as in --data ${dir}/de, or move the files into one folder if they are one data set.`,
    });
    assert.equal((await read(`${dir}/en`)).samples.length, 12);
    for (const part of ["train", "val"]) {
      mkdirSync(inFolder("split/data", part), { recursive: true });
      copyFileSync(file("gzip"), inFolder("split/data", part, "0.parquet"));
    }
    const { samples } = await read(inFolder("split"));
    assert.deepEqual(
      ["train", "validation"].map((part) => samples.filter(({ split }) => split === part).length),
      [6, 6],
    );
  });
});
