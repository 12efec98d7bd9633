// Class folders: which folders are classes, which are parts of a split, and which are neither.
import path from "node:path";
import { InputError, type InputProblem } from "../../errors.js";
import { nameOf } from "../../names.js";
import { type Folder, foldersBelow, type Walk } from "./files.js";
import { type Layout, listLayout } from "./layout.js";
import { type LeftOutFiles, REASONS } from "./left-out.js";
import type { Listing } from "./listing.js";
import {
  ambiguous,
  areNumbered,
  aroundParts,
  copiesIn,
  findBatches,
  hasSplit,
  holdsFiner,
  holdsPartsOnly,
  LAST_FOLDER,
  names,
  refuseSameFolders,
  sharedFolders,
  unwrap,
  withImages,
} from "./same-folders.js";
import { type Part, partsOf } from "./split-names.js";

/** Which folders hold the classes. */
export interface FolderChoice {
  /** Folder of the class folders to train on; "." is the data set's folder itself. Default: the one named so. */
  trainFolder?: string;
  /** Folder of the class folders to validate on. Default: the one named so. */
  validationFolder?: string;
  /** Folders to leave out. */
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
  const { dir, root: top, leftOut } = walk;
  for (const name of choice.leaveOut ?? []) remove(top, folderAt(top, name, dir), leftOut);
  const isChosen = choice.trainFolder !== undefined || choice.validationFolder !== undefined;
  const result = isChosen ? chosenLayout(top, dir, choice) : layoutOf(unwrap(top), dir);
  return "refusal" in result ? result : { listing: listLayout(result, walk) };
}

/** Takes a folder out of the tree. */
function remove(around: Folder, folder: Folder, leftOut: LeftOutFiles): void {
  if (around.folders.includes(folder)) leftOut.add(REASONS.onRequest, `${folder.path}/`, numFiles(folder));
  around.folders = around.folders.filter((inner) => inner !== folder);
  for (const inner of around.folders) remove(inner, folder, leftOut);
  around.numImages = around.folders.reduce((sum, inner) => sum + inner.numImages, around.images.length);
}

function numFiles(folder: Folder): number {
  return foldersBelow(folder).reduce((sum, { images, others }) => sum + images.length + others.length, 0);
}

/** Whether a folder holds class folders rather than images. */
function isLabelled(folder: Folder): boolean {
  const { images, numImages } = unwrap(folder);
  return images.length < numImages - images.length;
}

/** Reads the names of folders with images: those for a part of the split, and those of them that hold class folders. */
function readParts(folder: Folder) {
  const inner = withImages(folder);
  const parts = partsOf(inner.map(({ name }) => name));
  const labelled = inner.filter((one) => parts.has(one.name) && isLabelled(one));
  const foldersFor = (part: Part) => labelled.filter(({ name }) => parts.get(name) === part);
  const [train, validation, test] = (["train", "validation", "test"] as const).map(foldersFor);
  const isAll = inner.length > 0 && labelled.length === inner.length;
  return { inner, parts, labelled, train, validation, test, isSplit: train.length > 0 || isAll };
}

function layoutOf(root: Folder, dir: string): Result {
  const { inner, parts, isSplit } = readParts(root);
  if (inner.length === 0)
    return noClassFolders(
      dir,
      root.numImages > 0 ? "images in no class folder" : "no images in class folders",
    );
  if (isSplit) return splitLayout(root, dir);
  if (inner.every(({ name }) => parts.has(name)))
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

function splitLayout(root: Folder, dir: string): Layout {
  const { inner, labelled, parts, train, validation, test } = readParts(root);
  const others = inner.filter((folder) => !labelled.includes(folder));
  const other = others.find((folder) => train.some((one) => sharedFolders(one, folder).length > 0));
  if (other && validation.length + test.length === 0)
    throw ambiguous(dir, `${train[0].name} and ${other.name}, which hold the same folders`, [
      train[0],
      other,
    ]);
  const [nested] = others.filter((folder) => folder.images.length === 0 && !parts.has(folder.name));
  const isTrainOnly = train.length > 0 && validation.length + test.length === 0;
  if (isTrainOnly && nested)
    throw new InputError({
      expected: "folders with one meaning",
      where: dir,
      found: `${train[0].name} with the folders ${names(withImages(train[0]))}, beside ${names(others)}`,
      fix: `Choose --train-folder ${train[0].path} if the folders in it are the classes, or --train-folder ${root.path} if it is a class.`,
    });
  if ([train, validation].every(({ length }) => length > 1) || (train.length > 1 && test.length > 1))
    throw ambiguous(dir, `the folders ${names(labelled)}`, [train[0], (validation[0] ?? test[0]) as Folder]);
  const layout: Layout = { root, classes: [], unused: new Map(), notes: [] };
  for (const folder of others)
    layout.unused.set(folder, parts.has(folder.name) ? REASONS.noClasses : REASONS.neighbour);
  if (isTrainOnly && others.length > 0)
    layout.notes.push(
      `${names(others)} beside ${train[0].name} is not used, since the classes are the folders in ${train[0].name} (--train-folder ${root.path} takes all for classes).`,
    );
  const classFolders = findClasses([...train, ...validation, ...test], layout, dir);
  const known = new Set(train.flatMap((folder) => classFolders(folder).map(({ name }) => nameOf(name))));
  const isLike = (folder: Folder) =>
    known.size === 0 || classFolders(folder).some(({ name }) => known.has(nameOf(name)));
  const strange = validation.find((folder) => !isLike(folder));
  if (strange)
    throw new InputError({
      expected: "the same classes in train and validation",
      where: dir,
      found: `${names(classFolders(strange))} in ${strange.name}, and none of them in ${names(train)}`,
      fix: "Rename the class folders, or choose another folder with --validation-folder.",
    });
  const tests = test.filter(isLike);
  for (const folder of test.filter((one) => !tests.includes(one)))
    layout.unused.set(folder, REASONS.otherClasses);
  for (const folder of train) addClasses(layout, classFolders(folder), folder, "train", dir);
  for (const folder of validation) addClasses(layout, classFolders(folder), folder, "validation", dir);
  for (const folder of tests) addClasses(layout, classFolders(folder), folder, "test", dir);
  return layout;
}

/**
 * Finds the class folders of each part of a split: those in it, or those below if it holds batches.
 *
 * @param layout - Gets a note for each part with batches.
 * @throws InputError if all parts have the same batches, which may be the classes as well.
 */
function findClasses(parts: Folder[], layout: Layout, dir: string): (part: Folder) => Folder[] {
  const inner = parts.map((part) => withImages(unwrap(part)));
  const classNames = new Set(
    inner.flatMap((folders) =>
      folders.flatMap(({ images, name }) => (images.length > 0 ? nameOf(name) : [])),
    ),
  );
  const found = new Map(parts.map((part) => [part, findBatches(unwrap(part), classNames)]));
  const choice = parts
    .slice(0, 2)
    .map((part, i) => `--${i === 0 ? "train" : "validation"}-folder ${part.path}`);
  const counts = new Map<string, number>();
  for (const { batches } of found.values())
    for (const { name } of batches) counts.set(name, (counts.get(name) ?? 0) + 1);
  for (const [part, { batches, classes }] of found) {
    if (batches.length === 0) continue;
    const same = `the same folders ${names(classes)}`;
    const isEverywhere = batches.every(({ name }) => counts.get(name) === parts.length);
    if (isEverywhere && parts.length > 1 && !areNumbered(batches))
      throw new InputError({
        expected: "folders with one meaning",
        where: dir,
        found: `${names(batches)} in ${part.name}, which hold ${same}`,
        fix: `Choose --label-pattern ${LAST_FOLDER} if the folders in them are the classes, or ${choice.join(" and ")} if they are.`,
      });
    layout.notes.push(
      `${names(batches)} in ${part.name} hold ${same}, so these are the classes (${choice.join(" and ")} takes ${batches[0].name} and the others for classes).`,
    );
  }
  return (part) => found.get(part)?.classes ?? [];
}

/** Adds the class folders in a folder, and says what is not used in it. */
function addClasses(layout: Layout, inner: Folder[], around: Folder, split: Part | null, dir: string): void {
  const classNames = new Set(inner.map(({ name }) => name));
  for (const folder of inner) {
    const copies = copiesIn(folder, classNames);
    if (folder.images.length === 0 && copies.length > 0) {
      layout.unused.set(folder, REASONS.neighbour);
      layout.notes.push(
        `${folder.path} is no class, since it holds folders named as classes: ${names(copies)}.`,
      );
      continue;
    }
    if (hasSplit(folder))
      throw new InputError({
        expected: "folders with one meaning",
        where: dir,
        found: `images in ${names(withImages(folder))} in the class folder ${folder.path}`,
        fix: `Choose --train-folder ${around.path} if they are all of that class, or move them.`,
      });
    layout.classes.push({ folder, className: nameOf(folder.name), split });
  }
}

/** Refuses a "class" that holds two thirds of all images, and only in folders, which may be the classes. */
function refuseContainer(inner: Folder[], dir: string): void {
  const total = inner.reduce((sum, { numImages }) => sum + numImages, 0);
  const [large] = inner.filter((folder) => folder.numImages * 3 > total * 2 && folder.images.length === 0);
  if (!large || inner.length === 1 || withImages(large).length < 2) return;
  const others = inner.filter((folder) => folder !== large);
  throw new InputError({
    expected: "folders with one meaning",
    where: dir,
    found: `${large.name} with the folders ${names(withImages(large))}, beside ${names(others)}`,
    fix: `Choose --train-folder ${large.path} if the folders in it are the classes, or --train-folder . if it is a class.`,
  });
}

function classLayout(root: Folder, dir: string): Result {
  const inner = withImages(root);
  const layout: Layout = { root, classes: [], unused: new Map(), notes: [] };
  const isAround = inner.length === 1 && inner[0].images.length === 0 && withImages(inner[0]).length > 1;
  const isEach = inner.length > 1 && inner.every((folder) => holdsPartsOnly(aroundParts(folder)));
  const trees = inner.filter((folder) => isTree(unwrap(folder)) || (!isEach && isTree(folder)));
  if (trees.length > 0 || isAround) return innerLayout(root, isAround ? inner : trees, dir);
  const around = inner.map(aroundParts);
  if (around.some(hasSplit) || around.every(holdsPartsOnly)) return splitInClasses(root, inner, dir);
  refuseContainer(inner, dir);
  // In a folder that is named for a part, folders that hold the same ones are no parts.
  const isPart = partsOf([root.name]).size > 0;
  addClasses(layout, isPart ? findClasses([root], layout, dir)(root) : inner, root, null, dir);
  const folders = layout.classes.map(({ folder }) => folder);
  refuseSameFolders(folders, dir);
  const numLabelled = folders.reduce((sum, { numImages }) => sum + numImages, 0);
  if (root.images.length > numLabelled)
    return noClassFolders(
      dir,
      `${root.images.length} images in no class folder, and ${numLabelled} in ${names(folders)}`,
    );
  layout.notes.push(...notesOn(folders));
  const parts = partsOf(folders.map(({ name }) => name));
  const alike = folders.filter(({ name }) => parts.has(name));
  if (alike.length > 0)
    layout.notes.push(
      `${names(alike)} ${alike.length > 1 ? "hold" : "holds"} images and no class folders, so ${alike.length > 1 ? "they are classes" : "it is a class"} (--leave-out leaves a folder out).`,
    );
  return layout;
}

/** Names of folders that are often beside classes, and seldom are one. */
const SELDOM_CLASSES =
  /^(_?(samples?|examples?|demo|preview|masks?|labels?|annotations?|duplicates?|removed|rejected|clean(ed|up)?|unsorted|unlabell?ed|unused|misc|backup|old|tmp|temp|trash|augmented|crops|predictions?|results?|outputs?|logs?|cache|raw|originals?|new))([_ -]?(images?|pics|files|data))?$/i;

const FINER = `(--label-pattern ${LAST_FOLDER} takes the innermost folders for classes)`;

/** Says which folders may be classes by mistake. */
function notesOn(folders: Folder[]): string[] {
  const doubtful = folders.filter(({ name }) => SELDOM_CLASSES.test(name));
  const nested = folders.filter((folder) => holdsFiner(folder, folders));
  return [
    ...doubtful.map(({ name, path }) => `${name} is read as a class (--leave-out ${path} leaves it out).`),
    ...nested
      .slice(0, 3)
      .map(
        (folder) =>
          `The class ${folder.name} has no images itself, but in ${names(withImages(folder))} ${FINER}.`,
      ),
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

function splitInClasses(root: Folder, inner: Folder[], dir: string): Layout {
  const layout: Layout = { root, classes: [], unused: new Map(), notes: [] };
  const found: { className: string; part: Part; folder: Folder }[] = [];
  for (const outer of inner) {
    const folder = aroundParts(outer);
    const parts = partsOf(withImages(folder).map(({ name }) => name));
    if (folder.images.length > 0 && hasSplit(folder))
      throw new InputError({
        expected: "all images of a class in the parts of its split",
        where: dir,
        found: `${names(withImages(folder))} in ${folder.name}, and images beside them`,
        fix: "Move these images into one of the folders.",
      });
    if (folder.images.length > 0 || parts.size === 0) {
      const [split] = inner.map(aroundParts).filter(hasSplit);
      throw new InputError({
        expected: "the parts of the split inside of every class",
        where: dir,
        found: `${names(withImages(split))} in ${split.name}, and images in ${folder.name}`,
        fix: `Add such folders to ${folder.name}, or leave it out with --leave-out ${folder.path}.`,
      });
    }
    for (const one of withImages(folder)) {
      const part = parts.get(one.name);
      if (part) found.push({ className: nameOf(outer.name), part, folder: one });
      else layout.unused.set(one, REASONS.neighbour);
    }
  }
  for (const { className, part, folder } of found) layout.classes.push({ folder, className, split: part });
  return layout;
}

/** Reads the folders that the user named. */
function chosenLayout(top: Folder, dir: string, { trainFolder, validationFolder }: FolderChoice): Result {
  const layout: Layout = { root: top, classes: [], unused: new Map(), notes: [] };
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

/** Returns the folder of a path that counts from the data set's folder, or from the folder that it wraps. */
function folderAt(top: Folder, name: string, dir: string): Folder {
  const steps = path.posix
    .normalize(name.replace(/\\/g, "/"))
    .split("/")
    .filter((step) => step !== "." && step !== "");
  for (const from of [top, unwrap(top)]) {
    const found = steps.reduce<Folder | undefined>(
      (folder, step) => folder?.folders.find((inner) => nameOf(inner.name) === nameOf(step)),
      from,
    );
    if (found) return found;
  }
  throw new InputError({
    expected: `the folder ${name}`,
    where: dir,
    found: names(unwrap(top).folders) || "no folders",
    fix: "Fix the name, which counts from the data set's folder.",
  });
}
