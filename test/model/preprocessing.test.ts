import assert from "node:assert/strict";
import { VARIANTS, type Variant } from "../../src/model/efficientnet.js";
import { preprocessing } from "../../src/model/preprocessing.js";

describe("preprocessing", () => {
  for (const variant of Object.keys(VARIANTS) as Variant[])
    it(`has the mean and deviation that timm names for ${variant}, times 255`, () => {
      const isLite = variant.startsWith("lite");
      const mean = isLite ? [0.5, 0.5, 0.5] : [0.485, 0.456, 0.406];
      const std = isLite ? [0.5, 0.5, 0.5] : [0.229, 0.224, 0.225];
      const found = preprocessing(variant);
      for (let channel = 0; channel < 3; channel++) {
        assert.ok(Math.abs(found.mean[channel] - 255 * mean[channel]) < 1e-9);
        assert.ok(Math.abs(found.std[channel] - 255 * std[channel]) < 1e-9);
      }
    });

  it("gives each caller its own arrays", () => {
    preprocessing("lite0").mean[0] = 0;
    assert.equal(preprocessing("lite0").mean[0], 127.5);
  });
});
