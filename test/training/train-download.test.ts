import assert from "node:assert/strict";
import path from "node:path";
import type { LoadProgress } from "../../src/progress.js";
import { train } from "../../src/training/train.js";
import { loopback, whole } from "../loopback.js";
import { safetensorsBytes, timmTensors } from "../model/weights/weight-files.js";
import { config, dataset, runFolder } from "./fixtures.js";

describe("train", () => {
  const run = runFolder();
  const hub = loopback();
  const { FERKIT_CACHE, FERKIT_HUB_URL } = process.env;
  beforeEach(() => {
    process.env.FERKIT_CACHE = path.join(run.dir, "cache");
    process.env.FERKIT_HUB_URL = new URL(hub.url).origin;
  });
  afterEach(() => {
    for (const [name, value] of Object.entries({ FERKIT_CACHE, FERKIT_HUB_URL }))
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
  });

  it("tells of the download of pre-trained weights before the first batch", async () => {
    const content = safetensorsBytes(timmTensors("b0"));
    hub.answers = [whole(content)];
    const progress: LoadProgress[] = [];
    const options = {
      runDir: path.join(run.dir, "run"),
      data: "stripes",
      onProgress: (step: LoadProgress) => progress.push(step),
    };
    const pretrained = config({ variant: "b0", weights: "imagenet" });
    for await (const event of train(dataset, pretrained, options)) {
      assert.equal(event.type, "batch");
      break;
    }
    const { length } = content;
    assert.deepEqual(progress.at(-1), { stage: "download", done: length, total: length, unit: "bytes" });
  });
});
