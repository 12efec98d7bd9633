// Inference as one call: a plan of the whole network, made once from its weights (native/plan.h).
import type { Activation } from "./backend.js";
import { bool, execute, executeMany, floatType, int, string } from "./execute.js";
import { type Tensor, type Tensor2D, type Tensor4D, tf } from "./tf.js";

/** Type of the numbers that are multiplied; sums are float32 in both. */
export type Precision = "float32" | "bfloat16";

/** What a plan needs to know of a network, as an `Architecture` has it. */
export interface PlannedNetwork {
  activation: Activation;
  /** Added to the variance in every batch norm. */
  epsilon: number;
  stemFilters: number;
  blocks: readonly {
    kernelSize: number;
    stride: number;
    filtersIn: number;
    filtersOut: number;
    expandRatio: number;
    /** Channels of the squeeze-and-excite bottleneck; 0 = none. */
    seFilters: number;
    hasResidual: boolean;
  }[];
  topFilters: number;
  numClasses: number;
}

/** The network of some weights, ready to run. Dispose it when done. */
export class Plan {
  private readonly handle: Tensor;

  /**
   * @param scaling - Pixels of 0–255 become `(x − mean) / std`, by channel.
   * @param weights - All parameters in the order in which the layers run; not needed afterwards.
   */
  constructor(
    network: PlannedNetwork,
    scaling: { mean: number[]; std: number[] },
    weights: Tensor[],
    precision: Precision = "float32",
  ) {
    const attributes = [
      int("N", weights.length),
      string("network", describe(network, scaling)),
      string("precision", precision),
    ];
    this.handle = tf.keep(execute("FerkitPlanBuild", attributes, ...weights));
  }

  /**
   * Computes the logits of a batch.
   *
   * @param images - Pixels of 0–255 `[batchSize, height, width, 3]`.
   * @returns `[batchSize, numClasses]`; the caller disposes it.
   */
  logits(images: Tensor4D): Tensor2D {
    return this.run(images, false) as Tensor2D;
  }

  /** Computes the feature map whose mean the last layer takes, `[batchSize, height, width, channels]`; the caller disposes it. */
  features(images: Tensor4D): Tensor4D {
    return this.run(images, true) as Tensor4D;
  }

  private run(images: Tensor4D, features: boolean): Tensor {
    return execute("FerkitPlanRun", [floatType(), bool("features", features)], this.handle, images);
  }

  dispose(): void {
    executeMany("FerkitPlanFree", 0, [], this.handle);
    this.handle.dispose();
  }
}

/** Describes a network in the numbers that the op reads. */
function describe(network: PlannedNetwork, { mean, std }: { mean: number[]; std: number[] }): string {
  const { activation, epsilon, stemFilters, topFilters, numClasses, blocks } = network;
  const head = [activation === "relu6" ? 1 : 2, epsilon, 0, ...mean, ...std];
  const rows = blocks.map((block) => {
    const { kernelSize, stride, filtersIn, filtersOut, expandRatio, seFilters, hasResidual } = block;
    return [kernelSize, stride, filtersIn, filtersOut, expandRatio, seFilters, hasResidual ? 1 : 0];
  });
  return [head, [stemFilters, topFilters, numClasses, blocks.length], ...rows].flat().join(" ");
}
