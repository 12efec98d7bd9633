// Leaves folders and files out of a data set on request.
import path from "node:path";
import { InputError } from "../../../errors.js";
import { nameOf } from "../../../names.js";
import { type Folder, fileIn, foldersBelow, type Walk } from "../files.js";
import { REASONS } from "../left-out.js";
import { names, unwrap } from "./same-folders.js";

/**
 * Takes folders and files out of the tree that the user does not want.
 *
 * @throws InputError if one is not there, or a pattern fits nothing.
 */
export function leaveFoldersOut(walk: Walk, { leaveOut = [] }: { leaveOut?: string[] }): void {
  for (const name of leaveOut) {
    const folder = folderOf(walk.root, name);
    const fits = patternFor(name, unwrap(walk.root));
    const isMeant = (file: string, inner: Folder | null) => (folder ? inner === folder : fits(file));
    if (remove(walk, walk.root, isMeant) > 0) continue;
    throw new InputError(
      /[*?]/.test(name)
        ? {
            expected: `files or folders that fit ${name}`,
            where: walk.dir,
            found: "none",
            fix: "Fix --leave-out: without a slash, a pattern is compared with each name; otherwise, with each path.",
          }
        : notThere(walk.root, name, walk.dir),
    );
  }
}

/** Removes what fits from a folder, and returns the number of files and folders that did. */
function remove(walk: Walk, around: Folder, fits: (file: string, folder: Folder | null) => boolean): number {
  const { leftOut } = walk;
  const folders = around.folders.filter((folder) => !fits(folder.path, folder));
  const images = around.images.filter((name) => !fits(fileIn(around, name), null));
  let count = around.folders.length - folders.length + around.images.length - images.length;
  for (const folder of around.folders)
    if (!folders.includes(folder)) leftOut.add(REASONS.onRequest, `${folder.path}/`, numFiles(folder));
  const kept = new Set(images);
  for (const name of around.images) if (!kept.has(name)) leftOut.add(REASONS.onRequest, fileIn(around, name));
  Object.assign(around, { folders, images });
  for (const folder of folders) count += remove(walk, folder, fits);
  around.numImages = folders.reduce((sum, { numImages }) => sum + numImages, images.length);
  return count;
}

function numFiles(folder: Folder): number {
  return foldersBelow(folder).reduce((sum, { images, others }) => sum + images.length + others.length, 0);
}

const WILDCARDS: Record<string, string> = { "**/": "(.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]" };

/**
 * Returns a test for paths, as shells and `.gitignore` have it: `*` and `?` stand for characters of a name, and `**` for folders at any
 * depth. Without a slash, the name of a folder or file at any depth is compared.
 *
 * @param inner - The folder that the data set's folder wraps; paths may count from it, too.
 */
function patternFor(name: string, inner: Folder): (file: string) => boolean {
  const plain = nameOf(name.replace(/\\/g, "/").replace(/(?<=.)\/$/, ""));
  const source = plain
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replace(/\*\*\/|\*\*|\*|\?/g, (wildcard) => WILDCARDS[wildcard]);
  const expression = new RegExp(`^${plain.includes("/") ? "" : "(.*/)?"}${source}$`, "u");
  const around = `${inner.path}/`;
  const fits = (file: string) => expression.test(nameOf(file));
  return (file) => fits(file) || (file.startsWith(around) && fits(file.slice(around.length)));
}

/**
 * Returns the folder of a path that counts from the data set's folder, or from the folder that it wraps.
 *
 * @throws InputError if there is none.
 */
export function folderAt(top: Folder, name: string, dir: string): Folder {
  const found = folderOf(top, name);
  if (found === null) throw new InputError(notThere(top, name, dir));
  return found;
}

function folderOf(top: Folder, name: string): Folder | null {
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
  return null;
}

function notThere(top: Folder, name: string, where: string) {
  return {
    expected: `the folder ${name}`,
    where,
    found: names(unwrap(top).folders) || "no folders",
    fix: "Fix the name, which counts from the data set's folder.",
  };
}
