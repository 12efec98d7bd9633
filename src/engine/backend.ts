// What the network needs of the engine. `fused.ts` has it from our C++ ops, `stock.ts` from TensorFlow's kernels, and
// `device.ts` chooses.
import type { Padding } from "./kernels.js";
import type { Tape } from "./tape.js";
import type { Tensor, Tensor2D, Tensor4D } from "./tf.js";
import type { Variable } from "./variable.js";

/** How pixels of 0–255 become a network's input: `(x − mean) / std`, by channel. */
export interface Scaling {
  mean: number[];
  std: number[];
}

export type Activation = "linear" | "relu6" | "swish";

/**
 * Features between two layers.
 *
 * A backend may leave batch norm, activation and gate to the op that reads the features: computed there, they are never
 * written to memory. Plain features have only values.
 */
export interface Features {
  /** `[batchSize, height, width, channels]` */
  values: Tensor;
  /** Pending batch norm: scale, shift, mean and inverse deviation of each channel, `[4, channels]`. */
  norm?: Tensor;
  /** Pending activation, after `norm`. */
  activation?: Activation;
  /** Pending factor of each image's channels, `[batchSize, channels]`, after `activation`. */
  gate?: Tensor;
  /** Gamma and beta behind `norm`, if they are trained. */
  parameters?: Tensor[];
}

export interface ConvolutionWeights {
  /** `[height, width, in, out]`, depthwise `[height, width, channels, 1]`. */
  kernel: Tensor;
  /** Gamma, beta, moving mean and moving variance. */
  batchNorm: Tensor[];
}

/** A convolution without bias, the batch norm after it and the activation after that. */
export interface Convolution {
  stride: number;
  padding: Padding;
  depthwise: boolean;
  /** Added to the variance. */
  epsilon: number;
  activation: Activation;
}

export interface TrainedConvolution {
  y: Features;
  /** The moving statistics after this batch; the variance is unbiased, as in PyTorch. */
  movingMean: Tensor;
  movingVariance: Tensor;
}

export interface DenseWeights {
  /** `[in, out]`, or `[1, 1, in, out]` of a convolution. */
  kernel: Tensor;
  bias: Tensor;
}

export interface ExciteWeights {
  reduce: DenseWeights;
  expand: DenseWeights;
}

/** What is outside an image: a colour of each channel, its edge pixels, or its mirror image. */
export type Border = number[] | "edge" | "reflect";

/** Types of the numbers that are multiplied in inference, or kept in training; sums are float32 in both. */
export const PRECISIONS = ["float32", "bfloat16"] as const;
export type Precision = (typeof PRECISIONS)[number];

/** What a plan needs to know of a network, as an `Architecture` has it. */
export interface PlannedNetwork {
  activation: Activation;
  padding: Padding;
  /** Added to the variance in every batch norm. */
  epsilon: number;
  stemFilters: number;
  blocks: readonly PlannedBlock[];
  topFilters: number;
  numClasses: number;
}

/** One mobile inverted bottleneck block (MBConv). */
export interface PlannedBlock {
  kernelSize: number;
  stride: number;
  filtersIn: number;
  filtersOut: number;
  expandRatio: number;
  /** Channels of the squeeze-and-excite bottleneck; 0 = none (Lite). */
  seFilters: number;
  /** The input is added to the output. */
  hasResidual: boolean;
}

/** A network of some weights, ready for inference. Dispose it when done. */
export interface Plan {
  /** Computes the logits of pixels of 0–255 `[batchSize, height, width, 3]`; the caller disposes them. */
  logits(images: Tensor4D): Tensor2D;
  /** Computes the feature map whose mean the last layer takes, `[batchSize, height, width, channels]`; the caller disposes it. */
  features(images: Tensor4D): Tensor4D;
  dispose(): void;
}

export interface TrainingPlanOptions {
  /** How far the moving statistics go towards each batch's, (0, 1]. */
  batchNormMomentum: number;
  /** Probability to zero a feature before the last layer, [0, 1). */
  dropoutRate: number;
  /** Probability to drop the last residual branch for an image, [0, 1); earlier ones linearly less. */
  dropPathRate: number;
  /** Index of the first block that is trained: 0 = stem, then the blocks, then top and last layer. Those before run as in inference. */
  firstTrained: number;
  /** Type in which layers pass on their results. */
  activations: Precision;
  beta1: number;
  beta2: number;
  /** Adam's. */
  epsilon: number;
}

/** What a training plan reads and changes. */
export interface TrainedVariables {
  /** All parameters in the order in which the layers run. */
  values: readonly Variable[];
  /** First and second moments of the trained parameters. */
  first: readonly Variable[];
  second: readonly Variable[];
  /** Moving averages of all parameters; empty = none. */
  emas: readonly Variable[];
}

export interface TrainingBatch {
  /** Pixels of 0–255 `[batchSize, height, width, 3]`. */
  images: Tensor4D;
  /** Probabilities `[batchSize, numClasses]`. */
  targets: Tensor2D;
  /** Weight of each example in the mean, `[batchSize]`. */
  exampleWeights: Tensor;
  /** Governs dropout and dropped branches. */
  seed: number;
}

/** A network that is trained by one call a step. Dispose it when done. */
export interface TrainingPlan {
  /**
   * Trains on a batch.
   *
   * @param rates - Of Adam and of the averages. For each trained parameter, the number of its updates with this one, and the
   * share by which its value shrinks first.
   * @returns The loss, of shape [], and the logits; the caller disposes them.
   */
  step(
    batch: TrainingBatch,
    rates: { learningRate: number; counts: number[]; decays: number[]; emaRate: number },
  ): { loss: Tensor; logits: Tensor2D };
  /**
   * Computes what a step would use.
   *
   * @returns For each parameter its gradient or, of a moving statistic, the new value; empty if it is not trained. The caller
   * disposes all of it.
   */
  gradients(batch: TrainingBatch): { loss: Tensor; logits: Tensor2D; results: Tensor[] };
  dispose(): void;
}

/** Changes to a batch of images. */
export interface ImageChanges {
  /** For each image, a to f of the affine map from a pixel (x, y) of the result to its source, (a·x + b·y + c, d·x + e·y + f). */
  transforms: number[][];
  border: Border;
  /** For each image, contrast (factor of the distance from the image's mean) and brightness (added); null = unchanged. */
  light: number[][] | null;
  /** For each image, the rectangle to fill with its mean: left, top, right, bottom in pixels; null = none. */
  erased: number[][] | null;
}

/** One parameter's part in an update of Adam. */
export interface AdamUpdate {
  variable: Variable;
  /** First and second moment. */
  moments: [Variable, Variable];
  gradient: Tensor;
  /** Updates of this parameter so far, with this one. */
  count: number;
  /** Share by which the value shrinks first. */
  decay: number;
}

export interface AdamRates {
  learningRate: number;
  beta1: number;
  beta2: number;
  epsilon: number;
}

/**
 * The ops of a network and its training.
 *
 * Callers dispose the results. An op that takes a tape records itself there, with the gradients that the tape tracks;
 * without a tape it only computes.
 */
export interface Backend {
  /** Instruction set of our C++ ops; "stock" = TensorFlow's kernels. */
  readonly kernels: "avx512" | "avx2" | "neon" | "stock";
  /**
   * Prepares a network for inference in one call; null if the backend runs networks layer by layer.
   *
   * @param weights - All parameters in the order in which the layers run; not needed afterwards.
   */
  readonly buildPlan:
    | ((network: PlannedNetwork, scaling: Scaling, weights: Tensor[], precision: Precision) => Plan)
    | null;

  /** Prepares a network for training by one call a step; null if the backend trains networks layer by layer. */
  readonly buildTrainingPlan:
    | ((
        network: PlannedNetwork,
        scaling: Scaling,
        variables: TrainedVariables,
        options: TrainingPlanOptions,
      ) => TrainingPlan)
    | null;

  /** `(images − mean) / std`, by channel. */
  normalize(images: Tensor4D, scaling: Scaling): Features;

  /**
   * Convolves and normalises by the moving statistics.
   *
   * @param skip - Added last, of the result's shape; not for depthwise convolutions.
   * @returns Plain features.
   */
  convolution(x: Features, weights: ConvolutionWeights, convolution: Convolution, skip?: Tensor): Features;

  /** Convolves, normalises by the batch's statistics, and moves the moving ones by `momentum` (0.1: a tenth of the way). */
  trainConvolution(
    x: Features,
    weights: ConvolutionWeights,
    convolution: Convolution,
    momentum: number,
    tape: Tape,
  ): TrainedConvolution;

  /** Scales the channels by a gate computed from their means (squeeze-and-excite). */
  excite(x: Features, weights: ExciteWeights, tape?: Tape): Features;

  /**
   * `branch · mask + skip`, as plain features.
   *
   * @param mask - Factor of each image, `[batchSize]`, which the tape disposes; null = 1.
   */
  residual(branch: Features, skip: Tensor | null, mask: Tensor | null, tape: Tape): Features;

  /** Means over height and width, `[batchSize, channels]`. */
  meanPool(x: Features, tape?: Tape): Tensor;

  /** `x · kernel + bias` of vectors `[batchSize, in]`. */
  dense(x: Tensor, weights: DenseWeights, tape?: Tape): Tensor;

  /** Resizes images, transforms them, changes their light (and clips them to 0–255 if it does), and erases rectangles. */
  augment(images: Tensor4D, size: [height: number, width: number], changes: ImageChanges): Tensor4D;

  /** Moves variables against their gradients, in place, after shrinking them by their decay. */
  adam(updates: readonly AdamUpdate[], rates: AdamRates): void;

  /** Moves each average by `rate` of the way to its variable, in place. */
  ema(averages: readonly Variable[], variables: readonly Variable[], rate: number): void;

  /** Returns the value of each variable; it shares the variable's buffer until either changes. */
  readVariables(variables: ReadonlyMap<string, Variable>): Map<string, Tensor>;

  /** Gives the variables that `values` names their new values, which stay the caller's. */
  assignVariables(variables: ReadonlyMap<string, Variable>, values: ReadonlyMap<string, Tensor>): void;
}
