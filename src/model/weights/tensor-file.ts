// Named arrays of numbers in one binary file; a manifest elsewhere has their names and shapes, as in tfjs.
import { randomBytes } from "node:crypto";
import { readdir, readFile, rename, rm } from "node:fs/promises";
import path from "node:path";
import { shortDigest } from "../../digest.js";
import { InputError } from "../../errors.js";
import {
  readRegularFile,
  removeAbandoned,
  statIfThere,
  TEMPORARY,
  writeFileAtomically,
} from "../../files.js";
import type { ParameterValue } from "../network.js";
import { sizeOf } from "../parameters.js";
import { BYTES_PER_NUMBER, pack, type Quantization, type StoredPrecision, unpack } from "./quantization.js";

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

/** Packs arrays as the bytes of a file, which is named by its content. */
export function packTensors(
  tensors: [string, ParameterValue][],
  precisionOf: (name: string) => StoredPrecision,
): { manifest: TensorManifest; parts: Uint8Array[] } {
  const packed = tensors.map(([name, { data }]) => pack(data, precisionOf(name)));
  const parts = packed.map(({ bytes }) => bytes);
  const weights = tensors.map(([name, { shape }], i): TensorSpec => {
    const { quantization } = packed[i];
    return { name, shape, dtype: "float32", ...(quantization && { quantization }) };
  });
  return { manifest: { paths: [`weights-${shortDigest(...parts)}.bin`], weights }, parts };
}

/**
 * Writes arrays into a file named by their content, so that it overwrites no file in use.
 *
 * @param precisionOf - Precision of an array, by default float32.
 */
export async function writeTensors(
  dir: string,
  tensors: [string, ParameterValue][],
  precisionOf: (name: string) => StoredPrecision = () => "float32",
): Promise<TensorManifest> {
  const { manifest, parts } = packTensors(tensors, precisionOf);
  await writeFileAtomically(path.join(dir, manifest.paths[0]), parts);
  return manifest;
}

/** Name of a file of weights, with the start of the SHA-256 of its bytes. */
const NAME = /^weights-([0-9a-f]{16})\.bin$/;

/**
 * Reads what `writeTensors` wrote.
 *
 * @param fix - What to do if it cannot be used, as a sentence.
 * @throws InputError if the file is missing, no regular file, cut short, or other bytes than its name says, or if an array is in it
 * twice.
 */
export async function readTensors(
  dir: string,
  { paths, weights }: TensorManifest,
  fix: string,
): Promise<Map<string, ParameterValue>> {
  const file = path.join(dir, paths[0]);
  const lengths = weights.map(lengthOf);
  const refuse = (what: string, found: string) => new InputError({ expected: what, where: file, found, fix });
  const bytes = await readRegularFile(file, { expected: "a file of weights", fix });
  const wrong = wrongLength(weights, bytes?.length);
  if (bytes === null || wrong) throw refuse(...(wrong as [string, string]));
  const [, digest] = NAME.exec(paths[0]) ?? [];
  if (digest !== undefined && digest !== shortDigest(bytes))
    throw refuse("the weights that the file's name is the digest of", "other bytes");
  let offset = 0;
  const tensors = new Map<string, ParameterValue>();
  weights.forEach(({ name, shape, quantization }, i) => {
    if (tensors.has(name)) throw refuse("each array of weights once", `${name} twice`);
    const data = unpack(bytes.subarray(offset, offset + lengths[i]), quantization);
    tensors.set(name, { shape, data });
    offset += lengths[i];
  });
  return tensors;
}

/**
 * Checks that a file of `writeTensors` is there with its size, without reading it.
 *
 * @throws InputError otherwise.
 */
export async function checkTensorFile(
  dir: string,
  { paths, weights }: TensorManifest,
  fix: string,
): Promise<void> {
  const where = path.join(dir, paths[0]);
  const found = await statIfThere(where);
  const wrong = wrongLength(weights, found?.isFile() ? found.size : undefined);
  if (wrong) throw new InputError({ expected: wrong[0], where, found: wrong[1], fix });
}

function lengthOf({ shape, quantization }: TensorSpec): number {
  return BYTES_PER_NUMBER[quantization?.dtype ?? "float32"] * sizeOf(shape);
}

/** Says what was expected and found if a file has another length than its arrays. */
function wrongLength(
  weights: TensorSpec[],
  found: number | undefined,
): [expected: string, found: string] | null {
  const expected = weights.reduce((total, spec) => total + lengthOf(spec), 0);
  return found === expected ? null : [`${expected} bytes of weights`, `${found ?? "no file"}`];
}

/**
 * Removes the files of earlier writes from a folder, and what processes left that were killed long ago.
 *
 * Another process may save at the same time, and name a file between a look at the names and its removal. So a file is moved away
 * first, and back if it is named by then. What cannot be read or removed is left to the next save: the new file is complete by now.
 *
 * @param names - The file that names those in use.
 */
export async function removeOldTensors(dir: string, names: string): Promise<void> {
  const found = await readdir(dir).catch((): string[] => []);
  const files = found.filter((name) => NAME.test(name));
  const isNamed = (name: string) =>
    readFile(path.join(dir, names), "utf8").then(
      (text) => text.includes(name),
      () => true,
    );
  for (const name of files) {
    if (await isNamed(name)) continue;
    const file = path.join(dir, name);
    const moved = `${file}.${randomBytes(4).toString("hex")}.tmp`;
    const isMoved = await rename(file, moved).then(
      () => true,
      () => false,
    );
    if (!isMoved) continue;
    const isKept = await isNamed(name); // named meanwhile
    await (isKept ? rename(moved, file) : rm(moved).catch(() => rename(moved, file))).catch(() => {});
  }
  await removeAbandoned(dir, TEMPORARY);
}
