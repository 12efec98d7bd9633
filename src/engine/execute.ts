// How an op of TensorFlow's eager runtime is run: its attributes by type, its inputs, its outputs.
import { type Tensor, tf } from "./tf.js";

type Attribute = { name: string; type: number; value: unknown };
interface Backend {
  binding: Record<
    "TF_ATTR_TYPE" | "TF_ATTR_INT" | "TF_ATTR_FLOAT" | "TF_ATTR_BOOL" | "TF_ATTR_STRING" | "TF_ATTR_SHAPE",
    number
  > &
    Record<"TF_FLOAT" | "TF_INT32" | "TF_RESOURCE", number>;
  executeSingleOutput(name: string, attributes: Attribute[], inputs: Tensor[]): Tensor;
  executeMultipleOutputs(
    name: string,
    attributes: Attribute[],
    inputs: Tensor[],
    numOutputs: number,
  ): Tensor[];
}
const backend = tf.backend() as unknown as Backend;
const { binding } = backend;

const attribute = (type: keyof Backend["binding"]) => (name: string, value: unknown) => ({
  name,
  type: binding[type],
  value,
});
export const int = attribute("TF_ATTR_INT");
export const float = attribute("TF_ATTR_FLOAT");
export const bool = attribute("TF_ATTR_BOOL");
export const string = attribute("TF_ATTR_STRING");
export const shape = attribute("TF_ATTR_SHAPE");
const type = attribute("TF_ATTR_TYPE");
export const floatType = (name = "T") => type(name, binding.TF_FLOAT);
export const intType = (name: string) => type(name, binding.TF_INT32);

/** Runs one eager op with one output. */
export function execute(name: string, attributes: Attribute[], ...inputs: Tensor[]): Tensor {
  return backend.executeSingleOutput(name, attributes, inputs);
}

/** Runs one eager op with `numOutputs` outputs. */
export function executeMany(
  name: string,
  numOutputs: number,
  attributes: Attribute[],
  ...inputs: Tensor[]
): Tensor[] {
  return backend.executeMultipleOutputs(name, attributes, inputs, numOutputs);
}

const shapeTensors = new Map<string, Tensor>();
/** The int32 tensor of a shape; made once and kept, since steps ask for the same few each time. */
export function shapeTensor(dimensions: number[]): Tensor {
  const key = dimensions.join();
  let tensor = shapeTensors.get(key);
  if (!tensor) {
    tensor = tf.keep(tf.tensor1d(dimensions, "int32"));
    shapeTensors.set(key, tensor);
  }
  return tensor;
}
