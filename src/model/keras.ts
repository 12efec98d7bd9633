// The network as a Keras model of plain tfjs layers, which any tfjs loads.
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

type Symbolic = ReturnType<typeof tf.input>;
type Layer = { apply(inputs: Symbolic | Symbolic[]): unknown };

/** Name of the layer that scales pixels of 0–255 to the network's input; its weights are constants. */
export const NORMALIZATION = "normalization";

/** Reads the network as tfjs layers, named as in Keras. */
class KerasLayers implements Layers<Symbolic> {
  constructor(private readonly epsilon: number) {}

  scope(_block: string, run: () => Symbolic): Symbolic {
    return run();
  }

  conv(x: Symbolic, name: string, { kernelSize, stride, filters }: ConvShape, norm: Norm): Symbolic {
    const options = { kernelSize, strides: stride, padding: "same", useBias: false } as const;
    return this.batchNorm(apply(tf.layers.conv2d({ ...options, name, filters }), x), norm);
  }

  depthwiseConv(x: Symbolic, name: string, { kernelSize, stride }: DepthwiseShape, norm: Norm): Symbolic {
    const options = { kernelSize, strides: stride, padding: "same", useBias: false } as const;
    return this.batchNorm(apply(tf.layers.depthwiseConv2d({ ...options, name }), x), norm);
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

  private batchNorm(x: Symbolic, { name, activation }: Norm): Symbolic {
    const y = apply(tf.layers.batchNormalization({ name, epsilon: this.epsilon }), x);
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
export function buildLayersModel(architecture: Architecture, imageSize: number) {
  const images = tf.input({ name: "images", shape: [imageSize, imageSize, 3] });
  const normalized = apply(
    tf.layers.depthwiseConv2d({ name: NORMALIZATION, kernelSize: 1, useBias: true, trainable: false }),
    images,
  );
  const outputs = applyEfficientNet(new KerasLayers(architecture.epsilon), architecture, normalized);
  return tf.model({ name: `efficientnet_${architecture.variant}`, inputs: images, outputs });
}

function apply(layer: Layer, inputs: Symbolic | Symbolic[]): Symbolic {
  return layer.apply(inputs) as Symbolic;
}
