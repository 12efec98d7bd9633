import assert from "node:assert/strict";
import * as kernels from "../../src/engine/kernels.js";
import * as native from "../../src/engine/native-kernels.js";
import { type Tensor, tf } from "../../src/engine/tf.js";
import { type Activation, backThroughActivation, batchNorm, features, normal, unfold } from "./features.js";
import { needsNativeOps } from "./native-ops.js";

interface Case {
  /** `[batchSize, height, width, channels]` */
  shape: [number, number, number, number];
  filters: number;
  kernelSize: number;
  stride: number;
  activation: Activation;
  depthwise?: boolean;
  isGated?: boolean;
}
const pointwise = { kernelSize: 1, stride: 1 };
const CASES: Case[] = [
  { shape: [2, 5, 7, 8], filters: 24, ...pointwise, activation: "relu6" },
  { shape: [3, 9, 9, 24], filters: 144, ...pointwise, activation: "swish" },
  { shape: [1, 1, 1, 40], filters: 16, ...pointwise, activation: "linear" },
  { shape: [5, 13, 11, 17], filters: 65, ...pointwise, activation: "relu6" },
  { shape: [2, 3, 3, 96], filters: 33, ...pointwise, activation: "swish", isGated: true },
  { shape: [7, 6, 5, 50], filters: 7, ...pointwise, activation: "swish", isGated: true },
  ...([3, 5] as const).flatMap((kernelSize) =>
    ([1, 2] as const).flatMap((stride): Case[] => [
      { shape: [2, 7, 6, 24], filters: 24, kernelSize, stride, activation: "relu6", depthwise: true },
      { shape: [3, 2, 2, 37], filters: 37, kernelSize, stride, activation: "swish", depthwise: true },
      { shape: [1, 1, 9, 16], filters: 16, kernelSize, stride, activation: "linear", depthwise: true },
    ]),
  ),
];

function describeCase({ shape, filters, kernelSize, stride, activation, depthwise, isGated }: Case): string {
  const kind = depthwise ? "depthwise " : "";
  return `${kind}${kernelSize}×${kernelSize}/${stride}, [${shape}] → ${filters}, ${activation}${isGated ? ", gated" : ""}`;
}

function operands({ shape, filters, kernelSize, activation, depthwise, isGated }: Case) {
  const [batchSize, , , channels] = shape;
  const x = features(shape, activation, 1);
  const kernel = normal([kernelSize, kernelSize, channels, depthwise ? 1 : filters], 2, 1 / kernelSize);
  const gate = isGated ? tf.sigmoid(normal([batchSize, channels], 3)) : undefined;
  return { x: { ...x, gate }, kernel, norm: batchNorm(filters, 20) };
}
const stock = ({ depthwise }: Case) =>
  depthwise
    ? {
        forward: kernels.depthwiseConv2d,
        input: kernels.depthwiseInputGradient,
        kernel: kernels.depthwiseKernelGradient,
      }
    : {
        forward: kernels.conv2d,
        input: kernels.conv2dInputGradient,
        kernel: kernels.conv2dKernelGradient,
      };

function assertClose(actual: Tensor, expected: Tensor, what: string): void {
  assert.equal(actual.size, expected.size, what);
  const [difference, size] = [tf.norm(actual.flatten().sub(expected.flatten())), tf.norm(expected)].map(
    (tensor) => tensor.dataSync()[0],
  );
  assert.ok(difference <= 2e-5 * size + 2e-5, `${what}: off by ${difference} of ${size}`);
}

describe("FerkitConvolution", () => {
  needsNativeOps();

  for (const one of CASES)
    it(`convolves and normalises as TensorFlow does: ${describeCase(one)}`, () =>
      void tf.tidy(() => {
        const { x, kernel, norm } = operands(one);
        const { stride, depthwise = false } = one;
        const y = native.convolution(x, kernel, norm, { stride, depthwise }, 0.1);
        const raw = stock(one).forward(unfold(x).gated, kernel, stride);
        const expected = kernels.batchNormTraining(raw, norm, 0.1);
        const normalized = unfold({ values: y.values, norm: y.norm, activation: "linear" }).activated;
        assertClose(y.values, raw, "values");
        assertClose(normalized, expected.y, "normalised");
        assertClose(y.movingMean, expected.movingMean, "moving mean");
        assertClose(y.movingVariance, expected.movingVariance, "moving variance");
      }));

  it("normalises images where it reads them, with zeros around what is normalised", () =>
    void tf.tidy(() => {
      const images = tf.randomUniform([2, 9, 8, 3], 0, 255, "float32", 5);
      const [mean, std] = [
        [120, 110, 100],
        [60, 50, 40],
      ];
      const kernel = normal([3, 3, 3, 20], 6);
      const norm = batchNorm(20, 30);
      const x = native.normalized(images, { mean, std });
      const y = native.convolution(x, kernel, norm, { stride: 2, depthwise: false }, 0.1);
      const raw = kernels.conv2d(images.sub(tf.tensor1d(mean)).div(tf.tensor1d(std)), kernel, 2);
      assertClose(y.values, raw, "values");
    }));

  it("says what does not fit, and where", () =>
    void tf.tidy(() => {
      const x = native.plain(normal([1, 4, 4, 8], 1));
      const convolution = { stride: 1, depthwise: false };
      assert.throws(
        () => native.convolution(x, normal([1, 1, 9, 8], 2), batchNorm(8, 3), convolution, 0.1),
        /FerkitConvolution: operands do not fit/,
      );
    }));
});

describe("FerkitConvolutionGradient", () => {
  needsNativeOps();

  for (const one of CASES)
    it(`gives the gradients of TensorFlow's kernels: ${describeCase(one)}`, () =>
      void tf.tidy(() => {
        const { x, kernel, norm } = operands(one);
        const { stride, depthwise = false } = one;
        const { values, norm: yNorm } = native.convolution(x, kernel, norm, { stride, depthwise }, 0.1);
        const y: native.Features = { values, norm: yNorm, activation: "linear" };
        const dz = normal(values.shape, 7);
        const { saved } = kernels.batchNormTraining(values, norm, 0.1);
        const [dRaw, dGamma, dBeta] = kernels.batchNormGradient(dz, values, norm[0], saved);
        const dy: native.FeaturesGradient = [dz, dGamma, dBeta];
        const { dKernel, dx } = native.convolutionGradient(dy, y, x, kernel, { stride, depthwise }, true);
        const { gated } = unfold(x);
        assertClose(dKernel, stock(one).kernel(dRaw, gated, kernel.shape, stride), "kernel");
        const dGated = stock(one).input(dRaw, kernel, gated.shape, stride);
        if (x.gate) {
          assertClose(dx[0], dGated, "gated input");
          return;
        }
        const expected = backThroughActivation(dGated, x);
        for (const [i, name] of ["input", "gamma", "beta"].entries()) assertClose(dx[i], expected[i], name);
      }));
});

describe("FerkitConvolutionInference", () => {
  needsNativeOps();

  for (const one of CASES)
    it(`folds batch norm, activation and residual into the convolution: ${describeCase(one)}`, () =>
      void tf.tidy(() => {
        const { x, kernel, norm } = operands(one);
        const { stride, depthwise = false, activation } = one;
        const { gated } = unfold({ ...x, activation: "linear" });
        const plain = native.plain(x.gate ? unfold({ ...x, activation: "linear" }).activated : gated);
        const input = { ...plain, gate: x.gate };
        const y = kernels.batchNormInference(stock(one).forward(gated, kernel, stride), norm);
        const activated = { linear: y, relu6: kernels.relu6(y), swish: y.mul<Tensor>(tf.sigmoid(y)) };
        const residual = depthwise ? undefined : normal(y.shape, 8);
        assertClose(
          native.convolutionInference(input, kernel, norm, { stride, depthwise }, activation, residual),
          residual ? activated[activation].add(residual) : activated[activation],
          "result",
        );
      }));
});
