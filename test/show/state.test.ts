import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import os from "node:os";
import path from "node:path";
import type { TrainConfig } from "../../src/config.js";
import type { Dataset, PackedImages } from "../../src/data/dataset.js";
import { PixelArray } from "../../src/data/pixels/pixels.js";
import { trainConfig } from "../../src/presets.js";
import {
  loadLatestRun,
  loadPreparedData,
  prepareRunFolder,
  saveLatestRun,
  savePreparedData,
} from "../../src/show/state.js";

describe("what a notebook leaves for the next", () => {
  const saved = process.cwd();
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(path.join(os.tmpdir(), "ferkit-state-"));
    process.chdir(dir); // as the kernel starts in the project's folder
  });
  afterEach(() => {
    process.chdir(saved);
    rmSync(dir, { recursive: true });
  });

  const PREPARED = {
    data: "my-images",
    seed: 3,
    validationShare: 0.25,
    dropDuplicates: true,
    dropLeaked: false,
  };

  describe("savePreparedData", () => {
    it("leaves what loadPreparedData finds, in one file below data/", async () => {
      await savePreparedData(PREPARED);
      assert.deepEqual(await loadPreparedData(), PREPARED);
      assert.deepEqual(readdirSync("data"), ["prepared.json"]);
    });

    it("replaces what was there", async () => {
      await savePreparedData(PREPARED);
      await savePreparedData({ ...PREPARED, data: "synthetic" });
      assert.equal((await loadPreparedData()).data, "synthetic");
      assert.deepEqual(readdirSync("data"), ["prepared.json"]);
    });

    it("says that it cannot write", async () => {
      writeFileSync("data", "in the way");
      await assert.rejects(savePreparedData(PREPARED), {
        name: "InputError",
        message: /^Expected to write at data\/prepared\.json but found a file instead of a folder\. /,
      });
    });
  });

  describe("loadPreparedData", () => {
    it("names the notebook to run when none has prepared the data", async () => {
      await assert.rejects(loadPreparedData(), {
        name: "InputError",
        message:
          "Expected the output of notebook 02-preprocessing at data/prepared.json but found no such file. " +
          "Run notebooks/02-preprocessing.ipynb first, or `npm start -- --notebooks 02`.",
      });
    });

    it("says that the file is no JSON", async () => {
      mkdirSync("data");
      writeFileSync("data/prepared.json", '{"data": ');
      await assert.rejects(loadPreparedData(), {
        name: "InputError",
        message:
          /^Expected the output of notebook 02-preprocessing at data\/prepared\.json but found something other than JSON \(line 1, column 10: .*\)\. Run /,
      });
    });
  });

  describe("saveLatestRun", () => {
    it("leaves what loadLatestRun finds", async () => {
      await saveLatestRun("runs/one");
      await saveLatestRun("runs/two");
      assert.equal(await loadLatestRun(), "runs/two");
      assert.deepEqual(JSON.parse(readFileSync("runs/latest.json", "utf8")), { runDir: "runs/two" });
    });
  });

  describe("loadLatestRun", () => {
    it("names the notebook to run when none has trained", async () => {
      await assert.rejects(loadLatestRun(), {
        name: "InputError",
        message:
          "Expected the output of notebook 04-training at runs/latest.json but found no such file. " +
          "Run notebooks/02-preprocessing.ipynb and notebooks/04-training.ipynb first, or `npm start -- --notebooks 02,04`.",
      });
    });
  });

  describe("prepareRunFolder", () => {
    const images = (numImages: number): PackedImages => ({
      pixels: new PixelArray(new Uint8Array(numImages), 1),
      labels: new Int32Array(numImages),
      numImages,
      imageSize: 1,
      numChannels: 1,
      paths: Array.from({ length: numImages }, (_, i) => `${i}.png`),
    });
    const dataset: Dataset = {
      name: "dots",
      classNames: ["a", "b"],
      train: images(4),
      validation: images(2),
    };
    const prepare = (
      overrides: Partial<TrainConfig> = {},
      other: Partial<Dataset> = {},
      { data = "dots", fresh = false } = {},
    ) =>
      prepareRunFolder(
        "baseline",
        trainConfig("baseline", overrides),
        { ...dataset, ...other },
        { data, fresh },
      );

    it("is named by the preset, below runs/", async () => {
      assert.match(await prepare(), /^runs\/baseline-[0-9a-f]{8}$/);
    });

    it("is the same for the same configuration and data, and keeps the run that is there", async () => {
      const runDir = await prepare();
      mkdirSync(runDir, { recursive: true });
      writeFileSync(path.join(runDir, "config.json"), "{}");
      assert.equal(await prepare(), runDir);
      assert.ok(existsSync(path.join(runDir, "config.json")));
    });

    it("is another one for another configuration, other classes, other data", async () => {
      const folders = await Promise.all([
        prepare(),
        prepare({ epochs: 3 }),
        prepare({ seed: 1 }),
        prepare({}, { classNames: ["a", "c"] }),
        prepare({}, { train: images(5) }),
        prepare({}, { validation: images(3) }),
        prepare({}, {}, { data: "other" }),
        prepare({}, { train: { ...images(4), labels: Int32Array.of(0, 1, 0, 0) } }),
        prepare({}, { train: { ...images(4), pixels: new PixelArray(Uint8Array.of(0, 0, 9, 0), 1) } }),
      ]);
      assert.equal(new Set(folders).size, folders.length);
    });

    it("is emptied of its run, and of no other, when asked for a fresh one", async () => {
      const runDir = await prepare();
      for (const folder of [runDir, "runs/other"]) {
        mkdirSync(folder, { recursive: true });
        writeFileSync(path.join(folder, "config.json"), "{}");
      }
      assert.equal(await prepare({}, {}, { fresh: true }), runDir);
      assert.deepEqual(readdirSync("runs"), ["other"]);
      assert.equal(await prepare({}, {}, { fresh: true }), runDir); // nothing to remove is no error
    });
  });
});
