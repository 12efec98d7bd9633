import assert from "node:assert/strict";
import { efficientNet } from "../../src/model/efficientnet.js";
import {
  blockNames,
  blockOf,
  countParameters,
  parameterSpecs,
  summary,
  trainableBlocks,
} from "../../src/model/parameters.js";

describe("parameterSpecs", () => {
  it("names each weight by layer, in the order in which the layers run", () => {
    assert.deepEqual(
      parameterSpecs("b0", 7)
        .slice(0, 12)
        .map(({ name, shape }) => `${name} ${shape}`),
      [
        "stem_conv/kernel 3,3,3,32",
        "stem_bn/gamma 32",
        "stem_bn/beta 32",
        "stem_bn/moving_mean 32",
        "stem_bn/moving_variance 32",
        "block1a_dwconv/depthwise_kernel 3,3,32,1",
        "block1a_bn/gamma 32",
        "block1a_bn/beta 32",
        "block1a_bn/moving_mean 32",
        "block1a_bn/moving_variance 32",
        "block1a_se_reduce/kernel 1,1,32,8",
        "block1a_se_reduce/bias 8",
      ],
    );
  });
});

describe("countParameters", () => {
  it("agrees for each variant with the published figures, in millions", () => {
    // timm's model cards for tf_efficientnet_{lite0…4,b0…b7}, 1000 classes
    const published = {
      lite0: 4.65,
      lite1: 5.42,
      lite2: 6.09,
      lite3: 8.2,
      lite4: 13.01,
      b0: 5.29,
      b1: 7.79,
      b2: 9.11,
      b3: 12.23,
      b4: 19.34,
      b5: 30.39,
      b6: 43.04,
      b7: 66.35,
    } as const;
    for (const [variant, millions] of Object.entries(published))
      assert.equal(
        (countParameters(variant as keyof typeof published, 1000) / 1e6).toFixed(2),
        millions.toFixed(2),
        variant,
      );
  });

  it("changes with the classes in the last layer only", () => {
    // (1280 + 1) · (1000 − 7)
    assert.equal(countParameters("lite0", 1000) - countParameters("lite0", 7), 1281 * 993);
  });
});

describe("summary", () => {
  it("gives each layer's output shape, halved and rounded up at strides", () => {
    const layers = summary(efficientNet("lite0", 7), 48);
    const shapeOf = (layer: string) => layers.find((row) => row.layer === layer)?.outputShape;
    assert.deepEqual(shapeOf("stem_conv"), [24, 24, 32]);
    assert.deepEqual(shapeOf("block3a_dwconv"), [6, 6, 144]);
    assert.deepEqual(shapeOf("top_conv"), [2, 2, 1280]); // 48 / 32 = 1.5
    assert.deepEqual(shapeOf("predictions"), [1, 1, 7]);
    assert.equal(layers.find((row) => row.layer === "predictions")?.numParameters, 1280 * 7 + 7);
  });
});

describe("trainableBlocks", () => {
  const architecture = efficientNet("b0", 7);

  it("takes the blocks from a name to the end", () => {
    assert.deepEqual([...trainableBlocks(architecture, "block7a")], ["block7a", "top", "predictions"]);
    assert.deepEqual([...trainableBlocks(architecture, "stem")], blockNames(architecture));
  });

  it("covers the block of every parameter", () => {
    const names = new Set(blockNames(architecture));
    for (const { name } of parameterSpecs("b0", 7)) assert.ok(names.has(blockOf(name)), name);
  });

  it("names the blocks there are for one that is not", () => {
    assert.throws(() => trainableBlocks(architecture, "block9a"), {
      name: "ParameterError",
      message: `Expected one of ${blockNames(architecture).join(", ")} for trainableFrom but received block9a of type string`,
    });
  });
});
