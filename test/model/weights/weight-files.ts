// Writes files of weights, byte by byte.
import type { Variant } from "../../../src/model/efficientnet.js";
import { parameterSpecs } from "../../../src/model/parameters.js";
import { NAMINGS, type Naming } from "../../../src/model/weights/names.js";
import { type FileTensor, fileShape } from "../../../src/model/weights/state-dict.js";

/** Returns tensors of a variant under a publisher's names, in the order of the layers; each number differs from its neighbours. */
export function fileTensors(variant: Variant, numClasses: number, naming: Naming): Map<string, FileTensor> {
  const specs = parameterSpecs(variant, numClasses);
  const names = naming.names(specs);
  return new Map(
    specs.map((spec, index): [string, FileTensor] => {
      const shape = fileShape(spec, naming);
      const length = shape.reduce((product, dimension) => product * dimension, 1);
      const data = Float32Array.from({ length }, (_, i) => ((i * 31 + index * 17) % 1009) / 1009);
      return [names.get(spec.name) as string, { shape, data }];
    }),
  );
}

/** Returns the same under timm's names. */
export const timmTensors = (variant: Variant, numClasses = 1000) =>
  fileTensors(variant, numClasses, NAMINGS[0]);

/** Returns the same entries in alphabetical order. */
export function sorted<T>(map: ReadonlyMap<string, T>): Map<string, T> {
  return new Map([...map].sort(([a], [b]) => (a < b ? -1 : 1)));
}

export function safetensorsBytes(
  tensors: ReadonlyMap<string, FileTensor>,
  metadata: Record<string, string> = {},
): Buffer {
  const header: Record<string, unknown> = { __metadata__: { format: "pt", ...metadata } };
  const parts: Buffer[] = [];
  let offset = 0;
  for (const [name, tensor] of tensors) {
    const { shape, data, integers = "F32" } = tensor;
    header[name] = { dtype: integers, shape, data_offsets: [offset, offset + data.byteLength] };
    offset += data.byteLength;
    parts.push(bytesOf(tensor));
  }
  return withHeader(header, Buffer.concat(parts));
}

/** Writes a safetensors file with any header. */
export function withHeader(header: unknown, data: Uint8Array = Buffer.alloc(0)): Buffer {
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, data]);
}

/** A tensor's layout in its storage; by default row-major from its beginning. */
export interface Layout {
  offset: number;
  strides: number[];
}

/**
 * Writes a checkpoint as torch did before 1.6: four pickles, the list of storages, the storages.
 *
 * @param more - Names and values beside the tensors.
 */
export function checkpointBytes(
  tensors: ReadonlyMap<string, FileTensor>,
  layoutOf: (tensor: FileTensor) => Layout = rowMajor,
  more: Buffer[] = [],
): Buffer {
  const names = [...tensors.keys()];
  const entries = names.map((name, i) => {
    const tensor = tensors.get(name) as FileTensor;
    return Buffer.concat([text(name), tensorPickle(tensor, String(i), layoutOf(tensor))]);
  });
  const storages = names.map((name) => {
    const tensor = tensors.get(name) as FileTensor;
    const count = Buffer.alloc(8);
    count.writeBigInt64LE(BigInt(tensor.data.length));
    return Buffer.concat([count, bytesOf(tensor)]);
  });
  return Buffer.concat([
    checkpointHead(),
    pickle(ORDERED_DICT, "(", ...entries, ...more, "u"),
    pickle("](", ...names.map((_, i) => text(String(i))), "e"),
    ...storages,
  ]);
}

/** Writes the magic number, the protocol version, and sizes of the writer's types. */
export function checkpointHead(): Buffer {
  const magicNumber = Buffer.from("6cfc9c46f9206aa85019", "hex");
  return Buffer.concat([pickle("\x8a\x0a", magicNumber), pickle("M\xe9\x03"), pickle("}")]);
}

/** Writes a pickle of protocol 2 from its instructions. */
export function pickle(...instructions: (string | Buffer)[]): Buffer {
  const parts = ["\x80\x02", ...instructions, "."];
  return Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part, "latin1") : part)));
}

const ORDERED_DICT = "ccollections\nOrderedDict\n)R";

function tensorPickle(
  { shape, data, integers }: FileTensor,
  key: string,
  { offset, strides }: Layout,
): Buffer {
  return Buffer.concat([
    Buffer.from("ctorch._utils\n_rebuild_tensor_v2\n(("),
    text("storage"),
    Buffer.from(`ctorch\n${integers ? "Int" : "Float"}Storage\n`),
    text(key),
    text("cpu"),
    integer(data.length),
    Buffer.from("NtQ"),
    integer(offset),
    tuple(shape),
    tuple(strides),
    Buffer.from(`\x89${ORDERED_DICT}tR`, "latin1"),
  ]);
}

function rowMajor({ shape }: FileTensor): Layout {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));
  return { offset: 0, strides };
}

export function text(value: string): Buffer {
  const length = Buffer.alloc(5, "X");
  length.writeUInt32LE(Buffer.byteLength(value), 1);
  return Buffer.concat([length, Buffer.from(value)]);
}

export function integer(value: number): Buffer {
  const bytes = Buffer.alloc(5, "J");
  bytes.writeInt32LE(value, 1);
  return bytes;
}

function tuple(values: number[]): Buffer {
  return Buffer.concat([Buffer.from("("), ...values.map(integer), Buffer.from("t")]);
}

/** Returns the numbers as float32 or, for integers, as int32. */
function bytesOf({ data, integers }: FileTensor): Buffer {
  if (integers) return Buffer.from(Int32Array.from(data).buffer);
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}

/** Writes a dictionary from its keys and values. */
export function dictionary(...entries: Buffer[]): Buffer {
  return Buffer.concat([Buffer.from("}("), ...entries, Buffer.from("u")]);
}
