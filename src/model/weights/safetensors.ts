// Reads safetensors: the length of a header, the header as JSON, the numbers (https://huggingface.co/docs/safetensors).
import { InputError } from "../../errors.js";
import { parseJsonText } from "../../json.js";
import { sizeOf } from "../parameters.js";
import { fromFloat16 } from "./quantization.js";
import type { FileTensor } from "./state-dict.js";

/** A tensor in the header; offsets count from the header's end. */
interface Entry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

type Header = { __metadata__?: unknown } & Record<string, unknown>;

/** Bytes that the header's length takes. */
const PREFIX_BYTES = 8;

/** Reads the numbers of each type. */
const READERS: Record<string, { bytes: number; read: (buffer: ArrayBuffer) => Float32Array }> = {
  F64: { bytes: 8, read: (buffer) => Float32Array.from(new Float64Array(buffer)) },
  F32: { bytes: 4, read: (buffer) => new Float32Array(buffer) },
  F16: { bytes: 2, read: (buffer) => fromFloat16(new Uint16Array(buffer)) },
  BF16: { bytes: 2, read: (buffer) => fromBfloat16(new Uint16Array(buffer)) },
  I64: { bytes: 8, read: (buffer) => Float32Array.from(new BigInt64Array(buffer), Number) },
  I32: { bytes: 4, read: (buffer) => Float32Array.from(new Int32Array(buffer)) },
  U8: { bytes: 1, read: (buffer) => Float32Array.from(new Uint8Array(buffer)) },
  BOOL: { bytes: 1, read: (buffer) => Float32Array.from(new Uint8Array(buffer)) },
};

/** A longer header is none: the bytes are those of another format, whose signature would be the length. */
const MAX_HEADER_BYTES = 2 ** 32;

/**
 * True if bytes begin like a safetensors file: a length, then JSON. The first bytes of the length may be those of any other format's
 * signature, so this is asked first.
 */
export function isSafetensors(bytes: Buffer): boolean {
  return bytes[PREFIX_BYTES] === "{".charCodeAt(0) && bytes.readBigUInt64LE() < MAX_HEADER_BYTES;
}

/**
 * Returns the tensors of a safetensors file by name, as float32, in the order of its metadata entry `ferkit.names`, otherwise of its
 * header.
 *
 * @param where - Names the file in errors.
 * @throws InputError if the file is of another format, is cut short, has numbers of another type, or tensors that share bytes, by
 * which a small file could fill the memory.
 */
export function readSafetensors(
  bytes: Buffer,
  where: string,
): { tensors: Map<string, FileTensor>; metadata: Record<string, string> } {
  const { header, data } = split(bytes, where);
  const { __metadata__: given, ...entries } = header as Header;
  const metadata = textsOf(given, where);
  const own = new Map<string, Entry>();
  for (const [name, entry] of Object.entries(entries)) {
    if (!isEntry(entry)) throw notSafetensors(where, `no type, shape and offsets for ${name}`);
    own.set(name, entry);
  }
  const tensors = new Map<string, FileTensor>();
  checkApart(own, where);
  for (const name of orderOf(own, metadata["ferkit.names"], where)) {
    const entry = own.get(name) as Entry;
    const { shape, dtype } = entry;
    const integers = /^(I\d+|U\d+|BOOL)$/.test(dtype) && { integers: dtype };
    tensors.set(name, { shape, data: numbersOf(entry, name, data, where), ...integers });
  }
  return { tensors, metadata };
}

/** Returns the metadata, whose values are texts. */
function textsOf(given: unknown, where: string): Record<string, string> {
  const entries = Object.entries((given ?? {}) as Record<string, unknown>);
  if (entries.some(([, value]) => typeof value !== "string"))
    throw notSafetensors(where, "metadata other than texts");
  return Object.fromEntries(entries) as Record<string, string>;
}

/** @throws InputError if two tensors have bytes in common. */
function checkApart(entries: ReadonlyMap<string, Entry>, where: string): void {
  const filled = [...entries].filter(
    ([
      ,
      {
        data_offsets: [start, end],
      },
    ]) => end > start,
  );
  filled.sort(([, a], [, b]) => a.data_offsets[0] - b.data_offsets[0]);
  filled.forEach(
    (
      [
        name,
        {
          data_offsets: [start],
        },
      ],
      i,
    ) => {
      const before = filled[i - 1];
      if (before && start < before[1].data_offsets[1])
        throw notSafetensors(where, `bytes that ${before[0]} and ${name} share`);
    },
  );
}

/** Returns the names in the order that the metadata gives, if it does: each once. */
function orderOf(entries: ReadonlyMap<string, Entry>, order: string | undefined, where: string): string[] {
  if (order === undefined) return [...entries.keys()];
  const names = parseNames(order);
  if (names?.length === entries.size && new Set(names).size === names.length)
    if (names.every((name) => entries.has(name))) return names;
  throw notSafetensors(where, "an order in its metadata that is not that of its tensors");
}

function parseNames(text: string): string[] | null {
  try {
    const names: unknown = JSON.parse(text);
    return Array.isArray(names) && names.every((name) => typeof name === "string") ? names : null;
  } catch {
    return null;
  }
}

function split(bytes: Buffer, where: string): { header: object; data: Buffer } {
  if (!isSafetensors(bytes)) throw notSafetensors(where, "no header");
  const end = PREFIX_BYTES + Number(bytes.readBigUInt64LE());
  if (end > bytes.length)
    throw notSafetensors(where, `a header of ${end - PREFIX_BYTES} bytes in a file of ${bytes.length}`);
  const text = bytes.toString("utf8", PREFIX_BYTES, end);
  try {
    return { header: parseJsonText(text) as object, data: bytes.subarray(end) };
  } catch (error) {
    throw notSafetensors(where, `a header that is not JSON (${(error as Error).message})`);
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
  const type = Object.hasOwn(READERS, dtype) && READERS[dtype];
  if (!type)
    throw new InputError({
      expected: `numbers of type ${Object.keys(READERS).join(", ")}`,
      where,
      found: `${dtype} for ${name}`,
      fix: "Save the weights in one of these types.",
    });
  if (end > data.length)
    throw notSafetensors(
      where,
      `the end of the file within ${name}; it is cut short by ${end - data.length} bytes`,
    );
  const numBytes = type.bytes * sizeOf(shape);
  if (end - start !== numBytes)
    throw notSafetensors(where, `${end - start} bytes instead of ${numBytes} for ${name}`);
  // A copy, since typed arrays must be aligned.
  return type.read(new Uint8Array(data.subarray(start, end)).buffer);
}

/** Returns numbers from their bfloat16 bits, the upper half of a float32. */
function fromBfloat16(halves: Uint16Array): Float32Array {
  return new Float32Array(Uint32Array.from(halves, (half) => half << 16).buffer);
}

function notSafetensors(where: string, found: string): InputError {
  return new InputError({
    expected: "a safetensors file",
    where,
    found,
    fix: "Download the file again or choose another one.",
  });
}
