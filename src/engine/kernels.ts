// TensorFlow's own kernels, as functions of tensors. Callers dispose the results; nothing here is on tfjs' gradient tape.
import {
  bool,
  execute,
  executeMany,
  float,
  floatType,
  int,
  intType,
  shapeTensor,
  string,
} from "./execute.js";
import { type Tensor, type Tensor4D, tf } from "./tf.js";

const T = floatType();
const NHWC = string("data_format", "NHWC");

/**
 * Zeros around an image, which families of networks choose differently at stride 2.
 *
 * - `same`: TensorFlow's SAME, one more below and to the right of an image of even size.
 * - `symmetric`: the same on all sides, as in PyTorch.
 * - `even`: SAME as if every size were even, as in Keras when the size is not known.
 */
export const PADDINGS = ["same", "symmetric", "even"] as const;
export type Padding = (typeof PADDINGS)[number];

/** A convolution's stride and padding. */
export interface Steps {
  stride: number;
  padding: Padding;
}

/** Returns the zeros before and after an image along one side, as a backend without TensorFlow's SAME needs them. */
export function zerosAround(kernelSize: number, { stride, padding }: Steps): [before: number, after: number] {
  const before = Math.floor((padding === "symmetric" ? kernelSize - 1 : kernelSize - stride) / 2);
  return [before, padding === "symmetric" ? before : kernelSize - stride - before];
}

function strided(kernelSize: number, steps: Steps) {
  const { stride, padding } = steps;
  // At stride 1 all paddings are the same.
  const isSame = padding === "same" || stride === 1;
  const zeros = zerosAround(kernelSize, steps);
  return [
    T,
    int("strides", [1, stride, stride, 1]),
    string("padding", isSame ? "SAME" : "EXPLICIT"),
    int("explicit_paddings", isSame ? [] : [0, 0, ...zeros, ...zeros, 0, 0]),
    NHWC,
    int("dilations", [1, 1, 1, 1]),
  ];
}
const convolution = (kernelSize: number, steps: Steps) => [
  ...strided(kernelSize, steps),
  bool("use_cudnn_on_gpu", true),
];

/** A kind of convolution, and its gradients. */
export interface ConvolutionKernels {
  forward(x: Tensor, kernel: Tensor, steps: Steps): Tensor;
  inputGradient(dy: Tensor, kernel: Tensor, inputShape: number[], steps: Steps): Tensor;
  kernelGradient(dy: Tensor, x: Tensor, kernelShape: number[], steps: Steps): Tensor;
}

function convolutionKernels(
  name: string,
  gradients: string,
  attributesOf: (kernelSize: number, steps: Steps) => ReturnType<typeof strided>,
): ConvolutionKernels {
  return {
    forward: (x, kernel, steps) => execute(name, attributesOf(kernel.shape[0], steps), x, kernel),
    inputGradient: (dy, kernel, inputShape, steps) => {
      const attributes = attributesOf(kernel.shape[0], steps);
      return execute(`${gradients}Input`, attributes, shapeTensor(inputShape), kernel, dy);
    },
    kernelGradient: (dy, x, kernelShape, steps) => {
      const attributes = attributesOf(kernelShape[0], steps);
      return execute(`${gradients}Filter`, attributes, x, shapeTensor(kernelShape), dy);
    },
  };
}

/** Convolves images `[b, h, w, in]` with a kernel `[k, k, in, out]`. */
export const conv2d = convolutionKernels("Conv2D", "Conv2DBackprop", convolution);
/** Convolves each channel with its own kernel, `[k, k, channels, 1]`. */
export const depthwiseConv2d = convolutionKernels(
  "DepthwiseConv2dNative",
  "DepthwiseConv2dNativeBackprop",
  strided,
);

export function matMul(a: Tensor, b: Tensor, transposeA = false, transposeB = false): Tensor {
  return execute("MatMul", [T, bool("transpose_a", transposeA), bool("transpose_b", transposeB)], a, b);
}

export interface BatchNormResult {
  y: Tensor;
  /** The moving statistics after this batch; the variance is unbiased, as in PyTorch. */
  movingMean: Tensor;
  movingVariance: Tensor;
  /** Statistics of the batch, which the gradient needs again. */
  saved: [mean: Tensor, variance: Tensor, reserve: Tensor];
}

const batchNormAttributes = (isTraining: boolean, averageFactor: number, epsilon: number) => [
  T,
  floatType("U"),
  float("epsilon", epsilon),
  float("exponential_avg_factor", averageFactor),
  NHWC,
  bool("is_training", isTraining),
];

/**
 * Normalises by the batch's statistics and moves the moving ones by `momentum` (0.1: a tenth of the way).
 *
 * @param batchNorm - Gamma, beta, moving mean and moving variance.
 */
export function batchNormTraining(
  x: Tensor,
  batchNorm: Tensor[],
  momentum: number,
  epsilon: number,
): BatchNormResult {
  const attributes = batchNormAttributes(true, momentum, epsilon);
  const [y, movingMean, movingVariance, ...saved] = executeMany(
    "FusedBatchNormV3",
    6,
    attributes,
    x,
    ...batchNorm,
  );
  return { y, movingMean, movingVariance, saved: saved as BatchNormResult["saved"] };
}

export function batchNormGradient(
  dy: Tensor,
  x: Tensor,
  gamma: Tensor,
  saved: BatchNormResult["saved"],
  epsilon: number,
): Tensor[] {
  const attributes = [T, floatType("U"), float("epsilon", epsilon), NHWC, bool("is_training", true)];
  const operands = [dy, x, gamma, ...saved];
  const [dx, dGamma, dBeta, ...rest] = executeMany("FusedBatchNormGradV3", 5, attributes, ...operands);
  tf.dispose(rest);
  return [dx, dGamma, dBeta];
}

/** Normalises by the moving statistics. */
export function batchNormInference(x: Tensor, batchNorm: Tensor[], epsilon: number): Tensor {
  const attributes = batchNormAttributes(false, 1, epsilon);
  const [y, ...rest] = executeMany("FusedBatchNormV3", 6, attributes, x, ...batchNorm);
  tf.dispose(rest);
  return y;
}

const unary = (name: string) => (x: Tensor) => execute(name, [T], x);
const binary = (name: string) => (a: Tensor, b: Tensor) => execute(name, [T], a, b);
export const relu6 = unary("Relu6");
export const sigmoid = unary("Sigmoid");
export const add = binary("AddV2");
export const subtract = binary("Sub");
export const multiply = binary("Mul");
/** Returns `dy` where the output `y` of ReLU6 is in (0, 6), 0 elsewhere. */
export const relu6Gradient = binary("Relu6Grad");
/** Takes the output `y` of the sigmoid, then `dy`. */
export const sigmoidGradient = binary("SigmoidGrad");

const reduction = (name: string) => (x: Tensor, axes: number[], keepDims: boolean) =>
  execute(name, [T, bool("keep_dims", keepDims), intType("Tidx")], x, shapeTensor(axes));
export const mean = reduction("Mean");
export const sum = reduction("Sum");

/** Sums `dy` over all but the last axis. */
export const biasGradient = (dy: Tensor): Tensor => execute("BiasAddGrad", [T, NHWC], dy);
export const biasAdd = (x: Tensor, bias: Tensor): Tensor => execute("BiasAdd", [T, NHWC], x, bias);

/** Returns the cross-entropy of each row in nats, and its gradient with respect to the logits; `targets` are probabilities. */
export function softmaxCrossEntropy(logits: Tensor, targets: Tensor): [losses: Tensor, dLogits: Tensor] {
  return executeMany("SoftmaxCrossEntropyWithLogits", 2, [T], logits, targets) as [Tensor, Tensor];
}

/** Draws uniform numbers in [0, 1) that depend on the seeds only. */
export function randomUniform(dimensions: number[], seed: [number, number]): Tensor {
  return tf.tidy(() =>
    execute(
      "StatelessRandomUniform",
      [floatType("dtype"), intType("T"), intType("Tseed")],
      shapeTensor(dimensions),
      tf.tensor1d(seed, "int32"),
    ),
  );
}

/** Resizes images, bilinear, with pixel centres as in PyTorch and OpenCV. */
export function resizeBilinear(images: Tensor4D, size: [height: number, width: number]): Tensor4D {
  const [, height, width] = images.shape;
  return height === size[0] && width === size[1]
    ? images.clone()
    : tf.image.resizeBilinear(images, size, false, true);
}
