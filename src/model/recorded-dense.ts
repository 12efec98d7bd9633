import * as kernels from "../engine/kernels.js";
import type { Tape } from "../engine/tape.js";
import { type Tensor, tf } from "../engine/tf.js";
import { type Values, valuesOf } from "./inference-layers.js";

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

/** What training does to vectors `[batchSize, channels]`: dense layers, gates and dropout, on a tape. */
export class RecordedDense {
  private numMasks = 0;

  constructor(
    private readonly tape: Tape,
    private readonly values: Values,
    private readonly seed: number,
  ) {}

  /** `x · kernel + bias`; a kernel `[1, 1, in, out]` of a convolution serves too. */
  dense(x: Tensor, name: string): Tensor {
    const [kernel, bias] = valuesOf(this.values, name, "kernel", "bias");
    const weights = kernel.reshape(kernel.shape.slice(-2));
    const product = kernels.matMul(x, weights);
    this.tape.record(
      product,
      [x, kernel],
      (dy, [needsX, needsKernel]) => [
        needsX ? kernels.matMul(dy, weights, false, true) : null,
        needsKernel ? tf.tidy(() => kernels.matMul(x, dy, true, false).reshape(kernel.shape)) : null,
      ],
      [weights],
    );
    const y = kernels.biasAdd(product, bias);
    return this.tape.record(y, [product, bias], (dy, [needsX, needsBias]) => [
      needsX ? dy : null,
      needsBias ? kernels.biasGradient(dy) : null,
    ]);
  }

  /** Squeeze-and-excite's gate for the means of a block's channels. */
  gate(means: Tensor, block: string): Tensor {
    const expanded = this.dense(this.swish(this.dense(means, `${block}_se_reduce`)), `${block}_se_expand`);
    const gate = kernels.sigmoid(expanded);
    return this.tape.record(gate, [expanded], (dy) => [kernels.sigmoidGradient(gate, dy)]);
  }

  swish(x: Tensor): Tensor {
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

  /** Zeroes with probability `rate` and scales up what stays. */
  dropout(x: Tensor, rate: number): Tensor {
    const mask = this.tape.tracks(x) ? this.mask(x.shape, rate) : null;
    return mask
      ? this.tape.record(kernels.multiply(x, mask), [x], (dy) => [kernels.multiply(dy, mask)], [mask])
      : x;
  }

  /** 0 with probability `rate`, else 1 / (1 − rate); null where nothing is dropped. The caller disposes it. */
  mask(shape: number[], rate: number): Tensor | null {
    if (rate === 0) return null;
    const seed: [number, number] = [this.seed, this.numMasks++];
    return tf.tidy(() => tf.step(kernels.randomUniform(shape, seed).sub(rate)).mul<Tensor>(1 / (1 - rate)));
  }
}
