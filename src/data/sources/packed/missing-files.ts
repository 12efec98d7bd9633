// What may be missing of a data set: files of a numbered series, and archives beside the images.
import path from "node:path";
import { groupBy } from "../../../collections.js";
import { inShort } from "../../../names.js";
import { type Folder, foldersBelow, otherFilesIn } from "../files.js";

/** A number in a series: `train-000000.tar`. */
const NUMBERED = /^(.*?)(\d{2,})()()()((?:\.\w+)+)$/;
/** A number of how many there are, also with a hash: `train-00000-of-00002.parquet`, `train-00000-of-00002-0f3a.parquet`. */
const COUNTED = /^(.*?)(\d{2,})(-of-)(\d+)(-[\w-]+)?((?:\.\w+)+)$/i;

const YEAR = /^(19|20)\d\d$/;

/**
 * Says which files of a series are missing, by the numbers of the others.
 *
 * @param files - Paths of files that hold many images each.
 */
export function missingNotes(files: readonly string[]): string[] {
  const numbered = files.flatMap((file) => {
    const name = path.basename(file);
    const [, before, digits, of, total, hash = "", ending] = COUNTED.exec(name) ?? NUMBERED.exec(name) ?? [];
    const after = `${of}${total}${hash && "-…"}${ending}`; // each file has another hash
    return digits === undefined ? [] : [{ file, before, digits, after, total }];
  });
  const series = groupBy(numbered, ({ file, before, after }) =>
    [path.dirname(file), before, after].join("\0"),
  );
  return [...series.values()].flatMap((members) => {
    const [{ before, digits, after, total }] = members;
    if (!total && members.every((one) => YEAR.test(one.digits))) return [];
    const known = new Set(members.map((one) => Number(one.digits)));
    const [first, end] = total ? [0, Number(total)] : [Math.min(...known), Math.max(...known) + 1];
    if (end - first > Math.max(100_000, known.size * 2)) return [];
    const all = Array.from({ length: end - first }, (_, i) => first + i);
    const missing = all.filter((number) => !known.has(number));
    if (missing.length === 0 || (!total && missing.length > known.size)) return [];
    const names = missing.map((number) => `${before}${String(number).padStart(digits.length, "0")}${after}`);
    return [
      `Missing, by the numbers of the other files: ${inShort(names)}. Add what belongs to the data set.`,
    ];
  });
}

/** Names of archives, also of kinds that are not read. */
export const ARCHIVE = /\.(zip|tar|tgz|tbz2?|txz|7z|rar)$|\.tar\.\w+$/i;

/** Says which archives beside images are not read; none that were unpacked into a folder of their name. */
export function archiveNotes(root: Folder): string[] {
  if (root.numImages === 0) return [];
  const folders = new Set(foldersBelow(root).map((folder) => folder.path));
  const stemOf = (file: string) => file.replace(ARCHIVE, "");
  const archives = otherFilesIn(root).filter((file) => ARCHIVE.test(file) && !folders.has(stemOf(file)));
  if (archives.length === 0) return [];
  const [them, their] = archives.length > 1 ? ["them", "their"] : ["it", "its"];
  return [
    `Not read beside the images: ${inShort(archives)}. Unpack ${them} if ${their} images belong to the data set.`,
  ];
}
