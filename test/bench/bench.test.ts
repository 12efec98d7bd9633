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

  it("leaves bfloat16 out on a processor without it", () => {
    const namesOf = (hasBfloat16: boolean) =>
      chooseCases({ ...QUICK, only: "infer lite0, 48 px, batch 32" }, hasBfloat16)[0].contenders;
    assert.deepEqual(
      namesOf(true).filter((name) => !namesOf(false).includes(name)),
      ["ferkitBf16", "openvinoBf16"],
    );
  });
});
