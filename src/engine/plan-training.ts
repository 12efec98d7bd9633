// Training as one call a step: a plan of the whole network on its variables (native/training.h).
import type {
  PlannedNetwork,
  Scaling,
  TrainedVariables,
  TrainingBatch,
  TrainingPlan,
  TrainingPlanOptions,
} from "./backend.js";
import { execute, executeMany, float, int, string } from "./execute.js";
import { describe } from "./plan.js";
import { type Tensor, type Tensor2D, tf } from "./tf.js";
import { handlesOf, noteChange } from "./variable.js";

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
