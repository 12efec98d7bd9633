// Class folders: which folders are classes, which are parts of a split, and which are neither.
import path from "node:path";
import { InputError, type InputProblem } from "../../../errors.js";
import { nameOf } from "../../../names.js";
import type { Folder, Walk } from "../files.js";
import { REASONS } from "../left-out.js";
import type { Listing } from "../listing.js";
import { type Part, partsOf } from "../split-names.js";
import { isSeldomClass } from "./folder-names.js";
import { emptyLayout, type Layout, listLayout } from "./layout.js";
import { folderAt } from "./leave-out.js";
import {
  aroundParts,
  hasSplit,
  holdsFiner,
  holdsPartsOnly,
  LAST_FOLDER,
  names,
  partsIn,
  refuseSameFolders,
  unclearFolder,
  unwrap,
  withImages,
} from "./same-folders.js";
import { addClasses, findClasses, readParts, splitLayout } from "./split-folders.js";

/** Which folders hold the classes. */
export interface FolderChoice {
  /** Folder of the class folders to train on; "." is the data set's folder itself. Default: the one named so. */
  trainFolder?: string;
  /** Folder of the class folders to validate on. Default: the one named so. */
  validationFolder?: string;
  /**
   * What to leave out: a folder's path; the name of folders at any depth, such as `masks`; or a pattern for files and folders, by name
   * (`*_mask.png`) or by path (`cat/*.gif`).
   */
  leaveOut?: string[];
}

/** A layout, or why there are no class folders. */
type Result = Layout | { refusal: InputProblem };

const EXPECTED = "class folders with images, with or without train and validation folders around them";

/**
 * Finds class folders and their images. Enters single folders around them, as archives have. Test images are for validation
 * if there is nothing else for it.
 *
 * @returns A refusal if no folder holds the images of one class.
 * @throws InputError if the folders can be understood in several ways.
 */
export function findClassFolders(
  walk: Walk,
  choice: FolderChoice,
): { listing: Listing } | { refusal: InputProblem } {
  const { dir, root: top } = walk;
  const isChosen = choice.trainFolder !== undefined || choice.validationFolder !== undefined;
  const result = isChosen ? chosenLayout(top, dir, choice) : layoutOf(unwrap(top), dir);
  return "refusal" in result ? result : { listing: listLayout(result, walk) };
}

function layoutOf(root: Folder, dir: string): Result {
  const { inner, parts, labelled, isSplit } = readParts(root);
  if (inner.length === 0)
    return noClassFolders(
      dir,
      root.numImages > 0 ? "images in no class folder" : "no images in class folders",
    );
  if (isSplit) return splitLayout(root, dir);
  const named = inner.filter(({ name }) => parts.has(name));
  // Beside others, as `query` beside `bounding_box_train` and `bounding_box_test`.
  const areParts = labelled.length === 0 && new Set(named.map(({ name }) => parts.get(name))).size > 1;
  if (areParts || named.length === inner.length)
    return noClassFolders(dir, `images in ${names(inner)}, in no class folder`, inner);
  return classLayout(root, dir);
}

/** @param mayBeClasses - Folders with images that are named for parts of a split. */
function noClassFolders(
  where: string,
  found: string,
  mayBeClasses: Folder[] = [],
): { refusal: InputProblem } {
  const move = "Move each image into a folder named by its class";
  const fix =
    mayBeClasses.length > 1 ? `${move}, or choose --train-folder . if these are the classes.` : `${move}.`;
  return { refusal: { expected: EXPECTED, where, found, fix } };
}

/** Refuses a "class" that holds two thirds of all images, and only in folders, which may be the classes. */
function refuseContainer(inner: Folder[], dir: string): void {
  const total = inner.reduce((sum, { numImages }) => sum + numImages, 0);
  const [large] = inner.filter((folder) => folder.numImages * 3 > total * 2 && folder.images.length === 0);
  if (!large || inner.length === 1 || withImages(large).length < 2) return;
  const others = inner.filter((folder) => folder !== large);
  throw unclearFolder(dir, large, others);
}

function classLayout(root: Folder, dir: string): Result {
  const inner = withImages(root);
  const layout = emptyLayout(root, dir);
  const isAround = inner.length === 1 && inner[0].images.length === 0 && withImages(inner[0]).length > 1;
  const isEach = inner.length > 1 && inner.every((folder) => holdsPartsOnly(aroundParts(folder)));
  const trees = inner.filter((folder) => isTree(unwrap(folder)) || (!isEach && isTree(folder)));
  if (trees.length > 0 || isAround) return innerLayout(root, isAround ? inner : trees, dir);
  const around = inner.map(aroundParts);
  if (around.some(hasSplit) || around.every(holdsPartsOnly)) return splitInClasses(root, inner, dir);
  refuseContainer(inner, dir);
  // In a folder that is named for a part, folders that hold the same ones are no parts.
  const isPart = partsOf([root.name]).size > 0;
  addClasses(layout, isPart ? findClasses([root], layout)(root) : inner, root, null);
  const folders = layout.classes.map(({ folder }) => folder);
  refuseSameFolders(folders, dir);
  const numLabelled = folders.reduce((sum, { numImages }) => sum + numImages, 0);
  if (folders.length === 0) return noClassFolders(dir, "folders that hold folders of the same names");
  if (root.images.length > numLabelled)
    return noClassFolders(
      dir,
      `${root.images.length} images in no class folder, and ${numLabelled} in ${names(folders)}`,
    );
  layout.notes.push(...notesOn(folders));
  return layout;
}

const FINER = `(--label-pattern ${LAST_FOLDER} takes the innermost folders for classes)`;

/** Says which folders may be classes by mistake. */
function notesOn(folders: Folder[]): string[] {
  const doubtful = folders.filter(({ name }) => isSeldomClass(name));
  const nested = folders.filter((folder) => holdsFiner(folder, folders)).slice(0, 3);
  const parts = partsOf(folders.map(({ name }) => name));
  const alike = folders.filter(({ name }) => parts.has(name));
  const [hold, are] = alike.length > 1 ? ["hold", "they are classes"] : ["holds", "it is a class"];
  const note = `${names(alike)} ${hold} images and no class folders, so ${are} (--leave-out leaves a folder out).`;
  return [
    ...doubtful.map(({ name, path }) => `${name} is read as a class (--leave-out ${path} leaves it out).`),
    ...nested.map(
      (folder) =>
        `The class ${folder.name} has no images itself, but in ${names(withImages(folder))} ${FINER}.`,
    ),
    ...(alike.length > 0 ? [note] : []),
  ];
}

/** Whether a folder is a data set of its own: it holds parts of a split with class folders in them. */
function isTree(folder: Folder): boolean {
  const { train, validation, test } = readParts(folder);
  return train.length > 0 || (validation.length > 0 && test.length > 0);
}

/** Enters the one folder that is a data set; those beside it are not used. */
function innerLayout(root: Folder, trees: Folder[], dir: string): Result {
  const [tree] = trees;
  const others = withImages(root).filter((folder) => folder !== tree);
  const neighbours = others.filter((folder) => !trees.includes(folder));
  const result = layoutOf(unwrap(tree), dir);
  if ("refusal" in result) return result;
  const isCopy = others.some(({ name }) =>
    result.classes.some(({ className }) => className === nameOf(name)),
  );
  if (trees.length > 1 || isCopy)
    throw new InputError({
      expected: "one data set",
      where: dir,
      found: `${names(trees)}, which ${trees.length > 1 ? "each hold" : "holds"} parts of a split${neighbours.length > 0 ? `, beside ${names(neighbours)}` : ""}`,
      fix: `Choose one: give the folder ${path.join(dir, tree.path)}, or leave others out with --leave-out ${tree.path}.`,
    });
  refuseSameFolders(withImages(root), dir);
  for (const folder of others) result.unused.set(folder, REASONS.neighbour);
  if (others.length > 0)
    result.notes.push(`${tree.path} is the data set, and ${names(others)} beside it is not used.`);
  return result;
}

/** Reads the parts of the split that each class holds, as `cat/train` and `cat/val`. */
function splitInClasses(root: Folder, inner: Folder[], dir: string): Layout {
  const layout = emptyLayout(root, dir);
  const classes = inner.map((outer) => ({ className: nameOf(outer.name), folder: aroundParts(outer) }));
  for (const { className, folder } of classes) {
    const parts = partsIn(folder);
    if (folder.images.length > 0 || parts.size === 0) {
      const split = classes.map((one) => one.folder).find(hasSplit) ?? folder;
      throw partlySplit(folder, split, dir);
    }
    for (const one of withImages(folder)) {
      const split = parts.get(one.name);
      if (split) layout.classes.push({ folder: one, className, split });
      else layout.unused.set(one, REASONS.neighbour);
    }
  }
  return layout;
}

/** Makes the error for a class with images in none of its parts. @param split - A class with parts, or the same. */
function partlySplit(folder: Folder, split: Folder, where: string): InputError {
  if (hasSplit(folder))
    return new InputError({
      expected: "all images of a class in the parts of its split",
      where,
      found: `${names(withImages(folder))} in ${folder.name}, and images beside them`,
      fix: "Move these images into one of the folders.",
    });
  return new InputError({
    expected: "the parts of the split inside of every class",
    where,
    found: `${names(withImages(split))} in ${split.name}, and images in ${folder.name}`,
    fix: `Add such folders to ${folder.name}, or leave it out with --leave-out ${folder.path}.`,
  });
}

function chosenLayout(top: Folder, dir: string, { trainFolder, validationFolder }: FolderChoice): Result {
  const layout = emptyLayout(top, dir);
  const [train, validation] = [trainFolder, validationFolder].map((name) =>
    name === undefined ? undefined : unwrap(folderAt(top, name, dir)),
  );
  const chosen = [train, validation].flatMap((folder) => folder ?? []);
  const add = (around: Folder, split: Part | null) => {
    for (const folder of withImages(around).filter((one) => !chosen.includes(one)))
      layout.classes.push({ folder, className: nameOf(folder.name), split });
  };
  if (train) add(train, validation ? "train" : null);
  else {
    const found = layoutOf(unwrap(top), dir);
    const known = "refusal" in found ? [] : found.classes;
    layout.classes.push(
      ...known.filter(({ split, folder }) => split === "train" && !isIn(folder, validation)),
    );
  }
  if (validation) add(validation, "validation");
  return layout.classes.length > 0 ? layout : noClassFolders(dir, `no class folders in ${names(chosen)}`);
}

function isIn(folder: Folder, around: Folder | undefined): boolean {
  return around !== undefined && `${folder.path}/`.startsWith(`${around.path}/`);
}
