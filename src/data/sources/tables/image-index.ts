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

function withoutZeros(name: string): string {
  return name.replace(/(?<!\d)0+(?=\d)/g, "");
}

/** Images of a folder by path, name and name without ending, to find those that a table names. */
export class ImageIndex {
  private readonly byName = new Map<string, string[]>();
  /** By names without leading zeros, those with numbers alone; made when it is first needed. */
  private byNumber: Map<string, string[]> | undefined;
  readonly files: string[] = [];
  /** Name of the folder. */
  readonly rootName: string;

  constructor(root: Folder) {
    this.rootName = root.name;
    for (const file of imagesBelow(root)) {
      this.files.push(file);
      const steps = file.split("/");
      // every end of the path, with and without the ending: `train/a/1.jpg`, `a/1.jpg`, `1.jpg`, `1`
      for (let i = 0; i < steps.length; i++) {
        const end = steps.slice(i).join("/");
        const stem = end.replace(/\.[^./]+$/, "");
        for (const key of [end, stem, stem.replace(/_aligned$/, "")]) this.add(key, file); // RAF-DB's suffix
      }
    }
  }

  private add(key: string, file: string, to = this.byName): void {
    const files = to.get(key);
    if (!files) to.set(key, [file]);
    else if (!files.includes(file)) files.push(file);
  }

  /**
   * Returns the images that a value names; a value may be an address, a path from elsewhere, or lack the ending. If it names none,
   * its numbers may have other leading zeros than the images'.
   *
   * @param around - Folder of the table, which relative paths count from.
   */
  find(value: string, around: string): Found | null {
    if (value === "") return null;
    const plain = plainPath(value);
    const found = this.findBy(this.byName, plain, around);
    if ((found && !found.isApart) || !/\d/.test(plain)) return found;
    const numbered = this.findBy(this.numbers(), withoutZeros(plain), withoutZeros(around));
    if (!numbered || (found && numbered.isApart)) return found;
    return { ...numbered, isExact: false, isByNumber: true };
  }

  private numbers(): Map<string, string[]> {
    if (this.byNumber) return this.byNumber;
    this.byNumber = new Map();
    for (const [key, files] of this.byName)
      if (/\d/.test(key)) for (const file of files) this.add(withoutZeros(key), file, this.byNumber);
    return this.byNumber;
  }

  private findBy(names: ReadonlyMap<string, string[]>, plain: string, around: string): Found | null {
    const nearby = path.posix.join(around, plain);
    const steps = plain.split("/").filter((step) => step !== "" && step !== "..");
    const ends = steps.map((_, i) => steps.slice(i));
    for (const [i, end] of [[nearby], ...ends].entries()) {
      const key = end.join("/");
      const named = names.get(key) ?? names.get(key.replace(ENDING, ""));
      if (!named) continue;
      const exact = named.filter((file) => file === key || file.endsWith(`/${key}`));
      const [files, isExact] = exact.length > 0 ? [exact, true] : [named, false];
      if (i === 0) {
        const own = files.filter((file) => file === nearby);
        const numSteps = own.length > 0 ? Number.POSITIVE_INFINITY : nearby.split("/").length;
        const which = own.length > 0 ? own : files;
        return { files: which, isExact, isByNumber: false, numSteps, isApart: false, top: undefined };
      }
      const before = steps.slice(0, i - 1);
      const foldersOf = (file: string) => file.split("/").slice(0, -end.length);
      const agreeing = files.filter((file) => agree(before, foldersOf(file)));
      const isWhole = agreeing.some((file) => foldersOf(file).length === 0);
      return {
        files: agreeing.length > 0 ? agreeing : files,
        isExact,
        isByNumber: false,
        numSteps: end.length,
        isApart: agreeing.length === 0,
        top: isWhole ? before.at(-1)?.toLowerCase() : undefined,
      };
    }
    return null;
  }
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
  const found = values.map((value) => index.find(value, around));
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
