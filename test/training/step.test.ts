import assert from "node:assert/strict";
import { type Tensor, type Tensor2D, type Tensor4D, tf } from "../../src/engine/tf.js";
import type { Variant } from "../../src/model/efficientnet.js";
import type { Network } from "../../src/model/network.js";
import { isTrainable, trainableBlocks } from "../../src/model/parameters.js";
import { trainConfig } from "../../src/presets.js";
import { ADAM_DEFAULTS, Adam } from "../../src/training/optimizer.js";
import {
  buildTrainState,
  computeGradients,
  disposeTrainState,
  type Gradients,
  stepGradients,
  type TrainState,
  trainStep,
} from "../../src/training/step.js";
import { smoothedOneHot } from "../../src/training/targets.js";
import { difference, needsNativeOps, normal, onStock } from "../engine/backends.js";
import { formulaImages, formulaNetwork, golden } from "../golden/golden.js";
import { randomImages, relativeError } from "../model/fixtures.js";

const OPTIONS = { batchNormMomentum: 0.1, dropoutRate: 0, dropPathRate: 0, seed: 0 };

function gradientsOf(network: Network, from: string, options = OPTIONS): Gradients {
  const images = formulaImages(48, [0, 1, 2]);
  const targets = smoothedOneHot(Int32Array.of(0, 1, 4), { numClasses: 7, labelSmoothing: 0 });
  const exampleWeights = tf.fill([3], 1 / 3);
  const trainable = trainableBlocks(network.architecture, from);
  const result = computeGradients(network, { images, targets, exampleWeights }, trainable, options);
  tf.dispose([images, targets, exampleWeights]);
  return result;
}
function dispose({ loss, logits, gradients, movingStatistics }: Gradients): void {
  tf.dispose([loss, logits, ...gradients.values(), ...movingStatistics.values()]);
}
const norm = (tensor: Tensor) => tf.tidy(() => tensor.norm().dataSync()[0]);

/** ReLU6 has kinks: in Lite0, a change of 1e-6 in the pixels moves the first layers' gradients by a hundredth. */
const TOLERANCE = { lite0: 2e-2, b0: 1e-4 };

describe("buildTrainState", () => {
  it("refuses bfloat16 activations on TensorFlow's kernels", async () => {
    const config = trainConfig("baseline", { weights: "random", activations: "bfloat16" });
    const images = { labels: Int32Array.of(0, 1), numChannels: 3 } as const;
    const building = onStock(() => buildTrainState(config, images, ["a", "b"]));
    await assert.rejects(building, {
      message:
        "Expected ferkit's own ops for activations bfloat16 but found TensorFlow's kernels, which keep float32. Choose float32.",
    });
  });
});

describe("computeGradients", () => {
  for (const variant of ["lite0", "b0"] as const)
    it(`agrees with PyTorch on loss, gradients and moving statistics of ${variant}`, () => {
      const expected = golden.trainingStep[variant];
      const network = formulaNetwork(variant);
      const result = gradientsOf(network, "stem");
      assert.ok(
        relativeError([result.loss.dataSync()[0]], [expected.loss]) < 1e-4,
        `loss ${result.loss.dataSync()[0]}`,
      );
      for (const [index, gradientNorm] of Object.entries(expected.gradientNorms)) {
        const { name } = network.specs[Number(index)];
        const actual = norm(result.gradients.get(name) as Tensor);
        // Biases before a batch norm have no gradient but rounding.
        assert.ok(
          Math.abs(actual - gradientNorm) < TOLERANCE[variant] * gradientNorm + 1e-4,
          `${name}: ${actual} ≠ ${gradientNorm}`,
        );
      }
      for (const [index, statisticNorm] of Object.entries(expected.statistics)) {
        const { name } = network.specs[Number(index)];
        const actual = norm(result.movingStatistics.get(name) as Tensor);
        assert.ok(relativeError([actual], [statisticNorm]) < 1e-3, `${name}: ${actual} ≠ ${statisticNorm}`);
      }
      dispose(result);
      network.dispose();
    });

  it("returns gradients only for trainable blocks, and moves no frozen statistics", () => {
    const network = formulaNetwork("lite0");
    const all = gradientsOf(network, "stem");
    assert.deepEqual(
      [...all.gradients.keys()],
      network.specs.filter(isTrainable).map(({ name }) => name),
    );
    const head = gradientsOf(network, "predictions");
    assert.deepEqual([...head.gradients.keys()], ["predictions/kernel", "predictions/bias"]);
    assert.equal(head.movingStatistics.size, 0);
    const tail = gradientsOf(network, "block7a");
    assert.ok(
      tail.gradients.has("block7a_expand_conv/kernel") && !tail.gradients.has("block6d_project_conv/kernel"),
    );
    assert.equal(tail.movingStatistics.size, 2 * 4); // three batch norms of the block, one of the top
    for (const result of [all, head, tail]) dispose(result);
    network.dispose();
  });

  it("leaves no tensors but its results", () => {
    const network = formulaNetwork("b0");
    dispose(gradientsOf(network, "stem")); // makes the shape constants that kernels keep
    const before = tf.memory().numTensors;
    dispose(gradientsOf(network, "stem", { ...OPTIONS, dropoutRate: 0.3, dropPathRate: 0.2 }));
    dispose(gradientsOf(network, "stem", { ...OPTIONS, dropoutRate: 0.3, dropPathRate: 0.2 }));
    assert.ok(tf.memory().numTensors - before <= 2, `${tf.memory().numTensors - before} more`); // shapes of the masks
    network.dispose();
  });
});

describe("stepGradients", () => {
  needsNativeOps();

  it("gives the very gradients that trainStep updates by, and changes nothing", async () => {
    const config = trainConfig("baseline", {
      weights: "random",
      imageSize: 40,
      batchSize: 3,
      dropoutRate: 0.3,
    });
    const images = { labels: Int32Array.of(0, 1, 2), numChannels: 3 } as const;
    const state = await buildTrainState(config, images, ["a", "b", "c"]);
    const input = {
      images: randomImages(3, 40),
      targets: smoothedOneHot(Int32Array.of(0, 1, 2), { numClasses: 3, labelSmoothing: 0 }),
      exampleWeights: tf.fill([3], 1 / 3),
    };
    const { network, optimizer } = state;
    const trainable = trainableBlocks(network.architecture, "block5b");
    const before = await network.parameters();
    const result = stepGradients(state, input, trainable, config);
    assert.deepEqual(await network.parameters(), before);
    const { loss, logits } = trainStep(state, input, trainable, config, 1e-3);
    assert.deepEqual(result.loss.dataSync(), loss.dataSync());
    assert.deepEqual([...result.gradients.keys()], [...optimizer.moments.keys()]);
    for (const [name, gradient] of result.gradients) {
      const first = optimizer.moments.get(name)?.[0].read() as Tensor;
      // The first moment goes from 0 a share of 1 − β₁ towards the gradient, in float32.
      const share = Math.fround(1 - Math.fround(ADAM_DEFAULTS.beta1));
      assert.deepEqual(
        first.dataSync(),
        gradient.dataSync().map((value) => value * share),
        name,
      );
      first.dispose();
    }
    for (const [name, statistic] of result.movingStatistics) {
      const value = network.variables.get(name)?.read() as Tensor;
      assert.deepEqual(value.dataSync(), statistic.dataSync(), name);
      value.dispose();
    }
    tf.dispose([loss, logits, ...Object.values(input)]);
    dispose(result);
    disposeTrainState(state);
  });
});

describe("trainStep", () => {
  needsNativeOps();

  /** Returns everything that a step changes, by name. */
  function valuesOf({ network, optimizer, ema }: TrainState): Map<string, Tensor> {
    const values = new Map<string, Tensor>();
    for (const [name, variable] of network.variables) values.set(name, variable.read());
    for (const [name, moments] of optimizer.moments)
      for (const i of [0, 1]) values.set(`moment ${i} of ${name}`, moments[i].read());
    for (const [name, variable] of ema?.variables ?? []) values.set(`EMA of ${name}`, variable.read());
    return values;
  }

  for (const trainableFrom of ["stem", "block5b"])
    it(`changes all that TensorFlow's kernels do: the head, then all from ${trainableFrom} on`, async () => {
      // Swish is smooth; a rounding error at a kink of ReLU6 would change a gradient.
      const options = {
        weights: "random",
        imageSize: 40,
        batchSize: 3,
        emaDecay: 0.9,
        dropoutRate: 0.3,
        dropPathRate: 0.2,
      };
      const config = trainConfig("baseline", { variant: "b0", ...options });
      const images = { labels: Int32Array.of(0, 1, 2), numChannels: 3 } as const;
      const states: TrainState[] = [];
      for (let i = 0; i < 2; i++) {
        const state = await buildTrainState(config, images, ["a", "b", "c"]);
        // A large epsilon, since Adam would enlarge rounding errors of gradients that are almost zero.
        const optimizer = new Adam({ ...ADAM_DEFAULTS, epsilon: 1e-2, weightDecay: 0.05 });
        states.push({ ...state, optimizer });
      }
      const [mine, theirs] = states;
      const input = {
        images: randomImages(6, 40),
        targets: tf.tidy(() => tf.softmax(normal([6, 3], 5, 2)) as Tensor2D),
        exampleWeights: tf.tidy(() => tf.softmax(normal([6], 6, 0.5))),
      };
      for (const [index, from] of ["predictions", trainableFrom, trainableFrom].entries()) {
        const trainable = trainableBlocks(mine.network.architecture, from);
        const step = (state: TrainState) =>
          trainStep(state, input, trainable, { ...config, seed: index }, 0.03);
        // In the last step, each resumes what the other has trained.
        const [first, second] = index === 2 ? [theirs, mine] : [mine, theirs];
        const [actual, expected] = [step(first), onStock(() => step(second))];
        assert.ok(difference(actual.loss, expected.loss) < 1e-4);
        assert.ok(difference(actual.logits, expected.logits) < 1e-3);
        for (const result of [actual, expected]) tf.dispose(Object.values(result));
      }
      const [actual, expected] = states.map(valuesOf);
      assert.deepEqual([...actual.keys()], [...expected.keys()]);
      for (const [name, value] of expected) {
        const error = difference(actual.get(name) as Tensor, value);
        assert.ok(error < 1e-3, `${name}: ${error}`);
      }
      assert.deepEqual(mine.optimizer.numUpdates, theirs.optimizer.numUpdates);
      assert.equal(mine.ema?.numUpdates, 3);
      tf.dispose([...actual.values(), ...expected.values(), ...Object.values(input)]);
      states.forEach(disposeTrainState);
    });

  /** Trains on batches of four small images, whose norms enlarge rounding; returns the loss of each of eight steps. */
  async function lossesOf(variant: Variant, backend: "stock" | "fastest", brightness = 1): Promise<number[]> {
    const config = trainConfig("baseline", { variant, weights: "random", imageSize: 33, batchSize: 4 });
    const images = { labels: Int32Array.of(0, 1, 2), numChannels: 3 } as const;
    const state = await buildTrainState(config, images, ["a", "b", "c"]);
    const trainable = trainableBlocks(state.network.architecture, "stem");
    const run = () =>
      Array.from({ length: 8 }, (_, i) => {
        const input = {
          images: tf.tidy(() => randomImages(4, 33, i % 4).mul<Tensor4D>(brightness)),
          targets: smoothedOneHot(Int32Array.of(0, 1, 2, 0), { numClasses: 3, labelSmoothing: 0 }),
          exampleWeights: tf.fill([4], 1 / 4),
        };
        const result = trainStep(state, input, trainable, { ...config, seed: i }, 1e-3);
        const [loss] = result.loss.dataSync();
        tf.dispose([...Object.values(result), ...Object.values(input)]);
        return loss;
      });
    const losses = backend === "stock" ? onStock(run) : run();
    disposeTrainState(state);
    return losses;
  }
  const distance = (a: number[], b: number[]) =>
    a.reduce((sum, loss, i) => sum + Math.abs(loss - b[i]), 0) / a.length;

  it("stays with TensorFlow's kernels on small batches of small images", async () => {
    const error = distance(await lossesOf("b0", "fastest"), await lossesOf("b0", "stock"));
    assert.ok(error < 1e-2, `${error}`);
  });

  it("leaves them no further than they leave themselves where ReLU6's kinks enlarge rounding", async () => {
    const expected = await lossesOf("lite0", "stock");
    // What float32 can still tell of a pixel, which is less than what a step rounds.
    const others = [await lossesOf("lite0", "stock", 1 + 1e-7), await lossesOf("lite0", "stock", 1 - 1e-7)];
    const largest = Math.max(...others.map((losses) => distance(losses, expected)));
    const error = distance(await lossesOf("lite0", "fastest"), expected);
    assert.ok(error < 3 * largest, `${error} after a rounding error, ${largest} after one of a pixel`);
  });
});
