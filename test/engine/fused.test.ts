import assert from "node:assert/strict";
import type {
  Activation,
  AdamUpdate,
  Backend,
  Border,
  ConvolutionWeights,
  ExciteWeights,
  Features,
} from "../../src/engine/backend.js";
import { backend } from "../../src/engine/device.js";
import type { Padding } from "../../src/engine/kernels.js";
import { stock } from "../../src/engine/stock.js";
import { Tape } from "../../src/engine/tape.js";
import { type Tensor, type Tensor4D, tf } from "../../src/engine/tf.js";
import { Variable } from "../../src/engine/variable.js";
import { Random } from "../../src/random.js";
import { difference, needsNativeOps, normal } from "./backends.js";

/** A convolution whose input comes from another one. */
interface Case {
  /** Shape of the input, `[batchSize, height, width, channels]`. */
  shape: [number, number, number, number];
  filters: number;
  kernelSize: number;
  stride: number;
  /** Activation of the input. */
  activation: Activation;
  depthwise?: boolean;
  isGated?: boolean;
  padding?: Padding;
}
const pointwise = { kernelSize: 1, stride: 1 };
const PLAIN = { stride: 1, padding: "same", depthwise: false, epsilon: 1e-3 } as const;
const CASES: Case[] = [
  { shape: [2, 5, 7, 8], filters: 24, ...pointwise, activation: "relu6" },
  { shape: [3, 9, 9, 24], filters: 144, ...pointwise, activation: "swish" },
  { shape: [1, 2, 1, 40], filters: 16, ...pointwise, activation: "linear" },
  { shape: [5, 13, 11, 17], filters: 65, ...pointwise, activation: "relu6" },
  { shape: [2, 3, 3, 96], filters: 33, ...pointwise, activation: "swish", isGated: true },
  { shape: [7, 6, 5, 50], filters: 7, ...pointwise, activation: "swish", isGated: true },
  ...([3, 5] as const).flatMap((kernelSize) =>
    ([1, 2] as const).flatMap((stride): Case[] => [
      { shape: [2, 7, 6, 24], filters: 24, kernelSize, stride, activation: "relu6", depthwise: true },
      { shape: [3, 3, 2, 37], filters: 37, kernelSize, stride, activation: "swish", depthwise: true },
      { shape: [2, 1, 9, 16], filters: 16, kernelSize, stride, activation: "linear", depthwise: true },
    ]),
  ),
  ...(["symmetric", "even"] as const).flatMap((padding) =>
    ([3, 5] as const).flatMap((kernelSize): Case[] => {
      const depthwise = { kernelSize, stride: 2, depthwise: true, padding };
      return [
        { shape: [2, 8, 7, 24], filters: 24, ...depthwise, activation: "relu6" },
        { shape: [2, 6, 9, 17], filters: 17, ...depthwise, activation: "swish" },
      ];
    }),
  ),
];

function describeCase({ shape, filters, kernelSize, stride, activation, ...one }: Case): string {
  const kind = one.depthwise ? `${one.padding ?? ""} depthwise ` : "";
  return `${kind}${kernelSize}×${kernelSize}/${stride}, [${shape}] → ${filters}, ${activation}${one.isGated ? ", gated" : ""}`;
}

function convolutionWeights(shape: number[], depthwise: boolean, seed: number): ConvolutionWeights {
  const [height, width, channels, filters] = shape;
  const outputs = depthwise ? channels : filters;
  const [gamma, beta, mean, variance] = [1, 2, 3, 4].map((i) => normal([outputs], seed + i, 0.3));
  return {
    kernel: normal(shape, seed, 1 / Math.sqrt(height * width * (depthwise ? 1 : channels))),
    batchNorm: [gamma.add(1), beta, mean, variance.abs().add(0.5)],
  };
}

function exciteWeights(channels: number, seed: number): ExciteWeights {
  const layer = (from: number, to: number, i: number) => ({
    kernel: normal([1, 1, from, to], seed + i, 1 / Math.sqrt(from)),
    bias: normal([to], seed + i + 1),
  });
  return { reduce: layer(channels, 6, 0), expand: layer(6, channels, 2) };
}

function operands({ shape, filters, kernelSize, depthwise = false }: Case) {
  const channels = shape[3];
  const outputs = depthwise ? 1 : filters;
  return {
    images: normal(shape, 1),
    first: convolutionWeights([1, 1, channels, channels], false, 10),
    excite: exciteWeights(channels, 20),
    second: convolutionWeights([kernelSize, kernelSize, channels, outputs], depthwise, 30),
  };
}

/** Tensors by what they are, to compare between backends. */
type Results = Record<string, Tensor>;

const trained = ({ kernel, batchNorm: [gamma, beta] }: ConvolutionWeights) => [kernel, gamma, beta];
const EXCITE_NAMES = ["reduce/kernel", "reduce/bias", "expand/kernel", "expand/bias"];
const flat = ({ reduce, expand }: ExciteWeights) => [reduce.kernel, reduce.bias, expand.kernel, expand.bias];

/** Runs a case for training, forward and backward. */
function train(on: Backend, one: Case, given: ReturnType<typeof operands>): Results {
  const { stride, activation, depthwise = false, isGated, padding = "same" } = one;
  const { images, first, excite, second } = given;
  const tracked: Results = Object.fromEntries([
    ...trained(first).map((tensor, i) => [`first ${i}`, tensor]),
    ...trained(second).map((tensor, i) => [`second ${i}`, tensor]),
    ...(isGated ? flat(excite).map((tensor, i) => [EXCITE_NAMES[i], tensor]) : []),
  ]);
  const tape = new Tape(Object.values(tracked));
  const before = on.trainConvolution({ values: images }, first, { ...PLAIN, activation }, 0.1, tape);
  const x = isGated ? on.excite(before.y, excite, tape) : before.y;
  const convolution = { stride, padding, depthwise, epsilon: 1e-3, activation: "swish" } as const;
  const { y, movingMean, movingVariance } = on.trainConvolution(x, second, convolution, 0.1, tape);
  const shape = y.values.shape;
  const mask = normal([shape[0]], 40);
  const { values } = on.residual(y, normal(shape, 41), mask, tape);
  const output = values.clone();
  const gradients = tape.backward(values, normal(shape, 42));
  const byName = Object.entries(tracked).map(([name, { id }]) => [`∂ ${name}`, gradients.get(id) as Tensor]);
  return { output, movingMean, movingVariance, ...Object.fromEntries(byName) };
}

function assertAgree(actual: Results, expected: Results): void {
  assert.deepEqual(Object.keys(actual), Object.keys(expected));
  for (const [name, tensor] of Object.entries(actual)) {
    assert.deepEqual(tensor.shape, expected[name].shape, name);
    const found = difference(tensor, expected[name]);
    assert.ok(found < 5e-5, `${name} is off by ${found}`);
  }
}

describe("the fused backend", () => {
  needsNativeOps();

  for (const one of CASES)
    it(`trains a convolution as TensorFlow's kernels do: ${describeCase(one)}`, () =>
      void tf.tidy(() => {
        const given = operands(one);
        assertAgree(train(backend(), one, given), train(stock, one, given));
      }));

  for (const one of CASES)
    it(`folds all that inference does into a convolution: ${describeCase(one)}`, () =>
      void tf.tidy(() => {
        const { images, excite, second } = operands(one);
        const { stride, activation, depthwise = false, isGated, padding = "same" } = one;
        const run = (on: Backend): Results => {
          const x: Features = isGated ? on.excite({ values: images }, excite) : { values: images };
          const convolution = { stride, padding, depthwise, epsilon: 1e-3, activation };
          const { values } = on.convolution(x, second, convolution);
          if (depthwise) return { values }; // no block adds a residual there
          const skip = normal(values.shape, 3);
          return { values, withSkip: on.convolution(x, second, convolution, skip).values };
        };
        assertAgree(run(backend()), run(stock));
      }));

  for (const padding of ["same", "symmetric", "even"] as const)
    it(`normalises images where it reads them, with zeros around the normalised ones: ${padding}`, () =>
      void tf.tidy(() => {
        const images = tf.randomUniform<Tensor4D["rankType"]>([2, 9, 8, 3], 0, 255, "float32", 5) as Tensor4D;
        const weights = convolutionWeights([3, 3, 3, 20], false, 6);
        const convolution = { ...PLAIN, stride: 2, padding, activation: "relu6" } as const;
        const run = (on: Backend): Results => {
          const x = on.normalize(images, { mean: [120, 110, 100], std: [60, 50, 40] });
          const tape = new Tape(trained(weights));
          const { y } = on.trainConvolution(x, weights, convolution, 0.1, tape);
          const { values } = on.residual(y, null, null, tape);
          const output = values.clone();
          const gradients = tape.backward(values, normal(values.shape, 7));
          const names = ["kernel", "gamma", "beta"];
          const byName = trained(weights).map(({ id }, i) => [names[i], gradients.get(id) as Tensor]);
          const inference = on.convolution(x, weights, convolution).values;
          return { output, inference, ...Object.fromEntries(byName) };
        };
        assertAgree(run(backend()), run(stock));
      }));

  for (const activation of ["linear", "relu6", "swish"] as const)
    it(`averages ${activation} features over an image, and gives the gradients`, () =>
      void tf.tidy(() => {
        const weights = convolutionWeights([1, 1, 17, 40], false, 1);
        const last = { kernel: normal([40, 3], 8), bias: normal([3], 9) };
        const run = (on: Backend): Results => {
          const tracked = [...trained(weights), last.kernel, last.bias];
          const tape = new Tape(tracked);
          const convolution = { ...PLAIN, activation };
          const images = { values: normal([3, 5, 7, 17], 2) };
          const { y } = on.trainConvolution(images, weights, convolution, 0.1, tape);
          const logits = on.dense(on.meanPool(y, tape), last, tape);
          const output = logits.clone();
          const gradients = tape.backward(logits, normal(logits.shape, 3));
          const byName = tracked.map(({ id }, i) => [i, gradients.get(id) as Tensor]);
          return { output, ...Object.fromEntries(byName) };
        };
        assertAgree(run(backend()), run(stock));
      }));

  it("names the op whose operands do not fit", () =>
    void tf.tidy(() => {
      const weights = convolutionWeights([1, 1, 9, 8], false, 2);
      const convolution = { ...PLAIN, activation: "linear" } as const;
      const x = { values: normal([1, 4, 4, 8], 1) };
      assert.throws(
        () => backend().trainConvolution(x, weights, convolution, 0.1, new Tape([])),
        /FerkitConvolution: operands do not fit/,
      );
    }));
});

describe("the fused backend's augmentation", () => {
  needsNativeOps();

  const CHANGES: { shape: [number, number, number, number]; size: [number, number]; off?: string }[] = [
    { shape: [5, 12, 12, 3], size: [12, 12] },
    { shape: [3, 13, 9, 3], size: [13, 9], off: "light" },
    { shape: [3, 13, 9, 1], size: [13, 9] },
    { shape: [4, 17, 17, 3], size: [11, 11] },
    { shape: [4, 11, 17, 3], size: [24, 24], off: "erased" },
    { shape: [1, 1, 1, 3], size: [3, 3] },
    { shape: [3, 8, 8, 3], size: [16, 16], off: "transforms" },
    { shape: [2, 6, 6, 2], size: [6, 6] },
  ];
  CHANGES.forEach(({ shape, size, off }, i) => {
    it(`agrees with TensorFlow's kernels: [${shape}] → ${size.join(" × ")}${off ? ` without ${off}` : ""}`, () => {
      const borders: Border[] = [
        "edge",
        "reflect",
        [200, 100, 50].slice(0, shape[3]),
        Array(shape[3]).fill(0),
      ];
      const random = new Random(i);
      const [height, width] = size;
      const transform = () => {
        const [angle, scale] = [random.uniform(-Math.PI, Math.PI), random.uniform(0.2, 3)];
        const [cos, sin] = [Math.cos(angle) / scale, Math.sin(angle) / scale];
        return [cos, -sin, random.uniform(0, width), sin, cos, random.uniform(0, height)];
      };
      const rectangle = () => [0, random.integer(height), random.integer(width + 1), height];
      const forEach = (values: () => number[]) => Array.from({ length: shape[0] }, values);
      const changes = {
        transforms: forEach(off === "transforms" ? () => [1, 0, 0, 0, 1, 0] : transform),
        light: off === "light" ? null : forEach(() => [random.uniform(0.5, 1.5), random.uniform(-40, 40)]),
        erased: off === "erased" ? null : forEach(rectangle),
      };
      tf.tidy(() => {
        const images = tf.randomUniform(shape, 0, 255, "float32", i + 1) as Tensor4D;
        for (const border of borders) {
          const [actual, expected] = [backend(), stock].map((on) =>
            on.augment(images, size, { ...changes, border }),
          );
          assert.deepEqual(actual.shape, expected.shape);
          const off = tf.max(tf.abs(actual.sub(expected))).dataSync()[0];
          assert.ok(off < 0.01, `${border}: off by ${off} of 255`);
        }
      });
    });
  });

  it("reads nothing outside an image, wherever a transform points", () =>
    void tf.tidy(() => {
      const far = [1e30, Number.NaN, Number.POSITIVE_INFINITY, -5];
      const transforms = far.map((offset) => [0, 0, offset, 0, 0, offset]);
      const images = tf.fill([4, 3, 3, 3], 7) as Tensor4D;
      const result = backend().augment(images, [3, 3], {
        transforms,
        border: [1, 2, 3],
        light: null,
        erased: null,
      });
      assert.deepEqual([...result.dataSync()], new Array(4 * 9).fill([1, 2, 3]).flat());
      for (const border of ["edge", "reflect"] as const) {
        const inside = backend().augment(images, [3, 3], { transforms, border, light: null, erased: null });
        assert.deepEqual([...inside.dataSync()], new Array(4 * 27).fill(7));
      }
    }));
});

describe("the fused backend's variables", () => {
  needsNativeOps();

  /** Shorter than a vector, one longer, and long enough to be split among threads at odd positions. */
  const SHAPES = [[1], [17], [3, 3, 7, 5], [], [211, 307], [40009]];
  const RATES = { learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-7 };
  let made: Variable[] = [];
  let numTensors = 0;
  beforeEach(() => {
    numTensors = tf.memory().numTensors;
  });
  afterEach(() => {
    for (const variable of made) variable.dispose();
    made = [];
    assert.equal(tf.memory().numTensors, numTensors);
  });

  const variables = (value: (shape: number[], i: number) => Tensor) => {
    const own = SHAPES.map((shape, i) => new Variable(() => value(shape, i)));
    made.push(...own);
    return own;
  };
  const random = (seed: number) => variables((shape, i) => normal(shape, seed + i));
  const zeros = () => variables((shape) => tf.zeros(shape));
  const moments = () => [zeros(), zeros()];
  const updatesOf = (
    own: Variable[],
    [first, second]: Variable[][],
    seed: number,
    count: number,
  ): AdamUpdate[] =>
    own.map((variable, i) => ({
      variable,
      moments: [first[i], second[i]],
      gradient: normal(SHAPES[i], seed + i),
      count: count + (i % 2),
      decay: i % 3 ? 0 : 0.25,
    }));
  const assertSame = (ours: Variable[], theirs: Variable[]) =>
    tf.tidy(() => {
      ours.forEach((variable, i) => {
        const off = tf.max(tf.abs(variable.read().sub(theirs[i].read()))).dataSync()[0];
        assert.ok(off < 1e-6, `[${variable.shape}] is off by ${off}`);
      });
    });

  it("follow Adam as on TensorFlow's kernel, each with its count and decay", () => {
    const [ours, theirs] = [random(1), random(1)];
    const [ourMoments, theirMoments] = [moments(), moments()];
    tf.tidy(() => {
      for (let count = 1; count <= 3; count++) {
        backend().adam(updatesOf(ours, ourMoments, 10 * count, count), RATES);
        stock.adam(updatesOf(theirs, theirMoments, 10 * count, count), RATES);
      }
    });
    assertSame(ours, theirs);
    assertSame(ourMoments.flat(), theirMoments.flat());
    backend().adam([], RATES);
  });

  it("leave values unchanged that were read before an update", () => {
    const own = random(1);
    tf.tidy(() => {
      const named = new Map(own.map((variable, i) => [String(i), variable]));
      const before = [...backend().readVariables(named).values()];
      backend().adam(updatesOf(own, moments(), 2, 1), RATES);
      before.forEach((value, i) => {
        assert.equal(difference(value, normal(SHAPES[i], 1 + i)), 0);
        assert.ok(difference(own[i].read(), value) > 0, "the variable moved");
      });
    });
  });

  it("pass on a number that is not finite, for training to see", () => {
    const [own, both] = [zeros(), moments()];
    tf.tidy(() => {
      const [first, ...rest] = updatesOf(own, both, 1, 1);
      backend().adam([{ ...first, gradient: tf.tensor1d([Number.NaN]) }, ...rest], RATES);
      assert.ok(Number.isNaN(own[0].read().dataSync()[0]));
    });
  });

  it("refuse a gradient of another shape", () => {
    const [own, both] = [zeros(), moments()];
    tf.tidy(() => {
      const [first] = updatesOf(own, both, 1, 1);
      assert.throws(
        () => backend().adam([{ ...first, gradient: tf.tensor1d([1, 2]) }], RATES),
        /Expected variables of equal shapes, but number 0 differs/,
      );
    });
  });

  it("move their averages as on TensorFlow's kernel", () => {
    const [ours, theirs, towards] = [random(3), random(3), random(5)];
    backend().ema(ours, towards, 0.25);
    stock.ema(theirs, towards, 0.25);
    assertSame(ours, theirs);
    assertSame(towards, random(5));
  });

  it("are read and assigned by name, in any order", () => {
    const named = new Map(zeros().map((variable, i) => [String(i), variable]));
    tf.tidy(() => {
      const given = SHAPES.map((shape, i) => normal(shape, 8 + i));
      const values = new Map(given.map((value, i) => [String(i), value] as const).reverse());
      backend().assignVariables(named, values);
      const read = backend().readVariables(named);
      assert.deepEqual([...read.keys()], [...named.keys()]);
      given.forEach((value, i) => {
        const one = read.get(String(i)) as Tensor;
        assert.deepEqual(one.shape, SHAPES[i]);
        assert.equal(difference(one, value), 0);
      });
      backend().assignVariables(named, new Map());
    });
  });
});
