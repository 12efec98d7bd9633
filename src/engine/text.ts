// What values of the engine look like where they are printed, alone or in arrays and objects.
import { inspect } from "node:util";

/** Numbers of a tensor that are shown, and of one in an array or object. */
const [MAX_NUMBERS, MAX_NESTED] = [1000, 10];

/** What is shown of a tensor. */
interface Shown {
  dtype: string;
  shape: number[];
  size: number;
  isDisposed: boolean;
}

/** What is shown of a network of layers. */
interface LayerModel {
  layers: unknown[];
  /** Empty until the shape of the input is known. */
  outputs: unknown[];
  summary(lineLength?: number, positions?: number[], print?: (line: string) => void): void;
  getClassName(): string;
}

/** Text of a tensor: type and shape, and its numbers if they are at most `maxNumbers`. */
function tensorText(tensor: Shown, maxNumbers: number): string {
  const { dtype, shape, size } = tensor;
  const head = `Tensor ${dtype} [${shape.join(", ")}]`;
  if (tensor.isDisposed) return `${head}, disposed`;
  return size > maxNumbers ? head : `${head}\n${tensor.toString().replace(/^Tensor\n/, "")}`;
}

function modelText(model: LayerModel): string {
  if (model.outputs.length === 0)
    return `${model.getClassName()} of ${model.layers.length} layers, without an input shape yet`;
  const lines: string[] = [];
  model.summary(undefined, undefined, (line) => lines.push(line));
  return lines.join("\n");
}

/**
 * Makes Node.js print tensors and networks of layers as text, in place of their fields.
 *
 * @param tensors, models - The prototypes.
 */
export function printAsText(tensors: object, models: object): void {
  define(tensors, function (this: Shown, depth, options) {
    const isNested = depth < (options.depth ?? depth);
    return tensorText(this, isNested ? MAX_NESTED : MAX_NUMBERS);
  });
  define(models, function (this: LayerModel) {
    return modelText(this);
  });
}

function define<T>(
  prototype: object,
  value: (this: T, depth: number, options: { depth?: number | null }) => string,
): void {
  Object.defineProperty(prototype, inspect.custom, { value, configurable: true, writable: true });
}
