// Folders beside each other that hold the same folders: parts of a split, batches of images, or classes.
import { InputError } from "../../errors.js";
import { inShort, nameOf } from "../../names.js";
import { type Folder, foldersBelow } from "./files.js";
import { partsOf } from "./split-names.js";

/** Enters folders that hold a single folder with images, and no image. */
export function unwrap(folder: Folder): Folder {
  const inner = withImages(folder);
  const isAround = inner.length === 1 && folder.images.length === 0 && inner[0].images.length === 0;
  return isAround ? unwrap(inner[0]) : folder;
}

export function withImages({ folders }: Folder): Folder[] {
  return folders.filter(({ numImages }) => numImages > 0);
}

/** Returns the names of folders that two folders both hold. */
export function sharedFolders(a: Folder, b: Folder): string[] {
  const [one, other] = [a, b].map((folder) => withImages(unwrap(folder)).map(({ name }) => nameOf(name)));
  return one.filter((name) => other.includes(name));
}

/** Refuses "classes" that hold the same folders, since these may be parts of a split that is not recognised. */
export function refuseSameFolders(folders: Folder[], dir: string): void {
  const nested = folders.filter(({ images, numImages }) => images.length === 0 && numImages > 0);
  for (const [i, a] of nested.entries())
    for (const b of nested.slice(0, i)) {
      const shared = sharedFolders(a, b);
      const isSame = shared.length === withImages(a).length && shared.length === withImages(b).length;
      const found = `${b.name} and ${a.name}, which hold the same folders ${shared.join(", ")}`;
      if (shared.length > 1 || (isSame && shared.length > 0)) throw ambiguous(dir, found, [b, a].sort(byUse));
    }
}

/** Returns whether names of folders differ only in their numbers, as `day1` and `day2`. */
export function areNumbered(folders: Folder[]): boolean {
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
  const all = [...new Set(held.flat().map(({ name }) => nameOf(name)))];
  const areSame = held.every((some) => some.length > 1 && some.length * 2 >= all.length);
  const areLast = held.flat().some(({ images }) => images.length > 0);
  const isInverse = areLast && areNumbered(held.flat()) && !areNumbered(inner); // batches in each class
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

/** Whether a folder holds folders for training and for another part. */
export function hasSplit(folder: Folder): boolean {
  const parts = new Set(partsOf(withImages(folder).map(({ name }) => name)).values());
  return parts.has("train") && parts.size > 1;
}

/** Returns the folder around the parts of a class: its own, or the only one in it, as in `cat/images/train`. */
export function aroundParts(folder: Folder): Folder {
  return holdsPartsOnly(folder) ? folder : unwrap(folder);
}

/** Whether all images of a folder are in folders for parts. */
export function holdsPartsOnly(folder: Folder): boolean {
  const inner = withImages(folder);
  const parts = partsOf(inner.map(({ name }) => name));
  return folder.images.length === 0 && inner.length > 0 && parts.size === inner.length;
}

/** Beginnings of names of parts that are held out, in several languages. */
const HELD_OUT = /^(hold|held|test|val|eval|dev)/i;

/** Puts first what is probably for training: a folder without a name for a part that is held out, then the larger one. */
function byUse(a: Folder, b: Folder): number {
  const isHeldOut = ({ name }: Folder) => Number(HELD_OUT.test(name));
  return isHeldOut(a) - isHeldOut(b) || b.numImages - a.numImages;
}

/** A pattern for `--label-pattern` that takes the folder around each image for its class. */
export const LAST_FOLDER = "'([^/]+)/[^/]+$'";

export function ambiguous(dir: string, found: string, folders: Folder[]): InputError {
  const [train, validation] = folders.map(({ path }) => path);
  const chosen = `--train-folder ${train}${validation ? ` and --validation-folder ${validation}` : ""}`;
  const shared = folders.length > 1 ? sharedFolders(folders[0], folders[1]) : [];
  if (shared.length > 0 && partsOf(shared).size === shared.length) {
    const fix = `Add a folder for training to each class, as ${train}/train.`;
    return new InputError({ expected: "folders with one meaning", where: dir, found, fix });
  }
  const fix = `Choose the parts, as in ${chosen}, or --train-folder . if these are classes, or --label-pattern ${LAST_FOLDER} if the folders in them are, or leave folders out with --leave-out.`;
  return new InputError({ expected: "folders with one meaning", where: dir, found, fix });
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

/** Names of folders that seldom are classes: images in several pieces, also after other words (`HAM_part_1`), or of a day. */
const PIECE =
  /(^|[ _-])(part|batch|chunk|shard|images?|imgs?|data|set|group|folder|dir|day|session|cam(era)?|person|subject|s|p|vol(ume)?|disk|page)[ _-]?\d+$|^\d{4}([ _-]?\d\d){1,2}$/i;
/** Whether a folder has the name of a piece of a data set rather than of a class. */
export function isPiece(name: string): boolean {
  return PIECE.test(name);
}
