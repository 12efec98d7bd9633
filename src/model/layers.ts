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
  /**
   * `x + branch`; in training the branch may be dropped for an image (stochastic depth, Huang et al. 2016).
   *
   * @param depth - Place of the block in the network, [0, 1).
   */
  residual(x: X, branch: X, name: string, depth: number): X;
  /** Mean over height and width, dropout, dense layer: `[batchSize, numClasses]`. */
  classify(x: X, name: string, head: { numClasses: number; dropoutRate: number }): X;
}

/** Runs the network's layers over `images` in order and returns the logits. */
export function applyEfficientNet<X>(layers: Layers<X>, architecture: Architecture, images: X): X {
  const { activation, blocks, stemFilters, topFilters } = architecture;
  let x = layers.scope("stem", () => {
    const shape = { kernelSize: 3, stride: 2, filters: stemFilters };
    return layers.conv(images, "stem_conv", shape, { name: "stem_bn", activation });
  });
  blocks.forEach((block, index) => {
    const input = x;
    x = layers.scope(block.name, () => applyBlock(layers, block, activation, input, index / blocks.length));
  });
  x = layers.scope("top", () => {
    const shape = { kernelSize: 1, stride: 1, filters: topFilters };
    return layers.conv(x, "top_conv", shape, { name: "top_bn", activation });
  });
  return layers.classify(x, "predictions", architecture);
}

function applyBlock<X>(layers: Layers<X>, block: Block, activation: Activation, x: X, depth: number): X {
  const { name, kernelSize, stride, filtersIn, filtersOut, expandRatio } = block;
  const pointwise = { kernelSize: 1, stride: 1 };
  let h = x;
  if (expandRatio !== 1) {
    const shape = { ...pointwise, filters: filtersIn * expandRatio };
    h = layers.conv(h, `${name}_expand_conv`, shape, { name: `${name}_expand_bn`, activation });
  }
  h = layers.depthwiseConv(h, `${name}_dwconv`, { kernelSize, stride }, { name: `${name}_bn`, activation });
  if (block.seFilters) h = layers.squeezeExcite(h, name, block.seFilters);
  const shape = { ...pointwise, filters: filtersOut };
  h = layers.conv(h, `${name}_project_conv`, shape, { name: `${name}_project_bn`, activation: "linear" });
  return block.hasResidual ? layers.residual(x, h, name, depth) : h;
}
