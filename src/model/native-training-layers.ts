import * as native from "../engine/native-kernels.js";
import type { Tape } from "../engine/tape.js";
import type { Tensor } from "../engine/tf.js";
import { BATCH_NORM_WEIGHTS, exciteWeights, type Values, valuesOf } from "./inference-layers.js";
import {
  type ConvShape,
  type DepthwiseShape,
  type Layers,
  type Norm,
  pointwise,
  type Residual,
} from "./layers.js";
import { NativeInferenceLayers } from "./native-inference-layers.js";
import { RecordedDense, type TrainingOptions } from "./recorded-dense.js";

/** Features with what their gradient goes to. */
interface Recorded extends native.Features {
  /** Gamma and beta of the batch norm that made them; absent = plain values. */
  parameters?: Tensor[];
}

/**
 * Runs the network for training by native ops, recording on a tape what the backward pass needs: `TrainingLayers` in fewer steps.
 *
 * What lies between two convolutions is never written to memory: the one that reads applies batch norm and activation. On the tape,
 * the gradient by a convolution's raw values stands for the one by what batch norm makes of them; the gradients by gamma and
 * beta, found on the same way, take it from there. The gradient by gated features stands at their gate.
 */
export class NativeTrainingLayers implements Layers<Recorded> {
  /** New moving statistics by parameter name; the caller disposes them. */
  readonly movingStatistics = new Map<string, Tensor>();
  private readonly inference: NativeInferenceLayers;
  private readonly vectors: RecordedDense;

  constructor(
    private readonly tape: Tape,
    private readonly values: Values,
    private readonly options: TrainingOptions,
  ) {
    this.inference = new NativeInferenceLayers(values);
    this.vectors = new RecordedDense(tape, values, options.seed);
  }

  scope(block: string, run: () => Recorded): Recorded {
    const isFrozen = !this.tape.tracks(this.values.get(`${block}_bn/gamma`) as Tensor);
    return isFrozen ? this.inference.scope(block, run) : run();
  }

  conv(x: Recorded, name: string, shape: ConvShape, norm: Norm): Recorded {
    const [kernel] = valuesOf(this.values, name, "kernel");
    if (!this.tape.tracks(kernel)) return this.inference.conv(x, name, shape, norm);
    return this.convolve(x, kernel, { stride: shape.stride, depthwise: false }, norm);
  }

  depthwiseConv(x: Recorded, name: string, shape: DepthwiseShape, norm: Norm): Recorded {
    const [kernel] = valuesOf(this.values, name, "depthwise_kernel");
    if (!this.tape.tracks(kernel)) return this.inference.depthwiseConv(x, name, shape, norm);
    return this.convolve(x, kernel, { stride: shape.stride, depthwise: true }, norm);
  }

  squeezeExcite(x: Recorded, block: string): Recorded {
    if (!x.parameters) return this.inference.squeezeExcite(x, block);
    const weights = exciteWeights(this.values, block);
    const excitation = native.excite(x, weights);
    const { means, reduced, gate } = excitation;
    const backward = (dGated: Tensor) => native.exciteGradient(dGated, x, weights, excitation);
    this.tape.record(gate, [...sources(x), ...weights], backward, [means, reduced]);
    return { ...x, gate };
  }

  project(
    x: Recorded,
    name: string,
    filters: number,
    norm: string,
    residual: Residual<Recorded> | null,
  ): Recorded {
    const [kernel] = valuesOf(this.values, name, "kernel");
    if (!this.tape.tracks(kernel)) return this.inference.project(x, name, filters, norm, residual);
    const branch = this.conv(x, name, pointwise(filters), { name: norm, activation: "linear" });
    // Always written, since a block's result has two readers where the next block has a residual.
    if (!residual) return this.add(branch, null, null);
    const rate = this.options.dropPathRate * residual.depth;
    return this.add(branch, this.vectors.mask([branch.values.shape[0]], rate), residual.x.values);
  }

  classify(x: Recorded, name: string): Recorded {
    const means = native.meanPool(x);
    this.tape.record(means, sources(x), (dMeans) => native.meanPoolGradient(dMeans, x));
    return native.plain(this.vectors.dense(this.vectors.dropout(means, this.options.dropoutRate), name));
  }

  private convolve(x: Recorded, kernel: Tensor, convolution: native.Convolution, norm: Norm): Recorded {
    const { tape } = this;
    const weights = valuesOf(this.values, norm.name, ...BATCH_NORM_WEIGHTS);
    const [gamma, beta] = weights;
    const { batchNormMomentum } = this.options;
    const result = native.convolution(x, kernel, weights, convolution, batchNormMomentum);
    this.movingStatistics.set(`${norm.name}/moving_mean`, result.movingMean);
    this.movingStatistics.set(`${norm.name}/moving_variance`, result.movingVariance);
    const y: Recorded = { ...result, activation: norm.activation, parameters: [gamma, beta] };
    const backward = (gradient: Tensor, needs: boolean[]) => {
      const dy: native.FeaturesGradient = [gradient, tape.gradientOf(gamma), tape.gradientOf(beta)];
      const { dKernel, dx } = native.convolutionGradient(dy, y, x, kernel, convolution, needs[1]);
      return [dKernel, ...keepNeeded(dx, needs.slice(1))];
    };
    tape.record(y.values, [kernel, ...(x.gate ? [x.gate] : sources(x))], backward, [result.norm]);
    return y;
  }

  private add(branch: Recorded, mask: Tensor | null, skip: Tensor | null): Recorded {
    const y = native.residual(branch, mask, skip);
    const inputs = [...(skip ? [skip] : []), ...sources(branch)];
    this.tape.record(
      y,
      inputs,
      (dy, needs) => [...(skip ? [needs[0] ? dy : null] : []), ...native.residualGradient(dy, branch, mask)],
      mask ? [mask] : [],
    );
    return native.plain(y);
  }
}

/** What the gradient by features goes to: their values, gamma and beta. */
function sources({ values, parameters = [] }: Recorded): Tensor[] {
  return [values, ...parameters];
}

function keepNeeded(gradients: Tensor[], needs: boolean[]): (Tensor | null)[] {
  return gradients.map((gradient, i) => {
    if (needs[i]) return gradient;
    gradient.dispose();
    return null;
  });
}
