// Numbers of a weights file in fewer bytes, as tfjs' manifests describe them.
import { fromFloat16, toFloat16 } from "./float16.js";

/** How exactly numbers are kept: in 4, 2 or 1 bytes. */
export type Precision = "float32" | "float16" | "uint8";

export const PRECISIONS: Precision[] = ["float32", "float16", "uint8"];

/** What a manifest says of numbers that are not float32 in the file; `uint8` stands for `scale · number + min`. */
export type Quantization =
  | { dtype: "float16"; original_dtype: "float32" }
  | { dtype: "uint8"; original_dtype: "float32"; min: number; scale: number };

/** Bytes a number of each precision takes. */
export const BYTES_PER_NUMBER: Record<Precision, number> = { float32: 4, float16: 2, uint8: 1 };

/** Packs numbers, all of which must be finite, and says how; `uint8` in 256 even steps from the least to the greatest. */
export function pack(
  numbers: Float32Array,
  precision: Precision,
): { bytes: Buffer; quantization?: Quantization } {
  if (precision === "float32") return { bytes: bytesOf(numbers) };
  const original_dtype = "float32";
  if (precision === "float16")
    return { bytes: bytesOf(toFloat16(numbers)), quantization: { dtype: "float16", original_dtype } };
  const [min, max] = numbers.reduce(
    ([least, greatest], number) => [Math.min(least, number), Math.max(greatest, number)],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  );
  const scale = (max - min) / 255 || 1; // all may be the same
  const steps = Uint8Array.from(numbers, (number) => Math.round((number - min) / scale));
  return { bytes: bytesOf(steps), quantization: { dtype: "uint8", original_dtype, min, scale } };
}

/** The numbers that `pack` packed. */
export function unpack(bytes: Uint8Array, quantization?: Quantization): Float32Array {
  const { buffer } = new Uint8Array(bytes); // a copy, since the numbers may begin anywhere and typed arrays may not
  if (!quantization) return new Float32Array(buffer);
  if (quantization.dtype === "float16") return fromFloat16(new Uint16Array(buffer));
  const { min, scale } = quantization;
  return Float32Array.from(new Uint8Array(buffer), (step) => step * scale + min);
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
