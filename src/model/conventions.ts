// What a network computes besides its weights. Publishers of EfficientNet differ in it though names and shapes may be the same.
import type { Padding } from "../engine/kernels.js";
import type { Variant } from "./efficientnet.js";
import type { Preprocessing } from "./preprocessing.js";

/** What a network computes besides its weights. */
export interface Conventions {
  /** Padding of convolutions. */
  padding: Padding;
  /** Added to the variance in every batch norm. */
  epsilon: number;
  /** How pixels become the input. */
  preprocessing: Preprocessing;
}

/**
 * Whose conventions weights were trained by.
 *
 * - `tensorflow`: Google's, Keras', and timm's `tf_efficientnet` models.
 * - `pytorch`: timm's other `efficientnet` models.
 * - `torchvision`: the same, but with TensorFlow's epsilon in B5 to B7.
 */
export const FAMILIES = ["tensorflow", "pytorch", "torchvision"] as const;
export type Family = (typeof FAMILIES)[number];

/** Channel means and deviations of ImageNet's photographs, scaled from [0, 1]. */
const IMAGENET: Preprocessing = { mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375] };
/** To [-1, 1]. */
const UNIT: Preprocessing = { mean: [127.5, 127.5, 127.5], std: [127.5, 127.5, 127.5] };

/**
 * Returns the conventions of a family; TensorFlow's are those of the published weights, which random weights get too.
 *
 * @see timm's `default_cfgs` of `tf_efficientnet_lite*.in1k` and `tf_efficientnet_b*.ns_jft_in1k`,
 * https://github.com/huggingface/pytorch-image-models/blob/main/timm/models/efficientnet.py
 */
export function conventions(variant: Variant, family: Family = "tensorflow"): Conventions {
  const isTensorflow = family === "tensorflow";
  const { mean, std } = variant.startsWith("lite") && isTensorflow ? UNIT : IMAGENET;
  const hasLargeEpsilon = isTensorflow || (family === "torchvision" && /^b[567]$/.test(variant));
  return {
    padding: isTensorflow ? "same" : "symmetric",
    epsilon: hasLargeEpsilon ? 1e-3 : 1e-5,
    preprocessing: { mean: [...mean], std: [...std] },
  };
}
