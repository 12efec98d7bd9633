import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { load, setUpSandbox } from "./fixtures.js";

describe("chooseAccelerator", () => {
  const sandbox = setUpSandbox();
  it("takes the flag, then the environment, then the clone's earlier choice, then the CPU", async () => {
    const { chooseAccelerator: choose } = await load<{
      chooseAccelerator: (stateDir: string, env: object, flag?: string, hasGpu?: () => boolean) => string;
    }>("accelerator");
    assert.equal(choose(sandbox.folder, {}), "cpu");
    fs.writeFileSync(path.join(sandbox.folder, "accelerator"), "gpu");
    assert.equal(choose(sandbox.folder, {}), "gpu");
    assert.equal(choose(sandbox.folder, { FERKIT_ACCELERATOR: "cpu" }), "cpu");
    assert.equal(choose(sandbox.folder, { FERKIT_ACCELERATOR: "cpu" }, "gpu"), "gpu");
    assert.equal(
      choose(sandbox.folder, {}, "auto", () => false),
      "cpu",
    );
    assert.equal(
      choose(sandbox.folder, {}, "auto", () => true),
      "gpu",
    );
    assert.throws(() => choose(sandbox.folder, {}, "tpu"), {
      message:
        "Expected cpu, gpu or auto as accelerator but found tpu. Run: npm run setup -- --accelerator auto",
    });
  });
});
