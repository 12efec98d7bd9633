import assert from "node:assert/strict";
import type { ContenderName } from "../../bench/contenders.js";
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

  it("asks stock layers and Keras for what the chart shows", () => {
    const numCases = (name: ContenderName) =>
      cases.filter(({ workload, contenders }) => workload.kind === "train" && contenders.includes(name))
        .length;
    assert.equal(numCases("stockLayers"), 4); // two networks, batch 32 and 128
    assert.equal(numCases("keras"), 2); // B0 alone
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
