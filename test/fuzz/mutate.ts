// Changes inputs at random: their bytes, their numbers, and their parts if they are JSON.
import type { Random } from "../../src/random.js";

const NUMBERS = [0, 1, -1, 127, 128, 255, 256, 32_767, 65_535, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];
const VALUES = [
  ...[null, true, "", "0", "..", "../../x", "__proto__", "constructor", "\u0000", "\u202e", 0, -1, 1.5],
  ...[2 ** 31, 2 ** 53, 1e308, [], {}, [[]], "x".repeat(300), [-1], [2 ** 40, 2 ** 40], { length: 2 ** 31 }],
];
const WORDS = [
  "null",
  "1e999",
  "-0",
  "NaN",
  "{}",
  "[]",
  '"',
  '""',
  ",",
  ";",
  "\t",
  "\r\n",
  "\n",
  "\0",
  "\ufeff",
  "..",
];
const MAX_BYTES = 2 ** 17;

/** Changes an input; `other` is one to take parts from. */
export function mutate(input: Buffer, other: Buffer, random: Random): Buffer {
  let bytes: Buffer = input;
  for (let i = random.integer(4); i >= 0; i--)
    bytes = (random.chance(0.4) ? mutateJson(bytes, random) : null) ?? mutateBytes(bytes, other, random);
  return bytes.subarray(0, MAX_BYTES);
}

type Change = (bytes: Buffer, at: number, other: Buffer, random: Random) => Buffer;
const insert = (bytes: Buffer, at: number, part: Uint8Array, numReplaced = 0) =>
  Buffer.concat([bytes.subarray(0, at), part, bytes.subarray(at + numReplaced)]);
const partOf = (bytes: Buffer, random: Random) => {
  const start = random.integer(bytes.length + 1);
  return bytes.subarray(start, start + random.integer(Math.min(64, bytes.length - start) + 1));
};

const CHANGES: Change[] = [
  (bytes, at, _, random) => insert(bytes, at, Buffer.of((bytes[at] ?? 0) ^ (1 << random.integer(8))), 1),
  (bytes, at, _, random) => insert(bytes, at, Buffer.of(random.integer(256)), 1),
  (bytes, at, _, random) => insert(bytes, at, Buffer.alloc(0), random.integer(32)),
  (bytes, at, _, random) => insert(bytes, at, partOf(bytes, random)),
  (bytes, at, other, random) => insert(bytes, at, partOf(other, random), random.integer(16)),
  (bytes, at, _, random) => insert(bytes, at, Buffer.from(random.pick(WORDS))),
  (bytes, at) => bytes.subarray(0, at),
  (bytes, at, _, random) => insert(bytes, at, numberBytes(random), random.pick([1, 2, 4, 8])),
  (bytes, _, __, random) => changeDigits(bytes, random),
];

function mutateBytes(bytes: Buffer, other: Buffer, random: Random): Buffer {
  return random.pick(CHANGES)(bytes, random.integer(bytes.length + 1), other, random);
}

function numberBytes(random: Random): Buffer {
  const bytes = Buffer.alloc(8);
  const number = BigInt.asUintN(64, BigInt(random.pick(NUMBERS)));
  if (random.chance(0.5)) bytes.writeBigUInt64LE(number);
  else bytes.writeBigUInt64BE(number);
  const length = random.pick([1, 2, 4, 8]);
  return random.chance(0.5) ? bytes.subarray(0, length) : bytes.subarray(8 - length);
}

/** Replaces a number that is written in digits. */
function changeDigits(bytes: Buffer, random: Random): Buffer {
  const found = [...bytes.toString("latin1").matchAll(/\d+/g)];
  if (found.length === 0) return bytes;
  const { 0: digits, index = 0 } = random.pick(found);
  return insert(bytes, index, Buffer.from(String(random.pick(NUMBERS))), digits.length);
}

/** Replaces, removes, repeats or renames a part of JSON, or of a line of JSON; null if there is none. */
function mutateJson(bytes: Buffer, random: Random): Buffer | null {
  const lines = bytes.toString().split("\n");
  const isWhole = random.chance(0.5);
  const index = random.integer(lines.length);
  const source = isWhole ? bytes.toString() : lines[index];
  try {
    const changed = JSON.stringify(change(JSON.parse(source), random));
    if (changed === undefined) return null;
    return Buffer.from(isWhole ? changed : lines.map((line, i) => (i === index ? changed : line)).join("\n"));
  } catch {
    return null;
  }
}

function change(value: unknown, random: Random): unknown {
  const isGroup = typeof value === "object" && value !== null;
  if (!isGroup || random.chance(0.15)) return random.pick(VALUES);
  const entries = Object.entries(value);
  if (entries.length === 0) return random.pick(VALUES);
  const index = random.integer(entries.length);
  const [key, child] = entries[index];
  const kind = random.integer(6);
  if (kind === 0) entries.splice(index, 1);
  else if (kind === 1) entries.push([Array.isArray(value) ? String(entries.length) : `${key}2`, child]);
  else if (kind === 2) entries[index] = [random.pick(["__proto__", "length", "", key.toUpperCase()]), child];
  else entries[index] = [key, change(child, random)];
  return Array.isArray(value) ? entries.map(([, item]) => item) : Object.fromEntries(entries);
}
