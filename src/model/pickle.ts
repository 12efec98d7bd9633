// Reads torch checkpoints (the format before torch 1.6) without running them: a pickle is a program, and this reader knows
// only the instructions that a dictionary of tensors is made of. Format: Python's pickletools, torch/serialization.py.
import { InputError } from "../errors.js";

/** A tensor of a checkpoint, as torch lays it out. */
export interface TorchTensor {
  shape: number[];
  data: Float32Array;
}

interface Storage {
  key: string;
  type: string;
  length: number;
}
interface View {
  storage: Storage;
  offset: number;
  shape: number[];
  strides: number[];
}
type Global = { global: string };
type Value = unknown;

const MAGIC_NUMBER = 0x1950a86a20f9469cfc6cn;
const BYTES_PER_ELEMENT: Record<string, number> = {
  "torch FloatStorage": 4,
  "torch LongStorage": 8,
};
const REBUILD_TENSOR = "torch._utils _rebuild_tensor_v2";
const ORDERED_DICT = "collections OrderedDict";

/**
 * The tensors of a checkpoint by name, in its order; counters (int64) become floats.
 *
 * @param where - Names the file in errors.
 * @throws InputError when the file is no such checkpoint, is cut short, or asks for anything but tensors.
 */
export function readTorchCheckpoint(bytes: Buffer, where: string): Map<string, TorchTensor> {
  const reader = new PickleReader(bytes, where);
  if (reader.read() !== MAGIC_NUMBER) throw notACheckpoint(where, "no torch magic number");
  reader.read(); // protocol version
  reader.read(); // sizes of the writer's types
  const state = reader.read();
  const keys = reader.read();
  if (!(state instanceof Map) || !Array.isArray(keys))
    throw notACheckpoint(where, "no dictionary of tensors");
  const views = [...state].filter((entry): entry is [string, View] => isView(entry[1]));
  const storages = new Map(views.map(([, { storage }]) => [storage.key, storage]));
  const data = new Map<string, Float32Array>();
  for (const key of keys as string[]) {
    const storage = storages.get(key);
    if (!storage) throw notACheckpoint(where, `a storage ${key} that no tensor uses`);
    data.set(key, reader.readStorage(storage));
  }
  return new Map(
    views.map(([name, view]) => [name, { shape: view.shape, data: contiguous(view, data, where) }]),
  );
}

function isView(value: Value): value is View {
  return typeof value === "object" && value !== null && "storage" in value;
}

/** Copies a view of a storage, whose axes may stand in any order there, row after row. */
function contiguous(
  { storage, offset, shape, strides }: View,
  data: Map<string, Float32Array>,
  where: string,
): Float32Array {
  const numbers = data.get(storage.key);
  const last = shape.reduce((place, dimension, axis) => place + (dimension - 1) * strides[axis], offset);
  if (!numbers || !(offset >= 0) || !(last < numbers.length) || strides.some((stride) => !(stride >= 0)))
    throw notACheckpoint(where, "a tensor outside its storage");
  const length = shape.reduce((product, dimension) => product * dimension, 1);
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

/** A stack machine for the instructions of pickle protocol 2 that data needs. */
class PickleReader {
  private offset = 0;

  constructor(
    private readonly bytes: Buffer,
    private readonly where: string,
  ) {}

  /** Reads one pickle. */
  read(): Value {
    let stack: Value[] = [];
    const marks: Value[][] = [];
    const memo = new Map<number, Value>();
    const pop = () => stack.pop();
    const popMark = () => {
      const items = stack;
      stack = marks.pop() ?? [];
      return items;
    };
    const top = () => stack[stack.length - 1];
    for (;;) {
      const opcode = String.fromCharCode(this.take(1)[0]);
      switch (opcode) {
        case "\x80":
          this.take(1);
          break;
        case ".":
          return pop();
        case "(":
          marks.push(stack);
          stack = [];
          break;
        case "}":
          stack.push(new Map());
          break;
        case "]":
          stack.push([]);
          break;
        case ")":
          stack.push([]);
          break;
        case "t": {
          const items = popMark();
          stack.push(items);
          break;
        }
        case "\x85":
          stack.push(stack.splice(-1));
          break;
        case "\x86":
          stack.push(stack.splice(-2));
          break;
        case "\x87":
          stack.push(stack.splice(-3));
          break;
        case "N":
          stack.push(null);
          break;
        case "\x88":
          stack.push(true);
          break;
        case "\x89":
          stack.push(false);
          break;
        case "J":
          stack.push(this.take(4).readInt32LE());
          break;
        case "K":
          stack.push(this.take(1)[0]);
          break;
        case "M":
          stack.push(this.take(2).readUInt16LE());
          break;
        case "\x8a":
          stack.push(this.readLong());
          break;
        case "G":
          stack.push(this.take(8).readDoubleBE());
          break;
        case "X":
          stack.push(this.take(this.take(4).readUInt32LE()).toString("utf8"));
          break;
        case "U":
          stack.push(this.take(this.take(1)[0]).toString("latin1"));
          break;
        case "q":
          memo.set(this.take(1)[0], top());
          break;
        case "r":
          memo.set(this.take(4).readUInt32LE(), top());
          break;
        case "h":
          stack.push(memo.get(this.take(1)[0]));
          break;
        case "j":
          stack.push(memo.get(this.take(4).readUInt32LE()));
          break;
        case "c":
          stack.push(this.readGlobal());
          break;
        case "Q":
          stack.push(this.readPersistent(pop()));
          break;
        case "R": {
          const items = pop();
          stack.push(this.call(pop() as Global, items as Value[]));
          break;
        }
        case "b":
          pop();
          break; // attributes of the dictionary: versions of the modules
        case "s": {
          const value = pop();
          const key = pop();
          this.mapOf(top()).set(key as string, value);
          break;
        }
        case "u": {
          const items = popMark();
          this.setAll(this.mapOf(top()), items);
          break;
        }
        case "a": {
          const value = pop();
          (top() as Value[]).push(value);
          break;
        }
        case "e": {
          const items = popMark();
          (top() as Value[]).push(...items);
          break;
        }
        default:
          throw this.refused(`pickle instruction 0x${opcode.charCodeAt(0).toString(16)}`);
      }
    }
  }

  /** Reads a storage's numbers: an int64 count, then the values. */
  readStorage({ type, length }: Storage): Float32Array {
    const count = Number(this.take(8).readBigInt64LE());
    if (count !== length)
      throw notACheckpoint(this.where, `a storage of ${count} numbers in place of ${length}`);
    const bytes = this.take(length * BYTES_PER_ELEMENT[type]);
    if (type === "torch LongStorage")
      return Float32Array.from({ length }, (_, i) => Number(bytes.readBigInt64LE(8 * i)));
    return new Float32Array(new Uint8Array(bytes).buffer);
  }

  private take(count: number): Buffer {
    const end = this.offset + count;
    if (end > this.bytes.length)
      throw notACheckpoint(
        this.where,
        `the end of the file after ${this.bytes.length} bytes; it is cut short`,
      );
    const part = this.bytes.subarray(this.offset, end);
    this.offset = end;
    return part;
  }

  private readLong(): number | bigint {
    const digits = this.take(this.take(1)[0]);
    let value = 0n;
    for (let i = digits.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(digits[i]);
    return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
  }

  private readGlobal(): Global {
    const name = `${this.readLine()} ${this.readLine()}`;
    if (name !== ORDERED_DICT && name !== REBUILD_TENSOR && !(name in BYTES_PER_ELEMENT))
      throw this.refused(`a call of ${name.replace(" ", ".")}`);
    return { global: name };
  }

  private readLine(): string {
    const end = this.bytes.indexOf(10, this.offset);
    if (end < 0) this.take(this.bytes.length);
    const line = this.bytes.toString("latin1", this.offset, end);
    this.offset = end + 1;
    return line;
  }

  private readPersistent(id: Value): Storage {
    const [kind, type, key, , length] = Array.isArray(id) ? id : [];
    const name = (type as Global | undefined)?.global ?? "";
    if (kind !== "storage" || !(name in BYTES_PER_ELEMENT))
      throw this.refused(`a reference to ${String(kind)}`);
    return { key: String(key), type: name, length: Number(length) };
  }

  private call({ global }: Global, items: Value[]): Value {
    if (global === ORDERED_DICT) return new Map();
    if (global !== REBUILD_TENSOR) throw this.refused(`a call of ${String(global).replace(" ", ".")}`);
    const [storage, offset, shape, strides] = items as [Storage, number, number[], number[]];
    return { storage, offset, shape, strides } satisfies View;
  }

  private mapOf(value: Value): Map<string, Value> {
    if (value instanceof Map) return value as Map<string, Value>;
    throw notACheckpoint(this.where, "an entry outside a dictionary");
  }

  private setAll(map: Map<string, Value>, items: Value[]): void {
    for (let i = 0; i < items.length; i += 2) map.set(items[i] as string, items[i + 1]);
  }

  private refused(what: string): InputError {
    return new InputError({
      expected: "nothing but tensors in a checkpoint",
      where: this.where,
      found: what,
      fix: "Do not trust this file: a pickle can run any code. Take the weights from their publisher.",
    });
  }
}

function notACheckpoint(where: string, found: string): InputError {
  return new InputError({
    expected: "a torch checkpoint",
    where,
    found,
    fix: "Download the file again, or give another one.",
  });
}
