import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import path from "node:path";
import sharp from "sharp";
import type { DataOptions } from "../../src/data/data-options.js";
import type { PackedImages } from "../../src/data/dataset.js";
import { namedGroupsNote } from "../../src/data/groups.js";
import { loadDataset } from "../../src/data/load.js";
import { Random } from "../../src/random.js";
import { temporaryFolder, writeFiles } from "./fixtures.js";

describe("groupImages", () => {
  const inFolder = temporaryFolder();
  const random = new Random(0, "test");
  const draw = async (...files: string[]) => {
    for (const name of files) {
      const raw = Buffer.from(Array.from({ length: 6 * 6 * 3 }, () => random.integer(256)));
      const file = inFolder("data", name);
      mkdirSync(path.dirname(file), { recursive: true });
      await sharp(raw, { raw: { width: 6, height: 6, channels: 3 } })
        .resize(64)
        .toFile(file);
    }
  };
  const load = (options: Partial<DataOptions> = {}) =>
    loadDataset({ data: inFolder("data"), imageSize: 48, ...options });
  const inBoth = ({ train, validation }: Record<"train" | "validation", PackedImages>, key: RegExp) => {
    const keys = ({ paths }: PackedImages) => new Set(paths.map((file) => key.exec(file)?.[0]));
    return [...keys(train)].filter((one) => keys(validation).has(one));
  };
  const NUMBERS = [0, 1, 2, 3, 4];

  it("holds out together what Roboflow made of one picture", async () => {
    for (const name of ["a", "b"])
      for (const i of NUMBERS) await draw(`${name}/${i}_jpg.rf.1f${i}.jpg`, `${name}/${i}_jpg.rf.2e${i}.jpg`);
    const dataset = await load();
    assert.deepEqual(inBoth(dataset, /^.\/\d/), []);
    assert.deepEqual(dataset.report.notes, [
      "Images that Roboflow made of one picture, by their names, are held out together, such as a/0_jpg.rf.1f0.jpg and a/0_jpg.rf.2e0.jpg.",
    ]);
  });

  it("says that pictures have versions in both parts of a given split", async () => {
    for (const i of NUMBERS) await draw(`train/a/${i}_jpg.rf.1f${i}.jpg`, `train/b/${i}_jpg.rf.1f${i}.jpg`);
    await draw("valid/a/1_jpg.rf.2e1.jpg", "valid/a/7_jpg.rf.2e7.jpg", "valid/b/9_jpg.rf.2e9.jpg");
    assert.deepEqual((await load()).report.notes, [
      "1 of 3 pictures in validation, such as a/1_jpg, are in train too, in another version that Roboflow made of them, by their names, so the accuracy is not that for new ones (--fold 1/5 validates on a share of train instead, with versions of a picture together).",
    ]);
    await draw("train/a/1_jpg.rf.3d1.jpg");
    const { notes } = (await load({ fold: "1/2" })).report;
    assert.ok(
      !notes.some((note) => note.includes("in both")) && notes[0].startsWith("Images that Roboflow made"),
    );
  });

  it("says that a class of one picture is held out one by one", async () => {
    for (const name of ["a", "b", "c"])
      for (const i of NUMBERS) await draw(`${name}/${name === "c" ? i : "image"}_jpg.rf.1f${i}.jpg`);
    const single =
      "All images of a, b are of one picture, by the names that Roboflow gives, so they are held out one by one, and the accuracy is not that for new ones.";
    assert.deepEqual((await load()).report.notes, [single]);
    await draw("c/0_jpg.rf.2e0.jpg");
    assert.deepEqual((await load()).report.notes, [
      "Images that Roboflow made of one picture, by their names, are held out together, such as c/0_jpg.rf.1f0.jpg and c/0_jpg.rf.2e0.jpg.",
      single,
    ]);
  });

  describe("with a column", () => {
    const rows = ["a", "b"].flatMap((name) => [0, 1, 2, 3, 4, 5, 6, 7].map((i) => `${name}${i}.png`));
    const draws = async () => {
      await draw(...rows.map((file) => `images/${file}`));
      const lines = rows.map((file) => `${file},${file[0]},s${Number(file[1]) >> 1}\n`);
      writeFiles(inFolder("data"), { "labels.csv": `file,label,subject\n${lines.join("")}` });
    };
    const subjectsInBoth = (dataset: Record<"train" | "validation", PackedImages>) =>
      inBoth(
        {
          train: { ...dataset.train, paths: dataset.train.paths.map(subjectOf) },
          validation: { ...dataset.validation, paths: dataset.validation.paths.map(subjectOf) },
        },
        /.*/,
      );
    const subjectOf = (file: string) => `s${Number(/\d/.exec(file)?.[0]) >> 1}`;

    it("holds out its groups together, and suggests it", async () => {
      await draws();
      const dataset = await load({ group: "subject" });
      assert.deepEqual([dataset.validation.numImages, subjectsInBoth(dataset)], [4, []]);
      assert.deepEqual(dataset.report.notes, ["4 groups by --group."]);
      assert.deepEqual(dataset.validation.groupNames, dataset.validation.paths.map(subjectOf));
      assert.deepEqual((await load()).report.notes, [
        "The column subject of labels.csv may say which images belong together, and they are not held out together (--group subject does so).",
      ]);
    });

    it("refuses one that is not there, except to evaluate", async () => {
      await draws();
      await assert.rejects(load({ group: "subjects" }), {
        name: "InputError",
        message: `Expected a table with the column subjects, or a pattern with a group, for --group at ${inFolder("data")} but found none beside labels.csv. Fix the name of the column, choose the table with --labels, or write a regular expression with a group, such as --group '^([a-z]+)'.`,
      });
      const { validation } = await load({ group: "subjects", classNames: ["a", "b"], validationShare: 1 });
      assert.equal(validation.numImages, 16);
    });
  });

  it("names a pattern if the names of images say whose they are, and keeps silent otherwise", () => {
    const note = (...paths: string[]) =>
      namedGroupsNote(paths.map((file) => ({ path: file, className: file.split("/")[0] })));
    const eight = (name: (i: number) => string) => [0, 1, 2, 3, 4, 5, 6, 7].map((i) => name(i));
    const by = (example: string, one: string, pattern: string) => [
      `The names of images may say which belong together, such as ${example}, and those of one ${one} are not held out together (--group '${pattern}' does so).`,
    ];
    assert.deepEqual(
      note(...eight((i) => `${i < 4 ? "a" : "b"}/person${i >> 1}_virus_${i}.jpg`)),
      by("a/person0_virus_0.jpg", "person0", "(person\\d+)"),
    );
    assert.deepEqual(
      note(...eight((i) => `${i < 4 ? "a" : "b"}/Video_${i >> 1}/${i}.jpg`)),
      by("a/Video_0/0.jpg", "Video_0", "(Video_\\d+)"),
    );
    assert.deepEqual(
      note(...eight((i) => `${i < 4 ? "a" : "b"}/${i >> 1}_${i % 2 ? "left" : "right"}.jpg`)),
      by("a/0_right.jpg", "0", "([^/]+)[ ._-](?:[Ll]eft|[Rr]ight|LEFT|RIGHT)\\."),
    );
    assert.deepEqual(
      note(...eight((i) => `${i < 4 ? "a" : "b"}/v_g${i >> 1}/${i}.jpg`)),
      by("a/v_g0/0.jpg", "v_g0", "([^/]+)/[^/]+$"),
    );
    assert.deepEqual(
      note(...eight((i) => `${i < 4 ? "a" : "b"}/set${i >> 2}/${i}.jpg`)),
      [],
      "one folder each",
    );
    const eyes = eight((i) => `${i >> 1}_${i % 2 ? "left" : "right"}.jpg`);
    assert.deepEqual(
      namedGroupsNote(eyes.map((file, i) => ({ path: file, className: `${(i >> 1) % 2}` }))),
      by("0_right.jpg", "0", "([^/]+)[ ._-](?:[Ll]eft|[Rr]ight|LEFT|RIGHT)\\."),
      "with classes of a table that have the names of groups",
    );
    assert.deepEqual(note(...eight((i) => `person${i % 2}/${i}.jpg`)), [], "classes");
    assert.deepEqual(note(...eight((i) => `a/person${i}_1.jpg`)), [], "one image each");
    assert.deepEqual(note(...eight((i) => `${i < 4 ? "left" : "right"}/${i}.jpg`)), [], "classes");
    assert.deepEqual(note(...eight((i) => `a/IMG_2024_${i >> 1}.jpg`)), []);
  });

  it("says so only if images are held out, and no group was chosen", async () => {
    for (const c of ["a", "b"])
      for (const i of NUMBERS)
        for (const k of [0, 1]) await draw(`${c}/person${c === "a" ? i : i + 5}_${k}.jpg`);
    const { notes } = (await load()).report;
    assert.match(
      notes.join(),
      /^The names of images may say which belong together, such as a\/person0_0\.jpg/,
    );
    assert.deepEqual((await load({ group: "(person\\d+)" })).report.notes, ["10 groups by --group."]);
  });
});
