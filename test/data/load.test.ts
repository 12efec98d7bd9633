import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { SYNTHETIC_DEFAULTS, syntheticKey } from "../../src/cartoons/draw.js";
import type { PackedImages } from "../../src/data/dataset.js";
import { loadDataset } from "../../src/data/load.js";
import { loopback, whole } from "../loopback.js";
import {
  drawImage,
  drawImages,
  type Entries,
  tarOf,
  temporaryFolder,
  valuesOf,
  writeFiles,
  zipOf,
} from "./fixtures.js";

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

const FOUR = { "a/1.png": "#101010", "a/2.png": "#202020", "b/1.png": "#303030", "b/2.png": "#404040" };

describe("loadDataset", () => {
  const inFolder = temporaryFolder();
  const data = () => inFolder("data");
  const load = (options: Partial<Parameters<typeof loadDataset>[0]> = {}) =>
    loadDataset({ data: data(), imageSize: 1, ...options });
  const rejects = (loaded: Promise<unknown>, message: string, name = "InputError") =>
    assert.rejects(loaded, { name, message });

  it("packs the images of each split with their labels, and reports on them", async () => {
    await drawImages(data(), SPLIT_FACES);
    const { report, options, ...dataset } = await load();
    assert.deepEqual([options?.data, options?.seed, options?.validationShare], [data(), 0, 0.2]);
    const digest = (file: string) =>
      createHash("sha256")
        .update(readFileSync(`${data()}/${file}`))
        .digest("hex");
    for (const { paths, digests } of [dataset.train, dataset.validation])
      assert.deepEqual(digests, paths.map(digest));
    const values = async ({ pixels, digests, ...images }: PackedImages) => ({
      ...images,
      pixels: await valuesOf(pixels, images.numImages),
    });
    const [train, validation] = [await values(dataset.train), await values(dataset.validation)];
    const common = { imageSize: 1, numChannels: 1, classNames: ["happy", "sad"], decoding: { fit: "crop" } };
    assert.deepEqual(
      { ...dataset, train, validation },
      {
        name: "data",
        classNames: ["happy", "sad"],
        split: "folders",
        splitBy: "the folder validation",
        train: {
          pixels: [0x10, 0x20, 0x30, 0x40],
          labels: Int32Array.of(0, 0, 1, 1),
          numImages: 4,
          paths: ["train/happy/1.png", "train/happy/2.png", "train/sad/1.png", "train/sad/2.png"],
          ...common,
        },
        validation: {
          pixels: [0x50, 0x60],
          labels: Int32Array.of(0, 1),
          numImages: 2,
          paths: ["validation/happy/3.png", "validation/sad/3.png"],
          ...common,
        },
      },
    );
    const [{ about }] = report.conclusions;
    assert.deepEqual(
      { ...report, conclusions: about },
      {
        name: "data",
        root: data(),
        classNames: ["happy", "sad"],
        imageSize: 1,
        split: "folders",
        splitBy: "the folder validation",
        numImages: { train: 4, validation: 2 },
        classCounts: [
          ...["happy", "sad"].map((className) => ({ split: "train", className, count: 2 })),
          ...["happy", "sad"].map((className) => ({ split: "validation", className, count: 1 })),
        ],
        sizes: [{ width: 8, height: 8, count: 6 }],
        colours: { grey: 6, coloured: 0, used: "grey", chosenBy: "majority" },
        unreadable: [],
        labels: "class folders",
        files: { found: 6, used: 6, leftOut: [], ownFolders: [], ownImages: 0 },
        notes: [],
        conclusions: "brightness", // 0x10 is nearly black
        problems: [],
        duplicateGroups: 0,
        duplicateImages: 0,
        leakedImages: 0,
        labelConflicts: 0,
        dropped: { duplicates: 0, leaked: 0 },
        unusedFolders: [],
        examples: { duplicates: [], leaked: [], conflicts: [] },
      },
    );
  });

  describe("with grey and coloured images", () => {
    const draw = (numGrey: number) =>
      drawImages(
        data(),
        Object.fromEntries(
          Array.from({ length: 8 }, (_, i) => [
            `${i % 2 ? "a" : "b"}/${i}.png`,
            i < numGrey ? "#404040" : "rgb(200, 100, 50)",
          ]),
        ),
      );

    it("uses them all as most of them are, and says so", async () => {
      await draw(7);
      const grey = await load({ validationShare: 1 });
      assert.equal(grey.validation.numChannels, 1);
      const expected = Math.round(0.299 * 200 + 0.587 * 100 + 0.114 * 50); // the coloured one
      const values = await valuesOf(grey.validation.pixels, 8);
      assert.deepEqual(values.sort(), [...Array(7).fill(0x40), expected].sort());
      assert.deepEqual(grey.report.colours, { grey: 7, coloured: 1, used: "grey", chosenBy: "majority" });
    });

    it("keeps the colours if half of them have some", async () => {
      await draw(4);
      const { train, report } = await load();
      assert.equal(train.numChannels, 3);
      assert.deepEqual(report.colours, { grey: 4, coloured: 4, used: "colour", chosenBy: "majority" });
    });

    it("uses them as the setting says", async () => {
      await draw(8);
      const coloured = await load({ grey: false });
      assert.equal(coloured.train.numChannels, 3);
      assert.deepEqual(await valuesOf(coloured.train.pixels, 1), [0x40, 0x40, 0x40]);
      await draw(1);
      const { train, report } = await load({ grey: true });
      assert.equal(train.numChannels, 1);
      assert.deepEqual(report.colours, { grey: 1, coloured: 7, used: "grey", chosenBy: "setting" });
    });
  });

  it("makes images square as the setting says", async () => {
    await drawImages(data(), { "a/1.png": "#101010", "a/2.png": "#101010", "b/2.png": "#202020" });
    await drawImage(inFolder("data/b/1.png"), "#ffffff", 4, 2);
    const last = async (fit?: "crop" | "pad") => {
      const { validation } = await load({ fit, imageSize: 4, validationShare: 1 });
      assert.deepEqual(validation.decoding, { fit: fit ?? "crop" });
      return (await valuesOf(validation.pixels, 4)).slice(32, 48);
    };
    assert.deepEqual(await last("crop"), Array(16).fill(255));
    assert.deepEqual(await last("pad"), [...Array(4).fill(0), ...Array(8).fill(255), ...Array(4).fill(0)]);
  });

  it("leaves out test images if there are validation images, and says so", async () => {
    await drawImages(data(), {
      ...SPLIT_FACES,
      "test/happy/4.png": "#707070",
      "test/other/4.png": "#808080",
    });
    const { classNames, validation, report } = await load();
    assert.deepEqual(classNames, ["happy", "sad"]);
    assert.deepEqual(validation.paths, ["validation/happy/3.png", "validation/sad/3.png"]);
    assert.deepEqual(report.unusedFolders, ["test"]);
  });

  it("holds out a share if the folders have no split, each image with its label and pixels", async () => {
    await drawImages(data(), FACES);
    const { train, validation } = await load({ validationShare: 0.4 });
    assert.deepEqual([train.numImages, validation.numImages], [3, 2]); // 1 of 3 and 1 of 2 held out
    for (const { paths, labels, pixels } of [train, validation]) {
      const values = await valuesOf(pixels, paths.length);
      paths.forEach((file, i) => {
        assert.equal(labels[i], file.startsWith("a/") ? 0 : 1);
        assert.equal(values[i], Number.parseInt(FACES[file as keyof typeof FACES].slice(1, 3), 16));
      });
    }
    assert.deepEqual([...train.paths, ...validation.paths].sort(), Object.keys(FACES));
  });

  it("validates on all images for a share of 1", async () => {
    await drawImages(data(), FACES);
    const { train, validation } = await load({ validationShare: 1 });
    assert.deepEqual([train.numImages, validation.numImages], [0, 5]);
    assert.deepEqual(await valuesOf(validation.pixels, 5), [0x10, 0x20, 0x30, 0x40, 0x50]);
  });

  describe("with duplicates", () => {
    beforeEach(async () => {
      await drawImages(data(), SPLIT_FACES);
      const copy = (from: string, to: string) => copyFileSync(inFolder("data", from), inFolder("data", to));
      copy("train/happy/1.png", "train/happy/9.png"); // twice in train …
      copy("train/happy/1.png", "validation/happy/8.png"); // … and twice in validation
      copy("train/happy/1.png", "validation/happy/9.png");
      copy("train/sad/1.png", "validation/happy/7.png"); // in both, with two labels
    });
    const found = { duplicateGroups: 2, duplicateImages: 2, leakedImages: 3, labelConflicts: 1 };
    const cases: [object, object, string[], string[]][] = [
      [{}, { duplicates: 0, leaked: 0 }, ["1", "2", "9"], ["3", "7", "8", "9"]],
      [{ dropDuplicates: true }, { duplicates: 2, leaked: 0 }, ["1", "2"], ["3", "7", "8"]],
      [{ dropLeaked: true }, { duplicates: 0, leaked: 3 }, ["1", "2", "9"], ["3"]],
      [{ dropDuplicates: true, dropLeaked: true }, { duplicates: 2, leaked: 2 }, ["1", "2"], ["3"]],
    ];
    for (const [options, dropped, train, validation] of cases)
      it(`keeps and reports what ${Object.keys(options).join(" and ") || "no option"} asks for`, async () => {
        const { report, ...dataset } = await load(options);
        const { duplicateGroups, duplicateImages, leakedImages, labelConflicts } = report;
        assert.deepEqual({ duplicateGroups, duplicateImages, leakedImages, labelConflicts }, found);
        assert.deepEqual(report.dropped, dropped);
        const happy = (split: string, names: string[]) => names.map((name) => `${split}/happy/${name}.png`);
        const paths = (images: { paths: string[] }) => images.paths.filter((file) => file.includes("happy"));
        assert.deepEqual(paths(dataset.train), happy("train", train));
        assert.deepEqual(paths(dataset.validation), happy("validation", validation));
        assert.deepEqual(report.numImages, { train: train.length + 2, validation: validation.length + 1 });
        assert.equal(report.classCounts[0].count, train.length);
      });
  });

  describe("with images that cannot be read", () => {
    beforeEach(async () => {
      await drawImages(data(), FACES);
      writeFiles(data(), { "b/0.png": "", "b/9.jpg": "text" });
    });
    const two = "b/0.png: an empty file; b/9.jpg: no image that can be read";

    it("leaves them out and names them, up to the accepted share", async () => {
      const { report, train } = await load({ maxUnreadableShare: 2 / 7, validationShare: 0 });
      assert.deepEqual(report.unreadable, [
        { path: "b/0.png", reason: "an empty file" },
        { path: "b/9.jpg", reason: "no image that can be read" },
      ]);
      assert.deepEqual(train.paths, Object.keys(FACES));
    });

    it("refuses more", async () => {
      await rejects(
        load({ maxUnreadableShare: 0.07 }),
        `Expected at most 7% of the images to be unreadable at ${data()} but found 2 of 7 (${two}). Fix or remove them, or accept them with --max-unreadable-share 0.29 (maxUnreadableShare in a notebook).`,
      );
      await assert.rejects(load(), /Expected at most 1% of the images to be unreadable/);
    });

    it("refuses a folder with nothing else, whatever share is accepted", async () => {
      const dir = writeFiles(inFolder("bad"), { "b/0.png": "", "c/9.jpg": "text" });
      await rejects(
        load({ data: dir, maxUnreadableShare: 1 }),
        `Expected images that can be read at ${dir} but found none of 2 (${two.replace("b/9", "c/9")}). Fix or remove them.`,
      );
    });
  });

  it("labels by the classes of a model, and refuses other classes", async () => {
    await drawImages(data(), FACES);
    const { classNames, train, report } = await load({ classNames: ["z", "b", "a"], validationShare: 0 });
    assert.deepEqual(classNames, ["z", "b", "a"]);
    assert.deepEqual([...train.labels], [2, 2, 2, 1, 1]);
    assert.equal(report.classCounts[0].count, 0);
    await rejects(
      load({ classNames: ["b", "c"] }),
      `Expected the model's classes b, c at ${data()} but found a. Rename the folders, or choose a model that was trained on these classes.`,
    );
  });

  const server = loopback();
  const loadFrom = (source: string, options = {}) =>
    loadDataset({ data: source, imageSize: 1, validationShare: 0, ...options });
  /** Packs the images, in a folder of that name or at the top. */
  const archive = async (pack: (entries: Entries) => Buffer, folder = "") => {
    const dir = await drawImages(inFolder("images"), FOUR);
    const files = Object.keys(FOUR).map((file) => [folder + file, readFileSync(path.join(dir, file))]);
    return pack(Object.fromEntries(files));
  };
  const cached = () => {
    const dir = inFolder("cache/ferkit");
    return existsSync(dir) ? readdirSync(dir).flatMap((name) => readdirSync(path.join(dir, name))) : [];
  };
  /** Refuses, and leaves nothing in the cache. */
  const refuses = async (loaded: Promise<unknown>, message: string, name = "InputError") => {
    await rejects(loaded, message, name);
    assert.deepEqual(cached(), []);
  };
  const LAYOUT =
    "Expected class folders with images, with or without train and validation folders around them";

  for (const [file, pack] of [
    ["set.tar.gz", (entries: Entries) => gzipSync(tarOf(entries))],
    ["set.tgz", (entries: Entries) => gzipSync(tarOf(entries))],
    ["set.tar", tarOf],
    ["set.zip", zipOf],
  ] as const)
    it(`loads ${file}, named by the folder in it, otherwise by the file`, async () => {
      writeFileSync(inFolder(file), await archive(pack, "Expressions/"));
      const wrapped = await loadFrom(inFolder(file));
      assert.equal(wrapped.name, "Expressions");
      assert.deepEqual(await valuesOf(wrapped.train.pixels, 4), [0x10, 0x20, 0x30, 0x40]);
      writeFileSync(inFolder(`other-${file}`), await archive(pack));
      const { name, train } = await loadFrom(inFolder(`other-${file}`));
      assert.equal(name, "other-set");
      assert.deepEqual(train.paths, Object.keys(FOUR));
    });

  it("loads synthetic faces that were drawn before with the same seed", async () => {
    const key = syntheticKey({ ...SYNTHETIC_DEFAULTS, seed: 5 });
    await drawImages(inFolder("cache/ferkit/synthetic", key), FOUR);
    const { name, train } = await loadFrom("synthetic", { seed: 5 });
    assert.equal(name, "synthetic faces");
    assert.deepEqual(await valuesOf(train.pixels, 4), [0x10, 0x20, 0x30, 0x40]);
  });

  it("downloads FER-2013's archive once", async () => {
    server.answers = [whole(gzipSync(await archive(tarOf, "Facial-Expression-Dataset-master/")))];
    process.env.FERKIT_FER2013_URL = server.url;
    for (let i = 0; i < 2; i++) {
      const { name, train } = await loadFrom("fer2013");
      assert.equal(name, "FER-2013");
      assert.deepEqual(await valuesOf(train.pixels, 4), [0x10, 0x20, 0x30, 0x40]);
    }
    assert.equal(server.requests.length, 1);
  });

  it("says what data can be if there is no such path", async () => {
    const expected =
      "Expected synthetic, fer2013, or a folder, an archive (.tar.gz, .tgz, .tar, .zip), a table (.csv, .tsv, .jsonl, .txt) or a Parquet file";
    writeFiles(inFolder(), { "faces.doc": "text" });
    for (const [data, found] of [
      [inFolder("none"), "no such path"],
      [inFolder("none.zip"), "no such path"],
      [inFolder("faces.doc"), "a file of another kind"],
    ])
      await refuses(loadFrom(data), `${expected} at ${data} but found ${found}. Fix the path.`);
  });

  it("says that a folder is empty or has only one class", async () => {
    mkdirSync(inFolder("empty"));
    await refuses(
      loadFrom(inFolder("empty")),
      `${LAYOUT} at ${inFolder("empty")} but found no images in class folders. Move each image into a folder named by its class.`,
    );
    const dir = await drawImages(inFolder("one"), { "a/1.png": "red" });
    await refuses(
      loadFrom(dir),
      `Expected at least two classes at ${dir} but found only a. Add a folder for each class, or choose a table of labels with --labels.`,
    );
  });

  it("refuses an archive that is cut short, and leaves nothing", async () => {
    for (const [file, data] of [
      ["cut.tar.gz", await archive((entries) => gzipSync(tarOf(entries)))],
      ["cut.zip", await archive(zipOf)],
    ] as const) {
      writeFileSync(inFolder(file), data.subarray(0, data.length / 2));
      await assert.rejects(loadFrom(inFolder(file)), {
        name: "InputError",
        message:
          /^Expected a complete .* at \S+cut\.\S+ but found one that cannot be read \(.+\)\. Remove it/,
      });
      assert.deepEqual(cached(), []);
    }
  });

  const cases: [object, string][] = [
    [{ imageSize: Number.NaN }, "an integer in [1, 1024] for imageSize but received NaN of type number"],
    [{ imageSize: -48 }, "an integer in [1, 1024] for imageSize but received -48 of type number"],
    [{ imageSize: 48.5 }, "an integer in [1, 1024] for imageSize but received 48.5 of type number"],
    [
      { validationShare: Number.NaN },
      "a number in [0, 1] for validationShare but received NaN of type number",
    ],
    [{ validationShare: -0.2 }, "a number in [0, 1] for validationShare but received -0.2 of type number"],
    [{ maxUnreadableShare: -1 }, "a number in [0, 1] for maxUnreadableShare but received -1 of type number"],
    [{ seed: Number.NaN }, "an integer ≥ 0 for seed but received NaN of type number"],
    [{ seed: -1 }, "an integer ≥ 0 for seed but received -1 of type number"],
    [{ grey: 1 }, "auto, true or false for grey but received 1 of type number"],
    [{ fit: "stretch" }, "one of crop, pad, squash for fit but received stretch of type string"],
  ];
  for (const [options, message] of cases)
    it(`refuses ${Object.entries(options).flat().join(" ")} before it reads data`, async () => {
      await refuses(loadFrom(inFolder("none"), options), `Expected ${message}`, "ParameterError");
    });
});
