// Inference as one call, and training as one call a step: plans of the whole network (native/plan.h and native/training.h).
import type {
  Plan,
  PlannedNetwork,
  Precision,
  Scaling,
  TrainedVariables,
  TrainingBatch,
  TrainingPlan,
  TrainingPlanOptions,
} from "./backend.js";
import { bool, execute, executeMany, float, floatType, int, string } from "./execute.js";
import { type Tensor, type Tensor2D, type Tensor4D, tf } from "./tf.js";
import { handlesOf, noteChange } from "./variable.js";

/** Builds a plan of our C++ ops. */
export function buildPlan(
  network: PlannedNetwork,
  scaling: Scaling,
  weights: Tensor[],
  precision: Precision,
): Plan {
  const attributes = [
    int("N", weights.length),
    string("network", describe(network, scaling)),
    string("precision", precision),
  ];
  const handle = tf.keep(execute("FerkitPlanBuild", attributes, ...weights));
  const run = (images: Tensor4D, features: boolean) =>
    execute("FerkitPlanRun", [floatType(), bool("features", features)], handle, images);
  return {
    logits: (images) => run(images, false) as Tensor2D,
    features: (images) => run(images, true) as Tensor4D,
    dispose() {
      executeMany("FerkitPlanFree", 0, [], handle);
      handle.dispose();
    },
  };
}

/** Returns Adam's step sizes, with bias correction, of parameters that have had `counts` updates. */
export function stepSizes(
  counts: readonly number[],
  rates: { learningRate: number; beta1: number; beta2: number },
): number[] {
  // As the ops have them: 1 − 0.999 in float32 differs by 5e-5, which would not cancel.
  const [beta1, beta2] = [rates.beta1, rates.beta2].map(Math.fround);
  return counts.map((count) => (rates.learningRate * Math.sqrt(1 - beta2 ** count)) / (1 - beta1 ** count));
}

/** Builds a training plan of our C++ ops. */
export function buildTrainingPlan(
  network: PlannedNetwork,
  scaling: Scaling,
  variables: TrainedVariables,
  options: TrainingPlanOptions,
): TrainingPlan {
  const { values, first, second, emas } = variables;
  const { batchNormMomentum, dropoutRate, dropPathRate, firstTrained, activations } = options;
  const numbers = [batchNormMomentum, dropoutRate, dropPathRate, firstTrained, +(activations === "bfloat16")];
  const attributes = [
    int("N", values.length),
    int("M", first.length),
    int("E", emas.length),
    string("network", describe(network, scaling)),
    string("options", numbers.join(" ")),
  ];
  const all = [...values, ...first, ...second, ...emas];
  const handle = tf.keep(execute("FerkitTrainingBuild", attributes, ...handlesOf(all)));
  const rateAttributes = [
    float("beta1", options.beta1),
    float("beta2", options.beta2),
    float("epsilon", options.epsilon),
  ];
  const inputs = ({ images, targets, exampleWeights, seed }: TrainingBatch) => [
    handle,
    images,
    targets,
    exampleWeights,
    tf.scalar(seed, "int32"),
  ];
  return {
    step(batch, { learningRate, counts, decays, emaRate }) {
      const [loss, logits] = tf.tidy(() => {
        const sizes = stepSizes(counts, { ...options, learningRate });
        const rates = [tf.tensor1d(sizes), tf.tensor1d(decays), tf.scalar(emaRate)];
        return executeMany("FerkitTrainingStep", 2, rateAttributes, ...inputs(batch), ...rates);
      });
      noteChange(all);
      return { loss, logits: logits as Tensor2D };
    },
    gradients(batch) {
      const attributes = [int("N", values.length)];
      const run = () =>
        executeMany("FerkitTrainingGradients", 2 + values.length, attributes, ...inputs(batch));
      const [loss, logits, ...results] = tf.tidy(run) as [Tensor, Tensor2D, ...Tensor[]];
      return { loss, logits, results };
    },
    dispose() {
      executeMany("FerkitTrainingFree", 0, [], handle);
      handle.dispose();
    },
  };
}

/** Activations and paddings by the numbers that the ops know them by. */
export const ACTIVATION_NUMBERS = { linear: 0, relu6: 1, swish: 2 };
export const PADDING_NUMBERS = { same: 0, symmetric: 1, even: 2 };

/** Describes a network in the numbers that the ops read. */
function describe(network: PlannedNetwork, { mean, std }: Scaling): string {
  const { activation, padding, epsilon, stemFilters, topFilters, numClasses, blocks } = network;
  const numbers = [ACTIVATION_NUMBERS[activation], PADDING_NUMBERS[padding], epsilon, ...mean, ...std];
  const rows = blocks.map((block) => {
    const { kernelSize, stride, filtersIn, filtersOut, expandRatio, seFilters, hasResidual } = block;
    return [kernelSize, stride, filtersIn, filtersOut, expandRatio, seFilters, hasResidual ? 1 : 0];
  });
  return [numbers, [stemFilters, topFilters, numClasses, blocks.length], ...rows].flat().join(" ");
}
