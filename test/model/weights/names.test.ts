import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { Variant } from "../../../src/model/efficientnet.js";
import { parameterSpecs } from "../../../src/model/parameters.js";
import { NAMINGS } from "../../../src/model/weights/names.js";
import { families } from "../../golden/golden.js";

describe("NAMINGS", () => {
  const names = (publisher: string, variant: Variant) => {
    const naming = NAMINGS.find((one) => one.publisher === publisher);
    return [...(naming?.names(parameterSpecs(variant, 7)).values() ?? [])];
  };
  const cases = [
    ["timm", "lite0", "timm efficientnet_lite0"],
    ["timm", "b0", "timm efficientnet_b0"],
    ["torchvision", "b0", "torchvision efficientnet_b0"],
    ["Keras", "b0", "Keras EfficientNetB0"],
  ] as const;
  for (const [publisher, variant, model] of cases)
    it(`has every name of ${model}`, () => {
      const digest = createHash("sha256").update(names(publisher, variant).join("\n")).digest("hex");
      assert.equal(digest, families[model].names);
    });

  it("counts blocks through all stages for efficientnet-pytorch", () => {
    const found = names("efficientnet-pytorch", "lite0");
    // The second block of the third stage is the fifth of all.
    assert.ok(found.includes("_blocks.4._depthwise_conv.weight"), found.join());
    assert.ok(
      found.includes("_blocks.0._project_conv.weight") && !found.includes("_blocks.0._expand_conv.weight"),
    );
  });
});
