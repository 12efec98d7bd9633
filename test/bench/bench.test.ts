import assert from "node:assert/strict";
import { chooseCases, QUICK } from "../../bench/bench.js";
import { describe as nameOf } from "../../bench/suite.js";

describe("chooseCases", () => {
  it("keeps the workloads and contenders that were asked for", () => {
    const cases = chooseCases({
      ...QUICK,
      only: "lite0, 48 px, batch 1",
      contenders: ["ferkit", "onnxRuntime"],
    });
    assert.deepEqual(
      cases.map(({ workload, contenders }) => [nameOf(workload), contenders]),
      [
        ["train lite0, 48 px, batch 128", ["ferkit"]],
        ["infer lite0, 48 px, batch 1", ["ferkit", "onnxRuntime"]],
        ["predict lite0, 48 px, batch 1", ["ferkit"]],
      ],
    );
  });
});
