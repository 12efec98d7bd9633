// The names that publishers of EfficientNet give to its parameters.
import type { Family } from "../conventions.js";
import type { ParameterSpec } from "../parameters.js";

export interface Naming {
  publisher: string;
  /** Order of a tensor's axes. */
  layout: "torch" | "keras";
  /** Family of all weights that have these names; null if the names do not tell. */
  family: Family | null;
  /** Matches the names of all layers but the last. */
  backbone: RegExp;
  /** Returns the tensor's name of each parameter, by the parameter's name. */
  names(specs: readonly ParameterSpec[]): Map<string, string>;
}

/** A layer in a block of the network. */
interface Part {
  /** 1–7. */
  stage: number;
  /** Index of the block in its stage, and in the network. */
  index: number;
  block: number;
  /** `expand_conv`, `expand_bn`, `dwconv`, `bn`, `se_reduce`, `se_expand`, `project_conv` or `project_bn`. */
  layer: string;
}

const TORCH_WEIGHTS: Record<string, string> = {
  kernel: "weight",
  depthwise_kernel: "weight",
  bias: "bias",
  gamma: "weight",
  beta: "bias",
  moving_mean: "running_mean",
  moving_variance: "running_var",
};

/** Names a tensor by its layer, then by its weight in torch. */
function torchNames(layers: Record<string, string>, nameOfPart: (part: Part) => string): Naming["names"] {
  return (specs) => {
    const blocks: string[] = [];
    return new Map(
      specs.map(({ name }) => {
        const [layerName, weight] = name.split("/");
        const [, block, stage, letter, layer] = layerName.match(/^(block(\d)([a-z]))_(\w+)$/) ?? [];
        if (block && block !== blocks.at(-1)) blocks.push(block);
        const index = letter?.charCodeAt(0) - "a".charCodeAt(0);
        const own = block
          ? nameOfPart({ stage: Number(stage), index, block: blocks.length - 1, layer })
          : layers[layerName];
        return [name, `${own}.${TORCH_WEIGHTS[weight]}`];
      }),
    );
  };
}

/** timm, of which two families have the same names: `tf_efficientnet_*` and `efficientnet_*`. */
const TIMM: Naming = {
  publisher: "timm",
  layout: "torch",
  family: null,
  backbone: /^(conv_stem|bn1|blocks|conv_head|bn2)\./,
  names: torchNames(
    {
      stem_conv: "conv_stem",
      stem_bn: "bn1",
      top_conv: "conv_head",
      top_bn: "bn2",
      predictions: "classifier",
    },
    ({ stage, index, layer }) => {
      const gate = { se_reduce: "se.conv_reduce", se_expand: "se.conv_expand" };
      const separable = { dwconv: "conv_dw", bn: "bn1", project_conv: "conv_pw", project_bn: "bn2" };
      const inverted = {
        expand_conv: "conv_pw",
        expand_bn: "bn1",
        dwconv: "conv_dw",
        bn: "bn2",
        project_conv: "conv_pwl",
        project_bn: "bn3",
      };
      // The blocks of the first stage do not expand.
      const layers: Record<string, string> = { ...gate, ...(stage === 1 ? separable : inverted) };
      return `blocks.${stage - 1}.${index}.${layers[layer]}`;
    },
  ),
};

const TORCHVISION: Naming = {
  publisher: "torchvision",
  layout: "torch",
  family: "torchvision",
  backbone: /^features\./,
  names: torchNames(
    {
      stem_conv: "features.0.0",
      stem_bn: "features.0.1",
      top_conv: "features.8.0",
      top_bn: "features.8.1",
      predictions: "classifier.1",
    },
    ({ stage, index, layer }) => {
      const [expand, depthwise, gate, project] = stage === 1 ? [-1, 0, 1, 2] : [0, 1, 2, 3];
      const layers: Record<string, string> = {
        expand_conv: `${expand}.0`,
        expand_bn: `${expand}.1`,
        dwconv: `${depthwise}.0`,
        bn: `${depthwise}.1`,
        se_reduce: `${gate}.fc1`,
        se_expand: `${gate}.fc2`,
        project_conv: `${project}.0`,
        project_bn: `${project}.1`,
      };
      return `features.${stage}.${index}.block.${layers[layer]}`;
    },
  ),
};

/** The packages efficientnet-pytorch and efficientnet-lite-pytorch, whose weights were converted from TensorFlow's. */
const EFFICIENTNET_PYTORCH: Naming = {
  publisher: "efficientnet-pytorch",
  layout: "torch",
  family: "tensorflow",
  backbone: /^_(conv_stem|bn0|blocks|conv_head|bn1)\./,
  names: torchNames(
    {
      stem_conv: "_conv_stem",
      stem_bn: "_bn0",
      top_conv: "_conv_head",
      top_bn: "_bn1",
      predictions: "_fc",
    },
    ({ block, layer }) => {
      const layers: Record<string, string> = {
        expand_conv: "_expand_conv",
        expand_bn: "_bn0",
        dwconv: "_depthwise_conv",
        bn: "_bn1",
        se_reduce: "_se_reduce",
        se_expand: "_se_expand",
        project_conv: "_project_conv",
        project_bn: "_bn2",
      };
      return `_blocks.${block}.${layers[layer]}`;
    },
  ),
};

/** Keras 3, which numbers the layers of each kind: `conv2d_3/vars/0` is the kernel of the fourth convolution. */
const KERAS: Naming = {
  publisher: "Keras",
  layout: "keras",
  family: "tensorflow",
  backbone: /^((depthwise_)?conv2d|(batch_)?normalization)(_\d+)?\//,
  names(specs) {
    const counts: Record<string, number> = {};
    const layers = new Map<string, string>();
    return new Map(
      specs.map(({ name, kind }) => {
        const [layer, weight] = name.split("/");
        if (!layers.has(layer)) {
          const type =
            layer === "predictions"
              ? "dense"
              : weight === "depthwise_kernel"
                ? "depthwise_conv2d"
                : kind === "gamma"
                  ? "batch_normalization"
                  : "conv2d";
          const count = counts[type] ?? 0;
          counts[type] = count + 1;
          layers.set(layer, count ? `${type}_${count}` : type);
        }
        const index = { beta: 1, bias: 1, moving_mean: 2, moving_variance: 3 }[weight] ?? 0;
        return [name, `${layers.get(layer)}/vars/${index}`];
      }),
    );
  },
};

/** Keras before version 3, by its layers' names, which are also those here. */
const KERAS_LAYERS: Naming = {
  publisher: "Keras",
  layout: "keras",
  family: "tensorflow",
  backbone: /^(stem|block\d[a-z]|top)_/,
  names: (specs) => new Map(specs.map(({ name }) => [name, name])),
};

export const NAMINGS: readonly Naming[] = [TIMM, TORCHVISION, EFFICIENTNET_PYTORCH, KERAS, KERAS_LAYERS];
