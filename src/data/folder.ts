import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { InputError } from "../errors.js";

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
}

const IMAGE_FILE = /\.(jpe?g|png|webp|gif|tiff?|avif)$/i;
const SPLITS: [RegExp, "train" | "validation"][] = [
  [/^train(ing)?$/i, "train"],
  [/^(valid(ation)?|val|test(ing)?)$/i, "validation"],
];
const LAYOUT = "folders named by class that hold images, under train and validation or not";

/**
 * Finds class folders and their images; a lone folder around them, as archives have it, is looked into.
 *
 * @throws InputError when there are no images, one class only, or other classes in validation than in train.
 */
export async function scanClassFolders(dir: string): Promise<ClassFolders> {
  const root = await unwrap(dir);
  const folders = await foldersIn(root);
  const splits = folders.flatMap((name) =>
    SPLITS.filter(([pattern]) => pattern.test(name)).map(([, split]) => ({ name, split })),
  );
  const trees = splits.length > 0 ? splits : [{ name: ".", split: null }];
  const samples: Sample[] = [];
  for (const { name, split } of trees)
    for (const className of await foldersIn(path.join(root, name)))
      samples.push(...(await samplesIn(root, path.join(name, className), className, split)));
  const classNames = classesOf(samples);
  checkClasses(root, samples, classNames);
  const order = (sample: Sample) => `${sample.split} ${sample.path}`;
  samples.sort((a, b) => (order(a) < order(b) ? -1 : 1));
  return { root, classNames, samples };
}

function classesOf(samples: Sample[]): string[] {
  return [...new Set(samples.map(({ className }) => className))].sort();
}

async function samplesIn(
  root: string,
  folder: string,
  className: string,
  split: Sample["split"],
): Promise<Sample[]> {
  const files = await readdir(path.join(root, folder), { recursive: true });
  const images = files.filter((file) => IMAGE_FILE.test(file) && !path.basename(file).startsWith("."));
  return Promise.all(
    images.map(async (file) => {
      const relative = path.join(folder, file);
      // a link to nowhere stays a sample, to be named among the unreadable ones
      const { size, mtimeMs } = await stat(path.join(root, relative)).catch(() => ({ size: 0, mtimeMs: 0 }));
      return { path: relative, className, split, size, changed: mtimeMs };
    }),
  );
}

/** Goes into a folder as long as it holds one folder and no image. */
async function unwrap(dir: string): Promise<string> {
  const entries = await readdir(dir, { withFileTypes: true });
  const visible = entries.filter(({ name }) => !isHidden(name));
  const folders = visible.filter((entry) => entry.isDirectory());
  const isWrapper = folders.length === 1 && !visible.some(({ name }) => IMAGE_FILE.test(name));
  if (!isWrapper) return dir;
  const inner = path.join(dir, folders[0].name);
  return (await foldersIn(inner)).length > 0 ? unwrap(inner) : dir;
}

async function foldersIn(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory() && !isHidden(entry.name));
  return folders.map(({ name }) => name).sort();
}

/** Also what macOS adds to its archives. */
function isHidden(name: string): boolean {
  return name.startsWith(".") || name === "__MACOSX";
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
