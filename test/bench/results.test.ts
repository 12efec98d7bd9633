import assert from "node:assert/strict";
import { shortName } from "../../bench/results.js";

describe("shortName", () => {
  it("keeps the words that distinguish processors", () => {
    const nameOf = (cpu: string) => shortName({ cpu, cores: 4, memoryGiB: 16 });
    assert.equal(nameOf("AMD EPYC"), "amd-epyc-4-cores");
    assert.equal(nameOf("Intel(R) Core(TM) i7-8550U CPU @ 1.80GHz"), "intel-core-i7-8550u-4-cores");
  });
});
