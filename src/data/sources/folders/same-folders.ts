// Folders beside each other that hold the same folders: parts of a split, batches of images, or classes.
import { InputError } from "../../../errors.js";
import { inShort, nameOf } from "../../../names.js";
import { type Folder, foldersBelow } from "../files.js";
import { type Part, partsOf } from "../split-names.js";
import { isCopies, isHeldOutName, isWhole } from "./folder-names.js";

/** Enters folders that hold a single folder with images, and no image. */
export function unwrap(folder: Folder): Folder {
  const inner = withImages(folder);
  const isAround = inner.length === 1 && folder.images.length === 0 && inner[0].images.length === 0;
  return isAround ? unwrap(inner[0]) : folder;
}

export function withImages({ folders }: Folder): Folder[] {
  return folders.filter(({ numImages }) => numImages > 0);
}

/** Returns the names of folders that both hold, also if they differ in case. */
export function sharedFolders(a: Folder, b: Folder): string[] {
  const [one, other] = [a, b].map((folder) => withImages(unwrap(folder)).map(({ name }) => nameOf(name)));
  const keys = new Set(other.map(keyOf));
  return one.filter((name) => keys.has(keyOf(name)));
}

/** Names of one key are probably one class. */
function keyOf(name: string): string {
  return nameOf(name).toLowerCase();
}

/** Refuses "classes" that hold the same folders, since these may be parts of a split that is not recognised. */
export function refuseSameFolders(folders: Folder[], dir: string): void {
  const nested = folders.filter(({ images, numImages }) => images.length === 0 && numImages > 0);
  for (const [i, a] of nested.entries())
    for (const b of nested.slice(0, i)) {
      const shared = sharedFolders(a, b);
      const isSame = shared.length === withImages(a).length && shared.length === withImages(b).length;
      const found = `${b.name} and ${a.name}, which hold the same folders ${shared.join(", ")}`;
      const [train, validation] = [b, a].sort(byUse);
      const areAround = shared.length === 1 && isWhole(shared[0]); // cat/images, dog/images
      if (shared.length > 1 || (isSame && shared.length > 0 && !areAround))
        throw unclearParts(dir, found, train, validation);
    }
}

/** Returns whether names of folders differ only in their numbers, as `day1` and `day2`. */
export function differInNumbers(folders: Folder[]): boolean {
  const forms = new Set(folders.map(({ name }) => name.replace(/\d+/g, "0")));
  return forms.size === 1 && [...forms][0].includes("0");
}

/** Folders that hold the same folders, and those, at any depth. */
export interface Batches {
  /** None if the folders are classes themselves. */
  batches: Folder[];
  classes: Folder[];
}

/**
 * Finds folders that hold the same folders, such as batches, cameras or persons: then the folders in them are the classes.
 *
 * @param classNames - Names of folders that are classes in another part of the split.
 */
export function findBatches(around: Folder, classNames: ReadonlySet<string>): Batches {
  const inner = withImages(around);
  const none = { batches: [], classes: inner };
  const areClasses = inner.some(({ images, name }) => images.length > 0 || classNames.has(nameOf(name)));
  if (inner.length < 2 || areClasses) return none;
  const held = inner.map((folder) => withImages(unwrap(folder)));
  const all = [...new Set(held.flat().map(({ name }) => keyOf(name)))];
  const areSame = held.every((some) => some.length > 1 && some.length * 2 >= all.length);
  const areLast = held.flat().some(({ images }) => images.length > 0);
  const isInverse = areLast && differInNumbers(held.flat()) && !differInNumbers(inner); // batches in each class
  if (!areSame || isInverse || partsOf(all).size > 1) return none;
  return {
    batches: inner,
    classes: inner.flatMap((folder) => findBatches(unwrap(folder), classNames).classes),
  };
}

/** Returns the folders in a folder that are named as other classes: those directly in it, or several that are further below. */
export function copiesIn(folder: Folder, classNames: ReadonlySet<string>): Folder[] {
  const areCopies = (folders: Folder[]) =>
    folders.filter(({ name }) => classNames.has(name) && name !== folder.name);
  const direct = areCopies(withImages(unwrap(folder)));
  const deep = areCopies(
    foldersBelow(folder)
      .slice(1)
      .filter(({ numImages }) => numImages > 0),
  );
  return direct.length === 0 && new Set(deep.map(({ name }) => name)).size > 1 ? deep : direct;
}

/** Returns the parts of a split that the folders in a folder are named for, by their names. */
export function partsIn(folder: Folder): Map<string, Part> {
  return partsOf(withImages(folder).map(({ name }) => name));
}

/** Whether a folder holds folders for training and for another part. */
export function hasSplit(folder: Folder): boolean {
  const parts = new Set(partsIn(folder).values());
  return parts.has("train") && parts.size > 1;
}

/** Returns the folder around the parts of a class: its own, or the only one in it, as in `cat/images/train`. */
export function aroundParts(folder: Folder): Folder {
  return holdsPartsOnly(folder) ? folder : unwrap(folder);
}

/** Whether all images of a folder are in folders for parts. */
export function holdsPartsOnly(folder: Folder): boolean {
  const inner = withImages(folder);
  return folder.images.length === 0 && inner.length > 0 && partsIn(folder).size === inner.length;
}

/** Puts first what is probably for training: a folder without a name for a part that is held out, then the larger one. */
function byUse(a: Folder, b: Folder): number {
  const isHeldOut = ({ name }: Folder) => Number(isHeldOutName(name));
  return isHeldOut(a) - isHeldOut(b) || b.numImages - a.numImages;
}

/** A pattern for `--label-pattern` that takes the folder around each image for its class. */
export const LAST_FOLDER = "'([^/]+)/[^/]+$'";

/** Makes the error for folders that can be understood in several ways. */
export function unclear(dir: string, found: string, fix: string): InputError {
  return new InputError({ expected: "folders with one meaning", where: dir, found, fix });
}

/** Makes the error for a folder that may be a class, or around the classes. */
export function unclearFolder(
  dir: string,
  folder: Folder,
  others: Folder[],
  root = { path: "." },
): InputError {
  return unclear(
    dir,
    `${folder.name} with the folders ${names(withImages(folder))}, beside ${names(others)}`,
    `Choose --train-folder ${folder.path} if the folders in it are the classes, or --train-folder ${root.path} if it is a class.`,
  );
}

/** Makes the error for folders that may be the parts of a split: for training, and for validation if another one is. */
export function unclearParts(dir: string, found: string, train: Folder, validation?: Folder): InputError {
  const chosen = `--train-folder ${train.path}${validation ? ` and --validation-folder ${validation.path}` : ""}`;
  const shared = validation ? sharedFolders(train, validation) : [];
  if (shared.length > 0 && partsOf(shared).size === shared.length)
    return unclear(dir, found, `Add a folder for training to each class, such as ${train.path}/train.`);
  const copies = shared.find(isCopies);
  if (copies !== undefined)
    return unclear(
      dir,
      found,
      `Choose --leave-out ${copies} if these are masks or copies, or --label-pattern ${LAST_FOLDER} if the folders ${inShort(shared)} are the classes.`,
    );
  return unclear(
    dir,
    found,
    `Choose the parts, for example ${chosen}, or --train-folder . if these are classes, or --label-pattern ${LAST_FOLDER} if the folders in them are, or leave folders out with --leave-out.`,
  );
}

export function names(folders: readonly Folder[]): string {
  const all = [...new Set(folders.map(({ name, path }) => (path === "." ? "." : name)))];
  return inShort(all, 6);
}

/** Whether a class holds folders that may be finer classes: several, or one that no other class holds. */
export function holdsFiner(folder: Folder, classes: Folder[]): boolean {
  const inner = withImages(folder);
  const isShared = ({ name }: Folder) =>
    classes.some((one) => one !== folder && withImages(one).some((other) => other.name === name));
  return (
    folder.images.length === 0 &&
    (inner.length > 1 ||
      (classes.length > 1 && inner.every((one) => one.name !== folder.name && !isShared(one))))
  );
}
