import assert from "node:assert/strict";
import { efficientNet, VARIANTS, type Variant } from "../../src/model/efficientnet.js";

describe("efficientNet", () => {
  it("scales the stage table as the paper says", () => {
    const b0 = efficientNet("b0", 7);
    assert.equal(b0.blocks.length, 1 + 2 + 2 + 3 + 3 + 4 + 1);
    assert.deepEqual(
      b0.blocks.slice(0, 3).map(({ name, filtersIn, filtersOut, stride, seFilters, hasResidual }) => ({
        name,
        filtersIn,
        filtersOut,
        stride,
        seFilters,
        hasResidual,
      })),
      [
        { name: "block1a", filtersIn: 32, filtersOut: 16, stride: 1, seFilters: 8, hasResidual: false },
        { name: "block2a", filtersIn: 16, filtersOut: 24, stride: 2, seFilters: 4, hasResidual: false },
        { name: "block2b", filtersIn: 24, filtersOut: 24, stride: 1, seFilters: 6, hasResidual: true },
      ],
    );
  });

  it("rounds filters to multiples of eight, never down by more than a tenth", () => {
    // B2: 32·1.1 = 35.2 → 32, 24·1.1 = 26.4 → 24, 40·1.1 = 44 → 48, 1280·1.1 = 1408
    const b2 = efficientNet("b2", 7);
    assert.equal(b2.stemFilters, 32);
    assert.equal(b2.blocks.find(({ name }) => name === "block2a")?.filtersOut, 24);
    assert.equal(b2.blocks.find(({ name }) => name === "block3a")?.filtersOut, 48);
    assert.equal(b2.topFilters, 1408);
  });

  it("leaves stem, top and the depth of the first and last stage unscaled in Lite, without squeeze-and-excite", () => {
    const lite4 = efficientNet("lite4", 7);
    assert.deepEqual([lite4.stemFilters, lite4.topFilters], [32, 1280]);
    assert.deepEqual(
      ["block1", "block2", "block7"].map(
        (stage) => lite4.blocks.filter(({ name }) => name.startsWith(stage)).length,
      ),
      [1, Math.ceil(2 * 1.8), 1],
    );
    assert.ok(lite4.blocks.every(({ seFilters }) => seFilters === 0));
    assert.equal(lite4.activation, "relu6");
  });

  it("refuses an unknown variant and a single class", () => {
    assert.throws(() => efficientNet("b8" as Variant, 7), {
      message: `Expected one of ${Object.keys(VARIANTS).join(", ")} for variant but received b8 of type string`,
    });
    assert.throws(() => efficientNet("b0", 1), {
      message: "Expected an integer ≥ 2 for numClasses but received 1 of type number",
    });
  });
});
