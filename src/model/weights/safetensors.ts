// Reads safetensors: the length of a header, the header as JSON, the numbers. Format:
// https://huggingface.co/docs/safetensors
import { InputError } from "../../errors.js";
import { fromFloat16 } from "./float16.js";
import type { TorchTensor } from "./torch-layout.js";

/** A tensor as the header describes it; offsets count from the header's end. */
interface Entry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

/** Bytes of the header's length. */
const PREFIX_BYTES = 8;

const BYTES_PER_ELEMENT: Record<string, number> = { F32: 4, F16: 2, BF16: 2, I64: 8 };

/** Whether bytes begin as a safetensors file does: a length, then JSON. */
export function isSafetensors(bytes: Buffer): boolean {
  return bytes[PREFIX_BYTES] === "{".charCodeAt(0);
}

/**
 * The tensors of a safetensors file by name, in the order of its header, which is not the layers'. Half-precision numbers
 * and counters (int64) become float32.
 *
 * @param where - Names the file in errors.
 * @throws InputError when the file is no such file, is cut short, or holds numbers of another kind.
 */
export function readSafetensors(bytes: Buffer, where: string): Map<string, TorchTensor> {
  const { header, data } = split(bytes, where);
  const tensors = new Map<string, TorchTensor>();
  for (const [name, entry] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    if (!isEntry(entry)) throw notSafetensors(where, `no type, shape and offsets for ${name}`);
    tensors.set(name, { shape: entry.shape, data: numbersOf(entry, name, data, where) });
  }
  return tensors;
}

function split(bytes: Buffer, where: string): { header: object; data: Buffer } {
  if (!isSafetensors(bytes)) throw notSafetensors(where, "no header");
  const end = PREFIX_BYTES + Number(bytes.readBigUInt64LE());
  if (end > bytes.length)
    throw notSafetensors(where, `a header of ${end - PREFIX_BYTES} bytes in a file of ${bytes.length}`);
  const text = bytes.toString("utf8", PREFIX_BYTES, end);
  try {
    return { header: JSON.parse(text), data: bytes.subarray(end) };
  } catch {
    throw notSafetensors(where, "a header that is no JSON");
  }
}

function isEntry(value: unknown): value is Entry {
  const { dtype, shape, data_offsets: offsets } = (value ?? {}) as Partial<Entry>;
  const areSizes = (list: unknown) =>
    Array.isArray(list) && list.every((size) => Number.isSafeInteger(size) && size >= 0);
  return typeof dtype === "string" && areSizes(shape) && areSizes(offsets) && offsets?.length === 2;
}

function numbersOf({ dtype, shape, data_offsets }: Entry, name: string, data: Buffer, where: string) {
  const [start, end] = data_offsets;
  if (!Object.hasOwn(BYTES_PER_ELEMENT, dtype))
    throw notSafetensors(where, `numbers of type ${dtype} for ${name}`);
  if (end > data.length)
    throw notSafetensors(
      where,
      `the end of the file within ${name}; it is cut short by ${end - data.length} bytes`,
    );
  const numBytes = shape.reduce((product, dimension) => product * dimension, BYTES_PER_ELEMENT[dtype]);
  if (end - start !== numBytes)
    throw notSafetensors(where, `${end - start} bytes in place of ${numBytes} for ${name}`);
  // A copy, since the numbers may begin anywhere and typed arrays may not.
  const { buffer } = new Uint8Array(data.subarray(start, end));
  if (dtype === "F32") return new Float32Array(buffer);
  if (dtype === "I64") return Float32Array.from(new BigInt64Array(buffer), Number);
  const halves = new Uint16Array(buffer);
  return dtype === "BF16" ? fromBfloat16(halves) : fromFloat16(halves);
}

/** bfloat16 is the upper half of a float32. */
function fromBfloat16(halves: Uint16Array): Float32Array {
  return new Float32Array(Uint32Array.from(halves, (half) => half << 16).buffer);
}

function notSafetensors(where: string, found: string): InputError {
  return new InputError({
    expected: "a safetensors file",
    where,
    found,
    fix: "Download the file again, or give another one.",
  });
}
