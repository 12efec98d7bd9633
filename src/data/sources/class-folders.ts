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
  /** Null if the folders have no split. */
  split: "train" | "validation" | null;
  /** Size in bytes. */
  size: number;
  /** Changes whenever the file does, even if its size and date stay: times of modification and change, and inode. */
  changed: string;
}

/** Class folders on disk. */
export interface ClassFolders {
  root: string;
  /** Sorted by code unit. */
  classNames: string[];
  /** Sorted by split, then path. */
  samples: Sample[];
  /** Split folders that are not used: test folders beside validation folders. */
  unusedFolders: string[];
}

const TRAIN = /^train(ing)?$/i;
const VALIDATION = /^(valid(ation)?|val)$/i;
const TEST = /^test(ing)?$/i;
const LAYOUT = "class folders with images, with or without train and validation folders around them";

/**
 * Finds class folders and their images. Enters a single folder around them, as archives have, and follows links to folders.
 * Test images are for validation if there is no validation folder, and are left out otherwise.
 *
 * @throws InputError when there are no images, only one class, or different classes in train and validation.
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

/** Returns the paths of all images in a folder, at any depth. A folder with several links to it counts once. */
async function imagesBelow(folder: string, root: string, seen = new Set<string>()): Promise<string[]> {
  const dir = path.join(root, folder);
  const target = await realpath(dir);
  if (seen.has(target)) return [];
  seen.add(target);
  const { folders, images } = await list(dir, root);
  let files = images.map((name) => `${folder}/${name}`);
  for (const name of folders) files = files.concat(await imagesBelow(path.join(folder, name), root, seen));
  return files;
}

/** Synchronous, which takes a fifth of the time. */
function stampOf(file: string): Pick<Sample, "size" | "changed"> {
  try {
    const { size, mtimeMs, ctimeMs, ino } = statSync(file);
    return { size, changed: `${mtimeMs} ${ctimeMs} ${ino}` };
  } catch {
    return { size: 0, changed: "" }; // a broken link stays a sample, to be reported as unreadable
  }
}

/** Enters folders that hold a single folder and no image. */
async function unwrap(dir: string, seen = new Set<string>()): Promise<string> {
  const { folders, images } = await list(dir, dir);
  if (folders.length !== 1 || images.length > 0) return dir;
  const inner = path.join(dir, folders[0]);
  const target = await realpath(inner);
  if (seen.has(target) || (await list(inner, inner)).folders.length === 0) return dir;
  return unwrap(inner, seen.add(target));
}

/** Lists the folders and images in a folder, without hidden ones and those that macOS adds to archives. */
async function list(dir: string, root: string): Promise<{ folders: string[]; images: string[] }> {
  const entries = await readdir(dir, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    throw new InputError({
      expected: "a folder that can be read",
      where: dir,
      found: `the error ${error.code}`,
      fix: "Fix its permissions, or choose another folder.",
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

/** False also for a link back to a folder around it or around the data set. */
async function leadsToFolder(link: string, root: string): Promise<boolean> {
  try {
    const target = await realpath(link);
    if (!(await stat(target)).isDirectory()) return false;
    const around = await Promise.all([path.dirname(link), root].map((dir) => realpath(dir)));
    return !around.some((dir) => `${dir}/`.startsWith(target === "/" ? target : `${target}/`));
  } catch {
    return false; // a broken link
  }
}

function checkClasses(root: string, samples: Sample[], classNames: string[]): void {
  if (samples.length === 0)
    throw new InputError({
      expected: LAYOUT,
      where: root,
      found: "no images in class folders",
      fix: "Move each image into a folder named by its class.",
    });
  if (classNames.length === 1)
    throw new InputError({
      expected: "at least two classes",
      where: root,
      found: `only ${classNames[0]}`,
      fix: "Add a folder for each class.",
    });
  const ofSplit = (split: string) => classesOf(samples.filter((sample) => sample.split === split));
  const [train, validation] = [ofSplit("train"), ofSplit("validation")];
  if (train.length === 0 || validation.length === 0 || train.join() === validation.join()) return;
  const only = (a: string[], b: string[]) => a.filter((name) => !b.includes(name)).join(", ");
  const parts = [
    only(train, validation) && `${only(train, validation)} only in train`,
    only(validation, train) && `${only(validation, train)} only in validation`,
  ];
  throw new InputError({
    expected: "the same classes in train and validation",
    where: root,
    found: parts.filter(Boolean).join(" and "),
    fix: "Add or rename the folders.",
  });
}
