import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { SYNTHETIC_DEFAULTS, syntheticKey } from "../../src/cartoons/draw.js";
import { loadDataset } from "../../src/data/load.js";
import { loopback, whole } from "../loopback.js";
import { drawImages, type Entries, tarOf, temporaryFolder, valuesOf, writeFiles, zipOf } from "./fixtures.js";

const FACES = { "a/1.png": "#101010", "a/2.png": "#202020", "b/1.png": "#303030", "b/2.png": "#404040" };

describe("loadDataset", () => {
  const inFolder = temporaryFolder();
  const server = loopback();
  const load = (data: string, options = {}) =>
    loadDataset({ data, imageSize: 1, validationShare: 0, ...options });
  /** An archive of the images, in the folder of that name or at the top. */
  const archive = async (pack: (entries: Entries) => Buffer, folder = "") => {
    const dir = await drawImages(inFolder("images"), FACES);
    const files = Object.keys(FACES).map((file) => [folder + file, readFileSync(path.join(dir, file))]);
    return pack(Object.fromEntries(files));
  };
  const cached = () => {
    const dir = inFolder("cache/ferkit");
    return existsSync(dir) ? readdirSync(dir).flatMap((name) => readdirSync(path.join(dir, name))) : [];
  };
  const rejects = async (loaded: Promise<unknown>, message: string, name = "InputError") => {
    await assert.rejects(loaded, { name, message });
    assert.deepEqual(cached(), []);
  };
  const LAYOUT = "Expected folders named by class that hold images, under train and validation or not";

  for (const [file, pack] of [
    ["set.tar.gz", (entries: Entries) => gzipSync(tarOf(entries))],
    ["set.tgz", (entries: Entries) => gzipSync(tarOf(entries))],
    ["set.tar", tarOf],
    ["set.zip", zipOf],
  ] as const)
    it(`loads ${file}, named by the folder in it or else by the file`, async () => {
      writeFileSync(inFolder(file), await archive(pack, "Expressions/"));
      const wrapped = await load(inFolder(file));
      assert.equal(wrapped.name, "Expressions");
      assert.deepEqual(await valuesOf(wrapped.train.pixels, 4), [0x10, 0x20, 0x30, 0x40]);
      writeFileSync(inFolder(`other-${file}`), await archive(pack));
      const { name, train } = await load(inFolder(`other-${file}`));
      assert.equal(name, "other-set");
      assert.deepEqual(train.paths, Object.keys(FACES));
    });

  it("loads synthetic faces that were drawn before from the same seed", async () => {
    const key = syntheticKey({ ...SYNTHETIC_DEFAULTS, seed: 5 });
    await drawImages(inFolder("cache/ferkit/synthetic", key), FACES);
    const { name, train } = await load("synthetic", { seed: 5 });
    assert.equal(name, "synthetic faces");
    assert.deepEqual(await valuesOf(train.pixels, 4), [0x10, 0x20, 0x30, 0x40]);
  });

  it("loads FER-2013's archive, downloaded once", async () => {
    server.answers = [whole(gzipSync(await archive(tarOf, "Facial-Expression-Dataset-master/")))];
    process.env.FERKIT_FER2013_URL = server.url;
    for (let i = 0; i < 2; i++) {
      const { name, train } = await load("fer2013");
      assert.equal(name, "FER-2013");
      assert.deepEqual(await valuesOf(train.pixels, 4), [0x10, 0x20, 0x30, 0x40]);
    }
    assert.equal(server.requests.length, 1);
  });

  it("says what it would have taken where there is no such path", async () => {
    const expected =
      "Expected synthetic, fer2013, or a folder or archive (.tar.gz, .tgz, .tar, .zip) of class folders";
    writeFiles(inFolder(), { "faces.txt": "text" });
    for (const [data, found] of [
      [inFolder("none"), "no such path"],
      [inFolder("none.zip"), "no such path"],
      [inFolder("faces.txt"), "a file of another kind"],
    ])
      await rejects(load(data), `${expected} at ${data} but found ${found}. Check the path.`);
  });

  it("says that a folder is empty, or has one class only", async () => {
    mkdirSync(inFolder("empty"));
    await rejects(
      load(inFolder("empty")),
      `${LAYOUT} at ${inFolder("empty")} but found no images in class folders. Put each image into a folder named by its class.`,
    );
    const dir = await drawImages(inFolder("one"), { "a/1.png": "red" });
    await rejects(
      load(dir),
      `Expected at least two classes at ${dir} but found only a. Add a folder for each other class.`,
    );
  });

  it("refuses an archive that is cut short, and leaves nothing", async () => {
    for (const [file, data] of [
      ["cut.tar.gz", await archive((entries) => gzipSync(tarOf(entries)))],
      ["cut.zip", await archive(zipOf)],
    ] as const) {
      writeFileSync(inFolder(file), data.subarray(0, data.length / 2));
      await assert.rejects(load(inFolder(file)), {
        name: "InputError",
        message: /^Expected a whole .* at \S+cut\.\S+ but found one that cannot be read \(.+\)\. Remove it/,
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
  ];
  for (const [options, message] of cases)
    it(`refuses ${Object.entries(options).flat().join(" ")} before it looks for data`, async () => {
      await rejects(load(inFolder("none"), options), `Expected ${message}`, "ParameterError");
    });
});
