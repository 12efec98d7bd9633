// Finds the images that the rows of a table name, by path, name, name without ending, or number without leading zeros.
import path from "node:path";
import { type Folder, imagesBelow } from "../files.js";

/** Endings that a name may have in a table, whatever the image's own is; and `.0` of numbers. */
const ENDING = /\.(jpe?g|jpe|jfif|png|apng|webp|gif|tiff?|avif|bmp|ppm|pgm|hei[cf]|jp2|0+)$/i;

/** Returns whether a value ends as an image's name does. */
export function hasImageEnding(value: string): boolean {
  return ENDING.test(value) && !/\.0+$/.test(value);
}

/** The images that a value names. */
export interface Found {
  files: string[];
  /** Whether it is their whole name, with the ending. */
  isExact: boolean;
  /** Whether they have other leading zeros: `0007.png` for `7`. */
  isByNumber: boolean;
  /** How many steps at the end of the value are theirs, 2 of `x/a/1.png` for `b/a/1.png`; infinite for a path from the table's folder. */
  numSteps: number;
  /** Whether the steps before are other folders than theirs: `day2/0.png` for `day1/0.png`. */
  isApart: boolean;
  /** If the value ends with the whole path of the image: the folder before that, if any. */
  top: string | undefined;
}

/** Returns the images that a value of a table names, if any. */
export type Find = (value: string) => Found | null;

/** Images of a folder by path, name and name without ending, to find those that a table names. */
export class ImageIndex {
  readonly files: string[];
  /** Name of the folder. */
  readonly rootName: string;
  private readonly byName: ReadonlyMap<string, string[]>;
  /** By names without leading zeros, those with numbers alone; made when it is first needed. */
  private byNumber: ReadonlyMap<string, string[]> | undefined;

  constructor(root: Folder) {
    this.rootName = root.name;
    this.files = imagesBelow(root);
    this.byName = indexBy(this.files, namesOf);
  }

  /**
   * Returns what finds images by values, which may be addresses, paths from elsewhere, or lack the ending. The numbers in a value that
   * names none may have other leading zeros than the images'.
   *
   * @param around - Folder of the table, which relative paths count from.
   */
  finder(around: string): Find {
    return (value) => {
      if (value === "") return null;
      const plain = plainPath(value);
      const found = findBy(this.byName, plain, around);
      if ((found && !found.isApart) || !/\d/.test(plain)) return found;
      this.byNumber ??= indexBy(this.files, (file) => namesOf(file).filter(hasNumber).map(withoutZeros));
      const numbered = findBy(this.byNumber, withoutZeros(plain), withoutZeros(around));
      if (!numbered || (found && numbered.isApart)) return found;
      return { ...numbered, isExact: false, isByNumber: true };
    };
  }
}

/** Returns every end of a path, with and without the ending: `train/a/1.jpg`, `a/1.jpg`, `1.jpg`, `1`. */
function namesOf(file: string): string[] {
  const steps = file.split("/");
  return steps.flatMap((_, i) => {
    const end = steps.slice(i).join("/");
    const stem = end.replace(/\.[^./]+$/, "");
    return [end, stem, stem.replace(/_aligned$/, "")]; // RAF-DB's suffix
  });
}

function hasNumber(name: string): boolean {
  return /\d/.test(name);
}

function withoutZeros(name: string): string {
  return name.replace(/(?<!\d)0+(?=\d)/g, "");
}

function indexBy(files: string[], keysOf: (file: string) => string[]): Map<string, string[]> {
  const index = new Map<string, string[]>();
  for (const file of files)
    for (const key of new Set(keysOf(file))) {
      const others = index.get(key);
      if (others) others.push(file);
      else index.set(key, [file]);
    }
  return index;
}

/** Finds images by a path from the table's folder, or by as many steps at its end as there are. */
function findBy(names: ReadonlyMap<string, string[]>, plain: string, around: string): Found | null {
  const nearby = path.posix.join(around, plain);
  const beside = named(names, nearby);
  const others = { isByNumber: false, isApart: false, top: undefined };
  if (beside?.files.includes(nearby))
    return { ...others, files: [nearby], isExact: beside.isExact, numSteps: Number.POSITIVE_INFINITY };
  if (beside) return { ...others, ...beside, numSteps: nearby.split("/").length };
  const steps = plain.split("/").filter((step) => step !== "" && step !== "..");
  for (const [i] of steps.entries()) {
    const found = named(names, steps.slice(i).join("/"));
    if (!found) continue;
    const [before, numSteps] = [steps.slice(0, i), steps.length - i];
    const foldersOf = (file: string) => file.split("/").slice(0, -numSteps);
    const agreeing = found.files.filter((file) => agree(before, foldersOf(file)));
    const isWhole = agreeing.some((file) => foldersOf(file).length === 0);
    return {
      files: agreeing.length > 0 ? agreeing : found.files,
      isExact: found.isExact,
      isByNumber: false,
      numSteps,
      isApart: agreeing.length === 0,
      top: isWhole ? before.at(-1)?.toLowerCase() : undefined,
    };
  }
  return null;
}

/** Returns the images whose paths end so; those with another ending if there are none. */
function named(names: ReadonlyMap<string, string[]>, end: string): Pick<Found, "files" | "isExact"> | null {
  const files = names.get(end) ?? names.get(end.replace(ENDING, ""));
  if (!files) return null;
  const exact = files.filter((file) => file === end || file.endsWith(`/${end}`));
  return exact.length > 0 ? { files: exact, isExact: true } : { files, isExact: false };
}

function plainPath(value: string): string {
  return path.posix.normalize(value.replace(/\\/g, "/").replace(/^[a-z]+:\/\/[^/]*\//i, ""));
}

/** Whether a path is one of another machine, as `/home/me/1.jpg`, `C:\1.jpg` or `gs://bucket/1.jpg`. */
function isElsewhere(value: string): boolean {
  return /^([/\\~]|[a-z]:[/\\]|[a-z]+:\/\/)/i.test(value);
}

/** Whether the folders of a value may be those of a file: the last one of either is among the other's, or one has none. */
function agree(given: string[], own: string[]): boolean {
  const [a, b] = [given, own].map((steps) => steps.map((step) => step.toLowerCase()));
  const [lastOfA, lastOfB] = [a.at(-1), b.at(-1)];
  return lastOfA === undefined || lastOfB === undefined || b.includes(lastOfA) || a.includes(lastOfB);
}

/** The images of a table's rows. */
export interface Located {
  /** Images that each row names: none, one, or several. */
  files: string[][];
  /** The first row whose path is one of another machine, in other folders; -1 if there is none. */
  moved: number;
  /** The first row whose numbers have other leading zeros than the image's; -1 if there is none. */
  numbered: number;
  /** Rows with two values that name one image. */
  conflict: [number, number] | null;
}

/**
 * Finds the images of all rows. A row has none if its folders are not those of the image, or if another row names the image better.
 *
 * @param around - Folder of the table.
 */
export function locateImages(values: string[], index: ImageIndex, around: string): Located {
  const found = values.map(index.finder(around));
  const fits = fittingTheOthers(found, around, index.rootName);
  const fitting = found.map((one, i) => (one !== null && fits(one, values[i]) ? one : null));
  const agreeing = fitting.map((one) => (one?.isApart ? null : one));
  const isMoved = agreeing.every((one) => one === null);
  const usable = isMoved ? fitting.map((one, i) => (isElsewhere(values[i]) ? one : null)) : agreeing;
  const { files, conflict } = bestRows(values, usable);
  return {
    files,
    moved: isMoved ? usable.findIndex((one) => one !== null) : -1,
    numbered: usable.findIndex((one, i) => one?.isByNumber && files[i].length > 0),
    conflict,
  };
}

/** Returns a check whether a match is like most others: below the table's folder, by the whole name, from the data set's folder. */
function fittingTheOthers(
  found: readonly (Found | null)[],
  around: string,
  rootName: string,
): (one: Found, value: string) => boolean {
  const hits = found.flatMap((one) => one ?? []);
  const areMost = (some: Found[]) => some.length * 2 >= hits.length;
  const isBelow = ({ files }: Found) => files.every((file) => file.startsWith(`${around}/`));
  const isScoped = around !== "." && areMost(hits.filter(isBelow));
  const areExact = areMost(hits.filter(({ isExact }) => isExact));
  const root = rootName.toLowerCase();
  const isFromRoot = hits.some(({ top }) => top === root);
  return (one, value) =>
    (!isScoped || isBelow(one)) &&
    (!areExact || one.isExact || ENDING.test(value)) &&
    (!isFromRoot || one.top === undefined || one.top === root);
}

/** Keeps the row that names an image best. Other rows that name it as well, by another value, are a conflict. */
function bestRows(values: string[], found: readonly (Found | null)[]): Pick<Located, "files" | "conflict"> {
  const better = (a: Found, b: Found) =>
    Number(a.isExact) - Number(b.isExact) ||
    Number(b.isByNumber) - Number(a.isByNumber) ||
    a.numSteps - b.numSteps;
  const best = new Map<string, number>();
  found.forEach((one, i) => {
    if (one?.files.length !== 1) return;
    const known = best.get(one.files[0]);
    if (known === undefined || better(one, found[known] as Found) > 0) best.set(one.files[0], i);
  });
  let conflict: [number, number] | null = null;
  const files = found.map((one, i) => {
    if (one?.files.length !== 1) return one?.files ?? [];
    const first = best.get(one.files[0]) as number;
    if (plainPath(values[i]) === plainPath(values[first])) return one.files;
    const isWorse = better(found[first] as Found, one) > 0;
    if (!isWorse) conflict ??= [first, i];
    return isWorse ? [] : one.files;
  });
  return { files, conflict };
}
