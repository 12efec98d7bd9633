import assert from "node:assert/strict";
import type { Plan, Precision } from "../../src/engine/backend.js";
import { backend, device, hasBfloat16 } from "../../src/engine/device.js";
import { type Tensor, type Tensor4D, tf } from "../../src/engine/tf.js";
import { conventions } from "../../src/model/conventions.js";
import { type Architecture, efficientNet, type Variant } from "../../src/model/efficientnet.js";
import { infer, lastFeatures } from "../../src/model/forward.js";
import { parameterSpecs } from "../../src/model/parameters.js";
import { randomImages } from "../model/fixtures.js";
import { needsNativeOps, normal, onStock } from "./backends.js";

const NUM_CLASSES = 7;
/** Relative; a deep network adds up rounding errors. */
const TOLERANCE = 5e-5;

/** A network with every parameter drawn, batch norm's included. The caller disposes the values. */
interface Drawn {
  architecture: Architecture;
  config: { preprocessing: { mean: number[]; std: number[] } };
  values: Map<string, Tensor>;
}

function draw(variant: Variant): Drawn {
  const values = parameterSpecs(variant, NUM_CLASSES).map(({ name, shape, kind }, i): [string, Tensor] => {
    const seed = i + 1;
    if (kind !== "kernel") {
      const isPositive = kind === "gamma" || kind === "movingVariance";
      return [
        name,
        tf.tidy(() =>
          normal(shape, seed, 0.2)
            .add(isPositive ? 1 : 0)
            .abs(),
        ),
      ];
    }
    const fanIn = shape.slice(0, -1).reduce((product, length) => product * length, 1);
    const isDepthwise = name.endsWith("depthwise_kernel");
    return [name, normal(shape, seed, Math.sqrt(2 / (isDepthwise ? shape[0] ** 2 : fanIn)))];
  });
  return {
    architecture: efficientNet(variant, NUM_CLASSES),
    config: { preprocessing: conventions(variant).preprocessing },
    values: new Map(values),
  };
}

function planOf(network: Drawn, precision: Precision = "float32", weights?: Tensor[]): Plan {
  const { architecture, config, values } = network;
  const { buildPlan } = backend();
  assert.ok(buildPlan);
  return buildPlan(architecture, config.preprocessing, weights ?? [...values.values()], precision);
}

/** Returns the largest difference, relative to the largest value. */
function largestError(actual: Tensor, expected: Tensor): number {
  return tf.tidy(
    () =>
      tf
        .max(tf.abs(tf.sub(actual, expected)))
        .div(tf.max(tf.abs(expected)))
        .dataSync()[0],
  );
}

/** Compares the plan's logits with those of TensorFlow's kernels. */
function errorOf(network: Drawn, plan: Plan, images: Tensor4D): number {
  return tf.tidy(() =>
    largestError(
      plan.logits(images),
      onStock(() => infer(network, images, network.values)),
    ),
  );
}

describe("buildPlan", () => {
  needsNativeOps();

  const cases: [Variant, number[]][] = [
    ["lite0", [33, 48, 97, 144]],
    ["b0", [33, 48, 97, 144]],
    // Their first stage has a block without expansion that does not follow the stem.
    ["b1", [33, 48, 64]],
    // Numbers of channels that fill no whole vectors.
    ["lite4", [33, 48]],
    ["b2", [48, 80]],
  ];
  for (const [variant, sizes] of cases)
    it(`gives the logits of TensorFlow's kernels for ${variant}, ${sizes.join(", ")} pixels`, () => {
      const network = draw(variant);
      const plan = planOf(network);
      for (const size of sizes) {
        const images = randomImages(3, size, size);
        const error = errorOf(network, plan, images);
        assert.ok(error < TOLERANCE, `${size} pixels: ${error}`);
        images.dispose();
      }
      plan.dispose();
      tf.dispose([...network.values.values()]);
    });

  it("gives an image the same logits in batches of any size", () => {
    for (const variant of ["lite0", "b0"] as const) {
      const network = draw(variant);
      const plan = planOf(network);
      tf.tidy(() => {
        const images = randomImages(70, 48);
        const all = plan.logits(images);
        assert.ok(errorOf(network, plan, images) < TOLERANCE);
        for (const [begin, size] of [
          [0, 1],
          [3, 2],
          [5, 7],
          [12, 33],
        ]) {
          const some = plan.logits(images.slice([begin, 0, 0, 0], [size, -1, -1, -1]));
          // One image is summed in another order.
          assert.ok(
            largestError(some, all.slice([begin, 0], [size, -1])) < 5e-6,
            `${variant}, ${size} images`,
          );
        }
      });
      plan.dispose();
      tf.dispose([...network.values.values()]);
    }
  });

  it("gives the last feature map", () => {
    const network = draw("b0");
    const plan = planOf(network);
    tf.tidy(() => {
      const images = randomImages(9, 65);
      const features = plan.features(images);
      const expected = onStock(() => lastFeatures(network, images, network.values));
      assert.deepEqual(features.shape, [9, 3, 3, 1280]);
      assert.ok(largestError(features, expected) < TOLERANCE);
    });
    plan.dispose();
    tf.dispose([...network.values.values()]);
  });

  it("takes images that are not square", () => {
    const network = draw("lite0");
    const plan = planOf(network);
    tf.tidy(() => {
      const images = tf.slice(randomImages(2, 80), [0, 0, 0, 0], [2, 41, 80, 3]);
      assert.ok(errorOf(network, plan, images) < TOLERANCE);
    });
    plan.dispose();
    tf.dispose([...network.values.values()]);
  });

  it("passes NaN on", () => {
    const network = draw("lite0");
    const plan = planOf(network);
    tf.tidy(() => {
      const logits = plan.logits(tf.fill([1, 48, 48, 3], Number.NaN));
      assert.ok([...logits.dataSync()].every(Number.isNaN));
    });
    plan.dispose();
    tf.dispose([...network.values.values()]);
  });

  it("computes in bfloat16 if it is told to", function () {
    if (!hasBfloat16()) {
      console.log("      skipped: the processor has no AVX512-BF16");
      this.skip();
    }
    for (const variant of ["lite0", "b0"] as const) {
      const network = draw(variant);
      const plan = planOf(network, "bfloat16");
      for (const size of [33, 48, 97]) {
        const images = randomImages(9, size);
        const error = errorOf(network, plan, images);
        assert.ok(error > TOLERANCE && error < 0.1, `${variant}, ${size} pixels: ${error}`);
        images.dispose();
      }
      plan.dispose();
      tf.dispose([...network.values.values()]);
    }
  });

  it("leaves no tensor behind and cannot be run after it was disposed", () => {
    const network = draw("lite0");
    const images = randomImages(1, 33);
    const before = device().numTensors;
    const plan = planOf(network);
    plan.logits(images).dispose();
    plan.dispose();
    assert.equal(device().numTensors, before);
    assert.throws(() => plan.logits(images));
    tf.dispose([images, ...network.values.values()]);
  });

  it("refuses weights that are not the network's", () => {
    const network = draw("lite0");
    const weights = [...network.values.values()];
    const build = (values: Tensor[]) => planOf(network, "float32", values);
    assert.throws(() => build(weights.slice(1)), /expected 247 weights, found 246/);
    assert.throws(
      () => build([weights[1], ...weights.slice(1)]),
      /weights 0: expected 864 numbers, found 32/,
    );
    tf.dispose(weights);
  });
});
