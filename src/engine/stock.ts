// The backend of TensorFlow's own kernels: it runs anywhere, a GPU included.
import type {
  Activation,
  AdamRates,
  AdamUpdate,
  Backend,
  Border,
  Convolution,
  ConvolutionWeights,
  DenseWeights,
  ExciteWeights,
  Features,
  ImageChanges,
  TrainedConvolution,
} from "./backend.js";
import { bool, execute, executeMany, floatType, string } from "./execute.js";
import * as kernels from "./kernels.js";
import type { Tape } from "./tape.js";
import { type Tensor, type Tensor4D, tf } from "./tf.js";
import { changingHandlesOf, type Variable } from "./variable.js";

const APPLY_ADAM = [floatType(), bool("use_locking", false), bool("use_nesterov", false)];
const APPLY_GRADIENT = [floatType(), bool("use_locking", false)];

export const stock: Backend = {
  kernels: "stock",
  buildPlan: null,
  buildTrainingPlan: null,
  normalize: (images, { mean, std }) => ({
    values: tf.tidy(() => images.sub(tf.tensor1d(mean)).div(tf.tensor1d(std))),
  }),
  convolution,
  trainConvolution,
  excite,
  residual,
  meanPool,
  dense,
  augment,
  adam,
  ema,
  readVariables: (variables) => new Map([...variables].map(([name, variable]) => [name, variable.read()])),
  assignVariables: (variables, values) => {
    for (const [name, value] of values) (variables.get(name) as Variable).assign(value);
  },
};

function convolution(
  { values: x }: Features,
  { kernel, batchNorm }: ConvolutionWeights,
  { depthwise, epsilon, activation, ...steps }: Convolution,
  skip?: Tensor,
): Features {
  return {
    values: tf.tidy(() => {
      const { forward } = depthwise ? kernels.depthwiseConv2d : kernels.conv2d;
      const normalized = kernels.batchNormInference(forward(x, kernel, steps), batchNorm, epsilon);
      const y = activate(normalized, activation);
      return skip ? kernels.add(skip, y) : y;
    }),
  };
}

function trainConvolution(
  { values: x }: Features,
  { kernel, batchNorm }: ConvolutionWeights,
  { depthwise, epsilon, activation, ...steps }: Convolution,
  momentum: number,
  tape: Tape,
): TrainedConvolution {
  const isPointwise = !depthwise && kernel.shape[0] === 1 && steps.stride === 1;
  const convolved = isPointwise
    ? pointwiseConvolution(x, kernel, tape)
    : recordedConvolution(depthwise ? kernels.depthwiseConv2d : kernels.conv2d, x, kernel, steps, tape);
  const [gamma, beta] = batchNorm;
  const result = kernels.batchNormTraining(convolved, batchNorm, momentum, epsilon);
  const { y, movingMean, movingVariance, saved } = result;
  const backward = (dy: Tensor) => kernels.batchNormGradient(dy, convolved, gamma, saved, epsilon);
  tape.record(y, [convolved, gamma, beta], backward, saved);
  return { y: { values: activate(y, activation, tape) }, movingMean, movingVariance };
}

function recordedConvolution(
  op: kernels.ConvolutionKernels,
  x: Tensor,
  kernel: Tensor,
  steps: kernels.Steps,
  tape: Tape,
): Tensor {
  return tape.record(op.forward(x, kernel, steps), [x, kernel], (dy, [needsX]) => [
    needsX ? op.inputGradient(dy, kernel, x.shape, steps) : null,
    op.kernelGradient(dy, x, kernel.shape, steps),
  ]);
}

/** Computes a 1×1 convolution as a matrix product over pixels, which is faster. */
function pointwiseConvolution(x: Tensor, kernel: Tensor, tape: Tape): Tensor {
  const [batchSize, height, width, filtersIn] = x.shape as number[];
  const filtersOut = kernel.shape[3] as number;
  const pixels = x.reshape([-1, filtersIn]);
  const weights = kernel.reshape([filtersIn, filtersOut]);
  const y = tf.tidy(() => kernels.matMul(pixels, weights).reshape([batchSize, height, width, filtersOut]));
  return tape.record(
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

function activate(x: Tensor, activation: Activation, tape?: Tape): Tensor {
  if (activation === "linear") return x;
  if (activation === "swish") return swish(x, tape);
  const y = kernels.relu6(x);
  return tape ? tape.record(y, [x], (dy) => [kernels.relu6Gradient(dy, y)]) : y;
}

function swish(x: Tensor, tape?: Tape): Tensor {
  if (!tape) return tf.tidy(() => kernels.multiply(x, kernels.sigmoid(x)));
  const gate = kernels.sigmoid(x);
  const y = kernels.multiply(x, gate);
  // d(x·s)/dx = s + x·s·(1 − s)
  const backward = (dy: Tensor) => [
    tf.tidy(() =>
      kernels.add(kernels.multiply(dy, gate), kernels.sigmoidGradient(gate, kernels.multiply(dy, x))),
    ),
  ];
  return tape.record(y, [x], backward, [gate]);
}

function excite({ values }: Features, { reduce, expand }: ExciteWeights, tape?: Tape): Features {
  const [batchSize, , , channels] = values.shape as number[];
  const run = (recording?: Tape) => {
    const reduced = swish(dense(meanPool({ values }, recording), reduce, recording), recording);
    const expanded = dense(reduced, expand, recording);
    const gate = kernels.sigmoid(expanded);
    const spreadGate = gate.reshape([batchSize, 1, 1, channels]);
    const y = kernels.multiply(values, spreadGate);
    recording?.record(gate, [expanded], (dy) => [kernels.sigmoidGradient(gate, dy)]);
    recording?.record(spreadGate, [gate], (dy) => [dy.reshape(gate.shape)]);
    recording?.record(y, [values, spreadGate], (dy) => [
      kernels.multiply(dy, spreadGate),
      tf.tidy(() => kernels.sum(kernels.multiply(dy, values), [1, 2], true)),
    ]);
    return y;
  };
  return { values: tape?.tracks(values) ? run(tape) : tf.tidy(() => run()) };
}

function residual(branch: Features, skip: Tensor | null, mask: Tensor | null, tape: Tape): Features {
  if (!skip) return branch;
  const kept = mask ? scaleImages(branch.values, mask, tape) : branch.values;
  const y = tape.record(kernels.add(skip, kept), [skip, kept], (dy, [needsSkip, needsBranch]) => [
    needsSkip ? dy : null,
    needsBranch ? dy : null,
  ]);
  return { values: y };
}

function scaleImages(x: Tensor, mask: Tensor, tape: Tape): Tensor {
  const factors = mask.reshape([-1, 1, 1, 1]);
  mask.dispose();
  const backward = (dy: Tensor) => [kernels.multiply(dy, factors)];
  return tape.record(kernels.multiply(x, factors), [x], backward, [factors]);
}

function meanPool({ values: x }: Features, tape?: Tape): Tensor {
  const means = kernels.mean(x, [1, 2], false);
  if (!tape) return means;
  const [, height, width, channels] = x.shape as number[];
  const spread = (dy: Tensor) =>
    tf.broadcastTo(dy.reshape([-1, 1, 1, channels]).mul<Tensor>(1 / (height * width)), x.shape);
  return tape.record(means, [x], (dy) => [tf.tidy(() => spread(dy))]);
}

function dense(x: Tensor, { kernel, bias }: DenseWeights, tape?: Tape): Tensor {
  const weights = kernel.reshape(kernel.shape.slice(-2));
  const product = kernels.matMul(x, weights);
  const y = kernels.biasAdd(product, bias);
  if (!tape) {
    tf.dispose([weights, product]);
    return y;
  }
  tape.record(
    product,
    [x, kernel],
    (dy, [needsX, needsKernel]) => [
      needsX ? kernels.matMul(dy, weights, false, true) : null,
      needsKernel ? tf.tidy(() => kernels.matMul(x, dy, true, false).reshape(kernel.shape)) : null,
    ],
    [weights],
  );
  return tape.record(y, [product, bias], (dy, [needsProduct, needsBias]) => [
    needsProduct ? dy : null,
    needsBias ? kernels.biasGradient(dy) : null,
  ]);
}

function augment(
  images: Tensor4D,
  size: [height: number, width: number],
  { transforms, border, light, erased }: ImageChanges,
): Tensor4D {
  return tf.tidy(() => {
    // Resized before it is transformed, so that its edge does not blend with what is outside.
    const resized = kernels.resizeBilinear(images, size);
    let means = resized.mean([1, 2, 3], true); // of the images alone, without what is outside
    let result = transforms.every(isIdentity) ? resized : transform(resized, transforms, border);
    if (light) {
      const [contrast, brightness] = [0, 1].map((i) =>
        tf.tensor4d(
          light.map((one) => one[i]),
          [light.length, 1, 1, 1],
        ),
      );
      const offset = means.mul(tf.sub(1, contrast)).add(brightness);
      result = result.mul(contrast).add(offset).clipByValue(0, 255) as Tensor4D;
      means = means.add(brightness).clipByValue(0, 255);
    }
    return erased ? erase(result, erased, means) : result;
  });
}

/** True for the transform that changes nothing. */
export function isIdentity([a, b, c, d, e, f]: number[]): boolean {
  return a === 1 && b === 0 && c === 0 && d === 0 && e === 1 && f === 0;
}

function transform(images: Tensor4D, transforms: number[][], border: Border): Tensor4D {
  const [, height, width] = images.shape;
  const transformed = (values: Tensor, fillMode: "CONSTANT" | "NEAREST" | "REFLECT") =>
    execute(
      "ImageProjectiveTransformV3",
      [floatType("dtype"), string("interpolation", "BILINEAR"), string("fill_mode", fillMode)],
      values,
      tf.tensor2d(transforms.map((one) => [...one, 0, 0])),
      tf.tensor1d([height, width], "int32"),
      tf.scalar(0),
    ) as Tensor4D;
  if (border === "edge") return transformed(images, "NEAREST");
  if (border === "reflect") return transformed(images, "REFLECT");
  if (border.every((value) => value === 0)) return transformed(images, "CONSTANT");
  const colour = tf.tensor1d(border, "float32"); // the op fills all channels with one value
  return transformed(images.sub(colour), "CONSTANT").add(colour);
}

/** @param means - Of each image, `[batchSize, 1, 1, 1]`. */
function erase(images: Tensor4D, erased: number[][], means: Tensor): Tensor4D {
  const [batchSize, height, width] = images.shape;
  const keep = new Float32Array(batchSize * height * width).fill(1);
  erased.forEach(([left, top, right, bottom], i) => {
    for (let y = top; y < bottom; y++) {
      const row = (i * height + y) * width;
      keep.fill(0, row + left, row + right);
    }
  });
  const mask = tf.tensor4d(keep, [batchSize, height, width, 1]);
  return images.mul(mask).add(means.mul(tf.sub(1, mask))) as Tensor4D;
}

function adam(updates: readonly AdamUpdate[], { learningRate, beta1, beta2, epsilon }: AdamRates): void {
  tf.tidy(() => {
    for (const { variable, moments, gradient, count, decay } of updates) {
      if (decay > 0) variable.assign(kernels.multiply(variable.read(), tf.scalar(1 - decay)));
      const scalars = [beta1 ** count, beta2 ** count, learningRate, beta1, beta2, epsilon].map((value) =>
        tf.scalar(value),
      );
      const handles = changingHandlesOf([variable, ...moments]);
      executeMany("ResourceApplyAdam", 0, APPLY_ADAM, ...handles, ...scalars, gradient);
    }
  });
}

function ema(averages: readonly Variable[], variables: readonly Variable[], rate: number): void {
  tf.tidy(() => {
    const share = tf.scalar(rate);
    averages.forEach((average, i) => {
      const difference = kernels.subtract(average.read(), variables[i].read());
      const handles = changingHandlesOf([average]);
      executeMany("ResourceApplyGradientDescent", 0, APPLY_GRADIENT, ...handles, share, difference);
    });
  });
}
