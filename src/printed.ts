// How results print in console.log and JSON.stringify: all of their numbers would fill screens.
import { inspect } from "node:util";
import { formatCount } from "./text.js";

/** Numbers of a typed array that are shown. */
const MAX_NUMBERS = 10;

/** Returns the text of a typed array: its type, length and first numbers. */
export function arrayText(view: ArrayBufferView): string {
  if (view instanceof DataView) return inspect(view);
  const array = view as Uint8Array; // or another one of numbers
  const first = Array.from(array.subarray(0, MAX_NUMBERS), String);
  const rest = array.length > MAX_NUMBERS ? ", …" : "";
  return `${array.constructor.name} of ${formatCount(array.length)}: ${first.join(", ")}${rest}`;
}

/** Makes Node.js print a value as a text, and returns it. */
export function printedAs<T extends object>(value: T, text: () => string): T {
  return Object.defineProperty(value, inspect.custom, { value: text, configurable: true, writable: true });
}

/** Makes numbers print in one line and become a list in JSON, and returns them. */
export function printedNumbers<T extends Float32Array | Int32Array>(numbers: T): T {
  return withJson(
    printedAs(numbers, () => arrayText(numbers)),
    () => Array.from(numbers),
  );
}

/** Returns the same pixels, which print in one line, and which JSON leaves out. */
export function printedPixels<T extends Uint8Array>(pixels: T): T {
  const view = pixels.subarray() as T; // the array itself may be the caller's
  return withJson(
    printedAs(view, () => arrayText(view)),
    () => undefined,
  );
}

function withJson<T extends object>(value: T, toJSON: () => unknown): T {
  return Object.defineProperty(value, "toJSON", { value: toJSON, configurable: true, writable: true });
}
