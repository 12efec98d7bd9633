// Numbers in fewer bytes, as tfjs' weight manifests describe them.
import { InputError } from "../../errors.js";

/** How numbers are stored: in 4, 2 or 1 bytes. */
export type StoredPrecision = "float32" | "float16" | "uint8";

export const STORED_PRECISIONS: StoredPrecision[] = ["float32", "float16", "uint8"];

/** How a manifest describes numbers that are not float32 in the file; in `uint8`, a number is `scale · byte + min`. */
export type Quantization =
  | { dtype: "float16"; original_dtype: "float32" }
  | { dtype: "uint8"; original_dtype: "float32"; min: number; scale: number };

/** Bytes of one number in each precision. */
export const BYTES_PER_NUMBER: Record<StoredPrecision, number> = { float32: 4, float16: 2, uint8: 1 };

/** From this number on, half precision has only infinity. */
const HALF_INFINITY = 65_520;

/**
 * Packs finite numbers and describes how; `uint8` in 256 even steps from the smallest to the largest.
 *
 * @throws InputError if one is too large for `float16`.
 */
export function pack(
  numbers: Float32Array,
  precision: StoredPrecision,
): { bytes: Buffer; quantization?: Quantization } {
  if (precision === "float32") return { bytes: bytesOf(numbers) };
  const original_dtype = "float32";
  const tooLarge = numbers.find((number) => Math.abs(number) >= HALF_INFINITY);
  if (precision === "float16" && tooLarge !== undefined)
    throw new InputError({
      expected: "weights below 65,520, as float16 can hold",
      found: String(tooLarge),
      fix: "Choose precision float32.",
    });
  if (precision === "float16")
    return { bytes: bytesOf(toFloat16(numbers)), quantization: { dtype: "float16", original_dtype } };
  const [min, max] = numbers.reduce(
    ([smallest, largest], number) => [Math.min(smallest, number), Math.max(largest, number)],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  );
  const scale = (max - min) / 255 || 1; // all may be the same
  const steps = Uint8Array.from(numbers, (number) => Math.round((number - min) / scale));
  return { bytes: bytesOf(steps), quantization: { dtype: "uint8", original_dtype, min, scale } };
}

/** Returns the numbers that `pack` packed. */
export function unpack(bytes: Uint8Array, quantization?: Quantization): Float32Array {
  const { buffer } = new Uint8Array(bytes); // a copy, since typed arrays must be aligned
  if (!quantization) return new Float32Array(buffer);
  if (quantization.dtype === "float16") return fromFloat16(new Uint16Array(buffer));
  const { min, scale } = quantization;
  return Float32Array.from(new Uint8Array(buffer)).map((step) => step * scale + min);
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

/** Returns numbers from their half-precision bits. */
export function fromFloat16(halves: Uint16Array): Float32Array {
  halfValues ??= Float32Array.from({ length: 1 << 16 }, (_, half) => valueOfHalf(half));
  const numbers = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) numbers[i] = halfValues[halves[i]];
  return numbers;
}

/** The value of each pattern of bits: a look-up takes a fortieth of the time, and a model has millions of numbers. */
let halfValues: Float32Array | undefined;

/** Returns the number of half-precision bits: a sign, 5 bits of exponent, 10 of fraction (IEEE 754 binary16). */
function valueOfHalf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** Returns the half-precision bits of numbers, each rounded to the nearest, ties to even; infinite from 65,520 up. */
export function toFloat16(values: Float32Array): Uint16Array {
  const allBits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  return Uint16Array.from(allBits, (bits, i) => {
    const sign = (bits >>> 16) & 0x8000;
    const magnitude = bits & 0x7fffffff;
    if (magnitude > 0x7f800000) return sign | 0x7e00; // not a number
    if (magnitude >= 0x477ff000) return sign | 0x7c00;
    if (magnitude < 0x38800000) return sign | roundToEven(Math.abs(values[i]) * 2 ** 24); // below 2^-14 in steps of 2^-24
    const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
    return sign | ((rounded - 0x38000000) >>> 13); // the exponents' biases are 127 and 15
  });
}

function roundToEven(value: number): number {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 === 1 ? rounded - 1 : rounded;
}
