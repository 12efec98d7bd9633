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

  it("measures the runtimes that only infer on inference only", () => {
    for (const { workload, contenders } of cases)
      assert.equal(contenders.includes("openvino"), workload.kind === "infer");
  });

  it("measures compiled PyTorch where training is drawn, and inference of usual batches", () => {
    const compiled = cases.filter(({ contenders }) => contenders.includes("pytorchCompiled"));
    assert.deepEqual(compiled.map(({ workload }) => nameOf(workload)).sort(), [
      "infer b0, 48 px, batch 1",
      "infer b0, 48 px, batch 32",
      "infer lite0, 144 px, batch 32",
      "infer lite0, 48 px, batch 1",
      "infer lite0, 48 px, batch 32",
      "train b0, 48 px, batch 128",
      "train b0, 48 px, batch 32",
      "train lite0, 48 px, batch 128",
      "train lite0, 48 px, batch 32",
    ]);
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
