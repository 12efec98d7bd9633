// timm's names of EfficientNet's parameters, after timm/models/efficientnet.py and _efficientnet_blocks.py.

const LAYERS: Record<string, string> = {
  stem_conv: "conv_stem",
  stem_bn: "bn1",
  top_conv: "conv_head",
  top_bn: "bn2",
  predictions: "classifier",
};
const GATE = { se_reduce: "se.conv_reduce", se_expand: "se.conv_expand" };
/** timm's `InvertedResidual`. */
const EXPANDING_BLOCK: Record<string, string> = {
  expand_conv: "conv_pw",
  expand_bn: "bn1",
  dwconv: "conv_dw",
  bn: "bn2",
  ...GATE,
  project_conv: "conv_pwl",
  project_bn: "bn3",
};
/** timm's `DepthwiseSeparableConv`: the first stage's blocks, which do not expand. */
const SEPARABLE_BLOCK: Record<string, string> = {
  dwconv: "conv_dw",
  bn: "bn1",
  ...GATE,
  project_conv: "conv_pw",
  project_bn: "bn2",
};
const WEIGHTS: Record<string, string> = {
  kernel: "weight",
  depthwise_kernel: "weight",
  bias: "bias",
  gamma: "weight",
  beta: "bias",
  moving_mean: "running_mean",
  moving_variance: "running_var",
};

/**
 * Returns the name that timm gives a parameter: `block2b_dwconv/depthwise_kernel` is `blocks.1.1.conv_dw.weight`.
 *
 * @param parameterName - One of `parameterSpecs`.
 */
export function timmName(parameterName: string): string {
  const [layer, weight] = parameterName.split("/");
  const [, stage, letter, part] = layer.match(/^block(\d)([a-z])_(\w+)$/) ?? [];
  if (!stage) return `${LAYERS[layer]}.${WEIGHTS[weight]}`;
  const block = stage === "1" ? SEPARABLE_BLOCK : EXPANDING_BLOCK;
  const index = letter.charCodeAt(0) - "a".charCodeAt(0);
  return `blocks.${Number(stage) - 1}.${index}.${block[part]}.${WEIGHTS[weight]}`;
}
