// Networks' parameters from a torch state dictionary.
import { InputError } from "../../errors.js";
import { VARIANTS, type Variant } from "../efficientnet.js";
import type { ParameterValue } from "../network.js";
import { type ParameterSpec, parameterSpecs } from "../parameters.js";
import { timmName } from "./timm-names.js";

/** A tensor outside the engine in row-major order, with its axes in torch's order. */
export interface TorchTensor {
  shape: number[];
  data: Float32Array;
}

/**
 * Returns the parameters of a variant from a torch state dictionary.
 *
 * Tensors are found by timm's names, in any order; under other names, by the order in which the layers run, which publishers agree
 * on. Every shape must fit; the last layer may have any number of classes.
 *
 * @throws InputError if the tensors are of another variant, or of none.
 */
export function fromTorch(
  tensors: ReadonlyMap<string, TorchTensor>,
  variant: Variant,
  where: string,
): Map<string, ParameterValue> {
  const parameters = match(tensors, variant);
  if (parameters) return parameters;
  const other = (Object.keys(VARIANTS) as Variant[]).find((known) => match(tensors, known));
  throw new InputError({
    expected: `weights of EfficientNet ${variant}`,
    where,
    found: other ? `those of ${other}` : `${tensors.size} tensors of no known variant`,
    fix: other
      ? `Choose variant ${other}, or another file.`
      : "Choose another file: timm's weights of tf_efficientnet models fit.",
  });
}

function match(
  tensors: ReadonlyMap<string, TorchTensor>,
  variant: Variant,
): Map<string, ParameterValue> | null {
  const isCounter = (name: string) => name.endsWith("num_batches_tracked");
  const weights = new Map([...tensors].filter(([name]) => !isCounter(name)));
  const inOrder = [...weights.values()];
  const lastBias = weights.get(timmName("predictions/bias")) ?? inOrder[inOrder.length - 1];
  const specs = parameterSpecs(variant, Math.max(1, lastBias?.data.length ?? 1));
  if (weights.size !== specs.length) return null;
  const hasTimmNames = specs.every(({ name }) => weights.has(timmName(name)));
  const parameters = new Map<string, ParameterValue>();
  for (const [i, spec] of specs.entries()) {
    const tensor = hasTimmNames ? (weights.get(timmName(spec.name)) as TorchTensor) : inOrder[i];
    if (tensor.shape.join() !== torchShape(spec).join()) return null;
    parameters.set(spec.name, toTensorFlow(tensor, spec));
  }
  return parameters;
}

/** Returns the shape that a parameter has in torch: convolutions `[out, in, height, width]`, depthwise `[channels, 1, height, width]`, dense `[out, in]`. */
export function torchShape({ name, shape }: ParameterSpec): number[] {
  if (shape.length === 2) return [shape[1], shape[0]];
  if (shape.length !== 4) return shape;
  const [height, width, channelsIn, channelsOut] = shape;
  return isDepthwise(name) ? [channelsIn, 1, height, width] : [channelsOut, channelsIn, height, width];
}

/**
 * Returns a parameter from its torch tensor: the two leading axes of torch's layout become the last ones of TensorFlow's, in
 * reverse order.
 */
export function toTensorFlow(
  { data, shape: [outer, inner, ...rest] }: TorchTensor,
  { shape }: ParameterSpec,
): ParameterValue {
  if (shape.length === 1) return { shape, data };
  const area = rest.reduce((product, dimension) => product * dimension, 1);
  const result = new Float32Array(data.length);
  for (let o = 0; o < outer; o++)
    for (let i = 0; i < inner; i++)
      for (let p = 0; p < area; p++) result[(p * inner + i) * outer + o] = data[(o * inner + i) * area + p];
  return { shape, data: result };
}

function isDepthwise(name: string): boolean {
  return name.endsWith("depthwise_kernel");
}
