import * as kernels from "../engine/kernels.js";
import type { Tape } from "../engine/tape.js";
import { type Tensor, tf } from "../engine/tf.js";
import type { Activation, Layers } from "./efficientnet.js";
import { BATCH_NORM_WEIGHTS, InferenceLayers, type Values, valuesOf } from "./inference-layers.js";

export interface TrainingOptions {
  /** How far the moving statistics go towards each batch's, (0, 1]. */
  batchNormMomentum: number;
  /** Probability to zero a feature before the last layer, [0, 1). */
  dropoutRate: number;
  /** Probability to drop the last residual branch for an image, [0, 1); earlier ones linearly less. */
  dropPathRate: number;
  /** Governs dropout and stochastic depth; another one each step. */
  seed: number;
}

/**
 * Runs the network for training, recording on a tape what the backward pass needs.
 *
 * Layers that the tape does not track (frozen ones) run as in inference, moving statistics included.
 */
export class TrainingLayers implements Layers<Tensor> {
  /** New moving statistics by parameter name; the caller disposes them. */
  readonly movingStatistics = new Map<string, Tensor>();
  private readonly inference: InferenceLayers;
  private numMasks = 0;

  constructor(
    private readonly tape: Tape,
    private readonly values: Values,
    private readonly options: TrainingOptions,
  ) {
    this.inference = new InferenceLayers(values);
  }

  scope(block: string, run: () => Tensor): Tensor {
    const isFrozen = !this.tape.tracks(this.values.get(`${block}_bn/gamma`) as Tensor);
    return isFrozen ? tf.tidy(run) : run();
  }

  conv(x: Tensor, name: string, { kernelSize, stride }: { kernelSize: number; stride: number }): Tensor {
    const [kernel] = valuesOf(this.values, name, "kernel");
    if (kernelSize === 1 && stride === 1) return this.pointwiseConv(x, kernel);
    const y = kernels.conv2d(x, kernel, stride);
    return this.tape.record(y, [x, kernel], (dy, [needsX, needsKernel]) => [
      needsX ? kernels.conv2dInputGradient(dy, kernel, x.shape, stride) : null,
      needsKernel ? kernels.conv2dKernelGradient(dy, x, kernel.shape, stride) : null,
    ]);
  }

  depthwiseConv(x: Tensor, name: string, { stride }: { stride: number }): Tensor {
    const [kernel] = valuesOf(this.values, name, "depthwise_kernel");
    const y = kernels.depthwiseConv2d(x, kernel, stride);
    return this.tape.record(y, [x, kernel], (dy, [needsX, needsKernel]) => [
      needsX ? kernels.depthwiseInputGradient(dy, kernel, x.shape, stride) : null,
      needsKernel ? kernels.depthwiseKernelGradient(dy, x, kernel.shape, stride) : null,
    ]);
  }

  batchNorm(x: Tensor, name: string, activation: Activation): Tensor {
    const parameters = valuesOf(this.values, name, ...BATCH_NORM_WEIGHTS);
    const [gamma, beta] = parameters;
    if (!this.tape.tracks(gamma)) return this.inference.batchNorm(x, name, activation);
    const { y, movingMean, movingVariance, saved } = kernels.batchNormTraining(
      x,
      parameters,
      this.options.batchNormMomentum,
    );
    this.movingStatistics.set(`${name}/moving_mean`, movingMean);
    this.movingStatistics.set(`${name}/moving_variance`, movingVariance);
    this.tape.record(y, [x, gamma, beta], (dy) => kernels.batchNormGradient(dy, x, gamma, saved), saved);
    return this.activate(y, activation);
  }

  squeezeExcite(x: Tensor, name: string): Tensor {
    const { tape } = this;
    const [, height, width] = x.shape as number[];
    const means = kernels.mean(x, [1, 2], true);
    tape.record(means, [x], (dy) => [spread(dy, x.shape, 1 / (height * width))]);
    const reduced = this.activate(this.denseConv(means, `${name}_se_reduce`), "swish");
    const expanded = this.denseConv(reduced, `${name}_se_expand`);
    const gate = kernels.sigmoid(expanded);
    tape.record(gate, [expanded], (dy) => [kernels.sigmoidGradient(gate, dy)]);
    const y = kernels.multiply(x, gate);
    return tape.record(y, [x, gate], (dy) => [
      kernels.multiply(dy, gate),
      tf.tidy(() => kernels.sum(kernels.multiply(dy, x), [1, 2], true)),
    ]);
  }

  residual(x: Tensor, branch: Tensor, _name: string, depth: number): Tensor {
    const kept = this.dropPath(branch, this.options.dropPathRate * depth);
    const y = kernels.add(x, kept);
    return this.tape.record(y, [x, kept], (dy, [needsX, needsBranch]) => [
      needsX ? dy : null,
      needsBranch ? dy : null,
    ]);
  }

  classify(x: Tensor, name: string): Tensor {
    const { tape } = this;
    const [, height, width] = x.shape as number[];
    const [kernel, bias] = valuesOf(this.values, name, "kernel", "bias");
    const pooled = kernels.mean(x, [1, 2], false);
    tape.record(pooled, [x], (dy) => [
      tf.tidy(() => spread(dy.reshape([-1, 1, 1, dy.shape[1] as number]), x.shape, 1 / (height * width))),
    ]);
    const features = this.dropout(pooled, pooled.shape, this.options.dropoutRate);
    const product = kernels.matMul(features, kernel);
    tape.record(product, [features, kernel], (dy, [needsFeatures, needsKernel]) => [
      needsFeatures ? kernels.matMul(dy, kernel, false, true) : null,
      needsKernel ? kernels.matMul(features, dy, true, false) : null,
    ]);
    return this.addBias(product, bias);
  }

  /** A 1×1 convolution is a matrix product over pixels, and faster as one. */
  private pointwiseConv(x: Tensor, kernel: Tensor): Tensor {
    const [batchSize, height, width, filtersIn] = x.shape as number[];
    const filtersOut = kernel.shape[3] as number;
    const pixels = x.reshape([-1, filtersIn]);
    const weights = kernel.reshape([filtersIn, filtersOut]);
    const y = tf.tidy(() => kernels.matMul(pixels, weights).reshape([batchSize, height, width, filtersOut]));
    return this.tape.record(
      y,
      [x, kernel],
      (dy, [needsX, needsKernel]) => {
        const dPixels = dy.reshape([-1, filtersOut]);
        const gradients = [
          needsX ? tf.tidy(() => kernels.matMul(dPixels, weights, false, true).reshape(x.shape)) : null,
          needsKernel
            ? tf.tidy(() => kernels.matMul(pixels, dPixels, true, false).reshape(kernel.shape))
            : null,
        ];
        dPixels.dispose();
        return gradients;
      },
      [pixels, weights],
    );
  }

  private denseConv(x: Tensor, name: string): Tensor {
    const [bias] = valuesOf(this.values, name, "bias");
    return this.addBias(this.conv(x, name, { kernelSize: 1, stride: 1 }), bias);
  }

  private addBias(x: Tensor, bias: Tensor): Tensor {
    const y = kernels.biasAdd(x, bias);
    return this.tape.record(y, [x, bias], (dy, [needsX, needsBias]) => [
      needsX ? dy : null,
      needsBias ? kernels.biasGradient(dy) : null,
    ]);
  }

  private activate(x: Tensor, activation: Activation): Tensor {
    if (activation === "linear") return x;
    if (activation === "relu6") {
      const y = kernels.relu6(x);
      return this.tape.record(y, [x], (dy) => [kernels.relu6Gradient(dy, y)]);
    }
    const gate = kernels.sigmoid(x);
    const y = kernels.multiply(x, gate);
    // d(x·s)/dx = s + x·s·(1 − s)
    const backward = (dy: Tensor) => [
      tf.tidy(() =>
        kernels.add(kernels.multiply(dy, gate), kernels.sigmoidGradient(gate, kernels.multiply(dy, x))),
      ),
    ];
    return this.tape.record(y, [x], backward, [gate]);
  }

  private dropPath(branch: Tensor, rate: number): Tensor {
    return this.dropout(branch, [branch.shape[0], 1, 1, 1], rate);
  }

  /** Zeroes with probability `rate`, one draw for each element of `maskShape`, and scales up what stays. */
  private dropout(x: Tensor, maskShape: number[], rate: number): Tensor {
    if (rate === 0 || !this.tape.tracks(x)) return x;
    const seed: [number, number] = [this.options.seed, this.numMasks++];
    const mask = tf.tidy(() =>
      tf.step(kernels.randomUniform(maskShape, seed).sub(rate)).mul<Tensor>(1 / (1 - rate)),
    );
    return this.tape.record(kernels.multiply(x, mask), [x], (dy) => [kernels.multiply(dy, mask)], [mask]);
  }
}

/** `dy` `[b, 1, 1, c]` times `scale`, the same for every pixel of `shape`. */
function spread(dy: Tensor, shape: number[], scale: number): Tensor {
  return tf.tidy(() => tf.broadcastTo(dy.mul<Tensor>(scale), shape));
}
