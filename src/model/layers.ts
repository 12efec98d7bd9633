// The layers of an EfficientNet in order, for whoever reads them: training, inference, stock tfjs layers, or counting.
import type { Activation, Architecture, Block } from "./efficientnet.js";

export interface DepthwiseShape {
  kernelSize: number;
  stride: number;
}
export interface ConvShape extends DepthwiseShape {
  filters: number;
}

/** The batch norm that every convolution has after it, and the activation after that. */
export interface Norm {
  name: string;
  activation: Activation;
}

/**
 * What a block's result is added to, where it is: its input. In training the result may be dropped for an image (stochastic depth,
 * Huang et al. 2016).
 */
export interface Residual<X> {
  x: X;
  name: string;
  /** Place of the block in the network, [0, 1). */
  depth: number;
}

/**
 * What a layer does, for one reading of the network: training, inference, the stock tfjs layers, or counting.
 *
 * `X` is what flows through: tensors `[batchSize, height, width, channels]`, symbolic tensors, or shapes.
 * Convolutions pad as TensorFlow's SAME. Names are the parameters' prefixes.
 */
export interface Layers<X> {
  /** Runs the layers of one block; where a reading frees what a block leaves behind, it does so here. */
  scope(block: string, run: () => X): X;
  conv(x: X, name: string, shape: ConvShape, norm: Norm): X;
  depthwiseConv(x: X, name: string, shape: DepthwiseShape, norm: Norm): X;
  /** Scales the channels by a gate computed from their means (Hu et al. 2018); `name` = the block's. */
  squeezeExcite(x: X, name: string, seFilters: number): X;
  /** The 1×1 convolution that ends a block, without activation. */
  project(x: X, name: string, filters: number, norm: string, residual: Residual<X> | null): X;
  /** Mean over height and width, dropout, dense layer: `[batchSize, numClasses]`. */
  classify(x: X, name: string, head: { numClasses: number; dropoutRate: number }): X;
}

/** A 1×1 convolution. */
export const pointwise = (filters: number): ConvShape => ({ kernelSize: 1, stride: 1, filters });

/** Runs the network's layers over `images` in order and returns the logits. */
export function applyEfficientNet<X>(layers: Layers<X>, architecture: Architecture, images: X): X {
  return layers.classify(applyConvolutions(layers, architecture, images), "predictions", architecture);
}

/** Runs all layers but the last and returns the feature map whose mean that one classifies. */
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
