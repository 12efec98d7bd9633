import assert from "node:assert/strict";
import { VARIANTS, type Variant } from "../../../src/model/efficientnet.js";
import { parameterSpecs } from "../../../src/model/parameters.js";
import { timmName } from "../../../src/model/weights/timm-names.js";

describe("timmName", () => {
  const layersOf = (variant: Variant, block: string) =>
    parameterSpecs(variant, 1000)
      .filter(({ name, kind }) => name.startsWith(block) && kind !== "beta" && !kind.startsWith("moving"))
      .map(({ name }) => timmName(name));

  it("names the layers before and after the blocks", () => {
    assert.equal(timmName("stem_conv/kernel"), "conv_stem.weight");
    assert.equal(timmName("stem_bn/gamma"), "bn1.weight");
    assert.equal(timmName("top_conv/kernel"), "conv_head.weight");
    assert.equal(timmName("top_bn/beta"), "bn2.bias");
    assert.equal(timmName("predictions/kernel"), "classifier.weight");
    assert.equal(timmName("predictions/bias"), "classifier.bias");
  });

  it("names the moving statistics", () => {
    assert.equal(timmName("stem_bn/moving_mean"), "bn1.running_mean");
    assert.equal(timmName("block3b_project_bn/moving_variance"), "blocks.2.1.bn3.running_var");
  });

  it("names the blocks of the first stage as depthwise-separable ones", () => {
    // timm's DepthwiseSeparableConv: conv_dw, bn1, se, conv_pw, bn2
    assert.deepEqual(layersOf("b1", "block1b"), [
      "blocks.0.1.conv_dw.weight",
      "blocks.0.1.bn1.weight",
      "blocks.0.1.se.conv_reduce.weight",
      "blocks.0.1.se.conv_reduce.bias",
      "blocks.0.1.se.conv_expand.weight",
      "blocks.0.1.se.conv_expand.bias",
      "blocks.0.1.conv_pw.weight",
      "blocks.0.1.bn2.weight",
    ]);
  });

  it("names the other blocks as inverted residuals", () => {
    // timm's InvertedResidual: conv_pw, bn1, conv_dw, bn2, se, conv_pwl, bn3
    assert.deepEqual(layersOf("b0", "block6d"), [
      "blocks.5.3.conv_pw.weight",
      "blocks.5.3.bn1.weight",
      "blocks.5.3.conv_dw.weight",
      "blocks.5.3.bn2.weight",
      "blocks.5.3.se.conv_reduce.weight",
      "blocks.5.3.se.conv_reduce.bias",
      "blocks.5.3.se.conv_expand.weight",
      "blocks.5.3.se.conv_expand.bias",
      "blocks.5.3.conv_pwl.weight",
      "blocks.5.3.bn3.weight",
    ]);
  });

  for (const variant of Object.keys(VARIANTS) as Variant[])
    it(`names each parameter of ${variant}, no two alike`, () => {
      const names = parameterSpecs(variant, 1000).map(({ name }) => timmName(name));
      assert.equal(new Set(names).size, names.length);
      for (const name of names)
        assert.match(
          name,
          /^(conv_stem|conv_head|classifier|bn[12]|blocks\.[0-6]\.\d+\.(conv_(dw|pw|pwl)|bn[123]|se\.conv_(reduce|expand)))\.(weight|bias|running_mean|running_var)$/,
        );
    });
});
