// The network as a Keras model of plain tfjs layers, which any tfjs loads.
import { zerosAround } from "../engine/kernels.js";
import { tf } from "../engine/tf.js";
import {
  type Architecture,
  applyEfficientNet,
  type ConvShape,
  type DepthwiseShape,
  type Layers,
  type Norm,
  pointwise,
  type Residual,
} from "./efficientnet.js";
import type { ParameterValue } from "./network.js";
import { LUMA, type Preprocessing } from "./preprocessing.js";

type Symbolic = ReturnType<typeof tf.input>;
type Layer = { apply(inputs: Symbolic | Symbolic[]): unknown };

/** Names of the layers that turn pixels of 0–255 grey, if the network was trained on grey images, and scale them to its input. */
const GREY = "grey";
const NORMALIZATION = "normalization";

/** Reads the network as tfjs layers, named as in Keras. */
class KerasLayers implements Layers<Symbolic> {
  constructor(private readonly architecture: Architecture) {}

  scope(_block: string, run: () => Symbolic): Symbolic {
    return run();
  }

  conv(x: Symbolic, name: string, shape: ConvShape, norm: Norm): Symbolic {
    const { input, options } = this.padded(x, name, shape);
    return this.batchNorm(apply(tf.layers.conv2d({ ...options, name, filters: shape.filters }), input), norm);
  }

  depthwiseConv(x: Symbolic, name: string, shape: DepthwiseShape, norm: Norm): Symbolic {
    const { input, options } = this.padded(x, name, shape);
    return this.batchNorm(apply(tf.layers.depthwiseConv2d({ ...options, name }), input), norm);
  }

  squeezeExcite(x: Symbolic, name: string, seFilters: number): Symbolic {
    const channels = x.shape[3] as number;
    let gate = apply(tf.layers.globalAveragePooling2d({ name: `${name}_se_squeeze` }), x);
    gate = apply(tf.layers.reshape({ name: `${name}_se_reshape`, targetShape: [1, 1, channels] }), gate);
    const dense = (suffix: string, filters: number, activation: "swish" | "sigmoid") =>
      tf.layers.conv2d({ name: `${name}_se_${suffix}`, kernelSize: 1, filters, activation });
    gate = apply(dense("reduce", seFilters, "swish"), gate);
    gate = apply(dense("expand", channels, "sigmoid"), gate);
    return apply(tf.layers.multiply({ name: `${name}_se_excite` }), [x, gate]);
  }

  project(x: Symbolic, name: string, filters: number, norm: string, residual: Residual<Symbolic> | null) {
    const y = this.conv(x, name, pointwise(filters), { name: norm, activation: "linear" });
    return residual ? apply(tf.layers.add({ name: residual.name }), [residual.x, y]) : y;
  }

  classify(
    x: Symbolic,
    name: string,
    { numClasses, dropoutRate }: { numClasses: number; dropoutRate: number },
  ) {
    const pooled = apply(tf.layers.globalAveragePooling2d({ name: "avg_pool" }), x);
    const features = apply(tf.layers.dropout({ name: "top_dropout", rate: dropoutRate }), pooled);
    return apply(tf.layers.dense({ name, units: numClasses, activation: "softmax" }), features);
  }

  /** Adds the zeros that "same" in tfjs would not. */
  private padded(x: Symbolic, name: string, { kernelSize, stride }: DepthwiseShape) {
    const { padding } = this.architecture;
    const isSame = padding === "same" || stride === 1;
    const zeros = zerosAround(kernelSize, { stride, padding });
    const pad = tf.layers.zeroPadding2d({
      name: `${name.replace(/conv$/, "conv_pad")}`,
      padding: [zeros, zeros],
    });
    const options = {
      kernelSize,
      strides: stride,
      padding: isSame ? "same" : "valid",
      useBias: false,
    } as const;
    return { input: isSame ? x : apply(pad, x), options };
  }

  private batchNorm(x: Symbolic, { name, activation }: Norm): Symbolic {
    const y = apply(tf.layers.batchNormalization({ name, epsilon: this.architecture.epsilon }), x);
    const activationName = name.replace(/bn$/, "activation");
    if (activation === "relu6") return apply(tf.layers.reLU({ name: activationName, maxValue: 6 }), y);
    if (activation === "swish") return apply(tf.layers.activation({ name: activationName, activation }), y);
    return y;
  }
}

/**
 * Builds the network as a `tf.LayersModel` with fresh weights: from pixels `[batchSize, imageSize, imageSize, 3]` of 0–255 to
 * probabilities `[batchSize, numClasses]`. The caller disposes it.
 */
export function buildLayersModel(
  architecture: Architecture,
  { imageSize, grey }: { imageSize: number; grey?: boolean },
) {
  const images = tf.input({ name: "images", shape: [imageSize, imageSize, 3] });
  const toGrey = tf.layers.conv2d({
    name: GREY,
    kernelSize: 1,
    filters: 3,
    useBias: false,
    trainable: false,
  });
  const normalize = tf.layers.depthwiseConv2d({
    name: NORMALIZATION,
    kernelSize: 1,
    useBias: true,
    trainable: false,
  });
  const normalized = apply(normalize, grey ? apply(toGrey, images) : images);
  const outputs = applyEfficientNet(new KerasLayers(architecture), architecture, normalized);
  return tf.model({ name: `efficientnet_${architecture.variant}`, inputs: images, outputs });
}

/** Returns the weights of the layers before the network: grey, then `(x − mean) / std` as a 1×1 depthwise convolution. */
export function inputWeights({
  preprocessing: { mean, std },
  grey,
}: {
  preprocessing: Preprocessing;
  grey?: boolean;
}): [string, ParameterValue][] {
  const shares = Float32Array.from({ length: 9 }, (_, i) => LUMA[Math.floor(i / 3)]);
  const kernel = Float32Array.from(std, (deviation) => 1 / deviation);
  const bias = Float32Array.from(mean, (value, channel) => -value / std[channel]);
  return [
    ...(grey ? [[`${GREY}/kernel`, { shape: [1, 1, 3, 3], data: shares }] as [string, ParameterValue]] : []),
    [`${NORMALIZATION}/depthwise_kernel`, { shape: [1, 1, 3, 1], data: kernel }],
    [`${NORMALIZATION}/bias`, { shape: [3], data: bias }],
  ];
}

function apply(layer: Layer, inputs: Symbolic | Symbolic[]): Symbolic {
  return layer.apply(inputs) as Symbolic;
}
