import assert from "node:assert/strict";
import { suite } from "../../bench/suite.js";
import { describe as nameOf } from "../../bench/workload.js";

const cases = suite({ numRounds: 3, numRoundsOfLong: 2 });
const find = (name: string) => cases.find(({ workload }) => nameOf(workload) === name);

describe("suite", () => {
  it("has every workload once", () => {
    const names = cases.map(({ workload }) => nameOf(workload));
    assert.equal(new Set(names).size, names.length);
  });

  it("lets ferkit and PyTorch in both layouts do all of them", () => {
    for (const { contenders } of cases)
      assert.deepEqual(contenders.slice(0, 3), ["ferkit", "pytorch", "pytorchChannelsLast"]);
  });

  it("asks Keras for B0 alone", () => {
    assert.ok(find("train b0, 48 px, batch 32")?.contenders.includes("keras"));
    assert.ok(!find("train lite0, 48 px, batch 32")?.contenders.includes("keras"));
  });

  it("gives fewer turns to what takes long", () => {
    assert.equal(find("train lite0, 48 px, batch 32")?.numRounds, 3);
    assert.equal(find("train lite0, 48 px, batch 256")?.numRounds, 2);
    assert.equal(find("train lite0, 96 px, batch 32")?.numRounds, 2);
    assert.equal(find("infer lite0, 48 px, batch 256")?.numRounds, 3);
  });
});
