import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { saveModel } from "../../src/model/weights/model-folder.js";
import { randomNetwork } from "../model/fixtures.js";
import { workspace } from "../workspace.js";

describe("ferkit export", function () {
  this.timeout(60_000);
  const folder = workspace();

  beforeEach("saves a model", async () => {
    const network = randomNetwork();
    await saveModel(folder.file("best"), network.config, await network.parameters());
    network.dispose();
  });

  it("writes a file or a folder beside the model folder, or where it is told to", async () => {
    const { status, stdout } = await folder.ferkit("export", "best");
    assert.deepEqual([status, stdout], [0, `wrote ${folder.file("best.onnx")}\n`]);
    const web = await folder.ferkit("export", "best", "--to", "transformers", "--precision", "float16");
    assert.deepEqual([web.status, web.stdout], [0, `wrote ${folder.file("best-transformers")}\n`]);
    await folder.ferkit("export", "best", "--precision", "uint8", "--out", "new/small.onnx");
    assert.deepEqual(readdirSync(folder.file("new")), ["small.onnx"]);
    assert.deepEqual(readdirSync(folder.path).sort(), ["best", "best-transformers", "best.onnx", "new"]);
  });

  it("refuses a format that it does not know", async () => {
    const { status, stderr } = await folder.ferkit("export", "best", "--to", "onx");
    assert.equal(status, 1);
    assert.match(stderr, /--to/);
    assert.match(stderr, /onnx/);
    assert.deepEqual(readdirSync(folder.path), ["best"]);
  });
});
