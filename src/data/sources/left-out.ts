// Counts the files of a data set that are not used, and says why.
import path from "node:path";
import { counted } from "../../text.js";

/** Why files are not used. Reasons that name a value, such as a decoder's error, are written where they arise. */
export const REASONS = {
  hidden: "hidden or made by a system",
  service: "in a hidden folder or one that a tool made",
  backup: "a backup or an unfinished download",
  notImage: "not an image",
  format: "an image format that is not read (convert it to JPEG or PNG)",
  brokenLink: "a link to nothing",
  linkBack: "a link to a folder around it",
  again: "in a folder that is read already",
  special: "not a file",
  notUtf8: "its name is not UTF-8, so it cannot be opened: rename it",
  notUtf8InArchive: "its name in the archive is not UTF-8: pack it again with another name",
  replaced: "replaced by a later entry of the archive with its name",
  outside: "a link out of the archive",
  leadsNowhere: "a link to nothing in the archive",
  noFile: "no file in the archive",
  labels: "a file of labels, which is used",
  noClassFolder: "in no class folder",
  neighbour: "in a folder that is no class and no part of the split",
  noClasses: "in a folder without class folders",
  otherClasses: "in a test folder without the classes",
  onRequest: "left out on request",
  otherImage: "another image of a sample, such as a mask",
  noRow: "in no row of the table",
  noLabel: "without a label in the table",
  noLabelBeside: "without a label beside it",
  rowWithoutLabel: "a row without a label",
  rowWithoutImage: "a row without an image",
  severalLabels: "with several labels in the table",
  noMajority: "without a majority in FER+",
  extra: "in a part that is neither for training nor for validation, by the table",
  noPart: "in no part of the split",
  test: "in a test part, beside another for validation",
  duplicate: "a duplicate, left out on request",
  leaked: "a validation image that is in train, left out on request",
} as const;

/** Files that are not used, for one reason, in one folder, with one ending. */
export interface LeftOut {
  reason: string;
  /** Relative to the root; "." is the root. */
  folder: string;
  /** With the dot, in lower case; empty if the files have none. */
  ending: string;
  count: number;
  /** Path of one of them, relative to the root. */
  example: string;
}

/** Counts the files that are not used. */
export class LeftOutFiles {
  private readonly rows = new Map<string, LeftOut>();
  /** Folders of ferkit's runs and models, relative to the root: their files are not counted. */
  readonly ownFolders: string[] = [];
  /** Number of images in them, such as charts. */
  ownImages = 0;
  /** Number of files. */
  count = 0;

  /** @param file - Path of the file, or of a folder with a slash at its end. */
  add(reason: string, file: string, count = 1): void {
    const isFolder = file.endsWith("/");
    const folder = isFolder ? file.slice(0, -1) : path.posix.dirname(file);
    const ending = isFolder ? "" : path.posix.extname(file).toLowerCase();
    const key = [reason, folder, ending].join("\0");
    const row = this.rows.get(key);
    this.count += count;
    if (row) row.count += count;
    else this.rows.set(key, { reason, folder, ending, count, example: file });
  }

  /** Leaves out a folder of ferkit's runs or models as a whole: what was counted in it is not. */
  passOver(folder: string, numImages: number): void {
    this.ownImages += numImages;
    const isInside = (other: string) => `${other}/`.startsWith(`${folder}/`);
    for (const [key, row] of this.rows) {
      if (!isInside(row.folder)) continue;
      this.rows.delete(key);
      this.count -= row.count;
    }
    const others = this.ownFolders.filter((other) => !isInside(other));
    this.ownFolders.splice(0, Infinity, ...others, folder);
  }

  addAll({ rows, ownFolders, ownImages }: LeftOutFiles): void {
    for (const { reason, count, example } of rows.values()) this.add(reason, example, count);
    this.ownFolders.push(...ownFolders);
    this.ownImages += ownImages;
  }

  copy(): LeftOutFiles {
    const copy = new LeftOutFiles();
    copy.addAll(this);
    return copy;
  }

  /** Counts all files of a data set, of which some are used. */
  counts(used: number): FileCounts {
    const { count, ownFolders, ownImages } = this;
    return { found: used + count, used, leftOut: this.list(), ownFolders, ownImages };
  }

  /** Lists the counts by reason, then folder, then ending. */
  list(): LeftOut[] {
    const key = ({ reason, folder, ending }: LeftOut) => [reason, folder, ending].join("\0");
    return [...this.rows.values()].sort((a, b) => (key(a) < key(b) ? -1 : 1));
  }
}

/** Numbers of files in a data set, and those that are not used. */
export interface FileCounts {
  /** All files. */
  found: number;
  /** Files that are images of a split. */
  used: number;
  /** The others, a row for each reason, folder and ending. */
  leftOut: LeftOut[];
  /** Folders of ferkit's runs and models, relative to the root, whose files are not counted. */
  ownFolders: string[];
  /** Number of images in these folders, such as charts. */
  ownImages: number;
}

/** Rows of the table of files that are shown. */
const NUM_ROWS = 20;

/** Says which files are not used as images, and why: a line for each reason, folder and ending. */
export function filesInWords({ found, used, leftOut, ownFolders, ownImages }: FileCounts): string[] {
  const rows = leftOut.slice(0, NUM_ROWS).map(({ reason, folder, ending, count, example }) => {
    const what = `${count} ${ending || "without ending"}`;
    return `  ${what} in ${folder}: ${reason}${count > 1 || folder === "." ? `, such as ${example}` : ""}`;
  });
  const rest = leftOut.slice(NUM_ROWS);
  const numLeft = rest.reduce((sum, { count }) => sum + count, 0);
  if (rest.length > 0) rows.push(`  ${numLeft} more in ${rest.length} other kinds (--json lists all)`);
  if (ownFolders.length > 0) rows.push(`  ${ownFoldersInWords(ownFolders, ownImages)}`);
  if (leftOut.length === 0) return [`files: all ${found} are used as images`, ...rows];
  return [`files: ${used} of ${found} are used as images; the other ${found - used}:`, ...rows];
}

function ownFoldersInWords([first, ...others]: string[], numImages: number): string {
  const count = others.length + 1;
  const images = numImages > 0 ? `, with ${counted(numImages, "image")}` : "";
  return `${counted(count, "folder is", "folders are")} of ferkit's runs or models, and not read${images}: ${first}${count > 1 ? " and others" : ""}`;
}

/** Endings of notes, tables and programs, which nobody takes for images. */
export const NOTE_ENDING =
  /^\.(txt|md|rst|rtf|csv|tsv|jsonl?|ya?ml|xml|html?|pdf|docx?|xlsx?|toml|ini|log|sh|py|js|ts|ipynb|npy|npz|mat|pkl)$/i;

/** Returns whether a user may miss some of the files that are left out: not those that systems make, nor notes beside the images. */
export function mayBeMissed({ leftOut }: FileCounts): boolean {
  const ordinary: string[] = [REASONS.hidden, REASONS.service, REASONS.labels];
  return leftOut.some(
    ({ reason, ending }) =>
      !ordinary.includes(reason) && !(reason === REASONS.notImage && NOTE_ENDING.test(ending)),
  );
}
