import * as kernels from "../engine/kernels.js";
import * as native from "../engine/native-kernels.js";
import { type Tensor, tf } from "../engine/tf.js";
import { BATCH_NORM_WEIGHTS, exciteWeights, type Values, valuesOf } from "./inference-layers.js";
import {
  type ConvShape,
  type DepthwiseShape,
  type Layers,
  type Norm,
  pointwise,
  type Residual,
} from "./layers.js";

type Features = native.Features;

/** Runs the network without gradients by native ops, one for each layer: batch norm, activation and residual are part of it. */
export class NativeInferenceLayers implements Layers<Features> {
  constructor(private readonly values: Values) {}

  scope(_block: string, run: () => Features): Features {
    return native.plain(tf.tidy(() => run().values));
  }

  conv(x: Features, name: string, { stride }: ConvShape, norm: Norm, residual?: Tensor): Features {
    const [kernel] = valuesOf(this.values, name, "kernel");
    return this.convolve(x, kernel, { stride, depthwise: false }, norm, residual);
  }

  depthwiseConv(x: Features, name: string, { stride }: DepthwiseShape, norm: Norm): Features {
    const [kernel] = valuesOf(this.values, name, "depthwise_kernel");
    return this.convolve(x, kernel, { stride, depthwise: true }, norm);
  }

  squeezeExcite(x: Features, block: string): Features {
    const { gate } = native.excite(x, exciteWeights(this.values, block));
    return { ...x, gate };
  }

  project(x: Features, name: string, filters: number, norm: string, residual: Residual<Features> | null) {
    const linear = { name: norm, activation: "linear" } as const;
    return this.conv(x, name, pointwise(filters), linear, residual?.x.values);
  }

  classify(x: Features, name: string): Features {
    const [kernel, bias] = valuesOf(this.values, name, "kernel", "bias");
    return native.plain(kernels.biasAdd(kernels.matMul(native.meanPool(x), kernel), bias));
  }

  private convolve(
    x: Features,
    kernel: Tensor,
    convolution: native.Convolution,
    { name, activation }: Norm,
    residual?: Tensor,
  ): Features {
    const batchNorm = valuesOf(this.values, name, ...BATCH_NORM_WEIGHTS);
    return native.plain(native.convolutionInference(x, kernel, batchNorm, convolution, activation, residual));
  }
}
