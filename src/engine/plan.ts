// Inference as one call: a plan of the whole network, made once from its weights (native/plan.h).
import type { Plan, PlannedNetwork, Precision, Scaling } from "./backend.js";
import { bool, execute, executeMany, floatType, int, string } from "./execute.js";
import { type Tensor, type Tensor2D, type Tensor4D, tf } from "./tf.js";

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

/** Paddings by the number that the op knows them by. */
const PADDINGS = { same: 0, symmetric: 1, even: 2 };

/** Describes a network in the numbers that the ops read. */
export function describe(network: PlannedNetwork, { mean, std }: Scaling): string {
  const { activation, padding, epsilon, stemFilters, topFilters, numClasses, blocks } = network;
  const numbers = [activation === "relu6" ? 1 : 2, PADDINGS[padding], epsilon, ...mean, ...std];
  const rows = blocks.map((block) => {
    const { kernelSize, stride, filtersIn, filtersOut, expandRatio, seFilters, hasResidual } = block;
    return [kernelSize, stride, filtersIn, filtersOut, expandRatio, seFilters, hasResidual ? 1 : 0];
  });
  return [numbers, [stemFilters, topFilters, numClasses, blocks.length], ...rows].flat().join(" ");
}
