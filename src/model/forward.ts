// Runs the network on the backend in use: for inference, or for training on a tape.
import type { ConvolutionWeights, DenseWeights, Features, TrainingPlanOptions } from "../engine/backend.js";
import { backend } from "../engine/device.js";
import * as kernels from "../engine/kernels.js";
import type { Tape } from "../engine/tape.js";
import { type Tensor, type Tensor2D, type Tensor4D, tf } from "../engine/tf.js";
import {
  type Architecture,
  applyConvolutions,
  applyEfficientNet,
  type ConvShape,
  type DepthwiseShape,
  type Layers,
  type Norm,
  pointwise,
  type Residual,
} from "./efficientnet.js";
import type { Preprocessing } from "./preprocessing.js";

interface Model {
  architecture: Architecture;
  config: { preprocessing: Preprocessing };
}

/** The value of each parameter by name. */
export type Values = ReadonlyMap<string, Tensor>;

export interface TrainingOptions
  extends Pick<TrainingPlanOptions, "batchNormMomentum" | "dropoutRate" | "dropPathRate"> {
  /** Governs dropout and stochastic depth; different each step. */
  seed: number;
}

interface Training {
  tape: Tape;
  options: TrainingOptions;
}

/**
 * Computes the logits of a batch, and records on a tape what the backward pass needs.
 *
 * Layers that the tape does not track (frozen ones) run as in inference, moving statistics included. Images of a network that
 * trains on grey ones must be grey.
 *
 * @returns The logits, and new moving statistics by parameter name; the caller disposes all of it.
 */
export function forward(
  { architecture, config }: Model,
  images: Tensor4D,
  { values, ...training }: Training & { values: Values },
): { logits: Tensor2D; movingStatistics: Map<string, Tensor> } {
  const layers = new RunningLayers(architecture, values, training);
  const input = backend().normalize(images, config.preprocessing);
  const { values: logits } = applyEfficientNet(layers, architecture, input);
  return { logits: logits as Tensor2D, movingStatistics: layers.movingStatistics };
}

/** Computes the logits of a batch by moving statistics, layer by layer. The caller disposes them. */
export function infer(model: Model, images: Tensor4D, values: Values): Tensor2D {
  return run(applyEfficientNet, model, images, values) as Tensor2D;
}

/** Computes the feature map whose mean the last layer takes, `[batchSize, height, width, channels]`; the caller disposes it. */
export function lastFeatures(model: Model, images: Tensor4D, values: Values): Tensor4D {
  return run(applyConvolutions, model, images, values) as Tensor4D;
}

function run(
  apply: (layers: Layers<Features>, architecture: Architecture, images: Features) => Features,
  { architecture, config }: Model,
  images: Tensor4D,
  values: Values,
): Tensor {
  const layers = new RunningLayers(architecture, values);
  return tf.tidy(() => apply(layers, architecture, backend().normalize(images, config.preprocessing)).values);
}

/** The reading that computes. Without training, it frees at the end of a block what the block leaves behind. */
class RunningLayers implements Layers<Features> {
  /** New moving statistics by parameter name. */
  readonly movingStatistics = new Map<string, Tensor>();
  private numMasks = 0;

  constructor(
    private readonly architecture: Architecture,
    private readonly values: Values,
    private readonly training?: Training,
  ) {}

  scope(block: string, run: () => Features): Features {
    return this.trainingOf(`${block}_bn/gamma`) ? run() : { values: tf.tidy(() => run().values) };
  }

  conv(x: Features, name: string, { stride }: ConvShape, norm: Norm): Features {
    return this.convolve(x, `${name}/kernel`, stride, norm);
  }

  depthwiseConv(x: Features, name: string, { stride }: DepthwiseShape, norm: Norm): Features {
    return this.convolve(x, `${name}/depthwise_kernel`, stride, norm);
  }

  squeezeExcite(x: Features, block: string): Features {
    const [reduce, expand] = ["reduce", "expand"].map((layer) => this.dense(`${block}_se_${layer}`));
    return backend().excite(x, { reduce, expand }, this.training?.tape);
  }

  project(
    x: Features,
    name: string,
    filters: number,
    norm: string,
    skip: Residual<Features> | null,
  ): Features {
    const linear = { name: norm, activation: "linear" } as const;
    const training = this.trainingOf(`${name}/kernel`);
    if (!training) return this.convolve(x, `${name}/kernel`, 1, linear, skip?.x.values);
    const branch = this.conv(x, name, pointwise(filters), linear);
    const rate = skip ? training.options.dropPathRate * skip.depth : 0;
    const mask = this.mask([branch.values.shape[0]], rate, training.options);
    return backend().residual(branch, skip?.x.values ?? null, mask, training.tape);
  }

  classify(x: Features, name: string): Features {
    const { training } = this;
    const means = backend().meanPool(x, training?.tape);
    const kept = training?.tape.tracks(means) ? this.dropout(means, training) : means;
    return { values: backend().dense(kept, this.dense(name), training?.tape) };
  }

  private convolve(x: Features, kernelName: string, stride: number, norm: Norm, skip?: Tensor): Features {
    const { name, activation } = norm;
    const weights = this.convolution(kernelName, name);
    const depthwise = kernelName.endsWith("/depthwise_kernel");
    const { padding, epsilon } = this.architecture;
    const convolution = { stride, padding, depthwise, epsilon, activation };
    const training = this.trainingOf(kernelName);
    if (!training) return backend().convolution(x, weights, convolution, skip);
    const { batchNormMomentum } = training.options;
    const result = backend().trainConvolution(x, weights, convolution, batchNormMomentum, training.tape);
    this.movingStatistics.set(`${name}/moving_mean`, result.movingMean);
    this.movingStatistics.set(`${name}/moving_variance`, result.movingVariance);
    return result.y;
  }

  /** The training, if it is on and trains this parameter. */
  private trainingOf(parameter: string): Training | null {
    const { training } = this;
    return training?.tape.tracks(this.values.get(parameter) as Tensor) ? training : null;
  }

  private convolution(kernelName: string, norm: string): ConvolutionWeights {
    const batchNorm = ["gamma", "beta", "moving_mean", "moving_variance"];
    const [kernel, ...rest] = [kernelName, ...batchNorm.map((weight) => `${norm}/${weight}`)].map(
      (name) => this.values.get(name) as Tensor,
    );
    return { kernel, batchNorm: rest };
  }

  private dense(layer: string): DenseWeights {
    const [kernel, bias] = ["kernel", "bias"].map(
      (weight) => this.values.get(`${layer}/${weight}`) as Tensor,
    );
    return { kernel, bias };
  }

  /** Zeroes with probability `dropoutRate` and scales up what stays. */
  private dropout(x: Tensor, { tape, options }: Training): Tensor {
    const mask = this.mask(x.shape, options.dropoutRate, options);
    if (!mask) return x;
    return tape.record(kernels.multiply(x, mask), [x], (dy) => [kernels.multiply(dy, mask)], [mask]);
  }

  /** Draws 0 with probability `rate`, otherwise 1 / (1 − rate); null if nothing is dropped. */
  private mask(shape: number[], rate: number, options: TrainingOptions): Tensor | null {
    if (rate === 0) return null;
    const seed: [number, number] = [options.seed, this.numMasks++];
    return tf.tidy(() => tf.step(kernels.randomUniform(shape, seed).sub(rate)).mul<Tensor>(1 / (1 - rate)));
  }
}
