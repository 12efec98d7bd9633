import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { walkFolder } from "../../../src/data/sources/files.js";
import { readLabelFiles } from "../../../src/data/sources/label-files.js";
import type { Listing } from "../../../src/data/sources/listing.js";
import { readSource, type SourceOptions } from "../../../src/data/sources/source.js";
import { tarOf, temporaryFolder, writeFiles } from "../fixtures.js";

const labels = (listing: Listing | null) =>
  listing?.samples.map(({ path, className, split }) => `${path} ${className}${split ? ` ${split}` : ""}`);

describe("label files", () => {
  const inFolder = temporaryFolder();
  const walk = (files: Record<string, string>) => walkFolder(writeFiles(inFolder("data"), files));

  it("give images the labels beside them", () => {
    const images = { "a/000.jpg": "x", "a/001.jpg": "x", "a/002.jpg": "x" };
    const found = walk({ ...images, "a/000.cls": "cat\n", "a/001.cls": "dog" });
    const listing = readLabelFiles(found, {});
    assert.deepEqual(labels(listing), ["a/000.jpg cat", "a/001.jpg dog"]);
    assert.deepEqual(
      listing?.leftOut.list().map(({ reason, count }) => `${count} ${reason}`),
      ["2 a file of labels, which is used", "1 without a label beside it"],
    );
    writeFiles(inFolder("other"), { "b/1.jpg": "x", "b/2.jpg": "x" });
    assert.equal(readLabelFiles(walkFolder(inFolder("other")), {}), null);
  });

  it("are read beside JSON that is only a caption in another encoding, not if it has a label or a split", async () => {
    const read = async (json: string) => {
      const dir = writeFiles(inFolder("data"), { "0.jpg": "x", "0.cls": "cat" });
      writeFiles(dir, { "0.json": Buffer.from(json, "latin1"), "1.jpg": "x", "1.cls": "dog" });
      const { listing } = await readSource({ data: dir, seed: 0 });
      return labels(listing);
    };
    assert.deepEqual(await read('{"caption": "\xe9t\xe9"}'), ["0.jpg cat", "1.jpg dog"]);
    for (const json of ['{"label": "\xe9"}', '{"caption": "\xe9", "split": "train"}'])
      await assert.rejects(read(json), {
        name: "InputError",
        message:
          /^Expected a file beside an image in UTF-8 at 0\.json but found line 1 with the byte E9, not in UTF-8\./,
      });
  });

  it("are read from all compressed shards of a folder", async () => {
    const shard = (name: string, label: string) =>
      gzipSync(tarOf({ [`${name}.jpg`]: Buffer.from("x"), [`${name}.cls`]: Buffer.from(label) }));
    const dir = writeFiles(inFolder("data"), {
      "t-0.tar.gz": shard("0", "cat"),
      "t-1.tgz": shard("1", "dog"),
    });
    const { listing } = await readSource({ data: dir, seed: 0 });
    assert.deepEqual(labels(listing), ["t-0/0.jpg cat", "t-1/1.jpg dog"]);
  });

  describe("missing in the archives of a folder", () => {
    const archive = (...names: string[]) =>
      gzipSync(tarOf(Object.fromEntries(names.map((name) => [name, Buffer.from(name)]))));
    const EXPECTED =
      "Expected class folders with images, with or without train and validation folders around them";
    const refuses = async (files: Record<string, Buffer | string>, found: string, fix: string) => {
      const dir = writeFiles(inFolder("data"), files);
      await assert.rejects(readSource({ data: dir, seed: 0 }), {
        name: "InputError",
        message: `${EXPECTED} at ${dir} but found ${found}. ${fix}`,
      });
    };
    const unpack = (it = "them into one folder, as") =>
      `Unpack ${it} ${inFolder("data")}, and choose it with --data.`;

    it("make no classes of the archives' names, beside a table", async () => {
      const table = "file,label\na/1.jpg,cat\nb/2.jpg,dog\n";
      await refuses(
        { "a.tgz": archive("a/1.jpg"), "b.tgz": archive("b/2.jpg"), "labels.csv": table },
        "the archives a.tgz, b.tgz",
        unpack(),
      );
    });

    it("make none of them beside a table if they are not compressed", async () => {
      await refuses(
        { "a.tar": archive("1.jpg"), "b.tar": archive("2.jpg"), "labels.csv": "file,label\n1.jpg,cat\n" },
        "the archives a.tar, b.tar",
        unpack(),
      );
    });

    it("are the classes of tar files without a table, with a note", async () => {
      const dir = writeFiles(inFolder("data"), { "cat.tar": archive("1.jpg"), "dog.tar": archive("2.jpg") });
      const { listing } = await readSource({ data: dir, seed: 0 });
      assert.deepEqual(labels(listing), ["cat/1.jpg cat", "dog/2.jpg dog"]);
      assert.deepEqual(listing.notes, ["Names of tar files are read as classes: cat, dog."]);
    });

    it("make none of images and their annotations", async () => {
      await refuses(
        {
          "annotations.tar.gz": archive("annotations/trimaps/cat_1.png", "annotations/list.txt"),
          "images.tar.gz": archive("images/cat_1.jpg", "images/dog_1.jpg"),
        },
        "the archives annotations.tar.gz, images.tar.gz",
        unpack(),
      );
    });

    it("make none of parts, nor of files with JSON that has no label", async () => {
      const part = (name: string) => archive(`images/${name}.png`);
      await refuses(
        { "images_001.tar.gz": part("1"), "images_002.tar.gz": part("2") },
        "the archives images_001.tar.gz, images_002.tar.gz",
        unpack(),
      );
      rmSync(inFolder("data"), { recursive: true });
      await refuses(
        { "a.tgz": archive("1.jpg", "1.json"), "b.tgz": archive("2.jpg", "2.json") },
        "the archives a.tgz, b.tgz",
        unpack(),
      );
    });

    it("are named also if their kind is not read", async () => {
      await refuses({ "a.tar.xz": Buffer.from("x") }, "the archive a.tar.xz", unpack("it into"));
      rmSync(inFolder("data"), { recursive: true });
      const several = { "a.tar.bz2": Buffer.from("x"), "b.7z": Buffer.from("x") };
      await refuses(several, "the archives a.tar.bz2, b.7z", unpack());
    });

    it("drop no table beside a single archive", async () => {
      const one = { "set.tgz": archive("a/1.jpg", "b/2.jpg") };
      await refuses(one, "the archive set.tgz", `Choose it, for example --data ${inFolder("data")}/set.tgz.`);
      await refuses(
        { ...one, "labels.csv": "file,label\na/1.jpg,cat\n" },
        "the archive set.tgz",
        unpack("it into"),
      );
    });
  });

  describe("both in .cls and in .json", () => {
    const read = async (samples: [cls: string, json: unknown][], options: Partial<SourceOptions> = {}) => {
      const dir = inFolder("pairs");
      samples.forEach(([cls, json], i) => {
        writeFiles(dir, { [`${i}.jpg`]: "x", [`${i}.cls`]: cls, [`${i}.json`]: JSON.stringify(json) });
      });
      const { listing } = await readSource({ data: dir, seed: 0, ...options });
      return [listing.samples.map(({ className }) => className).join(), ...listing.notes];
    };
    const NAMES = [{ label: "cat" }, { label: "dog" }];
    const pairsOf = (...labels: string[]) =>
      labels.map((label, i): [string, unknown] => [label, NAMES[i % 2]]);

    it("give those of .cls if all agree, or are other names for the same classes, with a note", async () => {
      assert.deepEqual(await read(pairsOf("cat", "dog", "cat")), ["cat,dog,cat"]);
      const codes = pairsOf("a", "b", "a");
      assert.deepEqual(await read(codes), [
        "a,b,a",
        "The labels of the .cls files are used. Those of the .json files are other names for them, such as cat for a (--label-column json takes these).",
      ]);
      assert.deepEqual(await read(codes, { labelColumn: "cls" }), ["a,b,a"]);
      assert.deepEqual(await read(codes, { labelColumn: "json" }), ["cat,dog,cat"]);
    });

    it("ask if they are of other classes, or have the names of others", async () => {
      for (const names of [
        ["a", "b", "b"],
        ["a", "b", "c"],
        ["dog", "cat", "dog"],
      ]) {
        const samples = pairsOf(...names);
        await assert.rejects(read(samples), {
          name: "InputError",
          message: `Expected one label for each image at ${inFolder("pairs")} but found 0.cls with ${names[0]}, and 0.json with cat. Choose --label-column cls or --label-column json.`,
        });
        assert.deepEqual(await read(samples, { labelColumn: "json" }), ["cat,dog,cat"]);
      }
    });

    it("cut no long label, so that two become one", async () => {
      const long = "x".repeat(100);
      const samples = [long, `${long}y`, "z"].map((label): [string, unknown] => ["", { label }]);
      assert.deepEqual(await read(samples, { labelColumn: "json" }), [`${long},z`]);
    });
  });
});
