// Features with what stock kernels make of them, for tests of native ops.
import * as kernels from "../../src/engine/kernels.js";
import * as native from "../../src/engine/native-kernels.js";
import { type Tensor, tf } from "../../src/engine/tf.js";

export type Activation = native.Features["activation"];

/** Numbers from a normal distribution, the same for the same seed. */
export const normal = (shape: number[], seed: number, deviation = 1): Tensor =>
  tf.randomNormal(shape, 0, deviation, "float32", seed);

/** Gamma, beta, moving mean and moving variance. */
export function batchNorm(channels: number, seed: number): Tensor[] {
  const [gamma, beta, mean] = [1, 2, 3].map((i) => normal([channels], seed + i, 0.3));
  return [
    gamma.add(1),
    beta,
    mean,
    normal([channels], seed + 4)
      .abs()
      .add(0.5),
  ];
}

/** Of shape `[batchSize, height, width, channels]`, as a convolution leaves them. */
export function features(shape: number[], activation: Activation, seed: number): native.Features {
  const channels = shape[3];
  const kernel = normal([1, 1, channels, channels], seed + 10, 1 / Math.sqrt(channels));
  const convolution = { stride: 1, depthwise: false };
  const plain = native.plain(normal(shape, seed));
  const result = native.convolution(plain, kernel, batchNorm(channels, seed), convolution, 0.1);
  return { values: result.values, norm: result.norm, activation };
}

/** The parts of features that a reader computes on the way. */
export function unfold({ values, norm, activation, gate }: native.Features) {
  const [scale, shift, mean, inverseDeviation] = tf.unstack(norm as Tensor);
  const z = values.mul(scale).add<Tensor>(shift);
  const sigmoid = tf.sigmoid(z);
  const [activated, derivative] =
    activation === "linear"
      ? [z, tf.onesLike(z)]
      : activation === "relu6"
        ? [kernels.relu6(z), tf.logicalAnd(z.greater(0), z.less(6)).toFloat()]
        : [z.mul<Tensor>(sigmoid), sigmoid.add(z.mul(sigmoid).mul(tf.scalar(1).sub(sigmoid)))];
  const spread = gate?.reshape([values.shape[0], 1, 1, -1]);
  return {
    activated,
    gated: spread ? activated.mul<Tensor>(spread) : activated,
    derivative,
    normalized: values.sub(mean).mul<Tensor>(inverseDeviation),
  };
}

/** Gradient by normalised features from that by the activated ones, as native ops give it. */
export function backThroughActivation(dActivated: Tensor, x: native.Features): Tensor[] {
  const { derivative, normalized } = unfold(x);
  const gradient = dActivated.mul<Tensor>(derivative);
  return [gradient, gradient.mul(normalized).sum([0, 1, 2]), gradient.sum([0, 1, 2])];
}
