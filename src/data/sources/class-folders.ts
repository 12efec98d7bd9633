import { statSync } from "node:fs";
import { readdir, realpath, stat } from "node:fs/promises";
import path from "node:path";
import { InputError } from "../../errors.js";
import { isImageFile } from "../pixels/decode.js";

/** An image file of a data set. */
export interface Sample {
  /** Relative to the root. */
  path: string;
  className: string;
  /** Null where the folders have no split. */
  split: "train" | "validation" | null;
  /** In bytes. */
  size: number;
  /** Time of the last change, in milliseconds. */
  changed: number;
}

/** Class folders as they lie on disk. */
export interface ClassFolders {
  root: string;
  /** Sorted. */
  classNames: string[];
  /** Sorted by split, then path. */
  samples: Sample[];
  /** Split folders that are not used: those for tests, where others are for validation. */
  unusedFolders: string[];
}

const TRAIN = /^train(ing)?$/i;
const VALIDATION = /^(valid(ation)?|val)$/i;
const TEST = /^test(ing)?$/i;
const LAYOUT = "folders named by class that hold images, under train and validation or not";

/**
 * Finds class folders and their images; a lone folder around them, as archives have it, is looked into, and links to folders
 * are followed. Images for tests validate where there are none for validation, and are left out where there are.
 *
 * @throws InputError when there are no images, one class only, or other classes in validation than in train.
 */
export async function scanClassFolders(dir: string): Promise<ClassFolders> {
  const root = await unwrap(dir);
  const { folders } = await list(root, root);
  const [train, validation, test] = [TRAIN, VALIDATION, TEST].map((split) =>
    folders.filter((name) => split.test(name)),
  );
  const validating = validation.length > 0 ? validation : test;
  const trees: { folder: string; split: Sample["split"] }[] = [
    ...train.map((folder) => ({ folder, split: "train" as const })),
    ...validating.map((folder) => ({ folder, split: "validation" as const })),
  ];
  if (trees.length === 0) trees.push({ folder: ".", split: null });
  const samples: Sample[] = [];
  for (const { folder, split } of trees)
    for (const className of (await list(path.join(root, folder), root)).folders) {
      for (const file of await imagesBelow(path.join(folder, className), root))
        samples.push({ path: file, ...stampOf(`${root}/${file}`), className, split });
    }
  const classNames = classesOf(samples);
  checkClasses(root, samples, classNames);
  samples.sort((a, b) => ((a.split === b.split ? a.path < b.path : a.split === "train") ? -1 : 1));
  return { root, classNames, samples, unusedFolders: validating === test ? [] : test };
}

function classesOf(samples: Sample[]): string[] {
  return [...new Set(samples.map(({ className }) => className))].sort();
}

/** Paths of the images in a folder of the root and below it; a folder that links lead to more than once counts once. */
async function imagesBelow(folder: string, root: string, seen = new Set<string>()): Promise<string[]> {
  const dir = path.join(root, folder);
  const place = await realpath(dir);
  if (seen.has(place)) return [];
  seen.add(place);
  const { folders, images } = await list(dir, root);
  let files = images.map((name) => `${folder}/${name}`);
  for (const name of folders) files = files.concat(await imagesBelow(path.join(folder, name), root, seen));
  return files;
}

/** Asked for without a promise, which takes a fifth of the time. */
function stampOf(file: string): Pick<Sample, "size" | "changed"> {
  try {
    const { size, mtimeMs } = statSync(file);
    return { size, changed: mtimeMs };
  } catch {
    return { size: 0, changed: 0 }; // a link to nowhere stays a sample, to be named among the unreadable ones
  }
}

/** Goes into a folder as long as it holds one folder and no image. */
async function unwrap(dir: string, seen = new Set<string>()): Promise<string> {
  const { folders, images } = await list(dir, dir);
  if (folders.length !== 1 || images.length > 0) return dir;
  const inner = path.join(dir, folders[0]);
  const place = await realpath(inner);
  if (seen.has(place) || (await list(inner, inner)).folders.length === 0) return dir;
  return unwrap(inner, seen.add(place));
}

/** Names of the folders and of the images in a folder, sorted, without hidden ones and what macOS adds to its archives. */
async function list(dir: string, root: string): Promise<{ folders: string[]; images: string[] }> {
  const entries = await readdir(dir, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    throw new InputError({
      expected: "a folder that can be read",
      where: dir,
      found: `the error ${error.code}`,
      fix: "Mend its permissions, or give another folder.",
    });
  });
  const [folders, images]: string[][] = [[], []];
  for (const entry of entries) {
    const { name } = entry;
    if (name.startsWith(".") || name === "__MACOSX") continue;
    const isLink = entry.isSymbolicLink();
    if (entry.isDirectory()) folders.push(name);
    else if (isImageFile(name) && (entry.isFile() || isLink)) images.push(name);
    else if (isLink && (await leadsToFolder(path.join(dir, name), root))) folders.push(name);
  }
  return { folders: folders.sort(), images };
}

/** Not where the link leads back to a folder that it lies in, or that the data set does. */
async function leadsToFolder(link: string, root: string): Promise<boolean> {
  try {
    const target = await realpath(link);
    if (!(await stat(target)).isDirectory()) return false;
    const around = await Promise.all([path.dirname(link), root].map((dir) => realpath(dir)));
    return !around.some((dir) => `${dir}/`.startsWith(target === "/" ? target : `${target}/`));
  } catch {
    return false; // it leads nowhere
  }
}

function checkClasses(root: string, samples: Sample[], classNames: string[]): void {
  if (samples.length === 0)
    throw new InputError({
      expected: LAYOUT,
      where: root,
      found: "no images in class folders",
      fix: "Put each image into a folder named by its class.",
    });
  if (classNames.length === 1)
    throw new InputError({
      expected: "at least two classes",
      where: root,
      found: `only ${classNames[0]}`,
      fix: "Add a folder for each other class.",
    });
  const ofSplit = (split: string) => classesOf(samples.filter((sample) => sample.split === split));
  const [train, validation] = [ofSplit("train"), ofSplit("validation")];
  if (train.length === 0 || validation.length === 0 || train.join() === validation.join()) return;
  const only = (a: string[], b: string[]) => a.filter((name) => !b.includes(name)).join(", ");
  const parts = [
    only(train, validation) && `${only(train, validation)} in train alone`,
    only(validation, train) && `${only(validation, train)} in validation alone`,
  ];
  throw new InputError({
    expected: "the same classes in train and validation",
    where: root,
    found: parts.filter(Boolean).join(" and "),
    fix: "Add or rename the folders.",
  });
}
