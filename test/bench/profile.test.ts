import assert from "node:assert/strict";
import { profileTable, watchOps } from "../../bench/profile.js";

describe("watchOps", () => {
  it("counts and times the ops of both methods until it is stopped", () => {
    const own = (op: string) => `did ${op}`;
    const backend = { executeSingleOutput: own, executeMultipleOutputs: own };
    const { times, stop } = watchOps(backend);
    assert.equal(backend.executeSingleOutput("MatMul"), "did MatMul");
    backend.executeSingleOutput("MatMul");
    backend.executeMultipleOutputs("Split");
    stop();
    backend.executeSingleOutput("MatMul");
    assert.deepEqual(
      [...times.values()].map(({ op, calls }) => [op, calls]),
      [
        ["MatMul", 2],
        ["Split", 1],
      ],
    );
    assert.equal(backend.executeSingleOutput, own);
  });
});

describe("profileTable", () => {
  it("lists each op's share, and the sum", () => {
    const times = [
      { op: "MatMul", calls: 99, ms: 30 },
      { op: "outside ops", calls: 0, ms: 10 },
    ];
    assert.deepEqual(profileTable(times).rows, [
      ["MatMul", "99", "30.00", "75.0%"],
      ["outside ops", "", "10.00", "25.0%"],
      ["a step", "99", "40.00", "100.0%"],
    ]);
  });
});
