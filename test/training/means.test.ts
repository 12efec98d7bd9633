import assert from "node:assert/strict";
import path from "node:path";
import { IMAGE_LIST, listDigest, writeImageList } from "../../src/data/image-list.js";
import type { Overrides } from "../../src/presets.js";
import { byDataSet, dataLabels, meansOverSeeds } from "../../src/training/means.js";
import type { RunConfig } from "../../src/training/run-config.js";
import { loadRun } from "../../src/training/runs.js";
import { runFolder } from "./fixtures.js";
import { runConfig, runEvents, writeRun } from "./recorded-runs.js";

describe("runs that can be compared", () => {
  const root = runFolder();
  const at = (name: string) => path.join(root.dir, name);
  let clock = 0;

  /** Writes a run that has ended, and loads it. Each starts a minute after the one before. */
  const ended = async (name: string, overrides: Overrides, more: Partial<RunConfig> = {}, accuracy = 0.5) => {
    const started = `2026-01-02T03:${String(clock++ % 60).padStart(2, "0")}:05Z`;
    writeRun(at(name), {
      config: { ...runConfig(overrides), ...more },
      events: runEvents([accuracy], "completed"),
      environment: [{ epoch: 1, started }],
    });
    return { name, run: await loadRun(at(name)) };
  };
  const namesOf = (runs: Parameters<typeof meansOverSeeds>[0]) =>
    meansOverSeeds(runs).means.map(({ names }) => names.join(" "));

  beforeEach(() => {
    clock = 0;
  });

  it("are on the same images by their digests, whatever the data set is called", async () => {
    const runs = [
      await ended("a", { seed: 0 }, { data: "/my/pets", imagesDigest: "x", dataDigest: "1" }),
      await ended("b", { seed: 1 }, { data: "/moved/animals", imagesDigest: "x", dataDigest: "2" }),
      await ended("c", { seed: 2 }, { data: "/other/pets", imagesDigest: "y", dataDigest: "3" }),
    ];
    assert.deepEqual(namesOf(runs), ["a b", "c"]);
    const labels = dataLabels(runs.map(({ run }) => run));
    assert.deepEqual([...labels.values()], ["animals = pets (x)", "animals = pets (x)", "pets (y)"]);
    assert.deepEqual(meansOverSeeds(runs).notes, []);
  });

  it("are compared by name and number if one recorded no digest, which is said", async () => {
    const old = await ended("old", { seed: 0 });
    const alike = await ended("new", { seed: 1 }, { imagesDigest: "x", dataDigest: "1" });
    const more = await ended("more", { seed: 2 }, { numImages: { train: 65, validation: 8 } });
    const { means, notes } = meansOverSeeds([old, alike, more]);
    assert.deepEqual(
      means.map(({ names, data }) => [names.join(" "), data]),
      [
        ["old new", "faces (72 images)"],
        ["more", "faces (73 images)"],
      ],
    );
    assert.deepEqual(notes, ["old recorded no digest of its images, so their name and number are compared"]);
  });

  it("of one seed have the same images only if their splits are the same", async () => {
    const runs = [
      await ended("a", {}, { dataDigest: "1" }),
      await ended("b", {}, { dataDigest: "2" }),
      await ended("c", { seed: 1 }, { dataDigest: "3" }),
    ];
    assert.deepEqual(namesOf(runs), ["a c", "b"]);
  });

  it("of version 0.2 are known by their list of images", async () => {
    const list = (name: string, split: "train" | "validation") => ({
      options: {},
      images: [{ split, className: "a", digest: "0".repeat(16), path: name }],
    });
    const listed = async (name: string, seed: number, images: ReturnType<typeof list>) => {
      await ended(name, { seed }, { dataDigest: listDigest(images) });
      await writeImageList(at(`${name}/${IMAGE_LIST}`), images, true);
      return { name, run: await loadRun(at(name)) };
    };
    const runs = [
      await listed("a", 0, list("1.png", "train")),
      await listed("b", 1, list("1.png", "validation")), // another split of the same image
      await listed("c", 2, list("2.png", "train")),
    ];
    assert.deepEqual(namesOf(runs), ["a b", "c"]);
  });

  it("are drawn faces, which each seed draws differently", async () => {
    const runs = [
      await ended("a", { seed: 0 }, { data: "synthetic", dataDigest: "1" }),
      await ended("b", { seed: 1 }, { data: "synthetic", dataDigest: "2" }),
    ];
    const { means, notes } = meansOverSeeds(runs);
    assert.deepEqual([means.length, means[0].seeds, notes], [1, [0, 1], []]);
  });

  it("start from the same weights and have the same teachers by their digests, wherever these are", async () => {
    const digests = (start: string, features: string, teachers: string[]) => ({
      weightDigests: { start, features, teachers },
    });
    const runs = [
      await ended("a", { seed: 0, weights: "w", teachers: ["t"] }, digests("s0", "f", ["T"])),
      await ended("b", { seed: 1, weights: "moved", teachers: ["u"] }, digests("s1", "f", ["T"])), // another last layer
      await ended("c", { seed: 2, weights: "w", teachers: ["t"] }, digests("s2", "g", ["T"])),
      await ended("d", { seed: 3, weights: "w", teachers: ["t"] }, digests("s3", "f", ["U"])),
    ];
    assert.deepEqual(namesOf(runs), ["a b", "c", "d"]);
  });

  it("count once for a seed, the one that started first, and those that have not ended count nowhere", async () => {
    const first = await ended("z", { seed: 0 }, {}, 0.4);
    const again = await ended("a", { seed: 0 }, {}, 0.9);
    const other = await ended("b", { seed: 1 }, {}, 0.6);
    writeRun(at("c"), { config: runConfig({ seed: 2 }), events: runEvents([0.1]) });
    const { means, notes } = meansOverSeeds([
      again,
      first,
      other,
      { name: "c", run: await loadRun(at("c")) },
    ]);
    assert.deepEqual(
      means.map(({ names }) => names),
      [["z", "b"]],
    );
    assert.equal(means[0].accuracy.mean, 0.5);
    assert.deepEqual(notes.slice(0, 2), [
      "c is left out: it has not ended",
      "a is left out: it is z again, with the same seed 0",
    ]);
  });

  it("are sorted by data set, whole runs before folds", async () => {
    const runs = [
      await ended("b", {}, { data: "/my/b" }),
      await ended("fold", {}, { data: "/my/a", dataOptions: { fold: "1/5" } }, 0.9),
      await ended("a", {}, { data: "/my/a" }),
    ];
    const sorted = (given: typeof runs) => {
      const byData = byDataSet(dataLabels(given.map(({ run }) => run)));
      return [...given].sort((x, y) => byData(x.run, y.run)).map(({ name }) => name);
    };
    assert.deepEqual(sorted(runs), ["a", "fold", "b"]);
    const moved = [
      await ended("early fold", {}, { data: "/my/a", dataOptions: { fold: "1/5" }, imagesDigest: "x" }),
      await ended("moved", {}, { data: "/my/z", imagesDigest: "x" }),
      await ended("other", {}, { data: "/my/b", imagesDigest: "y" }),
    ];
    assert.deepEqual(sorted(moved), ["moved", "early fold", "other"]);
    assert.deepEqual(
      meansOverSeeds(runs).means.map(({ names, fold }) => [names[0], fold]),
      [
        ["a", null],
        ["fold", "1/5"],
        ["b", null],
      ],
    );
  });
});
