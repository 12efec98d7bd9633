// Reads pickles without running them: a pickle is a program, and this reader knows only the instructions that data is made
// of. Format: Python's pickletools.
import { InputError } from "../../errors.js";

/** What the pickles of a format may say beyond plain data. */
export interface PickleVocabulary {
  /** Functions by `module.name`, called with the arguments that the pickle gives; null = may be named, not called. */
  globals: ReadonlyMap<string, ((args: unknown[]) => unknown) | null>;
  /** Stands for what lies outside the pickle under an id. */
  reference(id: unknown): unknown;
}

/** The name of a function or class, as a pickle has it. */
export class Global {
  constructor(readonly name: string) {}
}

/** Reads a file of pickles, one after another, with raw bytes between them. */
export class PickleReader {
  private offset = 0;

  /** @param where - Names the file in errors. */
  constructor(
    private readonly bytes: Buffer,
    private readonly where: string,
    readonly vocabulary: PickleVocabulary,
  ) {}

  /**
   * Reads one pickle of protocol 2: dictionaries become maps, lists and tuples arrays, long integers too great for a number bigints.
   *
   * @throws InputError when it is cut short, makes no sense, or goes beyond the vocabulary.
   */
  read(): unknown {
    const stack = new Stack(this.where);
    for (;;) {
      const opcode = String.fromCharCode(this.take(1)[0]);
      if (opcode === ".") return stack.pop();
      const instruction = INSTRUCTIONS[opcode];
      if (!instruction)
        throw refused(this.where, `pickle instruction 0x${opcode.charCodeAt(0).toString(16)}`);
      instruction(stack, this);
    }
  }

  /** The next bytes of the file, not copied. */
  take(count: number): Buffer {
    const end = this.offset + count;
    const found = `the end of the file after ${this.bytes.length} bytes; it is cut short`;
    if (end > this.bytes.length) throw notACheckpoint(this.where, found);
    const part = this.bytes.subarray(this.offset, end);
    this.offset = end;
    return part;
  }

  /** A signed integer of as many bytes as the byte before it says. */
  takeLong(): number | bigint {
    const digits = this.take(this.take(1)[0]);
    const magnitude = digits.reduceRight((value, digit) => (value << 8n) | BigInt(digit), 0n);
    const value = BigInt.asIntN(8 * digits.length, magnitude);
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }

  takeGlobal(): Global {
    const name = `${this.takeLine()}.${this.takeLine()}`;
    if (!this.vocabulary.globals.has(name)) throw refused(this.where, `a call of ${name}`);
    return new Global(name);
  }

  call(callee: unknown, args: unknown): unknown {
    const name = callee instanceof Global ? callee.name : typeof callee;
    const run = callee instanceof Global ? this.vocabulary.globals.get(name) : null;
    if (!run || !Array.isArray(args)) throw refused(this.where, `a call of ${name}`);
    return run(args);
  }

  private takeLine(): string {
    const end = this.bytes.indexOf("\n", this.offset) + 1;
    return this.take(end > 0 ? end - this.offset : Number.POSITIVE_INFINITY)
      .toString("latin1")
      .slice(0, -1);
  }
}

/** What the instructions work on: values, marks between them, and values kept by number. */
class Stack {
  private values: unknown[] = [];
  private readonly marks: unknown[][] = [];
  private readonly memo = new Map<number, unknown>();

  constructor(private readonly where: string) {}

  push(value: unknown): void {
    this.values.push(value);
  }

  pop(): unknown {
    if (this.values.length === 0) throw notACheckpoint(this.where, "an instruction without its value");
    return this.values.pop();
  }

  /** Replaces the last `count` values by one array of them. */
  pack(count: number): void {
    this.values.push(this.values.splice(-count));
  }

  mark(): void {
    this.marks.push(this.values);
    this.values = [];
  }

  popToMark(): unknown[] {
    const values = this.values;
    this.values = this.marks.pop() ?? [];
    return values;
  }

  keep(index: number): void {
    this.memo.set(index, this.values.at(-1));
  }

  recall(index: number): void {
    this.values.push(this.memo.get(index));
  }

  /** Appends to the list on top. */
  append(values: unknown[]): void {
    const list = this.values.at(-1);
    if (!Array.isArray(list)) throw notACheckpoint(this.where, "an entry outside a list");
    for (const value of values) list.push(value);
  }

  /** Sets keys, each followed by its value, in the dictionary on top. */
  setAll(entries: unknown[]): void {
    const map = this.values.at(-1);
    if (!(map instanceof Map)) throw notACheckpoint(this.where, "an entry outside a dictionary");
    for (let i = 0; i < entries.length; i += 2) map.set(entries[i], entries[i + 1]);
  }
}

const INSTRUCTIONS: Record<string, (stack: Stack, reader: PickleReader) => void> = {
  "\x80": (_, reader) => reader.take(1), // protocol
  "(": (stack) => stack.mark(),
  "}": (stack) => stack.push(new Map()),
  "]": (stack) => stack.push([]),
  ")": (stack) => stack.push([]),
  t: (stack) => stack.push(stack.popToMark()),
  "\x85": (stack) => stack.pack(1),
  "\x86": (stack) => stack.pack(2),
  "\x87": (stack) => stack.pack(3),
  N: (stack) => stack.push(null),
  "\x88": (stack) => stack.push(true),
  "\x89": (stack) => stack.push(false),
  J: (stack, reader) => stack.push(reader.take(4).readInt32LE()),
  K: (stack, reader) => stack.push(reader.take(1)[0]),
  M: (stack, reader) => stack.push(reader.take(2).readUInt16LE()),
  "\x8a": (stack, reader) => stack.push(reader.takeLong()),
  G: (stack, reader) => stack.push(reader.take(8).readDoubleBE()),
  X: (stack, reader) => stack.push(reader.take(reader.take(4).readUInt32LE()).toString("utf8")),
  U: (stack, reader) => stack.push(reader.take(reader.take(1)[0]).toString("latin1")),
  q: (stack, reader) => stack.keep(reader.take(1)[0]),
  r: (stack, reader) => stack.keep(reader.take(4).readUInt32LE()),
  h: (stack, reader) => stack.recall(reader.take(1)[0]),
  j: (stack, reader) => stack.recall(reader.take(4).readUInt32LE()),
  c: (stack, reader) => stack.push(reader.takeGlobal()),
  Q: (stack, reader) => stack.push(reader.vocabulary.reference(stack.pop())),
  R: (stack, reader) => {
    const args = stack.pop();
    stack.push(reader.call(stack.pop(), args));
  },
  b: (stack) => stack.pop(), // attributes of an object, which none here has
  s: (stack) => {
    const value = stack.pop();
    stack.setAll([stack.pop(), value]);
  },
  u: (stack) => stack.setAll(stack.popToMark()),
  a: (stack) => stack.append([stack.pop()]),
  e: (stack) => stack.append(stack.popToMark()),
};

/** For a pickle that would do what loading data does not need. */
export function refused(where: string, found: string): InputError {
  return new InputError({
    expected: "nothing but tensors in a checkpoint",
    where,
    found,
    fix: "Do not trust this file: a pickle can run any code. Take the weights from their publisher.",
  });
}

export function notACheckpoint(where: string, found: string): InputError {
  return new InputError({
    expected: "a torch checkpoint",
    where,
    found,
    fix: "Download the file again, or give another one.",
  });
}
