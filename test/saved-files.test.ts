import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { VARIANTS } from "../src/model/efficientnet.js";
import { savedCheck } from "../src/saved-files.js";
import { listFiles, projectDir, readProjectFile } from "./source-files.js";

const read = (file: string): unknown => JSON.parse(readProjectFile(file));

describe("docs/saved-files.schema.json", () => {
  const recorded = (name: string) =>
    listFiles(["experiments/results"], [".json", ".jsonl"]).filter((file) => path.basename(file) === name);

  it("holds for the bundled models", async () => {
    const check = await savedCheck("model");
    for (const name of ["fer2013", "ferplus"])
      assert.equal(check(read(`models/${name}/model.json`)), null, name);
  });

  it("holds for the recorded runs of all versions", async () => {
    const [config, session, event] = await Promise.all(
      (["config", "session", "event"] as const).map(savedCheck),
    );
    assert.ok(recorded("config.json").length > 20);
    for (const file of recorded("config.json")) assert.equal(config(read(file)), null, file);
    for (const file of recorded("environment.json"))
      for (const one of read(file) as unknown[]) assert.equal(session(one), null, file);
    for (const file of recorded("metrics.jsonl"))
      for (const line of readFileSync(path.join(projectDir, file), "utf8").trim().split("\n"))
        assert.equal(event(JSON.parse(line)), null, `${file}: ${line}`);
  });

  it("knows the variants", () => {
    const { definitions } = read("docs/saved-files.schema.json") as {
      definitions: { variant: { enum: string[] } };
    };
    assert.deepEqual(definitions.variant.enum, Object.keys(VARIANTS));
  });

  it("names the value that does not fit", async () => {
    const [event, config] = await Promise.all((["event", "config"] as const).map(savedCheck));
    const batch = {
      type: "batch",
      epoch: 1,
      batch: 1,
      numBatches: 3,
      numImages: 8,
      step: 1,
      loss: 2,
      accuracy: 0.5,
    };
    assert.equal(event(batch), null);
    assert.equal(event({ ...batch, loss: null }), null, "NaN is written as null");
    assert.equal(event({ ...batch, accuracy: 2 }), "accuracy, which should be <= 1");
    assert.equal(event({ ...batch, step: Number.POSITIVE_INFINITY }), "step, which should be integer");
    assert.equal(event(null), "a value, which should be object");
    const train = { variant: "lite9", epochs: 1, imageSize: 48, seed: 0 };
    const variants = Object.keys(VARIANTS).join(", ");
    assert.equal(
      config({ train, data: "a" }),
      `train.variant, which should be equal to one of the allowed values: ${variants}`,
    );
    const deep = JSON.parse(`${"[".repeat(50)}${"]".repeat(50)}`);
    assert.notEqual(config({ train: { ...train, variant: "lite0", odd: deep }, data: "a" }), null);
  });
});
