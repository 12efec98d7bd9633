import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { saveModel } from "../../src/model/weights/model-folder.js";
import { randomNetwork } from "../model/fixtures.js";
import { workspace } from "../workspace.js";

describe("ferkit export", function () {
  this.timeout(600_000);
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

  it("refuses to replace what is no export", async () => {
    const inside = await folder.ferkit("export", "best", "--out", "best/model.onnx");
    assert.equal(
      inside.stderr,
      `ferkit: Expected a path outside of the model folder at --out but found ${folder.file("best/model.onnx")}. Choose another path.\n`,
    );
    const other = await folder.ferkit("export", "best", "--out", "notes.txt");
    assert.equal(
      other.stderr,
      "ferkit: Expected a name that ends in .onnx at --out but found notes.txt. Choose another path.\n",
    );
    mkdirSync(folder.file("mine/onnx"), { recursive: true }); // a class of images may have this name
    writeFileSync(folder.file("mine/notes.txt"), "");
    const full = await folder.ferkit("export", "best", "--to", "transformers", "--out", "mine");
    assert.match(full.stderr, /^ferkit: Expected a new or empty folder, or an earlier export at --out/);
    assert.deepEqual([inside.status, other.status, full.status], [1, 1, 1]);
    await folder.ferkit("export", "best", "--out", "mine/own.onnx");
    const again = await folder.ferkit("export", "best", "--out", "mine/own.onnx", "--precision", "uint8");
    assert.equal(again.status, 0, again.stderr);
    writeFileSync(folder.file("mine/torch.onnx"), "\x08\x08\x12\x07pytorch");
    const foreign = await folder.ferkit("export", "best", "--out", "mine/torch.onnx");
    assert.equal(
      foreign.stderr,
      `ferkit: Expected a new file or an earlier export at --out but found ${folder.file("mine/torch.onnx")} of another program. Choose another path.\n`,
    );
    assert.equal(readFileSync(folder.file("mine/torch.onnx")).length, 11);
    assert.deepEqual(readdirSync(folder.path).sort(), ["best", "mine"]);
  });

  it("refuses a format that it does not know", async () => {
    const { status, stderr } = await folder.ferkit("export", "best", "--to", "onx");
    assert.equal(status, 1);
    assert.match(stderr, /--to/);
    assert.match(stderr, /onnx/);
    assert.deepEqual(readdirSync(folder.path), ["best"]);
  });
});
