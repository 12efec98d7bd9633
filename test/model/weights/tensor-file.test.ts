import { strict as assert } from "node:assert";
import { mkdirSync, readdirSync } from "node:fs";
import { removeOldTensors, writeTensors } from "../../../src/model/weights/tensor-file.js";
import { workspace } from "../../workspace.js";

const TENSORS = [1, 2].map((value) => new Map([["a", { shape: [1], data: Float32Array.of(value) }]]));

describe("removeOldTensors", () => {
  const work = workspace();
  it("keeps all files if what names those in use cannot be read", async () => {
    for (const tensors of TENSORS) await writeTensors(work.path, [...tensors]);
    mkdirSync(work.file("state.json")); // it opens, but cannot be read
    const before = readdirSync(work.path);
    await removeOldTensors(work.path, "state.json");
    assert.deepEqual([before.length, readdirSync(work.path)], [3, before]);
  });
  it("leaves a folder alone that cannot be listed", async () => {
    await removeOldTensors(work.file("absent"), "state.json");
    assert.deepEqual(readdirSync(work.path), []);
  });
});
