import assert from "node:assert/strict";
import { type Tensor, tf } from "../../src/engine/tf.js";
import { conventions, type Family, publishedScale } from "../../src/model/conventions.js";
import { VARIANTS, type Variant } from "../../src/model/efficientnet.js";
import type { ModelConfig } from "../../src/model/network.js";
import { trainableBlocks } from "../../src/model/parameters.js";
import { computeGradients } from "../../src/training/step.js";
import { smoothedOneHot } from "../../src/training/targets.js";
import { onStock } from "../engine/backends.js";
import { families, formulaImages, formulaNetwork } from "../golden/golden.js";
import { relativeError } from "./fixtures.js";

describe("conventions", () => {
  for (const variant of Object.keys(VARIANTS) as Variant[])
    it(`has the mean and deviation that timm names for tf_efficientnet_${variant}, times 255`, () => {
      const isLite = variant.startsWith("lite");
      const mean = isLite ? [0.5, 0.5, 0.5] : [0.485, 0.456, 0.406];
      const std = isLite ? [0.5, 0.5, 0.5] : [0.229, 0.224, 0.225];
      const found = conventions(variant).preprocessing;
      for (let channel = 0; channel < 3; channel++) {
        assert.ok(Math.abs(found.mean[channel] - 255 * mean[channel]) < 1e-9);
        assert.ok(Math.abs(found.std[channel] - 255 * std[channel]) < 1e-9);
      }
    });

  it("knows the scale of each tag of B0 to B8 at timm 1.0.31 and efficientnet-pytorch 0.7.1", () => {
    const names = {
      127.5: [
        ...[0, 1, 2, 3, 4, 5, 6, 7, 8].map((size) => `tf_efficientnet_b${size}.ap_in1k`),
        ...["efficientnet_b0.ra4_e3600_r224_in1k", "efficientnet_b1.ra4_e3600_r240_in1k"],
        ...[
          "tf_efficientnet_b3_ap-aad25bdd.pth",
          "tf_efficientnet_b0_ap",
          "adv-efficientnet-b7-4652b6dd.pth",
        ],
      ],
      123.675: [
        ...["", ".in1k", ".aa_in1k", ".ra_in1k", ".ns_jft_in1k", "_ns-9d44bf68.pth", "-c6949ce9.pth"].map(
          (tag) => `tf_efficientnet_b5${tag}`,
        ),
        ...["b0.ra_in1k", "b1.ft_in1k", "b2.ra_in1k", "b3.ra2_in1k", "b4.ra2_in1k", "b5.sw_in12k"].map(
          (tag) => `efficientnet_${tag}`,
        ),
        ...["efficientnet_b5.sw_in12k_ft_in1k", "efficientnet_b6.untrained", "efficientnet_b1-533bc792.pth"],
        ...["efficientnet_b4_ra2_320-7eb33cd5.pth", "efficientnet-b0-355c32eb.pth"],
      ],
    };
    for (const [mean, own] of Object.entries(names))
      for (const name of own) assert.equal(publishedScale(name)?.mean[0], Number(mean), name);
    for (const name of [
      "efficientnet_b0.new_in1k",
      "tf_efficientnet_b0_mine",
      "efficientnetv2_b0",
      "weights.pth",
    ])
      assert.equal(publishedScale(name), null, name);
  });

  it("gives each caller its own arrays", () => {
    conventions("lite0").preprocessing.mean[0] = 0;
    assert.equal(conventions("lite0").preprocessing.mean[0], 127.5);
  });

  it("differs between families in padding, epsilon and the scale of Lite's pixels", () => {
    const of = (variant: Variant, family: Family) => {
      const { padding, epsilon, preprocessing } = conventions(variant, family);
      return [padding, epsilon, preprocessing.mean[0]];
    };
    assert.deepEqual(of("lite0", "tensorflow"), ["same", 1e-3, 127.5]);
    assert.deepEqual(of("lite0", "pytorch"), ["symmetric", 1e-5, 123.675]);
    assert.deepEqual(of("b4", "torchvision"), ["symmetric", 1e-5, 123.675]);
    assert.deepEqual(of("b5", "torchvision"), ["symmetric", 1e-3, 123.675]);
  });
});

describe("a network of another family", () => {
  const SYMMETRIC: Partial<ModelConfig> = { padding: "symmetric", epsilon: 1e-5 };
  const cases: [string, Variant, Partial<ModelConfig>][] = [
    ["timm efficientnet_lite0", "lite0", SYMMETRIC],
    ["timm efficientnet_b0", "b0", SYMMETRIC],
    ["torchvision efficientnet_b0", "b0", SYMMETRIC],
    ["Keras EfficientNetB0", "b0", {}],
    ["Keras EfficientNetB0 of any size", "b0", { padding: "even" }],
  ];
  for (const [family, variant, options] of cases) {
    it(`gives the logits of ${family}, on both backends`, () => {
      const { logits } = families[family];
      const network = formulaNetwork(variant, options);
      const images = formulaImages(48, [0, 1, 2]);
      const run = () => tf.tidy(() => network.logits(images).dataSync());
      for (const actual of [run(), onStock(run)]) assert.ok(relativeError(actual, logits.flat()) < 1e-4);
      images.dispose();
      network.dispose();
    });

    const { loss, gradientNorms } = families[family];
    if (loss !== undefined && gradientNorms)
      it(`gives the loss and gradients of ${family}, on both backends`, () => {
        const network = formulaNetwork(variant, options);
        const all = trainableBlocks(network.architecture, "stem");
        const run = () =>
          tf.tidy(() => {
            const input = {
              images: formulaImages(48, [0, 1, 2]),
              targets: smoothedOneHot(Int32Array.of(0, 1, 4), { numClasses: 7, labelSmoothing: 0 }),
              exampleWeights: tf.fill([3], 1 / 3),
            };
            const training = { batchNormMomentum: 0.1, dropoutRate: 0, dropPathRate: 0, seed: 0 };
            const result = computeGradients(network, input, all, training);
            assert.ok(relativeError(result.loss.dataSync(), [loss]) < 1e-4, `loss ${result.loss}`);
            for (const [index, expected] of Object.entries(gradientNorms)) {
              const { name } = network.specs[Number(index)];
              const actual = (result.gradients.get(name) as Tensor).norm().dataSync()[0];
              // ReLU6 has kinks: in Lite0, a change of 1e-6 in the pixels moves the first layers' gradients by a hundredth.
              const tolerance = variant === "lite0" ? 2e-2 : 1e-3;
              assert.ok(
                Math.abs(actual - expected) < tolerance * expected + 1e-4,
                `${name}: ${actual} ≠ ${expected}`,
              );
            }
            tf.dispose([result.loss, result.logits, ...result.gradients.values()]);
            tf.dispose([...result.movingStatistics.values()]);
          });
        run();
        onStock(run);
        network.dispose();
      });
  }
});
