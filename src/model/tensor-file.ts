// Named float32 arrays in one binary file, with their names and shapes kept elsewhere, as tfjs' weight manifests have it.
import { createHash } from "node:crypto";
import { readdir, readFile, rm } from "node:fs/promises";
import path from "node:path";
import { InputError } from "../errors.js";
import { writeFileAtomically } from "../files.js";
import type { ParameterValue } from "./network.js";

export interface TensorSpec {
  name: string;
  shape: number[];
  dtype: "float32";
}

/** Says which file holds which arrays, in order and without gaps. */
export interface TensorManifest {
  paths: string[];
  weights: TensorSpec[];
}

/** Writes arrays into a file named by their content, so that no file that is in use is overwritten. */
export async function writeTensors(
  dir: string,
  tensors: [string, ParameterValue][],
): Promise<TensorManifest> {
  const parts = tensors.map(([, { data }]) => Buffer.from(data.buffer, data.byteOffset, data.byteLength));
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  const file = `weights-${hash.digest("hex").slice(0, 16)}.bin`;
  await writeFileAtomically(path.join(dir, file), parts);
  return { paths: [file], weights: tensors.map(([name, { shape }]) => ({ name, shape, dtype: "float32" })) };
}

/**
 * Reads what `writeTensors` wrote.
 *
 * @throws InputError when the file is missing or cut short.
 */
export async function readTensors(
  dir: string,
  { paths, weights }: TensorManifest,
): Promise<Map<string, ParameterValue>> {
  const file = path.join(dir, paths[0]);
  const bytes = await readFile(file).catch(() => Buffer.alloc(0));
  const lengths = weights.map(
    ({ shape }) => 4 * shape.reduce((product, dimension) => product * dimension, 1),
  );
  const expected = lengths.reduce((total, length) => total + length, 0);
  if (bytes.length !== expected)
    throw new InputError({
      expected: `${expected} bytes of weights`,
      where: file,
      found: `${bytes.length}`,
      fix: "Copy the folder again, or train anew.",
    });
  let offset = bytes.byteOffset;
  return new Map(
    weights.map(({ name, shape }, i) => {
      const data = new Float32Array(bytes.buffer.slice(offset, offset + lengths[i]));
      offset += lengths[i];
      return [name, { shape, data }];
    }),
  );
}

/** Removes the files of earlier writes from a folder, once nothing refers to them. */
export async function removeOldTensors(dir: string, { paths }: TensorManifest): Promise<void> {
  for (const name of await readdir(dir))
    if (/^weights-.*\.(bin|tmp)$/.test(name) && !paths.includes(name))
      await rm(path.join(dir, name), { force: true });
}
