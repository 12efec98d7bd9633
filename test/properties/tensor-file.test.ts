import assert from "node:assert/strict";
import { readFileSync, truncateSync, writeFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import type { ParameterValue } from "../../src/model/network.js";
import { readTensors, type TensorManifest, writeTensors } from "../../src/model/weights/tensor-file.js";
import { loadCheckpoint } from "../../src/training/checkpoint.js";
import { temporaryFolder } from "../data/fixtures.js";

fc.configureGlobal({ seed: 21 }); // the same cases each time

const TENSOR: fc.Arbitrary<ParameterValue> = fc
  .array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 })
  .chain((shape) => {
    const length = shape.reduce((a, b) => a * b, 1);
    return fc
      .array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: length, maxLength: length })
      .map((values) => ({ shape, data: Float32Array.from(values) }));
  });
const TENSORS = fc
  .dictionary(fc.string({ minLength: 1, unit: "grapheme" }), TENSOR, { minKeys: 1, maxKeys: 5 })
  .map((named) => Object.entries(named));
const RUNS = { numRuns: 40 };

describe("a file of any tensors", () => {
  const inFolder = temporaryFolder();
  const dir = () => inFolder("tensors");
  const write = async (tensors: [string, ParameterValue][]) => {
    const manifest = await writeTensors(dir(), tensors);
    // As from a JSON file.
    return JSON.parse(JSON.stringify(manifest)) as TensorManifest;
  };

  it("is read to the same bits", () =>
    fc.assert(
      fc.asyncProperty(TENSORS, async (tensors) => {
        const read = await readTensors(dir(), await write(tensors), "");
        assert.deepEqual([...read], tensors);
      }),
      RUNS,
    ));

  it("is refused if it is cut short or too long", () =>
    fc.assert(
      fc.asyncProperty(TENSORS, fc.nat(), async (tensors, cut) => {
        const manifest = await write(tensors);
        const file = path.join(dir(), manifest.paths[0]);
        const bytes = readFileSync(file);
        const damaged = [Buffer.concat([bytes, Buffer.of(0)])];
        if (bytes.length > 0) damaged.push(bytes.subarray(0, cut % bytes.length));
        for (const content of damaged) {
          writeFileSync(file, content);
          await assert.rejects(readTensors(dir(), manifest, ""), { name: "InputError" });
        }
        writeFileSync(file, bytes);
      }),
      RUNS,
    ));

  it("of a checkpoint is refused with a clear error if state.json is cut short anywhere", () =>
    fc.assert(
      fc.asyncProperty(TENSORS, fc.nat(), async (tensors, cut) => {
        const manifest = await writeTensors(inFolder("run/last"), tensors);
        const file = inFolder("run/last/state.json");
        const progress = { epoch: 1, step: 3, best: null, numUpdates: {}, emaUpdates: 0 };
        writeFileSync(file, JSON.stringify({ progress, manifest }));
        const checkpoint = await loadCheckpoint(inFolder("run"));
        assert.deepEqual([...(checkpoint?.values ?? [])].length, tensors.length);
        truncateSync(file, cut % readFileSync(file).length);
        await assert.rejects(loadCheckpoint(inFolder("run")), { name: "InputError" });
      }),
      RUNS,
    ));
});
