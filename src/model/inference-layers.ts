import * as kernels from "../engine/kernels.js";
import { type Tensor, tf } from "../engine/tf.js";
import type { Activation } from "./efficientnet.js";
import {
  type ConvShape,
  type DepthwiseShape,
  type Layers,
  type Norm,
  pointwise,
  type Residual,
} from "./layers.js";

/** The value of each parameter by name. */
export type Values = ReadonlyMap<string, Tensor>;

/** The parameters of a layer, by the names of its weights. */
export function valuesOf(values: Values, layer: string, ...weights: string[]): Tensor[] {
  return weights.map((weight) => values.get(`${layer}/${weight}`) as Tensor);
}

/** Squeeze-and-excite's parameters in a block: kernel and bias of the layer that reduces, then of the one that expands. */
export function exciteWeights(values: Values, block: string): Tensor[] {
  return ["reduce", "expand"].flatMap((layer) => valuesOf(values, `${block}_se_${layer}`, "kernel", "bias"));
}

export const BATCH_NORM_WEIGHTS = ["gamma", "beta", "moving_mean", "moving_variance"];

/** Runs the network without gradients, by moving statistics. Frees what a block leaves behind as it goes. */
export class InferenceLayers implements Layers<Tensor> {
  constructor(private readonly values: Values) {}

  scope(_block: string, run: () => Tensor): Tensor {
    return tf.tidy(run);
  }

  conv(x: Tensor, name: string, { stride }: ConvShape, norm: Norm): Tensor {
    const [kernel] = valuesOf(this.values, name, "kernel");
    return this.batchNorm(kernels.conv2d(x, kernel, stride), norm);
  }

  depthwiseConv(x: Tensor, name: string, { stride }: DepthwiseShape, norm: Norm): Tensor {
    const [kernel] = valuesOf(this.values, name, "depthwise_kernel");
    return this.batchNorm(kernels.depthwiseConv2d(x, kernel, stride), norm);
  }

  squeezeExcite(x: Tensor, name: string): Tensor {
    const [reduceKernel, reduceBias, expandKernel, expandBias] = exciteWeights(this.values, name);
    const means = kernels.mean(x, [1, 2], true);
    const reduced = activate(kernels.biasAdd(kernels.conv2d(means, reduceKernel, 1), reduceBias), "swish");
    const expanded = kernels.biasAdd(kernels.conv2d(reduced, expandKernel, 1), expandBias);
    return kernels.multiply(x, kernels.sigmoid(expanded));
  }

  project(x: Tensor, name: string, filters: number, norm: string, residual: Residual<Tensor> | null): Tensor {
    const y = this.conv(x, name, pointwise(filters), { name: norm, activation: "linear" });
    return residual ? kernels.add(residual.x, y) : y;
  }

  classify(x: Tensor, name: string): Tensor {
    const [kernel, bias] = valuesOf(this.values, name, "kernel", "bias");
    return kernels.biasAdd(kernels.matMul(kernels.mean(x, [1, 2], false), kernel), bias);
  }

  private batchNorm(x: Tensor, { name, activation }: Norm): Tensor {
    const y = kernels.batchNormInference(x, valuesOf(this.values, name, ...BATCH_NORM_WEIGHTS));
    return activate(y, activation);
  }
}

function activate(x: Tensor, activation: Activation): Tensor {
  if (activation === "relu6") return kernels.relu6(x);
  if (activation === "swish") return kernels.multiply(x, kernels.sigmoid(x));
  return x;
}
