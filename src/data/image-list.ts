// The list of images that a run trains and validates on: how a run and its models know their data.

import { rm } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { DIGEST_LENGTH, shortDigest } from "../digest.js";
import { InputError } from "../errors.js";
import { readRegularFile, writeFileAtomically } from "../files.js";
import { inShort } from "../names.js";
import { counted } from "../text.js";
import type { Dataset, PackedImages } from "./dataset.js";

export interface ListedImage {
  split: "train" | "validation";
  className: string;
  /** First 64 bits of the SHA-256 of the file, in hexadecimal; of the pixels if there is no file. */
  digest: string;
  /** Relative to the data set's root; absent in the list of a model. */
  path?: string;
  /** Shares of votes to train on, one for each class; absent in the list of a model. */
  shares?: number[];
}

export interface ImageList {
  /** How the data set was loaded, such as `seed` and `validationShare`. */
  options: Readonly<Record<string, unknown>>;
  /** How it was split, if known. */
  split?: string;
  images: ListedImage[];
  /** Digests of the images that the run's starting weights and teachers had been trained on, as far as that is known. */
  trainedBefore?: string[];
  /** Those of these models whose images are not listed, or the models that they began with: a bundled model's name, or `other`. */
  unlistedModels?: string[];
  /** Digests of the training images that the run set aside to calibrate on, if any. */
  setAside?: string[];
  /** Digests of the images that the model was calibrated on after its run, if it was. */
  calibratedOn?: string[];
}

/** Name of the list's file in a run's folder (with paths) and in its model folder (without). */
export const IMAGE_LIST = "images.jsonl.gz";

/** Images whose pixels are read at a time. */
const BLOCK = 256;

export async function listImages({
  train,
  validation,
  classNames,
  options,
  split,
}: Dataset): Promise<ImageList> {
  const images: ListedImage[] = [];
  for (const [name, packed] of [
    ["train", train],
    ["validation", validation],
  ] as const) {
    const digests = packed.digests ?? (await pixelDigests(packed));
    packed.paths.forEach((path, i) => {
      const className = classNames[packed.labels[i]];
      const shares = packed.labelShares?.slice(i * classNames.length, (i + 1) * classNames.length);
      const digest = digests[i].slice(0, DIGEST_LENGTH);
      images.push({ split: name, className, digest, path, ...(shares && { shares: [...shares] }) });
    });
  }
  return { options: options ?? {}, ...(split && { split }), images };
}

async function pixelDigests({ pixels, numImages }: PackedImages): Promise<string[]> {
  const digests: string[] = [];
  for (let start = 0; start < numImages; start += BLOCK) {
    const length = Math.min(BLOCK, numImages - start);
    const bytes = await pixels.read(Int32Array.from({ length }, (_, i) => start + i));
    const imageBytes = bytes.length / length;
    for (let i = 0; i < length; i++)
      digests.push(shortDigest(bytes.subarray(i * imageBytes, (i + 1) * imageBytes)));
  }
  return digests;
}

/** Returns a digest of all splits, classes, contents and paths. */
export function listDigest({ images }: ImageList): string {
  return shortDigest(images.map((image) => line(image)).join(""));
}

/** Returns a digest of all classes, contents and paths, whatever their split and order: it is the same for each seed and fold. */
export function contentDigest({ images }: ImageList): string {
  const lines = images.map((image) =>
    JSON.stringify([image.className, image.digest, image.path, image.shares]),
  );
  return shortDigest(lines.sort().join("\n"));
}

/** Returns a digest of a list as a model has it, without paths. */
export function modelListDigest({ images }: ImageList): string {
  return shortDigest(
    images.map(({ split, className, digest }) => line({ split, className, digest })).join(""),
  );
}

/** Writes a list, compressed. Without paths, it tells nothing about files but their digests. */
export async function writeImageList(file: string, list: ImageList, withPaths: boolean): Promise<void> {
  const { images, ...header } = list;
  const lines = images.map(({ path, shares, ...image }) =>
    line(withPaths ? { ...image, path, shares } : image),
  );
  await writeFileAtomically(file, gzipSync(`${JSON.stringify(header)}\n${lines.join("")}`));
}

/** Digests hardly shrink, votes do; a larger ratio fills the memory from a small file. */
const [MAX_RATIO, MIN_ALLOWED_BYTES] = [200, 2 ** 20];

const REMOVE_LIST = "Remove it; then nothing is known about the images of the training.";

/**
 * Reads the list of a model folder; null if there is none.
 *
 * @param expected - Digest that the model recorded; undefined for models before version 0.3.
 * @throws InputError when the list is broken, or of another model.
 */
export async function readModelList(dir: string, expected: string | undefined): Promise<ImageList | null> {
  const where = join(dir, IMAGE_LIST);
  const list = await readImageList(where);
  // A model that was imported gets a list, without images, when it is calibrated.
  if (list === null || list.images.length === 0 || expected === undefined) return list;
  if (modelListDigest(list) === expected) return list;
  throw new InputError({
    expected: "the list of the images that the model was trained on",
    where,
    found: "that of another model",
    fix: REMOVE_LIST,
  });
}

/**
 * Reads what `writeImageList` wrote; null if there is no such file.
 *
 * @throws InputError when the file is broken.
 */
export async function readImageList(file: string): Promise<ImageList | null> {
  const fix = REMOVE_LIST;
  const bytes = await readRegularFile(file, { expected: "a list of images", fix });
  if (!bytes) return null;
  try {
    const maxOutputLength = MIN_ALLOWED_BYTES + MAX_RATIO * bytes.length;
    const [header, ...lines] = gunzipSync(bytes, { maxOutputLength }).toString().trimEnd().split("\n");
    const images = lines.map((text): ListedImage => {
      const [split, className, digest, path, shares] = JSON.parse(text) as ListedLine;
      if (![split, className, digest, path ?? ""].every((value) => typeof value === "string"))
        throw new Error("other values");
      return { split, className, digest, ...(path !== undefined && { path }), ...(shares && { shares }) };
    });
    const { options, ...others } = JSON.parse(header) as Omit<ImageList, "images">;
    for (const values of [others.setAside, others.calibratedOn, others.trainedBefore, others.unlistedModels])
      if (values?.every((value) => typeof value === "string") === false) throw new Error("other values");
    return { options: { ...options }, ...others, images };
  } catch {
    throw new InputError({
      expected: "a list of images",
      where: file,
      found: "a broken file",
      fix,
    });
  }
}

/** Describes how two lists differ: "2 labels changed (train/a/1.png: a → b, …)". */
export function listChanges(before: ImageList, after: ImageList): string {
  const [old, now] = [byName(before), byName(after)];
  const changes: Record<string, string[]> = {};
  const note = (kind: string, what: string) => {
    changes[kind] = [...(changes[kind] ?? []), what];
  };
  const [added, removed] = [new Map(now), new Map(old)];
  for (const [name, image] of now) {
    const earlier = old.get(name);
    if (!earlier) continue;
    added.delete(name);
    removed.delete(name);
    if (earlier.digest !== image.digest) note("replaced", name);
    if (earlier.className !== image.className) note("with another label", name);
    else if (earlier.split !== image.split) note("in another split", name);
    else if (JSON.stringify(earlier.shares) !== JSON.stringify(image.shares)) note("with other votes", name);
  }
  // An image that is gone from one path and has come to another was moved, most often to correct its label.
  const gone = new Map([...removed].map(([name, image]) => [image.digest, name]));
  for (const [name, image] of added) {
    const from = gone.get(image.digest);
    if (from === undefined) continue;
    const earlier = removed.get(from) as ListedImage;
    const isRelabelled = earlier.className !== image.className;
    note(isRelabelled ? "with another label" : "moved", `${from} → ${name}`);
    gone.delete(image.digest);
    removed.delete(from);
    added.delete(name);
  }
  for (const name of removed.keys()) note("removed", name);
  for (const name of added.keys()) note("added", name);
  const parts = Object.entries(changes).map(([kind, names]) => {
    return `${counted(names.length, "image")} ${kind} (${inShort(names, 3, 3)})`;
  });
  return parts.join(", ") || "the same images in another order";
}

/** Names images by their paths; one that is listed again gets a number. */
function byName({ images }: ImageList): Map<string, ListedImage> {
  const counts = new Map<string, number>();
  return new Map(
    images.map((image) => {
      const name = image.path ?? image.digest;
      const count = (counts.get(name) ?? 0) + 1;
      counts.set(name, count);
      return [count === 1 ? name : `${name} (${count})`, image];
    }),
  );
}

type ListedLine = [ListedImage["split"], string, string, string?, number[]?];

function line({ split, className, digest, path, shares }: ListedImage): string {
  const values: ListedLine = [split, className, digest];
  if (path !== undefined) values.push(path);
  if (path !== undefined && shares) values.push(shares);
  return `${JSON.stringify(values)}\n`;
}

/**
 * Gives a copy of a model the list of the images that the model's run had. A copy of a model without a list gets none, whatever
 * model was in the folder before.
 *
 * @param source - Model folder, or a file of weights.
 * @throws InputError when the list is broken.
 */
export async function copyImageList(source: string, target: string): Promise<void> {
  const [from, to] = [source, target].map((dir) => join(dir, IMAGE_LIST));
  if (from === to) return;
  const list = await readImageList(from);
  if (list) await writeImageList(to, list, false);
  else await rm(to, { force: true });
}

/**
 * Gives a model that was calibrated the list of the model that it was before, with the images that it was calibrated on.
 *
 * @param digests - As `listImages` gives them.
 * @throws InputError when the list is broken.
 */
export async function listCalibration(source: string, target: string, digests: string[]): Promise<void> {
  const list = (await readImageList(join(source, IMAGE_LIST))) ?? { options: {}, images: [] };
  const calibratedOn = [...new Set([...(list.calibratedOn ?? []), ...digests])];
  await writeImageList(join(target, IMAGE_LIST), { ...list, calibratedOn }, false);
}
