import * as kernels from "../engine/kernels.js";
import type { Tape } from "../engine/tape.js";
import { type Tensor, tf } from "../engine/tf.js";
import type { Activation } from "./efficientnet.js";
import { BATCH_NORM_WEIGHTS, InferenceLayers, type Values, valuesOf } from "./inference-layers.js";
import {
  type ConvShape,
  type DepthwiseShape,
  type Layers,
  type Norm,
  pointwise,
  type Residual,
} from "./layers.js";
import { RecordedDense, type TrainingOptions } from "./recorded-dense.js";

/**
 * Runs the network for training, recording on a tape what the backward pass needs.
 *
 * Layers that the tape does not track (frozen ones) run as in inference, moving statistics included.
 */
export class TrainingLayers implements Layers<Tensor> {
  /** New moving statistics by parameter name; the caller disposes them. */
  readonly movingStatistics = new Map<string, Tensor>();
  private readonly inference: InferenceLayers;
  private readonly vectors: RecordedDense;

  constructor(
    private readonly tape: Tape,
    private readonly values: Values,
    private readonly options: TrainingOptions,
  ) {
    this.inference = new InferenceLayers(values);
    this.vectors = new RecordedDense(tape, values, options.seed);
  }

  scope(block: string, run: () => Tensor): Tensor {
    const isFrozen = !this.tape.tracks(this.values.get(`${block}_bn/gamma`) as Tensor);
    return isFrozen ? tf.tidy(run) : run();
  }

  conv(x: Tensor, name: string, shape: ConvShape, norm: Norm): Tensor {
    const { kernelSize, stride } = shape;
    const [kernel] = valuesOf(this.values, name, "kernel");
    if (!this.tape.tracks(kernel)) return this.inference.conv(x, name, shape, norm);
    if (kernelSize === 1 && stride === 1) return this.batchNorm(this.pointwiseConv(x, kernel), norm);
    const y = kernels.conv2d(x, kernel, stride);
    this.tape.record(y, [x, kernel], (dy, [needsX]) => [
      needsX ? kernels.conv2dInputGradient(dy, kernel, x.shape, stride) : null,
      kernels.conv2dKernelGradient(dy, x, kernel.shape, stride),
    ]);
    return this.batchNorm(y, norm);
  }

  depthwiseConv(x: Tensor, name: string, shape: DepthwiseShape, norm: Norm): Tensor {
    const { stride } = shape;
    const [kernel] = valuesOf(this.values, name, "depthwise_kernel");
    if (!this.tape.tracks(kernel)) return this.inference.depthwiseConv(x, name, shape, norm);
    const y = kernels.depthwiseConv2d(x, kernel, stride);
    this.tape.record(y, [x, kernel], (dy, [needsX]) => [
      needsX ? kernels.depthwiseInputGradient(dy, kernel, x.shape, stride) : null,
      kernels.depthwiseKernelGradient(dy, x, kernel.shape, stride),
    ]);
    return this.batchNorm(y, norm);
  }

  squeezeExcite(x: Tensor, block: string): Tensor {
    const { tape } = this;
    if (!tape.tracks(x)) return this.inference.squeezeExcite(x, block);
    const [batchSize, , , channels] = x.shape as number[];
    const gate = this.vectors.gate(this.means(x), block);
    const spreadGate = gate.reshape([batchSize, 1, 1, channels]);
    tape.record(spreadGate, [gate], (dy) => [dy.reshape(gate.shape)]);
    const y = kernels.multiply(x, spreadGate);
    return tape.record(y, [x, spreadGate], (dy) => [
      kernels.multiply(dy, spreadGate),
      tf.tidy(() => kernels.sum(kernels.multiply(dy, x), [1, 2], true)),
    ]);
  }

  project(x: Tensor, name: string, filters: number, norm: string, residual: Residual<Tensor> | null): Tensor {
    const branch = this.conv(x, name, pointwise(filters), { name: norm, activation: "linear" });
    if (!residual) return branch;
    const kept = this.dropPath(branch, this.options.dropPathRate * residual.depth);
    const y = kernels.add(residual.x, kept);
    return this.tape.record(y, [residual.x, kept], (dy, [needsX, needsBranch]) => [
      needsX ? dy : null,
      needsBranch ? dy : null,
    ]);
  }

  classify(x: Tensor, name: string): Tensor {
    return this.vectors.dense(this.vectors.dropout(this.means(x), this.options.dropoutRate), name);
  }

  /** Over height and width: `[batchSize, channels]`. */
  private means(x: Tensor): Tensor {
    const [, height, width, channels] = x.shape as number[];
    const spread = (dy: Tensor) =>
      tf.broadcastTo(dy.reshape([-1, 1, 1, channels]).mul<Tensor>(1 / (height * width)), x.shape);
    return this.tape.record(kernels.mean(x, [1, 2], false), [x], (dy) => [tf.tidy(() => spread(dy))]);
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

  private batchNorm(x: Tensor, { name, activation }: Norm): Tensor {
    const parameters = valuesOf(this.values, name, ...BATCH_NORM_WEIGHTS);
    const [gamma, beta] = parameters;
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

  private activate(x: Tensor, activation: Activation): Tensor {
    if (activation === "linear") return x;
    if (activation === "swish") return this.vectors.swish(x);
    const y = kernels.relu6(x);
    return this.tape.record(y, [x], (dy) => [kernels.relu6Gradient(dy, y)]);
  }

  private dropPath(branch: Tensor, rate: number): Tensor {
    const mask = this.tape.tracks(branch) ? this.vectors.mask([branch.shape[0], 1, 1, 1], rate) : null;
    if (!mask) return branch;
    return this.tape.record(kernels.multiply(branch, mask), [branch], (dy) => [kernels.multiply(dy, mask)], [
      mask,
    ]);
  }
}
