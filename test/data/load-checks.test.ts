import assert from "node:assert/strict";
import { mkdirSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import path from "node:path";
import sharp from "sharp";
import type { PackedImages } from "../../src/data/dataset.js";
import { loadDataset } from "../../src/data/load.js";
import { Random } from "../../src/random.js";
import { drawImages, temporaryFolder, writeFiles } from "./fixtures.js";

const SPLIT_FACES = {
  "train/happy/1.png": "#101010",
  "train/happy/2.png": "#202020",
  "train/sad/1.png": "#303030",
  "train/sad/2.png": "#404040",
  "validation/happy/3.png": "#505050",
  "validation/sad/3.png": "#606060",
};
const FACES = {
  "a/1.png": "#101010",
  "a/2.png": "#202020",
  "a/3.png": "#303030",
  "b/1.png": "#404040",
  "b/2.png": "#505050",
};

describe("loadDataset", () => {
  const inFolder = temporaryFolder();
  const data = () => inFolder("data");
  const load = (options: Partial<Parameters<typeof loadDataset>[0]> = {}) =>
    loadDataset({ data: data(), imageSize: 1, ...options });
  const rejects = (loaded: Promise<unknown>, message: string) =>
    assert.rejects(loaded, { name: "InputError", message });

  describe("with data that cannot be trained on", () => {
    const report = async (options = {}) => (await load({ onProblem: "report", ...options })).report;

    it("reports all broken files on request", async () => {
      await drawImages(data(), FACES);
      writeFiles(data(), { "b/0.png": "", "b/9.jpg": "text", "c/1.jpg": "", "notes.txt": "x" });
      const { problems, unreadable, files, notes, classNames } = await report();
      assert.match(problems[0], /^Expected at most 1% of the images to be unreadable .* but found 3 of 8 /);
      assert.deepEqual(
        unreadable.map(({ path }) => path),
        ["b/0.png", "b/9.jpg", "c/1.jpg"],
      );
      assert.deepEqual([files.found, files.used], [9, 5]);
      assert.deepEqual(notes, ["No image of c can be read, so there is no such class."]);
      assert.deepEqual(classNames, ["a", "b"]);
    });

    it("reports a folder of broken files only", async () => {
      writeFiles(data(), { "b/0.png": "", "c/9.jpg": "text" });
      const { problems, numImages, files } = await report();
      assert.match(problems[0], /but found none of 2/);
      assert.deepEqual(numImages, { train: 0, validation: 0 });
      assert.deepEqual([files.found, files.used], [2, 0]);
    });

    it("refuses classes that are only in validation, and notes those that are only in train", async () => {
      await drawImages(data(), { ...SPLIT_FACES, "train/rare/1.png": "#707070" });
      const { notes } = await report();
      assert.deepEqual(notes, ["No validation image is of rare, so nothing is known about it."]);
      await load();
      const six = ["b", "c", "d", "e", "f"].map((name) => [`train/${name}/1.png`, "#707070"]);
      await drawImages(data(), Object.fromEntries(six));
      assert.equal(
        (await report()).notes[0],
        "No validation image is of b, c, d and 3 more, so nothing is known about them.",
      );
      for (const name of ["b", "c", "d", "e", "f"]) rmSync(inFolder("data/train", name), { recursive: true });
      await drawImages(data(), { "validation/Rare/1.png": "#808080" });
      const message = `Expected the same classes in train and validation at ${data()} but found rare only in train and Rare only in validation. Add or rename the folders.`;
      await rejects(load(), message);
      assert.deepEqual((await report()).problems, [message]);
    });

    it("leaves out validation images of a class that train does not have, and says so", async () => {
      await drawImages(data(), { ...SPLIT_FACES, "validation/rare/1.png": "#707070" });
      const { classNames, validation, report: found } = await load();
      assert.ok(!classNames.includes("rare"));
      assert.ok(!validation.paths.includes("validation/rare/1.png"));
      assert.deepEqual(found.problems, []);
      assert.ok(
        found.notes.includes("No training image is of rare, so such validation images are left out."),
        found.notes.join(),
      );
      assert.deepEqual(
        found.files.leftOut.map(({ reason, count }) => [reason, count]),
        [["of a class that no training image has", 1]],
      );
    });

    it("names empty folders beside the parts of a split, but none of notes", async () => {
      await drawImages(data(), SPLIT_FACES);
      mkdirSync(writeFiles(path.join(data(), "meta"), { "classes.txt": "a" }).replace(/meta$/, "test"));
      assert.deepEqual((await report()).notes, ["Folders without images, which are not used: test (empty)."]);
    });

    it("refuses one image in each class", async () => {
      await drawImages(data(), { "a/1.png": "#101010", "b/1.png": "#202020" });
      await rejects(
        load(),
        `Expected images to validate on at ${data()} but found only one image in each class. Add images.`,
      );
    });

    it("refuses amounts and several labels in one, and reports them, but not for a model's classes", async () => {
      const files = Array.from({ length: 12 }, (_, i) => `img/${i}.png`);
      await drawImages(data(), Object.fromEntries(files.map((file, i) => [file, `#1010${10 + i}`])));
      const label = (labelOf: (i: number) => string) =>
        writeFiles(data(), {
          "t.csv": ["image,label", ...files.map((file, i) => `${file},${labelOf(i)}`)].join("\n"),
        });
      label((i) => (36.5 + i / 10).toFixed(1));
      const amounts =
        `Expected labels that are classes at ${data()} but found 12 different numbers label 12 images (36.5, 36.6, 36.7 and 9 ` +
        "more): ferkit predicts classes, not amounts. Group the numbers into ranges, or choose another column with " +
        "--label-column; if they name classes, write them with a letter (n36.5).";
      await rejects(load(), amounts);
      const { problems } = await report();
      assert.equal(problems[0], amounts);
      const classNames = Array.from({ length: 12 }, (_, i) => (36.5 + i / 10).toFixed(1));
      assert.equal((await load({ classNames, validationShare: 1 })).validation.numImages, 12);
      label((i) => ["leaf", "sky", "leaf|sky"][i % 3]);
      await rejects(
        load(),
        `Expected labels that are classes at ${data()} but found 4 of 12 images have labels such as "leaf|sky", whose parts leaf, ` +
          "sky are labels too: ferkit learns one label an image, and would take each combination for a class. Choose one " +
          "label for each image; if they are classes, rename them (leaf-sky).",
      );
    });

    it("concludes that many images are left out for several labels", async () => {
      const files = Array.from({ length: 10 }, (_, i) => `${i}.png`);
      await drawImages(data(), Object.fromEntries(files.map((file, i) => [file, `#1010${10 + i}`])));
      const row = (file: string, i: number) => `${file},${i < 6 ? 1 : 0},${i > 4 ? 1 : 0}`;
      writeFiles(data(), { "t.csv": ["image,leaf,sky", ...files.map(row)].join("\n") });
      assert.deepEqual(
        (await report()).conclusions.flatMap(({ about, text }) => (about === "labels" ? text : [])),
        [
          "1 of 10 images has several labels and is left out: ferkit learns one label an image. Choose one label for each of " +
            "them to use them.",
        ],
      );
    });

    it("evaluates on one class of a model", async () => {
      await drawImages(data(), { "a/1.png": "#101010", "a/2.png": "#202020" });
      const { validation, classNames } = await load({ classNames: ["a", "b"], validationShare: 1 });
      assert.deepEqual([validation.numImages, classNames], [2, ["a", "b"]]);
      await rejects(
        load(),
        `Expected at least two classes at ${data()} but found only a. Add a folder for each class, or choose a table of labels with --labels.`,
      );
      await drawImages(data(), {
        "a/x_1.png": "red",
        "a/x_2.png": "red",
        "a/y_1.png": "blue",
        "a/y_2.png": "blue",
      });
      await rejects(
        load({ leaveOut: ["1.png", "2.png"] }),
        `Expected at least two classes at ${data()} but found only a. Add a folder for each class, or choose a table of labels with --labels. If the class is in the files' names, run again with --label-pattern '(?:^|/)([^/]+?)[ ._(-]*\\d+\\)?\\.\\w+$', which finds 2 classes: x, y.`,
      );
    });

    it("speaks of rows if a table has one class", async () => {
      writeFiles(data(), { "one.csv": "emotion,pixels\n0,1 2 3 4\n0,5 6 7 8\n" });
      const table = `${data()}/one.csv`;
      await rejects(
        loadDataset({ data: table, imageSize: 48 }),
        `Expected at least two classes at ${table} but found only angry. Add rows with other labels, which are by one.csv.`,
      );
    });

    const notesClasses = async (said: string) =>
      assert.equal((await report()).notes[0], `The classes ${said}. Use one name for images of one class.`);

    it("notes class names that differ only in case or spaces", async () => {
      await drawImages(data(), { "Cat/1.png": "#101010", "cat /2.png": "#202020", "dog/1.png": "#303030" });
      await notesClasses('"Cat" and "cat " differ only in case, spaces or Unicode form');
    });

    it("notes class names with letters that are written in two ways, or look alike", async () => {
      await drawImages(data(), {
        "straße/1.png": "#101010",
        "strasse/2.png": "#202020",
        "dog/1.png": "#303030",
      });
      await notesClasses('"strasse" and "straße" differ only in case, spaces or Unicode form');
      await drawImages(data(), { "d\u043eg/1.png": "#505050" }); // Cyrillic
      await notesClasses('"dog" and "d\u043eg" look alike, but are of letters from several alphabets');
    });

    it("notes classes that are one number", async () => {
      await drawImages(data(), { "1/1.png": "#101010", "01/2.png": "#202020", "1.0/3.png": "#303030" });
      await notesClasses('"01" and "1" and "1.0" are one number');
    });

    it("notes classes that are one number in other words, not those of another sign", async () => {
      const names = ["-1", "+1", "1", "1.5", "1.50", "10", "1e1"];
      await drawImages(
        data(),
        Object.fromEntries(names.map((name, i) => [`${name}/1.png`, `#10${10 + i}10`])),
      );
      const { notes } = await report();
      assert.deepEqual(
        notes.filter((note) => note.startsWith("The classes")),
        [
          'The classes "+1" and "1"; "1.5" and "1.50"; "10" and "1e1" are one number. Use one name for images of one class.',
        ],
      );
    });

    it("notes class folders without images", async () => {
      await drawImages(data(), FACES);
      writeFiles(data(), { "neutral/1.heic": "x" });
      const { notes, files } = await report();
      assert.deepEqual(notes, ["Folders without images, which are no classes: neutral (1 .heic)."]);
      assert.deepEqual(files.leftOut, [
        {
          reason: "an image format that is not read (convert it to JPEG or PNG)",
          folder: "neutral",
          ending: ".heic",
          count: 1,
          example: "neutral/1.heic",
        },
      ]);
    });
  });

  it("counts every file of a folder once, whatever becomes of it", async () => {
    await drawImages(data(), {
      "all/train/a/1.png": "#101010",
      "all/train/a/2.png": "#202020",
      "all/train/b/deep/er/1.png": "#303030",
      "all/train/b/2.JPG": "#404040",
      "all/train/a/@eaDir/1.png": "#505050",
      "all/val/a/1.png": "#606060",
      "all/val/b/1.png": "#101010",
      "all/test/a/1.png": "#707070",
      "all/test/7.png": "#707070",
      "all/masks/1.png": "#808080",
      "all/train/loose.png": "#909090",
      "preview.png": "#909090",
    });
    writeFiles(data(), {
      "all/train/a/broken.png": "x",
      "all/train/b/photo.heic": "x",
      "all/train/c/photo.bmp": "x",
      "all/val/b/Thumbs.db": "x",
      "all/.git/a/b/c": "x",
      "__MACOSX/all/._x": "x",
      README: "x",
      "labels.csv": "a,b\n1,2\n",
      "all/train/a/1.png.bak": "x",
    });
    symlinkSync(inFolder("data/all/train/a/1.png"), inFolder("data/all/train/b/link.png"));
    symlinkSync(inFolder("nowhere"), inFolder("data/all/train/b/gone"));
    symlinkSync(data(), inFolder("data/all/train/b/up"));
    // Not `recursive`: Node.js 26 follows links to folders, here back to the root.
    const countFiles = (dir: string): number =>
      readdirSync(dir, { withFileTypes: true }).reduce(
        (sum, entry) => sum + (entry.isDirectory() ? countFiles(path.join(dir, entry.name)) : 1),
        0,
      );
    const onDisk = countFiles(data());
    for (const options of [
      {},
      { dropDuplicates: true, dropLeaked: true },
      { leaveOut: ["all/train/b/deep"] },
    ]) {
      const { report } = await load({ onProblem: "report", ...options });
      const { found, used, leftOut } = report.files;
      assert.equal(found, onDisk);
      assert.equal(used, report.numImages.train + report.numImages.validation);
      assert.equal(
        leftOut.reduce((sum, { count }) => sum + count, used),
        found,
      );
    }
  });

  it("leaves out validation images of a class that neither a model nor train has, and keeps those that the model has", async () => {
    await drawImages(data(), {
      "train/a/1.png": "#101010",
      "train/b/1.png": "#202020",
      "validation/a/2.png": "#303030",
      "validation/b/2.png": "#404040",
      "validation/c/2.png": "#505050",
    });
    const left = await load({ classNames: ["a", "b"], validationShare: 1 });
    assert.deepEqual(left.validation.paths, ["validation/a/2.png", "validation/b/2.png"]);
    assert.ok(
      left.report.notes.includes("No training image is of c, so such validation images are left out."),
    );
    const kept = await load({ classNames: ["a", "b", "c"], validationShare: 1 });
    assert.deepEqual([...kept.validation.labels], [0, 1, 2]);
    await rejects(
      load({ data: path.join(data(), "validation"), classNames: ["a", "b"], validationShare: 1 }),
      `Expected the model's classes a, b at ${path.join(data(), "validation")} but found c. Rename the folders, or choose a model that was trained on these classes.`,
    );
  });

  describe("without a split", () => {
    /** Writes copies of random pictures: in each class, `numPictures` in `numCopies` sizes and qualities. */
    const drawCopies = async (
      numPictures: number,
      numCopies: number,
      nameOf = (k: number, i: number) => `${k}-${i}`,
    ) => {
      const random = new Random(1);
      for (const className of ["a", "b"])
        for (let k = 0; k < numPictures; k++) {
          const raw = Buffer.from(Array.from({ length: 6 * 6 * 3 }, () => random.integer(256)));
          for (let i = 0; i < numCopies; i++) {
            const picture = sharp(raw, { raw: { width: 6, height: 6, channels: 3 } }).resize(99 - i);
            const file = inFolder("data", className, `${nameOf(k, i)}.jpg`);
            mkdirSync(path.dirname(file), { recursive: true });
            await picture.jpeg({ quality: 95 - 12 * (i % 5) }).toFile(file);
          }
        }
    };
    const pictures = ({ paths }: PackedImages, key: RegExp) =>
      new Set(paths.map((file) => key.exec(file)?.[0]));
    const overlap = (dataset: { train: PackedImages; validation: PackedImages }, key: RegExp) => {
      const [train, validation] = [pictures(dataset.train, key), pictures(dataset.validation, key)];
      return [...train].filter((name) => validation.has(name)).length;
    };

    it("keeps near-duplicates on one side", async () => {
      await drawCopies(10, 3);
      const dataset = await load({ imageSize: 48 });
      assert.deepEqual(dataset.report.numImages, { train: 48, validation: 12 }); // 2 of 10 pictures
      assert.equal(overlap(dataset, /^.\/\d+/), 0);
    });

    it("keeps images of one group on one side, by a pattern for their paths", async () => {
      await drawCopies(10, 1, (k) => `p${k >> 1}_${k}`);
      const dataset = await load({ imageSize: 48, group: "/(p\\d)_", validationShare: 0.4 });
      assert.deepEqual(dataset.report.numImages, { train: 12, validation: 8 });
      assert.equal(overlap(dataset, /p\d/), 0);
      assert.deepEqual(dataset.report.notes, ["5 groups by --group."]);
      const { report } = await load({ imageSize: 48, group: "/(p[1-4])_" });
      assert.equal(report.notes[0], "4 groups by --group, and 4 images without one, such as a/p0_0.jpg.");
    });

    it("says that a fold is empty, as with fewer groups than folds", async () => {
      await drawCopies(4, 1, (k) => `p${k >> 1}_${k}`);
      await rejects(
        load({ imageSize: 48, group: "/(p\\d)_", fold: "3/3" }),
        `Expected images to validate on at ${data()} but found none in fold 3/3. Choose fewer folds, since there are fewer groups of --group.`,
      );
    });

    it("notes groups and duplicates that the folders have in both parts", async () => {
      await drawImages(data(), {
        "train/a/p1_1.png": "#101010",
        "train/b/p2_1.png": "#202020",
        "val/a/p1_2.png": "#303030",
        "val/b/p3_1.png": "#202020",
      });
      const { report } = await load({ group: "/(p\\d)_" });
      assert.deepEqual(report.notes, [
        "1 of 2 groups in validation, such as p1, are in train too, so the accuracy is not that for new ones.",
        "1 validation images are in train too, which makes the accuracy look better (--drop-leaked leaves them out).",
      ]);
    });

    it("refuses a pattern that is none, or has no group", async () => {
      const fix = "Write a regular expression with a group, such as --group '^([a-z]+)'.";
      await rejects(
        load({ group: "p\\d" }),
        `Expected a pattern with a group for --group but found p\\d. ${fix}`,
      );
      await assert.rejects(
        load({ group: "(p" }),
        /^InputError: Expected a pattern for --group but found Invalid/,
      );
    });

    it("says that images are too similar to tell near-duplicates", async () => {
      await drawCopies(1, 5);
      await drawCopies(1, 25);
      const { report } = await load({ imageSize: 48 });
      assert.match(
        report.notes[0],
        /^\d+ of 50 images are too similar to each other to tell near-duplicates/,
      );
    });
  });
});
