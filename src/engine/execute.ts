// Runs ops of TensorFlow's eager runtime, with attributes by type, inputs and outputs.
import { type Tensor, tf } from "./tf.js";

type Attribute = { name: string; type: number; value: unknown };
interface Engine {
  executeSingleOutput(name: string, attributes: Attribute[], inputs: Tensor[]): Tensor;
  executeMultipleOutputs(
    name: string,
    attributes: Attribute[],
    inputs: Tensor[],
    numOutputs: number,
  ): Tensor[];
}
let loaded: Engine | null = null;

/** Asks for the engine when the first op runs, so that nothing loads it before. */
function engine(): Engine {
  loaded ??= tf.backend() as unknown as Engine;
  return loaded;
}

// Numbers of TensorFlow's C interface (tf_attrtype.h, tf_datatype.h), which the engine has too once it is loaded.
const ATTRIBUTE_TYPES = { string: 0, int: 1, float: 2, bool: 3, type: 4, shape: 5 };
const FLOAT32 = 1;
const INT32 = 3;

const attribute = (type: number) => (name: string, value: unknown) => ({ name, type, value });
export const int = attribute(ATTRIBUTE_TYPES.int);
export const float = attribute(ATTRIBUTE_TYPES.float);
export const bool = attribute(ATTRIBUTE_TYPES.bool);
export const string = attribute(ATTRIBUTE_TYPES.string);
export const shape = attribute(ATTRIBUTE_TYPES.shape);
const type = attribute(ATTRIBUTE_TYPES.type);
export const floatType = (name = "T") => type(name, FLOAT32);
export const intType = (name: string) => type(name, INT32);

/** Runs one eager op with one output. */
export function execute(name: string, attributes: Attribute[], ...inputs: Tensor[]): Tensor {
  return engine().executeSingleOutput(name, attributes, inputs);
}

/** Runs one eager op with `numOutputs` outputs. */
export function executeMany(
  name: string,
  numOutputs: number,
  attributes: Attribute[],
  ...inputs: Tensor[]
): Tensor[] {
  return engine().executeMultipleOutputs(name, attributes, inputs, numOutputs);
}

const shapeTensors = new Map<string, Tensor>();
/** Returns the int32 tensor of a shape, which is kept, since steps use the same few each time. */
export function shapeTensor(dimensions: number[]): Tensor {
  const key = dimensions.join();
  let tensor = shapeTensors.get(key);
  if (!tensor) {
    tensor = tf.keep(tf.tensor1d(dimensions, "int32"));
    shapeTensors.set(key, tensor);
  }
  return tensor;
}
