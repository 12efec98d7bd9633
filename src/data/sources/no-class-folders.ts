// What a folder without class folders has in place of them, as its error says.
import { type Dirent, readdirSync } from "node:fs";
import path from "node:path";
import { InputError, type InputProblem, suggestion } from "../../errors.js";
import { inShort } from "../../names.js";
import { counted } from "../../text.js";
import { patternInWords } from "./file-names.js";
import { IMAGE_ENDING, imagesBelow, isServiceFolder, otherFilesIn, type Walk } from "./files.js";
import { REASONS } from "./left-out.js";
import { isArchive } from "./packed/archive.js";
import { ARCHIVE } from "./packed/missing-files.js";
import { unreadDataSets } from "./packed/unread-formats.js";
import { partOf } from "./split-names.js";
import type { LabelChoice } from "./tables/label-columns.js";
import { matchTables, type Tables } from "./tables/matched-tables.js";
import { tableFiles } from "./tables/table-file.js";
import { tablesWithoutLabels, unreadTables } from "./tables/unread-tables.js";

type Options = LabelChoice & { data: string };
type Explanation = Pick<InputProblem, "found" | "fix">;

/**
 * Refuses a folder without class folders.
 *
 * @param refusal - Why there are none.
 * @param tables - Its tables, if they were read.
 * @throws InputError that says what it has in place of them.
 */
export function refuseFolder(
  refusal: InputProblem,
  walk: Walk,
  choice: Options,
  tables: Tables | null,
): never {
  const files = otherFilesIn(walk.root);
  const found =
    walk.root.numImages === 0
      ? (garbledNames(refusal, walk) ??
        packedArchives(files, walk) ??
        unreadDataSets(files) ??
        unreadFormats(refusal, walk) ??
        otherFiles(refusal, files))
      : null;
  throw new InputError({ ...refusal, ...(found ?? labelsElsewhere(refusal, walk, choice, tables)) });
}

function garbledNames(refusal: InputProblem, { leftOut }: Walk): Explanation | null {
  const reasons: string[] = [REASONS.notUtf8, REASONS.notUtf8InArchive];
  const garbled = leftOut.list().filter(({ reason }) => reasons.includes(reason));
  if (garbled.length === 0) return null;
  const count = garbled.reduce((sum, one) => sum + one.count, 0);
  return {
    found: `${refusal.found}, but ${counted(count, "name that is", "names that are")} not UTF-8, such as ${garbled[0].example}`,
    fix: "Rename the files and folders in UTF-8.",
  };
}

function packedArchives(files: string[], { dir, root }: Walk): Explanation | null {
  const archives = files.filter((file) => ARCHIVE.test(file) || isArchive(file));
  if (archives.length === 0) return null;
  const isOne = archives.length === 1;
  return {
    found: isOne ? `the archive ${archives[0]}` : `the archives ${inShort(archives)}`,
    fix:
      isOne && isArchive(archives[0]) && tableFiles(root).length === 0
        ? `Choose it, for example --data ${path.join(dir, archives[0])}.`
        : `Unpack ${isOne ? "it into" : "them into one folder, as"} ${dir}, and choose it with --data.`,
  };
}

function unreadFormats({ found }: InputProblem, { root }: Walk): Explanation | null {
  const images = otherFilesIn(root, REASONS.format);
  if (images.length === 0) return null;
  return {
    found: `${found}, but ${counted(images.length, "image")} of a format that is not read, such as ${images[0]}`,
    fix: "Save them as PNG or JPEG.",
  };
}

function otherFiles({ found, fix }: InputProblem, files: string[]): Explanation | null {
  if (files.length === 0) return null;
  const endings = [...new Set(files.map((file) => path.extname(file).toLowerCase() || "no ending"))];
  return { found: `${found}, but ${files.length} other files (${inShort(endings)})`, fix };
}

/** Returns the folder around the one that was given, if that may be one of its class folders: each of them holds images. */
function foldersAround({ dir, root }: Walk, { data }: Options): string | null {
  const given = path.resolve(data);
  const around = path.dirname(given);
  if (given !== path.resolve(dir) || root.images.length === 0 || partOf(path.basename(given)) !== null)
    return null; // an unpacked archive, or a part of a split
  const entriesOf = (folder: string) => readdirSync(folder, { withFileTypes: true });
  const isImage = (entry: Dirent) => !entry.isDirectory() && IMAGE_ENDING.test(entry.name);
  try {
    const entries = entriesOf(around);
    const folders = entries.filter((entry) => entry.isDirectory() && !isServiceFolder(entry.name));
    const areClasses = folders.length > 1 && !entries.some(isImage);
    const hold = ({ name }: Dirent) => entriesOf(path.join(around, name)).some(isImage);
    return areClasses && folders.every(hold) ? around : null;
  } catch {
    return null; // a folder that cannot be read
  }
}

/** Names a table that is not read, and a pattern for the names of the images. */
function labelsElsewhere(
  refusal: InputProblem,
  walk: Walk,
  choice: Options,
  known: Tables | null,
): Explanation {
  const tables = known ?? matchTables(walk, choice);
  const table = unreadTables(walk.dir, tables)[0] ?? tablesWithoutLabels(tables)[0];
  const around = foldersAround(walk, choice);
  const fixes = [
    around && `Did you mean ${around}, whose folders all hold images?`,
    table?.fix ?? refusal.fix,
    patternInWords(imagesBelow(walk.root)),
  ];
  return {
    found: table ? `${refusal.found}, and ${table.found}` : refusal.found,
    fix: fixes.filter(Boolean).join(" "),
  };
}

/** Returns what to do about a path that does not exist: it may be meant for a name. */
export function fixFor(given: string, known: string[], otherwise = "Fix the path."): string {
  const near = suggestion(path.basename(given), known);
  return near === undefined ? otherwise : `Did you mean ${near}? ${otherwise}`;
}
