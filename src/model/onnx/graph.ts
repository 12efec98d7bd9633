// The network as an ONNX graph: from pixels to probabilities, with nothing left to do outside of it but to cut and resize images.
import { zerosAround } from "../../engine/kernels.js";
import {
  type Architecture,
  applyEfficientNet,
  type ConvShape,
  type DepthwiseShape,
  efficientNet,
  type Layers,
  type Norm,
  pointwise,
  type Residual,
} from "../efficientnet.js";
import type { ModelConfig, ParameterValue } from "../network.js";
import { LUMA } from "../preprocessing.js";
import { precisionOf } from "../weights/model-folder.js";
import { pack, type StoredPrecision } from "../weights/quantization.js";
import { ELEMENT_TYPES, type Graph, type GraphNode, type GraphValue, type Initializer } from "./messages.js";

/**
 * What a graph takes and gives.
 *
 * - `pixels`: `images`, uint8 `[batch, imageSize, imageSize, 3]` to `probs`. Bytes cannot be scaled twice, or not at all.
 * - `transformers`: `pixel_values`, float32 `[batch, 3, imageSize, imageSize]` of 0–255 to `logits`, as Hugging Face's libraries
 *   name them.
 */
export type GraphForm = "pixels" | "transformers";

type Parameters = ReadonlyMap<string, ParameterValue>;

/** A value of the graph, and the size of its features. */
interface Features {
  name: string;
  height: number;
  width: number;
  channels: number;
}

/** Builds the graph of a network. Kernels have the given precision; all computes in float32. */
export function onnxGraph(
  config: ModelConfig,
  parameters: Parameters,
  precision: StoredPrecision,
  form: GraphForm,
): Graph {
  const { variant, classNames, imageSize } = config;
  const architecture = efficientNet(variant, classNames.length, config);
  const layers = new OnnxLayers(architecture, parameters, precision);
  const images: GraphValue =
    form === "pixels"
      ? { name: "images", type: "uint8", shape: ["batch", imageSize, imageSize, 3] }
      : { name: "pixel_values", type: "float32", shape: ["batch", 3, imageSize, imageSize] };
  const planes = form === "pixels" ? layers.planes(images.name) : images.name;
  const input = { name: layers.normalize(planes, config), height: imageSize, width: imageSize, channels: 3 };
  const logits = applyEfficientNet(layers, architecture, input).name;
  const output = form === "pixels" ? "probs" : "logits";
  if (form === "pixels") layers.add("Softmax", output, [logits], { axis: 1 });
  else layers.add("Identity", output, [logits]);
  const { nodes, initializers } = layers;
  const outputs: GraphValue[] = [{ name: output, type: "float32", shape: ["batch", classNames.length] }];
  return { name: `efficientnet_${variant}`, inputs: [images], nodes, initializers, outputs };
}

/**
 * Reads the network as ONNX operators. Each batch norm is folded into the convolution before it: its scale into the kernel, the rest
 * into the bias.
 */
class OnnxLayers implements Layers<Features> {
  readonly nodes: GraphNode[] = [];
  readonly initializers: Initializer[] = [];

  constructor(
    private readonly architecture: Architecture,
    private readonly parameters: Parameters,
    private readonly precision: StoredPrecision,
  ) {
    if (architecture.activation !== "relu6") return;
    this.constant("zero", [], [0]);
    this.constant("six", [], [6]);
  }

  /** Adds a node and returns the name of its result, which is the node's. */
  add(operator: string, name: string, inputs: string[], attributes: GraphNode["attributes"] = {}): string {
    this.nodes.push({ name, operator, inputs, output: name, attributes });
    return name;
  }

  /** Turns bytes `[batch, height, width, 3]` into numbers `[batch, 3, height, width]`. */
  planes(images: string): string {
    const numbers = this.add("Cast", "pixels", [images], { to: ELEMENT_TYPES.float32 });
    return this.add("Transpose", "planes", [numbers], { perm: [0, 3, 1, 2] });
  }

  /** Turns pixels grey, if the network was trained on grey images, and scales them to its input. */
  normalize(pixels: string, { grey, preprocessing: { mean, std } }: ModelConfig): string {
    let x = pixels;
    if (grey) {
      const shares = this.constant("grey/kernel", [3, 3, 1, 1], [...LUMA, ...LUMA, ...LUMA]);
      x = this.add("Conv", "grey", [x, shares], { kernel_shape: [1, 1] });
    }
    const centred = this.add("Sub", "centred", [x, this.constant("mean", [1, 3, 1, 1], mean)]);
    return this.add("Div", "normalized", [centred, this.constant("std", [1, 3, 1, 1], std)]);
  }

  scope(_block: string, run: () => Features): Features {
    return run();
  }

  conv(x: Features, name: string, shape: ConvShape, norm: Norm): Features {
    return this.convolve(x, name, `${name}/kernel`, shape, norm);
  }

  depthwiseConv(x: Features, name: string, shape: DepthwiseShape, norm: Norm): Features {
    return this.convolve(x, name, `${name}/depthwise_kernel`, { ...shape, filters: x.channels }, norm);
  }

  squeezeExcite(x: Features, block: string, _seFilters: number): Features {
    const dense = (input: string, suffix: string) => {
      const name = `${block}_se_${suffix}`;
      const weights = [this.kernel(`${name}/kernel`), this.parameter(`${name}/bias`)];
      return this.add("Conv", name, [input, ...weights], { kernel_shape: [1, 1] });
    };
    const squeezed = this.add("GlobalAveragePool", `${block}_se_squeeze`, [x.name]);
    const reduced = this.swish(dense(squeezed, "reduce"), `${block}_se_activation`);
    const gate = this.add("Sigmoid", `${block}_se_gate`, [dense(reduced, "expand")]);
    return { ...x, name: this.add("Mul", `${block}_se_excite`, [x.name, gate]) };
  }

  project(x: Features, name: string, filters: number, norm: string, residual: Residual<Features> | null) {
    const y = this.conv(x, name, pointwise(filters), { name: norm, activation: "linear" });
    return residual ? { ...y, name: this.add("Add", residual.name, [residual.x.name, y.name]) } : y;
  }

  classify(x: Features, name: string): Features {
    const pooled = this.add("GlobalAveragePool", "avg_pool", [x.name]);
    const flat = this.add("Flatten", "features", [pooled]);
    const weights = [this.kernel(`${name}/kernel`), this.parameter(`${name}/bias`)];
    const logits = this.add("Gemm", name, [flat, ...weights], { transB: 1 });
    return { name: logits, height: 1, width: 1, channels: this.architecture.numClasses };
  }

  private convolve(x: Features, name: string, kernel: string, shape: ConvShape, norm: Norm): Features {
    const { kernelSize, stride, filters } = shape;
    const [rows, columns] = [x.height, x.width].map((length) => this.steps(length, kernelSize, stride));
    const { scale, bias } = this.folded(norm.name);
    const weights = [this.kernel(kernel, scale), this.constant(`${norm.name}/bias`, [filters], bias)];
    const y = this.add("Conv", name, [x.name, ...weights], {
      kernel_shape: [kernelSize, kernelSize],
      strides: [stride, stride],
      pads: [rows.before, columns.before, rows.after, columns.after],
      group: kernel.endsWith("/depthwise_kernel") ? filters : 1,
    });
    const size = { height: rows.length, width: columns.length, channels: filters };
    const activated = norm.name.replace(/bn$/, "activation");
    if (norm.activation === "relu6")
      return { name: this.add("Clip", activated, [y, "zero", "six"]), ...size };
    return { name: norm.activation === "swish" ? this.swish(y, activated) : y, ...size };
  }

  private swish(x: string, name: string): string {
    return this.add("Mul", name, [x, this.add("Sigmoid", `${name}_gate`, [x])]);
  }

  /** Returns the zeros around an image along one side, and the length of the result. */
  private steps(length: number, kernelSize: number, stride: number) {
    const { padding } = this.architecture;
    if (padding === "same" || stride === 1) {
      const result = Math.ceil(length / stride);
      const zeros = Math.max(0, (result - 1) * stride + kernelSize - length);
      const before = Math.floor(zeros / 2);
      return { before, after: zeros - before, length: result };
    }
    const [before, after] = zerosAround(kernelSize, { stride, padding });
    return { before, after, length: Math.floor((length + before + after - kernelSize) / stride) + 1 };
  }

  /** Returns a batch norm as `scale · x + bias`. */
  private folded(norm: string): { scale: Float64Array; bias: Float64Array } {
    const [gamma, beta, mean, variance] = ["gamma", "beta", "moving_mean", "moving_variance"].map(
      (weight) => this.value(`${norm}/${weight}`).data,
    );
    const { epsilon } = this.architecture;
    const scale = Float64Array.from(gamma, (value, i) => value / Math.sqrt(variance[i] + epsilon));
    return { scale, bias: Float64Array.from(beta, (value, i) => value - mean[i] * scale[i]) };
  }

  /**
   * Adds a kernel, its output channels first, and returns the name of its numbers.
   *
   * @param scale - What each output channel is multiplied by.
   */
  private kernel(name: string, scale?: Float64Array): string {
    const kernel = channelsFirst(name, this.value(name));
    const { shape, data } = kernel;
    const precision = precisionOf(name, this.precision);
    if (precision !== "float32") return this.packedKernel(name, kernel, precision, scale);
    const length = data.length / shape[0];
    const folded = scale ? data.map((value, i) => value * scale[Math.floor(i / length)]) : data;
    return this.constant(name, shape, folded);
  }

  /**
   * Adds a kernel in float16 or uint8. The file holds the network's own kernel, and nodes compute the folded one when it is loaded: a
   * folded kernel may leave the range of float16. In uint8 each output channel has 256 steps of its own.
   */
  private packedKernel(
    name: string,
    { shape, data }: ParameterValue,
    precision: "float16" | "uint8",
    scale?: Float64Array,
  ): string {
    const [numChannels, ...others] = shape;
    const length = data.length / numChannels;
    const channels = Array.from({ length: numChannels }, (_, channel) =>
      pack(data.subarray(channel * length, (channel + 1) * length), precision),
    );
    const bytes = Buffer.concat(channels.map((channel) => channel.bytes));
    const packed = `${name}/packed`;
    this.initializers.push({ name: packed, type: precision, shape, bytes });
    const numbers = this.add("Cast", `${name}/numbers`, [packed], { to: ELEMENT_TYPES.float32 });
    if (precision === "float16" && !scale) return numbers;
    const [steps, offsets] = [new Float64Array(numChannels), new Float64Array(numChannels)];
    channels.forEach(({ quantization }, channel) => {
      const factor = scale?.[channel] ?? 1;
      const isBytes = quantization?.dtype === "uint8";
      steps[channel] = factor * (isBytes ? quantization.scale : 1);
      offsets[channel] = factor * (isBytes ? quantization.min : 0);
    });
    const perChannel = [numChannels, ...others.map(() => 1)];
    const factors = this.constant(`${name}/scale`, perChannel, steps);
    const scaled = this.add("Mul", `${name}/scaled`, [numbers, factors]);
    if (precision === "float16") return scaled;
    return this.add("Add", name, [scaled, this.constant(`${name}/offset`, perChannel, offsets)]);
  }

  private parameter(name: string): string {
    const { shape, data } = this.value(name);
    return this.constant(name, shape, data);
  }

  private constant(name: string, shape: readonly number[], values: ArrayLike<number>): string {
    const bytes = new Uint8Array(Float32Array.from(values).buffer);
    this.initializers.push({ name, type: "float32", shape, bytes });
    return name;
  }

  private value(name: string): ParameterValue {
    return this.parameters.get(name) as ParameterValue;
  }
}

/**
 * Returns a kernel in ONNX's order: `[out, in, height, width]`, depthwise `[channels, 1, height, width]`, dense `[out, in]`.
 */
function channelsFirst(name: string, { shape, data }: ParameterValue): ParameterValue {
  const size = shape.length === 4 ? shape[0] * shape[1] : 1;
  const isDepthwise = name.endsWith("/depthwise_kernel");
  const [numInputs, numOutputs] = isDepthwise ? [1, shape[2]] : shape.slice(-2);
  const result = new Float32Array(data.length);
  for (let output = 0, to = 0; output < numOutputs; output++)
    for (let input = 0; input < numInputs; input++)
      for (let at = 0; at < size; at++) result[to++] = data[(at * numInputs + input) * numOutputs + output];
  const spatial = shape.length === 4 ? shape.slice(0, 2) : [];
  return { shape: [numOutputs, numInputs, ...spatial], data: result };
}
