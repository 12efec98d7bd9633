import assert from "node:assert/strict";
import { type ContenderName, describe as nameOf, suite } from "../../bench/suite.js";

const cases = suite({ numRounds: 3, numRoundsOfLong: 2 });
const find = (name: string) => cases.find(({ workload }) => nameOf(workload) === name);

describe("suite", () => {
  it("lists every workload once", () => {
    const names = cases.map(({ workload }) => nameOf(workload));
    assert.equal(new Set(names).size, names.length);
  });

  it("measures ferkit and PyTorch in both layouts on all of them", () => {
    for (const { contenders } of cases)
      assert.deepEqual(contenders.slice(0, 3), ["ferkit", "pytorch", "pytorchChannelsLast"]);
  });

  it("measures stock layers and Keras where the chart shows them", () => {
    const numCases = (name: ContenderName) =>
      cases.filter(({ workload, contenders }) => workload.kind === "train" && contenders.includes(name))
        .length;
    assert.equal(numCases("stockLayers"), 4); // two networks, batch 32 and 128
    assert.equal(numCases("keras"), 2); // only B0
  });

  it("measures Keras only on B0", () => {
    assert.ok(find("train b0, 48 px, batch 32")?.contenders.includes("keras"));
    assert.ok(!find("train lite0, 48 px, batch 32")?.contenders.includes("keras"));
  });

  it("gives fewer turns to long workloads", () => {
    assert.equal(find("train lite0, 48 px, batch 32")?.numRounds, 3);
    assert.equal(find("train lite0, 48 px, batch 256")?.numRounds, 2);
    assert.equal(find("train lite0, 96 px, batch 32")?.numRounds, 2);
    assert.equal(find("infer lite0, 48 px, batch 256")?.numRounds, 3);
  });
});
