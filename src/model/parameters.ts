import type { Padding } from "../engine/kernels.js";
import { ParameterError } from "../errors.js";
import type { AnyText } from "../text.js";
import {
  type Architecture,
  applyEfficientNet,
  type ConvShape,
  type DepthwiseShape,
  efficientNet,
  type Layers,
  type Norm,
  pointwise,
  type Variant,
} from "./efficientnet.js";

/** What a parameter is. Moving statistics are not trained; weight decay applies to kernels only. */
export type ParameterKind = "kernel" | "bias" | "gamma" | "beta" | "movingMean" | "movingVariance";

export interface ParameterSpec {
  /** `block1a_dwconv/depthwise_kernel`: the layer, then the weight, as in Keras. */
  name: string;
  /** Kernels as in TensorFlow: `[height, width, in, out]`, depthwise `[height, width, channels, 1]`, dense `[in, out]`. */
  shape: number[];
  kind: ParameterKind;
}

/** A row of `summary`: a layer, its output shape for one image, and its parameters (moving statistics included). */
export interface LayerSummary {
  layer: string;
  outputShape: number[];
  numParameters: number;
}

interface Shape {
  height: number;
  width: number;
  channels: number;
}

/** Reads the network as shapes and collects each layer's parameters. */
class ShapeLayers implements Layers<Shape> {
  readonly specs: ParameterSpec[] = [];
  readonly summary: LayerSummary[] = [];

  constructor(private readonly padding: Padding) {}

  scope(_block: string, run: () => Shape) {
    return run();
  }

  conv(x: Shape, name: string, { kernelSize, stride, filters }: ConvShape, norm: Norm) {
    const shape = [kernelSize, kernelSize, x.channels, filters];
    const y = this.strided(x, stride, filters);
    return this.batchNorm(this.add(name, y, [{ name: `${name}/kernel`, shape, kind: "kernel" }]), norm);
  }

  depthwiseConv(x: Shape, name: string, { kernelSize, stride }: DepthwiseShape, norm: Norm) {
    const shape = [kernelSize, kernelSize, x.channels, 1];
    const y = this.strided(x, stride, x.channels);
    return this.batchNorm(
      this.add(name, y, [{ name: `${name}/depthwise_kernel`, shape, kind: "kernel" }]),
      norm,
    );
  }

  squeezeExcite(x: Shape, name: string, seFilters: number) {
    const gate = { height: 1, width: 1, channels: seFilters };
    this.add(`${name}_se_reduce`, gate, [
      { name: `${name}_se_reduce/kernel`, shape: [1, 1, x.channels, seFilters], kind: "kernel" },
      { name: `${name}_se_reduce/bias`, shape: [seFilters], kind: "bias" },
    ]);
    this.add(`${name}_se_expand`, { ...gate, channels: x.channels }, [
      { name: `${name}_se_expand/kernel`, shape: [1, 1, seFilters, x.channels], kind: "kernel" },
      { name: `${name}_se_expand/bias`, shape: [x.channels], kind: "bias" },
    ]);
    return x;
  }

  project(x: Shape, name: string, filters: number, norm: string) {
    return this.conv(x, name, pointwise(filters), { name: norm, activation: "linear" });
  }

  classify(x: Shape, name: string, { numClasses }: { numClasses: number }) {
    return this.add(name, { height: 1, width: 1, channels: numClasses }, [
      { name: `${name}/kernel`, shape: [x.channels, numClasses], kind: "kernel" },
      { name: `${name}/bias`, shape: [numClasses], kind: "bias" },
    ]);
  }

  private strided({ height, width }: Shape, stride: number, channels: number): Shape {
    const round = this.padding === "even" ? Math.floor : Math.ceil;
    return { height: round(height / stride), width: round(width / stride), channels };
  }

  private batchNorm(x: Shape, { name }: Norm) {
    const shape = [x.channels];
    return this.add(name, x, [
      { name: `${name}/gamma`, shape, kind: "gamma" },
      { name: `${name}/beta`, shape, kind: "beta" },
      { name: `${name}/moving_mean`, shape, kind: "movingMean" },
      { name: `${name}/moving_variance`, shape, kind: "movingVariance" },
    ]);
  }

  private add(layer: string, output: Shape, specs: ParameterSpec[]): Shape {
    this.specs.push(...specs);
    const numParameters = specs.reduce((total, { shape }) => total + sizeOf(shape), 0);
    this.summary.push({ layer, outputShape: [output.height, output.width, output.channels], numParameters });
    return output;
  }
}

/** Lists every parameter of a variant, in the order in which the layers run. */
export function parameterSpecs(variant: Variant, numClasses: number): ParameterSpec[] {
  return read(efficientNet(variant, numClasses), 32).specs;
}

/** Lists the network's layers for images of `imageSize` pixels. */
export function summary(architecture: Architecture, imageSize: number): LayerSummary[] {
  return read(architecture, imageSize).summary;
}

/**
 * Counts the trained parameters as papers do: without the moving statistics.
 *
 * @param numClasses - Outputs of the last layer.
 * @param trainableFrom - First block that counts; those before are frozen. Default: all count.
 * @example
 * ```ts
 * import { countParameters } from "ferkit";
 *
 * console.log(countParameters("lite0", 7)); // the whole network
 * console.log(countParameters("lite0", 7, "predictions")); // the last layer
 * ```
 */
export function countParameters(
  variant: Variant,
  numClasses: number,
  trainableFrom: BlockText = "stem",
): number {
  const blocks = trainableBlocks(efficientNet(variant, numClasses), trainableFrom);
  return parameterSpecs(variant, numClasses)
    .filter((spec) => isTrainable(spec) && blocks.has(blockOf(spec.name)))
    .reduce((total, { shape }) => total + sizeOf(shape), 0);
}

export function isTrainable({ kind }: ParameterSpec): boolean {
  return kind !== "movingMean" && kind !== "movingVariance";
}

/** Returns the block that a parameter or a layer belongs to: `stem`, `block1a`, …, `top`, `predictions`. */
export function blockOf(name: string): string {
  return name.split(/[_/]/, 1)[0];
}

/** Name of the first block of a stage, or of another block of a variant, which is checked. */
export type BlockText = "stem" | `block${1 | 2 | 3 | 4 | 5 | 6 | 7}a` | "top" | "predictions" | AnyText;

/** Lists the names of the blocks from input to output. */
export function blockNames(architecture: Architecture): string[] {
  return ["stem", ...architecture.blocks.map(({ name }) => name), "top", "predictions"];
}

/**
 * Returns the blocks that train if all before `trainableFrom` are frozen.
 *
 * @throws ParameterError if there is no block of that name.
 */
export function trainableBlocks(architecture: Architecture, trainableFrom: string): Set<string> {
  const names = blockNames(architecture);
  const first = names.indexOf(trainableFrom);
  if (first < 0) throw new ParameterError("trainableFrom", `one of ${names.join(", ")}`, trainableFrom);
  return new Set(names.slice(first));
}

function read(architecture: Architecture, imageSize: number): ShapeLayers {
  const layers = new ShapeLayers(architecture.padding);
  applyEfficientNet(layers, architecture, { height: imageSize, width: imageSize, channels: 3 });
  return layers;
}

/** Returns the number of values in a tensor of a shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, dimension) => product * dimension, 1);
}
