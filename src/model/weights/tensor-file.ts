// Named arrays of numbers in one binary file; a manifest elsewhere has their names and shapes, as in tfjs.
import { createHash } from "node:crypto";
import { readdir, readFile, rm } from "node:fs/promises";
import path from "node:path";
import { InputError } from "../../errors.js";
import { writeFileAtomically } from "../../files.js";
import type { ParameterValue } from "../network.js";
import { BYTES_PER_NUMBER, type Precision, pack, type Quantization, unpack } from "./quantization.js";

export interface TensorSpec {
  name: string;
  shape: number[];
  dtype: "float32";
  /** Present if the file's numbers are not float32. */
  quantization?: Quantization;
}

/** Which file holds which arrays, in order and without gaps. */
export interface TensorManifest {
  paths: string[];
  weights: TensorSpec[];
}

/**
 * Writes arrays into a file named by their content, so that it overwrites no file in use.
 *
 * @param precisionOf - Precision of an array, by default float32.
 */
export async function writeTensors(
  dir: string,
  tensors: [string, ParameterValue][],
  precisionOf: (name: string) => Precision = () => "float32",
): Promise<TensorManifest> {
  const packed = tensors.map(([name, { data }]) => pack(data, precisionOf(name)));
  const parts = packed.map(({ bytes }) => bytes);
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  const file = `weights-${hash.digest("hex").slice(0, 16)}.bin`;
  await writeFileAtomically(path.join(dir, file), parts);
  const weights = tensors.map(([name, { shape }], i): TensorSpec => {
    const { quantization } = packed[i];
    return { name, shape, dtype: "float32", ...(quantization && { quantization }) };
  });
  return { paths: [file], weights };
}

/**
 * Reads what `writeTensors` wrote.
 *
 * @throws InputError if the file is missing or cut short.
 */
export async function readTensors(
  dir: string,
  { paths, weights }: TensorManifest,
): Promise<Map<string, ParameterValue>> {
  const file = path.join(dir, paths[0]);
  const bytes = await readFile(file).catch(() => Buffer.alloc(0));
  const lengths = weights.map(
    ({ shape, quantization }) =>
      BYTES_PER_NUMBER[quantization?.dtype ?? "float32"] *
      shape.reduce((product, dimension) => product * dimension, 1),
  );
  const expected = lengths.reduce((total, length) => total + length, 0);
  if (bytes.length !== expected)
    throw new InputError({
      expected: `${expected} bytes of weights`,
      where: file,
      found: `${bytes.length}`,
      fix: "Copy the folder again, or train from scratch.",
    });
  let offset = 0;
  return new Map(
    weights.map(({ name, shape, quantization }, i) => {
      const data = unpack(bytes.subarray(offset, offset + lengths[i]), quantization);
      offset += lengths[i];
      return [name, { shape, data }];
    }),
  );
}

/** Removes the files of earlier writes from a folder when nothing refers to them. */
export async function removeOldTensors(dir: string, { paths }: TensorManifest): Promise<void> {
  for (const name of await readdir(dir))
    if (/^weights-.*\.(bin|tmp)$/.test(name) && !paths.includes(name))
      await rm(path.join(dir, name), { force: true });
}
