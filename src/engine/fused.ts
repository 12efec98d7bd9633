// The backend of our C++ ops (native/): each does what several of TensorFlow's kernels do, in one pass over memory.
//
// In training, a convolution writes its raw result only; the op that reads it applies batch norm and activation. So the gradient
// that the tape keeps for a convolution is the one with respect to its normalised values. The convolution's backward pass turns it,
// with the gradients of gamma and beta, into the one of the raw values. A gate keeps the gradient of the gated features.
import type {
  AdamRates,
  AdamUpdate,
  Backend,
  Convolution,
  ConvolutionWeights,
  ExciteWeights,
  Features,
  ImageChanges,
  Scaling,
  TrainedConvolution,
} from "./backend.js";
import { bool, execute, executeMany, float, int } from "./execute.js";
import { resizeBilinear } from "./kernels.js";
import { ACTIVATION_NUMBERS, buildPlan, buildTrainingPlan, PADDING_NUMBERS, stepSizes } from "./plan.js";
import { isIdentity, stock } from "./stock.js";
import type { Tape } from "./tape.js";
import { type Tensor, type Tensor4D, tf } from "./tf.js";
import { changingHandlesOf, handlesOf, type Variable } from "./variable.js";

/** Borders by their number in the augmentation op; 0 is a colour. */
const BORDERS = { edge: 1, reflect: 2 };

/** Returns the backend of the C++ ops, once they are loaded. */
export function fusedBackend(instructionSet: "avx512" | "avx2" | "neon"): Backend {
  return {
    ...stock, // for what is not fused: dense layers
    kernels: instructionSet,
    buildPlan,
    buildTrainingPlan,
    normalize,
    convolution,
    trainConvolution,
    excite,
    residual,
    meanPool,
    augment,
    adam,
    ema,
    readVariables,
    assignVariables,
  };
}

/** Gradient with respect to normalised features, before their activation, then to gamma and beta. */
type FeaturesGradient = [gradient: Tensor, dGamma: Tensor, dBeta: Tensor];

let empty: Tensor | undefined;
/** Returns the tensor that stands for an absent input. */
function none(): Tensor {
  empty ??= tf.keep(tf.tensor1d([], "float32"));
  return empty;
}

const inputs = ({ values, norm, gate }: Features) => [values, norm ?? none(), gate ?? none()];
const activationOf = ({ activation = "linear" }: Features) =>
  int("activation", ACTIVATION_NUMBERS[activation]);
const attributesOf = ({ stride, padding, depthwise }: Convolution) => [
  int("stride", stride),
  int("padding", PADDING_NUMBERS[padding]),
  bool("depthwise", depthwise),
];
/** What the gradient of features goes to: their values, gamma and beta. */
const sources = ({ values, parameters = [] }: Features) => [values, ...parameters];

function normalize(images: Tensor4D, { mean, std }: Scaling): Features {
  const scale = std.map((deviation) => 1 / deviation);
  const shift = mean.map((value, i) => -value * scale[i]);
  return { values: images, norm: tf.tensor2d([scale, shift, mean, scale]), activation: "linear" };
}

function convolution(
  x: Features,
  { kernel, batchNorm }: ConvolutionWeights,
  convolution: Convolution,
  skip?: Tensor,
): Features {
  const attributes = [
    int("activation", ACTIVATION_NUMBERS[convolution.activation]),
    ...attributesOf(convolution),
    float("epsilon", convolution.epsilon),
  ];
  const operands = [...inputs(x), kernel, ...batchNorm, skip ?? none()];
  return { values: execute("FerkitConvolutionInference", attributes, ...operands) };
}

function trainConvolution(
  x: Features,
  { kernel, batchNorm }: ConvolutionWeights,
  convolution: Convolution,
  momentum: number,
  tape: Tape,
): TrainedConvolution {
  const attributes = [
    activationOf(x),
    ...attributesOf(convolution),
    float("momentum", momentum),
    float("epsilon", convolution.epsilon),
  ];
  const results = executeMany("FerkitConvolution", 4, attributes, ...inputs(x), kernel, ...batchNorm);
  const [values, norm, movingMean, movingVariance] = results;
  const [gamma, beta] = batchNorm;
  const y: Features = { values, norm, activation: convolution.activation, parameters: [gamma, beta] };
  const backward = (gradient: Tensor, needs: boolean[]) => {
    const dy: FeaturesGradient = [gradient, tape.gradientOf(gamma), tape.gradientOf(beta)];
    const { dKernel, dx } = convolutionGradient(dy, y, x, kernel, convolution, needs[1]);
    return [dKernel, ...keepNeeded(dx, needs.slice(1))];
  };
  tape.record(values, [kernel, ...(x.gate ? [x.gate] : sources(x))], backward, [norm]);
  return { y, movingMean, movingVariance };
}

/**
 * Computes a convolution's gradients with respect to its kernel and its input; if the input has a gate, to the gated features.
 *
 * @param dy - By the normalised output, whose raw values and norm are `y`.
 */
function convolutionGradient(
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

function keepNeeded(gradients: Tensor[], needs: boolean[]): (Tensor | null)[] {
  return gradients.map((gradient, i) => {
    if (needs[i]) return gradient;
    gradient.dispose();
    return null;
  });
}

function excite(x: Features, { reduce, expand }: ExciteWeights, tape?: Tape): Features {
  const weights = [reduce.kernel, reduce.bias, expand.kernel, expand.bias];
  const results = executeMany("FerkitExcite", 3, [activationOf(x)], ...inputs(x), ...weights);
  const [means, reduced, gate] = results;
  const backward = (dGated: Tensor) => {
    const operands = [...inputs({ ...x, gate }), ...weights, means, reduced, dGated];
    return executeMany("FerkitExciteGradient", 7, [activationOf(x)], ...operands);
  };
  if (tape) tape.record(gate, [...sources(x), ...weights], backward, [means, reduced]);
  else tf.dispose([means, reduced]);
  return { ...x, gate };
}

/** Always writes the result, since a block's output has two readers if the next block has a residual. */
function residual(branch: Features, skip: Tensor | null, mask: Tensor | null, tape: Tape): Features {
  const attributes = [activationOf(branch)];
  const operands = [...inputs(branch), mask ?? none()];
  const y = execute("FerkitResidual", attributes, ...operands, skip ?? none());
  const backward = (dy: Tensor, needs: boolean[]) => [
    ...(skip ? [needs[0] ? dy : null] : []),
    ...executeMany("FerkitResidualGradient", 3, attributes, ...operands, dy),
  ];
  tape.record(y, [...(skip ? [skip] : []), ...sources(branch)], backward, mask ? [mask] : []);
  return { values: y };
}

function meanPool(x: Features, tape?: Tape): Tensor {
  const means = execute("FerkitMeanPool", [activationOf(x)], ...inputs(x));
  const backward = (dMeans: Tensor) =>
    executeMany("FerkitMeanPoolGradient", 3, [activationOf(x)], ...inputs(x), dMeans);
  return tape ? tape.record(means, sources(x), backward) : means;
}

function augment(images: Tensor4D, size: [height: number, width: number], changes: ImageChanges): Tensor4D {
  const { transforms, border, light, erased } = changes;
  const numChannels = images.shape[3];
  if (numChannels !== 1 && numChannels !== 3) return stock.augment(images, size, changes);
  if (transforms.every(isIdentity) && !light && !erased) return resizeBilinear(images, size);
  const [height, width] = size;
  return tf.tidy(() => {
    const colour = Array.isArray(border) ? border : Array<number>(numChannels).fill(0);
    const operands = [transforms, light ?? [], erased ?? [], colour].map((rows) =>
      tf.tensor1d(rows.flat(), "float32"),
    );
    const mode = Array.isArray(border) ? 0 : BORDERS[border];
    const attributes = [int("height", height), int("width", width), int("border", mode)];
    return execute("FerkitAugment", attributes, images, ...operands) as Tensor4D;
  });
}

function adam(updates: readonly AdamUpdate[], rates: AdamRates): void {
  if (updates.length === 0) return;
  const { beta1, beta2, epsilon } = rates;
  const counts = updates.map(({ count }) => count);
  const sizes = stepSizes(counts, rates);
  tf.tidy(() => {
    executeMany(
      "FerkitAdam",
      0,
      [int("N", updates.length), float("beta1", beta1), float("beta2", beta2), float("epsilon", epsilon)],
      ...changingHandlesOf(updates.map(({ variable }) => variable)),
      ...changingHandlesOf(updates.map(({ moments }) => moments[0])),
      ...changingHandlesOf(updates.map(({ moments }) => moments[1])),
      ...updates.map(({ gradient }) => gradient),
      tf.tensor1d(sizes),
      tf.tensor1d(updates.map(({ decay }) => decay)),
    );
  });
}

function ema(averages: readonly Variable[], variables: readonly Variable[], rate: number): void {
  tf.tidy(() => {
    const handles = [...changingHandlesOf(averages), ...handlesOf(variables)];
    executeMany("FerkitEma", 0, [int("N", averages.length)], ...handles, tf.scalar(rate));
  });
}

function readVariables(variables: ReadonlyMap<string, Variable>): Map<string, Tensor> {
  const handles = handlesOf([...variables.values()]);
  const values = executeMany("FerkitReadVariables", handles.length, [int("N", handles.length)], ...handles);
  return new Map([...variables.keys()].map((name, i) => [name, values[i]]));
}

function assignVariables(
  variables: ReadonlyMap<string, Variable>,
  values: ReadonlyMap<string, Tensor>,
): void {
  if (values.size === 0) return;
  const handles = changingHandlesOf([...values.keys()].map((name) => variables.get(name) as Variable));
  executeMany("FerkitAssignVariables", 0, [int("N", handles.length)], ...handles, ...values.values());
}
