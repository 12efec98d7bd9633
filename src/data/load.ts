import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { drawSyntheticFaces, SYNTHETIC_DEFAULTS, syntheticKey } from "../cartoons/draw.js";
import { checkChoice, checkNumber, InputError } from "../errors.js";
import { cacheDir } from "../files.js";
import type { OnProgress } from "../progress.js";
import { assemble } from "./assemble.js";
import type { DataReport } from "./audit/report.js";
import type { Dataset } from "./dataset.js";
import { loadDecoded } from "./pixels/cache.js";
import type { DecodedImages } from "./pixels/packed-file.js";
import { isArchive, unpackArchive } from "./sources/archive.js";
import { type ClassFolders, scanClassFolders } from "./sources/class-folders.js";
import { downloadFer2013 } from "./sources/fer2013.js";
import { OWN_SOURCES } from "./sources/names.js";
import { SPLIT_CHOICES, type SplitChoice } from "./split-names.js";

export interface DataOptions {
  /** `synthetic`, `fer2013` (downloads it), or the path of a folder or archive of class folders. */
  data: string;
  /** Side of the square images, in pixels. */
  imageSize: number;
  /** Governs the split, and which synthetic faces are drawn. */
  seed: number;
  /** Share of each class to validate on, where the folders have no split; 1 = all, to evaluate only. */
  validationShare: number;
  /** `folders`: theirs, or a held-out share; `official`, `official-test`: that of FER-2013's challenge, by its file names. */
  split: SplitChoice;
  /** Leave out images beyond the first of each byte-identical group of a split; off, as published figures have it. */
  dropDuplicates: boolean;
  /** Leave out validation images whose bytes also stand in train; off, as published figures have it. */
  dropLeaked: boolean;
  /** Share of images that may be unreadable before it is an error. */
  maxUnreadableShare: number;
  /** Classes of a trained model, whose labels the images get; by default those of the folders. */
  classNames?: string[];
  onProgress?: OnProgress;
}

const DEFAULTS = {
  seed: 0,
  validationShare: 0.2,
  split: "folders" as const,
  dropDuplicates: false,
  dropLeaked: false,
  maxUnreadableShare: 0.01,
};

/**
 * Loads a data set: finds the images, decodes them once into the cache, splits, and reports on them.
 *
 * @throws InputError when there is nothing to train on, or too much cannot be read.
 */
export async function loadDataset(
  given: Partial<DataOptions> & Pick<DataOptions, "data" | "imageSize">,
): Promise<Dataset & { report: DataReport }> {
  const options: DataOptions = { ...DEFAULTS, ...given };
  const { imageSize, maxUnreadableShare, onProgress } = options;
  checkNumber("imageSize", imageSize, { min: 1, max: 1024, integer: true });
  checkNumber("maxUnreadableShare", maxUnreadableShare, { min: 0, max: 1 });
  checkNumber("validationShare", options.validationShare, { min: 0, max: 1 });
  checkChoice("split", options.split, SPLIT_CHOICES);
  checkNumber("seed", options.seed, { min: 0, integer: true });
  const { name, dir } = await locate(options);
  const folders = await scanClassFolders(dir);
  const classNames = options.classNames ?? folders.classNames;
  checkKnownClasses(folders, classNames);
  const decoded = await loadDecoded(folders, imageSize, onProgress);
  checkReadable(decoded, folders, maxUnreadableShare);
  return assemble(name, folders, decoded, classNames, options);
}

/** Brings the images into a folder, where they are not in one. */
async function locate({ data, seed, onProgress }: DataOptions): Promise<{ name: string; dir: string }> {
  if (data === "synthetic") {
    const drawing = { ...SYNTHETIC_DEFAULTS, seed };
    const dir = path.join(cacheDir(), "synthetic", syntheticKey(drawing));
    const isDrawn = (await stat(dir).catch(() => null)) !== null;
    if (!isDrawn) await drawSyntheticFaces(dir, { ...drawing, onProgress });
    return { name: OWN_SOURCES.synthetic, dir };
  }
  if (data === "fer2013")
    return { name: OWN_SOURCES.fer2013, dir: await unpackArchive(await downloadFer2013(onProgress)) };
  const found = await stat(data).catch(() => null);
  if (found?.isDirectory()) return { name: path.basename(path.resolve(data)), dir: data };
  if (found && isArchive(data)) {
    const dir = await unpackArchive(data);
    const entries = await readdir(dir);
    const name = entries.length === 1 ? entries[0] : path.basename(data).replace(/\.(tar\.gz|\w+)$/i, "");
    return { name, dir };
  }
  throw new InputError({
    expected: "synthetic, fer2013, or a folder or archive (.tar.gz, .tgz, .tar, .zip) of class folders",
    where: data,
    found: found ? "a file of another kind" : "no such path",
    fix: "Check the path.",
  });
}

function checkKnownClasses(folders: ClassFolders, classNames: string[]): void {
  const unknown = folders.classNames.filter((name) => !classNames.includes(name));
  if (unknown.length === 0) return;
  throw new InputError({
    expected: `the model's classes ${classNames.join(", ")}`,
    where: folders.root,
    found: `${unknown.join(", ")}`,
    fix: "Rename the folders, or take a model that was trained on these classes.",
  });
}

function checkReadable(
  { unreadable }: DecodedImages,
  { root, samples }: ClassFolders,
  maxShare: number,
): void {
  const isNone = unreadable.length === samples.length;
  if (!isNone && unreadable.length / samples.length <= maxShare) return;
  const percent = Number((100 * maxShare).toPrecision(6));
  const first = unreadable.slice(0, 3).map(({ path, reason }) => `${path}: ${reason}`);
  throw new InputError({
    expected: isNone ? "images that can be read" : `at most ${percent} % of the images to be unreadable`,
    where: root,
    found: `${isNone ? "none" : unreadable.length} of ${samples.length} (${first.join("; ")}${unreadable.length > 3 ? "; …" : ""})`,
    fix: `Mend or remove them${isNone ? "" : ", or allow more with --max-unreadable-share"}.`,
  });
}
