// Torch checkpoints of the format before torch 1.6: pickles that describe tensors, then the tensors' numbers. Format:
// torch/serialization.py.
import { Global, notACheckpoint, PickleReader, refused } from "./pickle.js";
import type { TorchTensor } from "./torch-layout.js";

/** The numbers that tensors are views of. */
class Storage {
  constructor(
    readonly key: string,
    readonly type: string,
    readonly length: number,
  ) {}
}

class View {
  constructor(
    readonly storage: Storage,
    readonly offset: number,
    readonly shape: number[],
    readonly strides: number[],
  ) {}
}

const MAGIC_NUMBER = 0x1950a86a20f9469cfc6cn;
const BYTES_PER_ELEMENT: Record<string, number> = {
  "torch.FloatStorage": 4,
  "torch.LongStorage": 8,
};

/**
 * The tensors of a checkpoint by name, in its order; counters (int64) become floats.
 *
 * @param where - Names the file in errors.
 * @throws InputError when the file is no such checkpoint, is cut short, or asks for anything but tensors.
 */
export function readTorchCheckpoint(bytes: Buffer, where: string): Map<string, TorchTensor> {
  const reader = new PickleReader(bytes, where, {
    globals: new Map<string, ((args: unknown[]) => unknown) | null>([
      ["collections.OrderedDict", () => new Map()],
      ["torch._utils._rebuild_tensor_v2", (args) => rebuildTensor(args, where)],
      ...Object.keys(BYTES_PER_ELEMENT).map((type) => [type, null] as const),
    ]),
    reference: (id) => referToStorage(id, where),
  });
  if (reader.read() !== MAGIC_NUMBER) throw notACheckpoint(where, "no torch magic number");
  reader.read(); // protocol version
  reader.read(); // sizes of the writer's types
  const state = reader.read();
  const keys = reader.read();
  if (!(state instanceof Map) || !Array.isArray(keys))
    throw notACheckpoint(where, "no dictionary of tensors");
  const views = [...state].filter(
    (entry): entry is [string, View] => typeof entry[0] === "string" && entry[1] instanceof View,
  );
  const storages = new Map(views.map(([, { storage }]) => [storage.key, storage]));
  const data = new Map<string, Float32Array>();
  for (const key of keys) {
    const storage = storages.get(key);
    if (!storage) throw notACheckpoint(where, `a storage ${key} that no tensor uses`);
    data.set(key, readStorage(reader, storage, where));
  }
  return new Map(
    views.map(([name, view]) => [name, { shape: view.shape, data: contiguous(view, data, where) }]),
  );
}

function rebuildTensor([storage, offset, shape, strides]: unknown[], where: string): View {
  const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
  const areSizes = (value: unknown): value is number[] => Array.isArray(value) && value.every(isSize);
  if (
    !(storage instanceof Storage && isSize(offset) && areSizes(shape) && areSizes(strides)) ||
    shape.length !== strides.length
  )
    throw notACheckpoint(where, "a tensor without storage, shape or strides");
  return new View(storage, offset, shape, strides);
}

function referToStorage(id: unknown, where: string): Storage {
  const [kind, type, key, , length] = Array.isArray(id) ? id : [];
  const name = type instanceof Global ? type.name : "";
  if (kind !== "storage" || !(name in BYTES_PER_ELEMENT))
    throw refused(where, `a reference to ${String(kind)}`);
  return new Storage(String(key), name, Number(length));
}

/** Reads a storage's numbers: an int64 count, then the values. */
function readStorage(reader: PickleReader, { type, length }: Storage, where: string): Float32Array {
  const count = Number(reader.take(8).readBigInt64LE());
  if (count !== length || count < 0)
    throw notACheckpoint(where, `a storage of ${count} numbers in place of ${length}`);
  const bytes = reader.take(length * BYTES_PER_ELEMENT[type]);
  if (type === "torch.LongStorage")
    return Float32Array.from({ length }, (_, i) => Number(bytes.readBigInt64LE(8 * i)));
  return new Float32Array(new Uint8Array(bytes).buffer);
}

/** Copies a view of a storage, whose axes may stand in any order there, row after row. */
function contiguous(
  { storage, offset, shape, strides }: View,
  data: ReadonlyMap<string, Float32Array>,
  where: string,
): Float32Array {
  const numbers = data.get(storage.key);
  const length = shape.reduce((product, dimension) => product * dimension, 1);
  const last = shape.reduce((place, dimension, axis) => place + (dimension - 1) * strides[axis], offset);
  if (!numbers || last >= numbers.length || length > numbers.length)
    throw notACheckpoint(where, "a tensor outside its storage");
  const result = new Float32Array(length);
  const index = shape.map(() => 0);
  let place = offset;
  for (let i = 0; i < length; i++) {
    result[i] = numbers[place];
    // Counts the index up as an odometer does, and the place with it.
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      place += strides[axis];
      if (++index[axis] < shape[axis]) break;
      place -= shape[axis] * strides[axis];
      index[axis] = 0;
    }
  }
  return result;
}
