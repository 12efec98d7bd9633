// The project's own ops (native/), as functions of tensors: each does what several of TensorFlow's kernels do, in one pass over
// memory. Callers dispose what is returned.
import { bool, execute, executeMany, float, int } from "./execute.js";
import { EPSILON } from "./kernels.js";
import { type Tensor, tf } from "./tf.js";

/** Activations by the number that the ops know them by. */
const ACTIVATIONS = { linear: 0, relu6: 1, swish: 2 };

/** An activation as it lies between two layers: what batch norm and activation make of it is computed where it is read. */
export interface Features {
  /** A convolution's raw result, or plain values, `[batchSize, height, width, channels]`. */
  values: Tensor;
  /** Scale, shift, mean and inverse deviation of each channel, `[4, channels]`; absent = plain values. */
  norm?: Tensor;
  activation: keyof typeof ACTIVATIONS;
  /** Factor of each image's channels, `[batchSize, channels]`. */
  gate?: Tensor;
}

export const plain = (values: Tensor): Features => ({ values, activation: "linear" });

/** Images as features that are normalised where they are read; the caller disposes the norm. */
export function normalized(images: Tensor, { mean, std }: { mean: number[]; std: number[] }): Features {
  const scale = std.map((deviation) => 1 / deviation);
  const shift = mean.map((value, i) => -value * scale[i]);
  return { values: images, norm: tf.tensor2d([scale, shift, mean, scale]), activation: "linear" };
}

/** The gradient by normalised features, before their activation, with those by their batch norm's parameters. */
export type FeaturesGradient = [gradient: Tensor, dGamma: Tensor, dBeta: Tensor];

export interface Convolution {
  stride: number;
  depthwise: boolean;
}

let empty: Tensor | undefined;
/** Stands for an input that is not there. */
function none(): Tensor {
  empty ??= tf.keep(tf.tensor1d([], "float32"));
  return empty;
}

const inputs = ({ values, norm, gate }: Features) => [values, norm ?? none(), gate ?? none()];
const activationOf = ({ activation }: Features) => int("activation", ACTIVATIONS[activation]);
const attributesOf = ({ stride, depthwise }: Convolution) => [
  int("stride", stride),
  bool("depthwise", depthwise),
];

export interface ConvolutionResult {
  /** Raw: `norm` is applied by whoever reads it. */
  values: Tensor;
  norm: Tensor;
  movingMean: Tensor;
  /** Unbiased, as in PyTorch. */
  movingVariance: Tensor;
}

/** SAME convolution and the batch norm after it by the batch's statistics; moves the moving ones by `momentum`. */
export function convolution(
  x: Features,
  kernel: Tensor,
  batchNorm: Tensor[],
  convolution: Convolution,
  momentum: number,
): ConvolutionResult {
  const attributes = [
    activationOf(x),
    ...attributesOf(convolution),
    float("momentum", momentum),
    float("epsilon", EPSILON),
  ];
  const results = executeMany("FerkitConvolution", 4, attributes, ...inputs(x), kernel, ...batchNorm);
  const [values, norm, movingMean, movingVariance] = results;
  return { values, norm, movingMean, movingVariance };
}

/**
 * Gradients of a convolution by its kernel and its input; where the input has a gate, by the gated features.
 *
 * @param dy - By the normalised output, whose raw values and norm are `y`.
 */
export function convolutionGradient(
  dy: FeaturesGradient,
  y: Features,
  x: Features,
  kernel: Tensor,
  convolution: Convolution,
  needsInput: boolean,
): { dKernel: Tensor; dx: FeaturesGradient } {
  const attributes = [activationOf(x), ...attributesOf(convolution), bool("needs_input", needsInput)];
  const operands = [...dy, y.values, y.norm as Tensor, ...inputs(x), kernel];
  const [dKernel, ...dx] = executeMany("FerkitConvolutionGradient", 4, attributes, ...operands);
  return { dKernel, dx: dx as FeaturesGradient };
}

/** `branch · mask + skip`; `mask` `[batchSize]` */
export function residual(branch: Features, mask: Tensor | null, skip: Tensor | null): Tensor {
  return execute("FerkitResidual", [activationOf(branch)], ...inputs(branch), mask ?? none(), skip ?? none());
}

/** Of the branch. */
export function residualGradient(dy: Tensor, branch: Features, mask: Tensor | null): FeaturesGradient {
  const operands = [...inputs(branch), mask ?? none(), dy];
  return executeMany("FerkitResidualGradient", 3, [activationOf(branch)], ...operands) as FeaturesGradient;
}

/** Means over height and width, `[batchSize, channels]`. */
export function meanPool(x: Features): Tensor {
  return execute("FerkitMeanPool", [activationOf(x)], ...inputs(x));
}

export function meanPoolGradient(dMeans: Tensor, x: Features): FeaturesGradient {
  const operands = [...inputs(x), dMeans];
  return executeMany("FerkitMeanPoolGradient", 3, [activationOf(x)], ...operands) as FeaturesGradient;
}

/** What squeeze-and-excite makes of features; its gradient needs all three again. */
export interface Excitation {
  /** `[batchSize, channels]` */
  means: Tensor;
  /** What the first layer gives before its activation, `[batchSize, numReduced]`. */
  reduced: Tensor;
  /** `[batchSize, channels]` */
  gate: Tensor;
}

/** @param weights - Kernel and bias of the layer that reduces, then of the one that expands. */
export function excite(x: Features, weights: Tensor[]): Excitation {
  const results = executeMany("FerkitExcite", 3, [activationOf(x)], ...inputs(x), ...weights);
  const [means, reduced, gate] = results;
  return { means, reduced, gate };
}

/**
 * Gradients by the features x and by the weights, in their order.
 *
 * @param dGated - By x times its gate.
 */
export function exciteGradient(
  dGated: Tensor,
  x: Features,
  weights: Tensor[],
  { means, reduced, gate }: Excitation,
): Tensor[] {
  const operands = [...inputs({ ...x, gate }), ...weights, means, reduced, dGated];
  return executeMany("FerkitExciteGradient", 7, [activationOf(x)], ...operands);
}

/**
 * SAME convolution and what inference does to its result, batch norm by moving statistics folded into it.
 *
 * @param activation - Of the result.
 * @param residual - Added last, of the result's shape.
 */
export function convolutionInference(
  x: Features,
  kernel: Tensor,
  batchNorm: Tensor[],
  convolution: Convolution,
  activation: Features["activation"],
  residual?: Tensor,
): Tensor {
  const attributes = [
    int("activation", ACTIVATIONS[activation]),
    ...attributesOf(convolution),
    float("epsilon", EPSILON),
  ];
  return execute(
    "FerkitConvolutionInference",
    attributes,
    ...inputs(x),
    kernel,
    ...batchNorm,
    residual ?? none(),
  );
}
