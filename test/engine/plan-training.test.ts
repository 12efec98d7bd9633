import assert from "node:assert/strict";
import type { Precision, TrainingBatch, TrainingPlan } from "../../src/engine/backend.js";
import { backend, device } from "../../src/engine/device.js";
import { stock } from "../../src/engine/stock.js";
import { Tape } from "../../src/engine/tape.js";
import { type Tensor, type Tensor2D, type Tensor4D, tf } from "../../src/engine/tf.js";
import { Variable } from "../../src/engine/variable.js";
import { efficientNet, type Variant } from "../../src/model/efficientnet.js";
import { initialValue, Network } from "../../src/model/network.js";
import { blockNames, blockOf, parameterSpecs, trainableBlocks } from "../../src/model/parameters.js";
import { computeGradients } from "../../src/training/step.js";
import { smoothedOneHot } from "../../src/training/targets.js";
import { formulaImages, formulaNetwork, golden } from "../golden/golden.js";
import { randomImages, randomNetwork, TINY } from "../model/fixtures.js";
import { difference, needsNativeOps, onStock } from "./backends.js";

const RATES = { beta1: 0.9, beta2: 0.999, epsilon: 1e-7 };

interface Options {
  trainableFrom?: string;
  dropoutRate?: number;
  dropPathRate?: number;
  activations?: Precision;
}

const optionsOf = ({ dropoutRate = 0.3, dropPathRate = 0.4 }: Options) => ({
  batchNormMomentum: 0.1,
  dropoutRate,
  dropPathRate,
});

function batchOf(size: number, numImages: number): TrainingBatch {
  return {
    images: randomImages(numImages, size, size),
    targets: tf.tidy(() => tf.softmax(tf.randomNormal([numImages, 3], 0, 2, "float32", 5)) as Tensor2D),
    exampleWeights: tf.tidy(() => tf.softmax(tf.randomNormal([numImages], 0, 0.5, "float32", 6))),
    seed: 12345,
  };
}

/** Variables of zeros like those of the trained parameters. */
function moments(network: Network, trained: string[]): Variable[] {
  return trained.map((name) => new Variable(() => tf.zeros(network.variables.get(name)?.shape as number[])));
}

function trainedNames(network: Network, trainableFrom = "stem"): string[] {
  const blocks = trainableBlocks(network.architecture, trainableFrom);
  return network.specs
    .filter(({ name, kind }) => blocks.has(name.split(/[_/]/, 1)[0]) && !kind.startsWith("moving"))
    .map(({ name }) => name);
}

interface Planned {
  plan: TrainingPlan;
  /** Moments. */
  first: Variable[];
  dispose(): void;
}

function planOf(network: Network, options: Options): Planned {
  const { trainableFrom = "stem", activations = "float32" } = options;
  const trained = trainedNames(network, trainableFrom);
  const [first, second] = [moments(network, trained), moments(network, trained)];
  const { buildTrainingPlan } = backend();
  assert.ok(buildTrainingPlan);
  const values = [...network.variables.values()];
  const firstTrained = blockNames(network.architecture).indexOf(trainableFrom);
  const plan = buildTrainingPlan(
    network.architecture,
    network.config.preprocessing,
    { values, first, second, emas: [] },
    { ...optionsOf(options), ...RATES, firstTrained, activations },
  );
  return {
    plan,
    first,
    dispose() {
      plan.dispose();
      for (const moment of [...first, ...second]) moment.dispose();
    },
  };
}

/** Compares loss, logits, gradients and moving statistics with those of a tape. */
function compare(network: Network, batch: TrainingBatch, options: Options, tolerance: number): void {
  const { plan, dispose } = planOf(network, options);
  const trainable = trainableBlocks(network.architecture, options.trainableFrom ?? "stem");
  tf.tidy(() => {
    const expected = computeGradients(network, batch, trainable, { ...optionsOf(options), seed: batch.seed });
    const { loss, logits, results } = plan.gradients(batch);
    assert.ok(difference(loss, expected.loss) < tolerance, "loss");
    assert.ok(difference(logits, expected.logits) < tolerance, "logits");
    for (const [i, { name }] of network.specs.entries()) {
      const wanted = expected.gradients.get(name) ?? expected.movingStatistics.get(name) ?? tf.tensor1d([]);
      assert.deepEqual(results[i].shape, wanted.shape, name);
      const error = wanted.size > 0 ? difference(results[i], wanted) : 0;
      assert.ok(error < tolerance, `${name}: ${error}`);
    }
  });
  dispose();
}

/** Returns a network without the later blocks. */
function firstBlocks(variant: Variant, numBlocks: number): Network {
  const whole = efficientNet(variant, TINY.classNames.length);
  const architecture = { ...whole, blocks: whole.blocks.slice(0, numBlocks) };
  const { filtersOut } = architecture.blocks[numBlocks - 1];
  const names = blockNames(architecture);
  const specs = parameterSpecs(variant, TINY.classNames.length)
    .filter(({ name }) => names.includes(blockOf(name)))
    .map((spec) =>
      spec.name === "top_conv/kernel" ? { ...spec, shape: [1, 1, filtersOut, whole.topFilters] } : spec,
    );
  const variables = new Map(
    specs.map((spec) => [spec.name, new Variable(() => tf.tensor(initialValue(spec, 0).data, spec.shape))]),
  );
  return Object.assign(Object.create(Network.prototype), { architecture, specs, variables, config: TINY });
}

/** Rounds to the nearest bfloat16 numbers, ties to even. */
function roundToBfloat16(x: Tensor): Tensor {
  const bits = new Uint32Array((x.dataSync() as Float32Array).slice().buffer);
  const rounded = bits.map((one) => (one + 0x7fff + ((one >>> 16) & 1)) & 0xffff0000);
  return tf.tensor(new Float32Array(rounded.buffer), x.shape);
}

/** Runs something on TensorFlow's kernels, where what a plan of bfloat16 activations stores is rounded; gradients pass through that. */
function withRounding<T>(run: () => T): T {
  const { record } = Tape.prototype;
  const { convolution, residual } = stock;
  const round = (tape: Tape, x: Tensor) => record.call(tape, roundToBfloat16(x), [x], (dy) => [dy]);
  Tape.prototype.record = function (output, inputs, ...rest) {
    const recorded = record.call(this, output, inputs, ...rest);
    const isConvolution = inputs.length === 2 && [1, 3, 5].includes(inputs[1].shape[0]) && output.rank === 4;
    return isConvolution ? round(this, recorded) : recorded;
  };
  stock.convolution = (...args) => ({ values: roundToBfloat16(convolution(...args).values) });
  stock.residual = (branch, skip, mask, tape) => ({
    values: round(tape, residual(branch, skip, mask, tape).values),
  });
  try {
    return run();
  } finally {
    Tape.prototype.record = record;
    Object.assign(stock, { convolution, residual });
  }
}

const bytesOf = (tensors: Tensor[]): Buffer =>
  Buffer.concat(tensors.map((tensor) => Buffer.from((tensor.dataSync() as Float32Array).slice().buffer)));

describe("buildTrainingPlan", () => {
  needsNativeOps();

  const cases: [Variant, number, Options][] = [
    ["lite0", 48, {}],
    ["lite0", 41, { trainableFrom: "block4a" }],
    ["lite0", 40, { trainableFrom: "block1a" }],
    ["lite0", 40, { trainableFrom: "top" }],
    ["lite0", 40, { trainableFrom: "predictions" }],
    ["b0", 48, {}],
    ["b1", 33, { dropoutRate: 0 }],
    ["b1", 33, { trainableFrom: "block1b", dropPathRate: 0 }],
  ];
  for (const [variant, imageSize, options] of cases)
    it(`gives the gradients of a tape: ${variant}, ${imageSize} pixels, ${JSON.stringify(options)}`, () => {
      const network = randomNetwork({ variant, imageSize });
      const batch = batchOf(imageSize, 6);
      compare(network, batch, options, 1e-5);
      network.dispose();
      tf.dispose([batch.images, batch.targets, batch.exampleWeights]);
    });

  it("gives the gradients of TensorFlow's kernels", () => {
    const network = randomNetwork({ variant: "b0", imageSize: 48 });
    const batch = batchOf(48, 8);
    const trainable = trainableBlocks(network.architecture, "stem");
    const { plan, dispose } = planOf(network, {});
    tf.tidy(() => {
      const { loss, results } = plan.gradients(batch);
      const expected = onStock(() =>
        computeGradients(network, batch, trainable, { ...optionsOf({}), seed: batch.seed }),
      );
      assert.ok(difference(loss, expected.loss) < 1e-4);
      network.specs.forEach(({ name }, i) => {
        const wanted = expected.gradients.get(name) ?? expected.movingStatistics.get(name);
        assert.ok(difference(results[i], wanted as Tensor) < 1e-3, name);
      });
    });
    dispose();
    network.dispose();
    tf.dispose([batch.images, batch.targets, batch.exampleWeights]);
  });

  it("is as exact as TensorFlow's kernels for one image, of whose last features a norm sees four", () => {
    const expected = golden.trainingStep.b0OneImage; // in float64
    const network = formulaNetwork("b0", { imageSize: 33 });
    const targets = smoothedOneHot(Int32Array.of(4), { numClasses: 7, labelSmoothing: 0 });
    const batch = { images: formulaImages(33, [0]), targets, exampleWeights: tf.ones([1]), seed: 0 };
    const options = { dropoutRate: 0, dropPathRate: 0 };
    const { plan, dispose } = planOf(network, options);
    const errorOf = (loss: Tensor, resultOf: (index: number) => Tensor): number => {
      const norms = Object.entries({ ...expected.gradientNorms, ...expected.statistics });
      const errors = norms.map(([index, norm]) => {
        const [actual] = resultOf(Number(index)).norm().dataSync();
        return Math.abs(actual - norm) / (norm + 1e-2); // some gradients are zero but for rounding
      });
      return Math.max(...errors, Math.abs(loss.dataSync()[0] - expected.loss));
    };
    tf.tidy(() => {
      const { loss, results } = plan.gradients(batch);
      const error = errorOf(loss, (index) => results[index]);
      const stock = onStock(() =>
        computeGradients(network, batch, trainableBlocks(network.architecture, "stem"), {
          ...optionsOf(options),
          seed: 0,
        }),
      );
      const stockError = errorOf(stock.loss, (index) => {
        const { name } = network.specs[index];
        return (stock.gradients.get(name) ?? stock.movingStatistics.get(name)) as Tensor;
      });
      assert.ok(error < 2e-2, `${error}, where TensorFlow's kernels have ${stockError}`);
    });
    dispose();
    network.dispose();
    tf.dispose([batch.images, batch.targets, batch.exampleWeights]);
  });

  // Only a few layers are trained: each further one increases the difference that a single rounding makes.
  const shallow: [Variant, number, string][] = (["lite0", "b0"] as const).flatMap((variant) => [
    [variant, 1, "stem"],
    [variant, 2, "block2a"],
    [variant, 3, "block2b"],
  ]);
  for (const [variant, numBlocks, trainableFrom] of shallow)
    it(`rounds what layers store, for bfloat16 activations: ${variant}, ${numBlocks} blocks, from ${trainableFrom}`, () => {
      const network = firstBlocks(variant, numBlocks);
      const batch = batchOf(24, 16);
      const { plan, dispose } = planOf(network, { trainableFrom, activations: "bfloat16" });
      const trainable = trainableBlocks(network.architecture, trainableFrom);
      tf.tidy(() => {
        const compute = () =>
          onStock(() => computeGradients(network, batch, trainable, { ...optionsOf({}), seed: batch.seed }));
        const steps = [withRounding(compute), compute()];
        const { loss, logits, results } = plan.gradients(batch);
        const [rounded] = steps;
        network.specs.forEach(({ name }, i) => {
          const statistic = rounded.movingStatistics.get(name);
          if (statistic) assert.ok(difference(results[i], statistic) < 1e-4, name);
          if (!rounded.gradients.has(name)) return;
          const [error, unrounded] = steps.map(({ gradients }) =>
            difference(results[i], gradients.get(name) as Tensor),
          );
          // A layer that did not round would be as far away as steps without rounding. One that rounds a few numbers to the
          // other side, as sums in another order do, is nearer. Rounding cannot change the
          // gradient of a shift that the next norm takes away.
          assert.ok(
            error < Math.max(unrounded * 0.9, 1e-6),
            `${name}: ${error}, without rounding ${unrounded}`,
          );
        });
        const [error, unrounded] = steps.map((step) => difference(logits, step.logits));
        assert.ok(error < unrounded / 2, `logits: ${error}, without rounding ${unrounded}`);
        assert.ok(difference(loss, rounded.loss) < 1e-4, "loss");
      });
      dispose();
      for (const variable of network.variables.values()) variable.dispose();
      tf.dispose([batch.images, batch.targets, batch.exampleWeights]);
    });

  // In a whole network only the size of the difference can be bounded. b0 has no ReLU6, which would increase it far more.
  for (const options of [{}, { trainableFrom: "block4a" }])
    it(`changes the gradients of b0 little by bfloat16 activations: ${JSON.stringify(options)}`, () => {
      const network = randomNetwork({ variant: "b0", imageSize: 48 });
      const batch = batchOf(48, 16);
      const plans = (["float32", "bfloat16"] as const).map((activations) =>
        planOf(network, { ...options, activations }),
      );
      tf.tidy(() => {
        // Pixels that are rounded once, as each layer rounds its result.
        const changes = tf.randomUniform(batch.images.shape, 1 - 2 ** -9, 1 + 2 ** -9, "float32", 7);
        const others = { ...batch, images: batch.images.mul<Tensor4D>(changes) };
        const [exact, rough] = plans.map(({ plan }) => plan.gradients(batch));
        const changed = plans[0].plan.gradients(others);
        const distance = ({ results }: { results: Tensor[] }, kind: "gradients" | "statistics") => {
          const chosen = (all: Tensor[]) =>
            tf.concat(
              all
                .filter((_, i) => network.specs[i].kind.startsWith("moving") === (kind === "statistics"))
                .map((one) => one.flatten()),
            );
          const expected = chosen(exact.results);
          return chosen(results).sub(expected).norm().div(expected.norm()).dataSync()[0];
        };
        const lossError = difference(rough.loss, exact.loss);
        assert.ok(lossError > 0 && lossError < 2e-2, `loss: ${lossError}`);
        const [error, largest] = [distance(rough, "gradients"), distance(changed, "gradients")];
        assert.ok(error > 0 && error < 5 * largest, `gradients: ${error}, by pixels: ${largest}`);
        const statistics = distance(rough, "statistics");
        assert.ok(statistics < 1e-2, `statistics: ${statistics}`);
      });
      for (const { dispose } of plans) dispose();
      network.dispose();
      tf.dispose([batch.images, batch.targets, batch.exampleWeights]);
    });

  for (const activations of ["float32", "bfloat16"] as const)
    it(`gives the same numbers again, and leaves no tensor behind, ${activations}`, () => {
      const network = randomNetwork();
      const batch = batchOf(40, 5);
      const before = device().numTensors;
      const { plan, dispose } = planOf(network, { activations });
      const numbers = () => {
        const { loss, logits, results } = plan.gradients(batch);
        const bytes = bytesOf(results);
        tf.dispose([loss, logits, ...results]);
        return bytes;
      };
      const first = numbers();
      const larger = batchOf(48, 7);
      tf.tidy(() => {
        plan.gradients(larger);
      });
      assert.ok(numbers().equals(first));
      tf.dispose([larger.images, larger.targets, larger.exampleWeights]);
      dispose();
      assert.equal(device().numTensors, before);
      tf.dispose([batch.images, batch.targets, batch.exampleWeights]);
      network.dispose();
    });

  it("leaves values alone that someone has read before a step", () => {
    const network = randomNetwork();
    const batch = batchOf(40, 4);
    const { plan, first, dispose } = planOf(network, {});
    const values = network.read();
    const numbers = bytesOf([...values.values()]);
    const rates = { learningRate: 0.1, counts: first.map(() => 1), decays: first.map(() => 0), emaRate: 0 };
    tf.dispose(Object.values(plan.step(batch, rates)));
    assert.ok(bytesOf([...values.values()]).equals(numbers));
    tf.dispose([...values.values(), batch.images, batch.targets, batch.exampleWeights]);
    dispose();
    network.dispose();
  });

  it("refuses tensors that do not fit", () => {
    const network = randomNetwork();
    const batch = batchOf(40, 4);
    const { plan, dispose } = planOf(network, {});
    assert.throws(
      () => plan.gradients({ ...batch, targets: batch.exampleWeights as Tensor2D }),
      /operands do not fit/,
    );
    assert.throws(
      () => plan.step(batch, { learningRate: 1, counts: [1], decays: [1], emaRate: 0 }),
      /operands do not fit/,
    );
    dispose();
    assert.throws(() => plan.gradients(batch));
    tf.dispose([batch.images, batch.targets, batch.exampleWeights]);
    network.dispose();
  });
});
