// EfficientNet from one stage table, after Tan & Le 2019 (https://arxiv.org/abs/1905.11946) and the Lite variants of
// https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite; layer names as in Keras.
import type { Activation, PlannedBlock, PlannedNetwork } from "../engine/backend.js";
import type { Padding } from "../engine/kernels.js";
import { checkChoice, checkNumber } from "../errors.js";

/** A row of the paper's table 1: equal blocks in a row, before scaling. */
interface Stage {
  kernelSize: 3 | 5;
  repeats: number;
  filters: number;
  expandRatio: number;
  /** Stride of the first block; the others have 1. */
  stride: 1 | 2;
}

const STAGES: readonly Stage[] = [
  { kernelSize: 3, repeats: 1, filters: 16, expandRatio: 1, stride: 1 },
  { kernelSize: 3, repeats: 2, filters: 24, expandRatio: 6, stride: 2 },
  { kernelSize: 5, repeats: 2, filters: 40, expandRatio: 6, stride: 2 },
  { kernelSize: 3, repeats: 3, filters: 80, expandRatio: 6, stride: 2 },
  { kernelSize: 5, repeats: 3, filters: 112, expandRatio: 6, stride: 1 },
  { kernelSize: 5, repeats: 4, filters: 192, expandRatio: 6, stride: 2 },
  { kernelSize: 3, repeats: 1, filters: 320, expandRatio: 6, stride: 1 },
];
const STEM_FILTERS = 32;
const TOP_FILTERS = 1280;
/** Squeeze-and-excite: share of the block's input channels that the bottleneck keeps. */
const SE_RATIO = 0.25;
/** Filters are rounded to multiples of this after scaling. */
const FILTER_DIVISOR = 8;

/** How a variant scales the network. */
interface Scaling {
  /** Factor of the number of channels. */
  widthCoefficient: number;
  /** Factor of the number of layers. */
  depthCoefficient: number;
  /** Input side that the published weights were trained at, in pixels. */
  imageSize: number;
  /** Dropout before the last layer in the published training, [0, 1). */
  dropoutRate: number;
}

const scaling = (
  widthCoefficient: number,
  depthCoefficient: number,
  imageSize: number,
  dropoutRate: number,
): Scaling => ({ widthCoefficient, depthCoefficient, imageSize, dropoutRate });

/**
 * Published sizes of EfficientNet, by name: the factors of its width and depth, the side of the images that it was made for, and its
 * dropout. Lite has ReLU6, no squeeze-and-excite, and an unscaled stem and top.
 *
 * @see Tan & Le 2019, https://arxiv.org/abs/1905.11946
 * @example
 * ```ts
 * import { VARIANTS } from "ferkit";
 *
 * for (const [variant, { imageSize }] of Object.entries(VARIANTS)) console.log(variant, imageSize);
 * ```
 */
export const VARIANTS = {
  lite0: scaling(1.0, 1.0, 224, 0.2),
  lite1: scaling(1.0, 1.1, 240, 0.2),
  lite2: scaling(1.1, 1.2, 260, 0.3),
  lite3: scaling(1.2, 1.4, 280, 0.3),
  lite4: scaling(1.4, 1.8, 300, 0.3),
  b0: scaling(1.0, 1.0, 224, 0.2),
  b1: scaling(1.0, 1.1, 240, 0.2),
  b2: scaling(1.1, 1.2, 260, 0.3),
  b3: scaling(1.2, 1.4, 300, 0.3),
  b4: scaling(1.4, 1.8, 380, 0.4),
  b5: scaling(1.6, 2.2, 456, 0.4),
  b6: scaling(1.8, 2.6, 528, 0.5),
  b7: scaling(2.0, 3.1, 600, 0.5),
} as const satisfies Record<string, Scaling>;

/**
 * Size of EfficientNet: `lite0` to `lite4`, `b0` to `b7`.
 *
 * @example
 * ```ts
 * import { countParameters, type Variant } from "ferkit";
 *
 * const variants: Variant[] = ["lite0", "b0"];
 * for (const variant of variants) console.log(variant, countParameters(variant, 7));
 * ```
 */
export type Variant = keyof typeof VARIANTS;

/** A block of a variant, scaled. */
export interface Block extends PlannedBlock {
  /** `block1a`, `block2a`, `block2b`, …: the stage, then the block's index in it as a letter. */
  name: string;
}

export interface Architecture extends PlannedNetwork {
  variant: Variant;
  blocks: Block[];
  dropoutRate: number;
}

/** Scales the stage table to a variant, with a last layer of `numClasses` (≥ 2); by default by TensorFlow's conventions. */
export function efficientNet(
  variant: Variant,
  numClasses: number,
  { padding = "same", epsilon = 1e-3 }: { padding?: Padding; epsilon?: number } = {},
): Architecture {
  checkChoice("variant", variant, Object.keys(VARIANTS));
  checkNumber("numClasses", numClasses, { min: 2, integer: true });
  const { widthCoefficient, depthCoefficient, dropoutRate } = VARIANTS[variant];
  const isLite = variant.startsWith("lite");
  const width = (filters: number) => roundFilters(filters * widthCoefficient);
  const stemFilters = isLite ? STEM_FILTERS : width(STEM_FILTERS);
  const blocks: Block[] = [];
  let filtersIn = stemFilters;
  STAGES.forEach((stage, s) => {
    const isFirstOrLast = s === 0 || s === STAGES.length - 1;
    const repeats = isLite && isFirstOrLast ? stage.repeats : Math.ceil(stage.repeats * depthCoefficient);
    const filtersOut = width(stage.filters);
    for (let i = 0; i < repeats; i++) {
      const stride = i === 0 ? stage.stride : 1;
      blocks.push({
        name: `block${s + 1}${String.fromCharCode("a".charCodeAt(0) + i)}`,
        kernelSize: stage.kernelSize,
        stride,
        filtersIn,
        filtersOut,
        expandRatio: stage.expandRatio,
        seFilters: isLite ? 0 : Math.max(1, Math.floor(filtersIn * SE_RATIO)),
        hasResidual: stride === 1 && filtersIn === filtersOut,
      });
      filtersIn = filtersOut;
    }
  });
  return {
    variant,
    activation: isLite ? "relu6" : "swish",
    padding,
    epsilon,
    stemFilters,
    blocks,
    topFilters: isLite ? TOP_FILTERS : width(TOP_FILTERS),
    dropoutRate,
    numClasses,
  };
}

/** Rounds to a multiple of the divisor, never down by more than a tenth (reference code's rule). */
function roundFilters(filters: number): number {
  const rounded = Math.max(
    FILTER_DIVISOR,
    Math.floor((filters + FILTER_DIVISOR / 2) / FILTER_DIVISOR) * FILTER_DIVISOR,
  );
  return rounded < 0.9 * filters ? rounded + FILTER_DIVISOR : rounded;
}

export interface DepthwiseShape {
  kernelSize: number;
  stride: number;
}
export interface ConvShape extends DepthwiseShape {
  filters: number;
}

/** The batch norm after a convolution, and the activation after that. */
export interface Norm {
  name: string;
  activation: Activation;
}

/**
 * A block's input, which its result is added to. In training the result may be dropped for an image (stochastic depth, Huang et
 * al. 2016).
 */
export interface Residual<X> {
  x: X;
  name: string;
  /** How deep in the network the block is, [0, 1). */
  depth: number;
}

/**
 * What each layer does, in one reading of the network: it runs (`forward.ts`), becomes a Keras layer (`keras.ts`) or ONNX
 * operators (`onnx/graph.ts`), or is counted (`parameters.ts`).
 *
 * `X` is what flows through: features, symbolic tensors, or shapes. Names are the prefixes of the
 * parameters' names.
 */
export interface Layers<X> {
  /** Runs the layers of one block; a reading may free here what the block leaves behind. */
  scope(block: string, run: () => X): X;
  conv(x: X, name: string, shape: ConvShape, norm: Norm): X;
  depthwiseConv(x: X, name: string, shape: DepthwiseShape, norm: Norm): X;
  /** Scales the channels by a gate computed from their means (Hu et al. 2018). */
  squeezeExcite(x: X, block: string, seFilters: number): X;
  /** The 1×1 convolution that ends a block, without activation. */
  project(x: X, name: string, filters: number, norm: string, residual: Residual<X> | null): X;
  /** Takes the mean over height and width, then dropout and a dense layer: `[batchSize, numClasses]`. */
  classify(x: X, name: string, head: { numClasses: number; dropoutRate: number }): X;
}

/** Returns the shape of a 1×1 convolution. */
export const pointwise = (filters: number): ConvShape => ({ kernelSize: 1, stride: 1, filters });

/** Runs the network's layers over `images` in order and returns the logits. */
export function applyEfficientNet<X>(layers: Layers<X>, architecture: Architecture, images: X): X {
  return layers.classify(applyConvolutions(layers, architecture, images), "predictions", architecture);
}

/** Runs all layers but the last and returns the feature map, whose mean the last one classifies. */
export function applyConvolutions<X>(layers: Layers<X>, architecture: Architecture, images: X): X {
  const { activation, blocks, stemFilters, topFilters } = architecture;
  let x = layers.scope("stem", () => {
    const shape = { kernelSize: 3, stride: 2, filters: stemFilters };
    return layers.conv(images, "stem_conv", shape, { name: "stem_bn", activation });
  });
  blocks.forEach((block, index) => {
    const input = x;
    x = layers.scope(block.name, () => applyBlock(layers, block, activation, input, index / blocks.length));
  });
  return layers.scope("top", () => {
    return layers.conv(x, "top_conv", pointwise(topFilters), { name: "top_bn", activation });
  });
}

function applyBlock<X>(layers: Layers<X>, block: Block, activation: Activation, x: X, depth: number): X {
  const { name, kernelSize, stride, filtersIn, filtersOut, expandRatio } = block;
  let h = x;
  if (expandRatio !== 1) {
    const shape = pointwise(filtersIn * expandRatio);
    h = layers.conv(h, `${name}_expand_conv`, shape, { name: `${name}_expand_bn`, activation });
  }
  h = layers.depthwiseConv(h, `${name}_dwconv`, { kernelSize, stride }, { name: `${name}_bn`, activation });
  if (block.seFilters) h = layers.squeezeExcite(h, name, block.seFilters);
  const residual = block.hasResidual ? { x, name: `${name}_add`, depth } : null;
  return layers.project(h, `${name}_project_conv`, filtersOut, `${name}_project_bn`, residual);
}
