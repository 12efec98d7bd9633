// Folders for the parts of a split, with class folders in each.
import { tally } from "../../../collections.js";
import { InputError } from "../../../errors.js";
import { nameOf } from "../../../names.js";
import type { Folder } from "../files.js";
import { REASONS } from "../left-out.js";
import type { Part } from "../split-names.js";
import { areSources } from "./folder-names.js";
import { emptyLayout, type Layout } from "./layout.js";
import {
  copiesIn,
  differInNumbers,
  findBatches,
  hasSplit,
  LAST_FOLDER,
  names,
  partsIn,
  sharedFolders,
  unclear,
  unclearFolder,
  unclearParts,
  unwrap,
  withImages,
} from "./same-folders.js";

/** Whether a folder holds class folders rather than images. */
function isLabelled(folder: Folder): boolean {
  const { images, numImages } = unwrap(folder);
  return images.length < numImages - images.length;
}

/** Reads the names of folders with images: those for a part of the split, and those of them that hold class folders. */
export function readParts(folder: Folder) {
  const inner = withImages(folder);
  const parts = partsIn(folder);
  const labelled = inner.filter((one) => parts.has(one.name) && isLabelled(one));
  const foldersFor = (part: Part) => labelled.filter(({ name }) => parts.get(name) === part);
  const [train, validation, test] = (["train", "validation", "test"] as const).map(foldersFor);
  const isAll = inner.length > 0 && labelled.length === inner.length;
  return {
    inner,
    parts,
    labelled,
    others: inner.filter((one) => !labelled.includes(one)),
    train,
    validation,
    test,
    isSplit: train.length > 0 || isAll,
    isTrainOnly: train.length > 0 && validation.length + test.length === 0,
  };
}

/**
 * Reads class folders in folders that are named for parts of a split.
 *
 * @throws InputError if it is not clear which folders are parts, or parts have no class in common.
 */
export function splitLayout(root: Folder, dir: string): Layout {
  const read = readParts(root);
  refuseUnclear(read, root, dir);
  const { others, parts, train, validation, test } = read;
  const layout = emptyLayout(root, dir);
  for (const folder of others)
    layout.unused.set(folder, parts.has(folder.name) ? REASONS.noClasses : REASONS.neighbour);
  if (read.isTrainOnly && others.length > 0)
    layout.notes.push(
      `${names(others)} beside ${train[0].name} ${others.length > 1 ? "are" : "is"} not used, since the classes are the folders in ${train[0].name} (--train-folder ${root.path} takes all for classes).`,
    );
  const classFolders = findClasses([...train, ...validation, ...test], layout);
  const known = new Set(train.flatMap((folder) => classFolders(folder).map(({ name }) => nameOf(name))));
  const isLike = (folder: Folder) =>
    known.size === 0 || classFolders(folder).some(({ name }) => known.has(nameOf(name)));
  const strange = validation.find((folder) => !isLike(folder));
  if (strange)
    throw new InputError({
      expected: "the same classes in train and validation",
      where: dir,
      found: `${names(classFolders(strange))} in ${strange.name}, and none of them in ${names(train)}`,
      fix:
        areSources([...known, ...classFolders(strange).map(({ name }) => nameOf(name))]) !== null
          ? "Choose the tables of labels with --labels FILE,FILE if these folders are persons or pieces of the data set. Otherwise rename the class folders."
          : classFolders(strange).length === 1 && known.size > 1 // perhaps all images, with labels in a table
            ? `Move each image of ${strange.name} into a folder named by its class, or leave ${strange.name} out with --leave-out ${strange.path}.`
            : "Rename the class folders, or choose another folder with --validation-folder.",
    });
  for (const folder of test.filter((one) => !isLike(one))) {
    layout.unused.set(folder, REASONS.otherClasses);
    const own = classFolders(folder);
    if (own.length > 1)
      layout.notes.push(
        `${folder.name} is not used, since no folder in it (${names(own)}) has the name of a class in ${names(train)}.`,
      );
  }
  const add = (folders: Folder[], part: Part) => {
    for (const folder of folders) addClasses(layout, classFolders(folder), folder, part);
  };
  add(train, "train");
  add(validation, "validation");
  add(test.filter(isLike), "test");
  return layout;
}

/** Refuses folders that may be parts, or classes, or folders around the classes. */
function refuseUnclear(read: ReturnType<typeof readParts>, root: Folder, dir: string): void {
  const { others, labelled, parts, train, validation, test, isTrainOnly } = read;
  const other = others.find((folder) => train.some((one) => sharedFolders(one, folder).length > 0));
  if (isTrainOnly && other) {
    const found = `${train[0].name} and ${other.name}, which hold the same folders`;
    throw unclearParts(dir, found, train[0], other);
  }
  const isNested = ({ images, name }: Folder) => images.length === 0 && !parts.has(name);
  if (isTrainOnly && others.some(isNested)) throw unclearFolder(dir, train[0], others, root);
  if ([train, validation].every(({ length }) => length > 1) || (train.length > 1 && test.length > 1))
    throw unclearParts(dir, `the folders ${names(labelled)}`, train[0], validation[0] ?? test[0]);
}

/**
 * Finds the class folders of each part of a split: those in it, or those below if it holds batches.
 *
 * @param layout - Gets a note for each part with batches.
 * @throws InputError if all parts have the same batches, which may be the classes as well.
 */
export function findClasses(parts: Folder[], layout: Layout): (part: Folder) => Folder[] {
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
  const counts = tally([...found.values()].flatMap(({ batches }) => batches.map(({ name }) => name)));
  for (const [part, { batches, classes }] of found) {
    if (batches.length === 0) continue;
    const same = `the same folders ${names(classes)}`;
    const isEverywhere = batches.every(({ name }) => counts.get(name) === parts.length);
    if (isEverywhere && parts.length > 1 && !differInNumbers(batches))
      throw unclear(
        layout.dir,
        `${names(batches)} in ${part.name}, which hold ${same}`,
        `Choose --label-pattern ${LAST_FOLDER} if the folders in them are the classes, or ${choice.join(" and ")} if they are.`,
      );
    layout.notes.push(
      `${names(batches)} in ${part.name} hold ${same}, so these are the classes (${choice.join(" and ")} takes ${batches[0].name} and the others for classes).`,
    );
  }
  return (part) => found.get(part)?.classes ?? [];
}

/** Adds the class folders in a folder, and says what is not used in it. */
export function addClasses(layout: Layout, inner: Folder[], around: Folder, split: Part | null): void {
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
      throw unclear(
        layout.dir,
        `images in ${names(withImages(folder))} in the class folder ${folder.path}`,
        `Choose --train-folder ${around.path} if they are all of that class, or move them.`,
      );
    layout.classes.push({ folder, className: nameOf(folder.name), split });
  }
}
