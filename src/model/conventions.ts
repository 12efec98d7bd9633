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

/** Tags that timm and efficientnet-pytorch give to weights by how they were trained. They tell mean and deviation. */
const SCALES: readonly { tags: RegExp; scale: Preprocessing }[] = [
  { tags: /^(ap|advprop|adv|ra4_e\d+_r\d+)(_in1k)?$/, scale: UNIT },
  {
    tags: /^((in1k|untrained)|(aa|ra|ra2|ra2_320|ft|ns|ns_jft|sw_in12k_ft)(_in1k)?|sw_in12k)?$/,
    scale: IMAGENET,
  },
];

/**
 * Returns the mean and deviation that weights of B0 to B8 were trained with, by their published name, such as
 * `tf_efficientnet_b0.ap_in1k` or `adv-efficientnet-b0-b64d5a18.pth`; null if it has another tag, or is none.
 *
 * @see timm's `default_cfgs` (as of 1.0.31), in the file above; and `VALID_MODELS` of efficientnet-pytorch,
 * https://github.com/lukemelas/EfficientNet-PyTorch
 */
export function publishedScale(name: string): Preprocessing | null {
  const plain = name.replace(/\.(pth|pt|bin|safetensors)$/, "").replace(/-[0-9a-f]{8}$/, "");
  const match = /(?:^|[^a-z])(adv-)?(?:tf_)?efficientnet[-_]b\d(?:[._](.*))?$/.exec(plain);
  if (!match) return null;
  const [, adversarial, tag = ""] = match;
  const known = SCALES.find(({ tags }) => tags.test(adversarial ? "adv" : tag));
  return known ? structuredClone(known.scale) : null;
}

/**
 * Returns the conventions of a family; TensorFlow's are those of the published weights, which random weights get too.
 *
 * @see timm's `default_cfgs` of `tf_efficientnet_lite*.in1k` and `tf_efficientnet_b*.ns_jft_in1k`,
 * https://github.com/huggingface/pytorch-image-models/blob/main/timm/models/efficientnet.py
 */
export function conventions(variant: Variant, family: Family = "tensorflow"): Conventions {
  const isTensorflow = family === "tensorflow";
  const hasLargeEpsilon = isTensorflow || (family === "torchvision" && /^b[567]$/.test(variant));
  return {
    padding: isTensorflow ? "same" : "symmetric",
    epsilon: hasLargeEpsilon ? 1e-3 : 1e-5,
    preprocessing: structuredClone(variant.startsWith("lite") && isTensorflow ? UNIT : IMAGENET),
  };
}
