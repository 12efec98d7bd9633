// Gradients of the native ops against differences of their own forward pass, and against TensorFlow's kernels, over sizes that
// fit no vector and no tile.
import assert from "node:assert/strict";
import fc from "fast-check";
import type { Activation, Backend, ConvolutionWeights, ExciteWeights } from "../../src/engine/backend.js";
import { backend } from "../../src/engine/device.js";
import { stock } from "../../src/engine/stock.js";
import { Tape } from "../../src/engine/tape.js";
import { type Tensor, type Tensor4D, tf } from "../../src/engine/tf.js";
import { difference, needsNativeOps, normal } from "../engine/backends.js";

fc.configureGlobal({ seed: 21 }); // the same cases each time

/** A block: 1×1 convolution, squeeze-and-excite if gated, a convolution, means over the image. */
interface Shape {
  batchSize: number;
  height: number;
  width: number;
  channels: number;
  filters: number;
  kernelSize: 1 | 3 | 5;
  stride: 1 | 2;
  isDepthwise: boolean;
  isGated: boolean;
  activation: Activation;
}
const odd = (max: number) => fc.integer({ min: 1, max });
const SHAPE: fc.Arbitrary<Shape> = fc
  .record({
    batchSize: fc.integer({ min: 2, max: 5 }),
    height: odd(11),
    width: odd(11),
    channels: odd(37),
    filters: odd(41),
    kernelSize: fc.constantFrom(1 as const, 3 as const, 5 as const),
    stride: fc.constantFrom(1 as const, 2 as const),
    isDepthwise: fc.boolean(),
    isGated: fc.boolean(),
    // Without kinks, which differences would step over.
    activation: fc.constantFrom("swish" as const, "linear" as const),
  })
  .map((shape) => {
    // The network has 1×1 convolutions of stride 1, also of gated features, and depthwise ones of 3 or 5.
    const isDepthwise = shape.isDepthwise && shape.kernelSize > 1;
    return isDepthwise
      ? { ...shape, isGated: false }
      : { ...shape, isDepthwise, kernelSize: 1 as const, stride: 1 as const };
  });

interface Operands {
  images: Tensor4D;
  first: ConvolutionWeights;
  excite: ExciteWeights;
  second: ConvolutionWeights;
}

function convolutionWeights(shape: number[], outputs: number, seed: number): ConvolutionWeights {
  const [gamma, beta] = [1, 2].map((i) => normal([outputs], seed + i, 0.3));
  const statistics = [tf.zeros([outputs]), tf.ones([outputs])];
  return { kernel: normal(shape, seed, 0.5), batchNorm: [gamma.add(1), beta, ...statistics] };
}

function operands({ batchSize, height, width, channels, filters, kernelSize, isDepthwise }: Shape): Operands {
  const outputs = isDepthwise ? channels : filters;
  const layer = (from: number, to: number, seed: number) => ({
    kernel: normal([1, 1, from, to], seed, 0.5),
    bias: normal([to], seed + 1, 0.5),
  });
  return {
    images: normal([batchSize, height, width, channels], 1) as Tensor4D,
    first: convolutionWeights([1, 1, channels, channels], channels, 10),
    excite: { reduce: layer(channels, 3, 20), expand: layer(3, channels, 22) },
    second: convolutionWeights([kernelSize, kernelSize, channels, isDepthwise ? 1 : filters], outputs, 30),
  };
}

const parametersOf = ({ first, excite, second }: Operands, isGated: boolean): Tensor[] => [
  ...[first, second].flatMap(({ kernel, batchNorm: [gamma, beta] }) => [kernel, gamma, beta]),
  ...(isGated ? [excite.reduce, excite.expand].flatMap(({ kernel, bias }) => [kernel, bias]) : []),
];

/** Returns the same operands with other parameters. */
function withParameters(given: Operands, parameters: Tensor[]): Operands {
  const [k1, g1, b1, k2, g2, b2, rk, rb, ek, eb] = parameters;
  const replace = (own: ConvolutionWeights, kernel: Tensor, gamma: Tensor, beta: Tensor) => ({
    kernel,
    batchNorm: [gamma, beta, ...own.batchNorm.slice(2)],
  });
  return {
    images: given.images,
    first: replace(given.first, k1, g1, b1),
    second: replace(given.second, k2, g2, b2),
    excite: rk ? { reduce: { kernel: rk, bias: rb }, expand: { kernel: ek, bias: eb } } : given.excite,
  };
}

/** Computes the means of the block's result, and what the tape needs to go back. */
function forward(on: Backend, shape: Shape, { images, first, excite, second }: Operands, tape: Tape): Tensor {
  const { kernelSize, stride, isDepthwise, isGated, activation } = shape;
  const one = { stride: 1, padding: "same", depthwise: false, epsilon: 1e-2, activation } as const;
  const before = on.trainConvolution({ values: images }, first, one, 0.1, tape).y;
  const x = isGated ? on.excite(before, excite, tape) : before;
  const two = { ...one, stride: kernelSize > 1 ? stride : 1, depthwise: isDepthwise };
  return on.meanPool(on.trainConvolution(x, second, two, 0.1, tape).y, tape);
}

/** Weights of the loss, which is a sum of the means, each by its own weight. */
const lossWeights = (shape: number[]) => normal(shape, 50);

function lossAt(on: Backend, shape: Shape, given: Operands): number {
  return tf.tidy(() => {
    const means = forward(on, shape, given, new Tape(parametersOf(given, shape.isGated)));
    const weights = lossWeights(means.shape).dataSync();
    // In 64 bits, since a difference of two losses follows.
    return Array.from(means.dataSync()).reduce((sum, mean, i) => sum + mean * weights[i], 0);
  });
}

function gradientsOf(on: Backend, shape: Shape, given: Operands): Tensor[] {
  const parameters = parametersOf(given, shape.isGated);
  const tape = new Tape(parameters);
  const means = forward(on, shape, given, tape);
  const found = tape.backward(means, lossWeights(means.shape));
  return parameters.map(({ id }) => found.get(id) as Tensor);
}

describe("gradients of the native ops", function () {
  this.timeout(600_000);
  needsNativeOps();

  it("are those of TensorFlow's kernels, whatever the sizes", () => {
    fc.assert(
      fc.property(SHAPE, (shape) => {
        tf.tidy(() => {
          const given = operands(shape);
          const expected = gradientsOf(stock, shape, given);
          gradientsOf(backend(), shape, given).forEach((gradient, i) => {
            assert.deepEqual(gradient.shape, expected[i].shape);
            const off = difference(gradient, expected[i]);
            assert.ok(off < 1e-3, `parameter ${i} is off by ${off}`);
          });
        });
      }),
      { numRuns: 40 },
    );
  });

  it("are the differences of the loss along any direction", () => {
    fc.assert(
      fc.property(SHAPE, (shape) => {
        tf.tidy(() => {
          const given = operands(shape);
          const parameters = parametersOf(given, shape.isGated);
          const gradients = gradientsOf(backend(), shape, given);
          parameters.forEach((parameter, index) => {
            const direction = normal(parameter.shape, 60 + index);
            const unit = direction.div(direction.norm()) as Tensor;
            const slope = gradients[index].mul(unit).sum().dataSync()[0];
            const step = 5e-3;
            const [above, below] = [step, -step].map((by) => {
              const moved = parameters.map((own, i) => (i === index ? own.add(unit.mul(by)) : own) as Tensor);
              return lossAt(backend(), shape, withParameters(given, moved));
            });
            const found = (above - below) / (2 * step);
            const scale = Math.max(1, Math.abs(slope), gradients[index].norm().dataSync()[0]);
            assert.ok(
              Math.abs(found - slope) < 2e-2 * scale,
              `parameter ${index}: the loss changes by ${found}, its gradient says ${slope}`,
            );
          });
        });
      }),
      { numRuns: 15 },
    );
  });
});
