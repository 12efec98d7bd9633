// Finds the files of a data set, by one rule for all commands.
import {
  closeSync,
  constants,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  realpathSync,
  type Stats,
  statSync,
} from "node:fs";
import path from "node:path";
import { readError } from "../../files.js";
import { CAMERA_RAW, contentOf, HEAD_BYTES, UNREAD_ENDING } from "../pixels/header.js";
import { type FileCounts, LeftOutFiles, REASONS } from "./left-out.js";

/** A folder with its images, as far as they may belong to a data set. */
export interface Folder {
  /** Relative to the root, with slashes; "." is the root. */
  path: string;
  name: string;
  /** Path without links, to recognise a folder that is reached twice. */
  real: string;
  /** Sorted by code unit. */
  folders: Folder[];
  /** Names of the image files. */
  images: string[];
  /** Names of the other files: tables of labels, notes, images of a format that is not read. */
  others: OtherFile[];
  /** Number of images in it, at any depth. */
  numImages: number;
}

export interface OtherFile {
  name: string;
  /** Why it is not read as an image. */
  reason: string;
}

/** A folder that was walked, and what is left out of it. */
export interface Walk {
  /** Its path on disk. */
  dir: string;
  root: Folder;
  leftOut: LeftOutFiles;
}

/** Folders that tools leave beside or inside of class folders, in lower case. Hidden folders need no entry. */
const SERVICE_FOLDERS = new Set([
  "__macosx",
  "@eadir",
  "@recycle",
  "@recently-snapshot",
  "@tmp",
  "#recycle",
  "#snapshot",
  "~snapshot",
  "$recycle.bin",
  "recycler",
  "recycled",
  "lost+found",
  "system volume information",
  "network trash folder",
  "temporary items",
  "thumbnails",
  "_thumbnails",
  "_thumbs",
  "_vti_cnf",
  "__pycache__",
  "node_modules",
]);
/** Files that systems leave in folders, in lower case. */
const SERVICE_FILES = new Set([
  "thumbs.db",
  "ehthumbs.db",
  "ehthumbs_vista.db",
  "desktop.ini",
  "folder.htt",
  "icon\r",
  "autorun.inf",
  "picasa.ini",
  "zbthumbnail.info",
]);
const BACKUP = /(~|\.(bak|old|orig|tmp|temp|part|partial|crdownload|download|swp))$/i;
/** Endings that are read without a look at the content; a file that is no image then counts as unreadable. */
export const IMAGE_ENDING = /\.(jpe?g|jpe|jfif|jif|png|apng|webp|gif|tiff?|avif)$/i;

/** Returns whether a folder is hidden, or one that a tool makes beside images: no command reads it. */
export function isServiceFolder(name: string): boolean {
  return name.startsWith(".") || SERVICE_FOLDERS.has(name.toLowerCase()) || /^found\.\d{3}$/i.test(name);
}

/**
 * Returns why a file is not read as an image; null if it is one. Files with an unknown ending are judged by their first bytes.
 *
 * @param file - Its path.
 */
export function reasonAgainst(file: string): string | null {
  const name = path.basename(file);
  if (name.startsWith(".") || SERVICE_FILES.has(name.toLowerCase())) return REASONS.hidden;
  if (IMAGE_ENDING.test(name)) return null;
  if (BACKUP.test(name)) return REASONS.backup;
  if (CAMERA_RAW.test(name)) return REASONS.format;
  const content = contentOf(headOf(file));
  if (content === "image") return null;
  return content === "unread" || UNREAD_ENDING.test(name) ? REASONS.format : REASONS.notImage;
}

/** Returns whether a file beside the class folders is ferkit's: what notebook 02 keeps there, or the page that `ferkit init` writes. */
function isOwnFile(file: string): boolean {
  const name = path.basename(file);
  if (name !== "prepared.json" && name !== "README.md") return false;
  const head = headOf(file).toString("latin1");
  return name === "README.md" ? head.startsWith("# Images\n\nPut") : /^\{\s*"data": /.test(head);
}

/** A larger JSON file is none of ferkit's. */
const MAX_OWN_BYTES = 2 ** 24;

/**
 * Returns whether ferkit wrote a folder: of a run, of a model, or of several runs. Several folders of images in it are classes,
 * and so is a folder that has images and nothing of a run but its settings, or of a model but `model.json`.
 *
 * @param dir - Where it is on disk.
 */
function isOwnFolder({ folders, others, numImages }: Folder, dir: string): boolean {
  if (folders.filter((inner) => inner.numImages > 0).length > 1) return false;
  const has = (wanted: string) => others.some(({ name }) => name === wanted);
  const holds = (name: string, ...parts: string[]) => {
    if (!has(name)) return false;
    const text = textOf(path.join(dir, name));
    return parts.every((part) => text.includes(part));
  };
  const mayBeModel = numImages === 0 || others.some(({ name }) => /^weights.*\.bin$/.test(name));
  const mayBeRun = numImages === 0 || has("metrics.jsonl") || has("environment.json");
  return (
    (mayBeRun && holds("config.json", '"train"', '"classNames"')) ||
    (mayBeModel && holds("model.json", '"ferkit"')) ||
    holds("latest.json", '{"runDir":')
  );
}

/** Returns the text of a file that ferkit may have written; none if it cannot be read. */
function textOf(file: string): string {
  const stats = statOf(file);
  if (!stats?.isFile() || stats.size > MAX_OWN_BYTES) return "";
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

function isEmpty({ folders, images, others }: Folder): boolean {
  return folders.length + images.length + others.length === 0;
}

/** Returns the first bytes of a file; zeros if it cannot be read. */
function headOf(file: string): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  try {
    const descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      readSync(descriptor, head, 0, head.length, 0);
    } finally {
      closeSync(descriptor);
    }
  } catch {
    // as a file of another kind
  }
  return head;
}

/**
 * Down to this depth, a folder may be reached through several links, such as a class folder in two parts of a split. Deeper folders
 * are read once. After this many links, which may lead in circles, all folders are read once.
 */
const [SHARED_DEPTH, MAX_LINKS] = [3, 200];

/**
 * Walks through a folder. Follows links, but not to a folder around them, and leaves out what `isServiceFolder` and
 * `reasonAgainst` name.
 *
 * @throws InputError when the folder, or one in it, cannot be read.
 */
export function walkFolder(dir: string): Walk {
  const leftOut = new LeftOutFiles();
  let numLinks = 0;
  const visit = (place: Place, around: string[], seen: Set<string>): Folder => {
    const folder: Folder = { ...place, folders: [], images: [], others: [], numImages: 0 };
    for (const { name, kind, isLink } of entriesOf(place.dir)) {
      const file = place.path === "." ? name : `${place.path}/${name}`;
      const onDisk = path.join(place.dir, name);
      if (kind === "file") {
        if (place.path === "." && isOwnFile(onDisk)) continue;
        const reason = reasonAgainst(onDisk);
        if (reason === null) folder.images.push(name);
        else if (reason === REASONS.hidden || reason === REASONS.backup) leftOut.add(reason, file);
        else folder.others.push({ name, reason });
      } else if (kind !== "folder") leftOut.add(kind, file);
      else if (isServiceFolder(name))
        for (const inner of isLink ? [""] : namesBelow(onDisk))
          leftOut.add(REASONS.service, `${file}/${inner}`);
      else {
        const real = innerReal(place, onDisk, name, isLink);
        numLinks += Number(isLink);
        const isShared = file.split("/").length <= SHARED_DEPTH && numLinks <= MAX_LINKS;
        if (isLink && around.some((above) => isInside(above, real))) leftOut.add(REASONS.linkBack, file);
        else if (seen.has(real)) leftOut.add(REASONS.again, file);
        else {
          if (!isShared) seen.add(real);
          const inner = { dir: onDisk, path: file, name, real };
          const numOwn = leftOut.ownFolders.length;
          const found = visit(inner, [...around, real], isShared ? new Set() : seen);
          if (isOwnFolder(found, onDisk)) leftOut.passOver(file, found.numImages);
          else if (!isEmpty(found) || leftOut.ownFolders.length === numOwn) folder.folders.push(found);
        }
      }
    }
    folder.numImages = folder.folders.reduce((sum, { numImages }) => sum + numImages, folder.images.length);
    return folder;
  };
  const real = realpathOf(dir) ?? path.resolve(dir);
  const root = visit({ dir, path: ".", name: path.basename(path.resolve(dir)), real }, [real], new Set());
  return { dir, root, leftOut };
}

/**
 * Lists all images in a folder, at any depth, by the rule of `walkFolder`, and counts the other files.
 *
 * @returns Paths that begin with the folder's, sorted.
 */
export function imagesIn(dir: string): { images: string[]; files: FileCounts } {
  const walk = walkFolder(dir);
  leaveOutOthers(walk);
  const images = imagesBelow(walk.root).map((file) => path.join(dir, file));
  return { images: images.sort(), files: walk.leftOut.counts(images.length) };
}

/** Returns a folder and all folders in it, each before those in it. */
export function foldersBelow(folder: Folder): Folder[] {
  return [folder, ...folder.folders.flatMap(foldersBelow)];
}

/** Returns a copy of a folder without the folders and other files that are not kept, by their paths. */
export function pruned(folder: Folder, keeps: (file: string) => boolean): Folder {
  const folders = folder.folders.filter((inner) => keeps(inner.path)).map((inner) => pruned(inner, keeps));
  const others = folder.others.filter(({ name }) => keeps(fileIn(folder, name)));
  const numImages = folders.reduce((sum, inner) => sum + inner.numImages, folder.images.length);
  return { ...folder, folders, others, numImages };
}

/** Returns the path of a file in a folder, relative to the root. */
export function fileIn(folder: Folder, name: string): string {
  return path.posix.join(folder.path, name);
}

/** Lists the images of a folder, at any depth, by their paths from the root. */
export function imagesBelow(root: Folder): string[] {
  return foldersBelow(root).flatMap((folder) => folder.images.map((name) => fileIn(folder, name)));
}

/**
 * Lists the files of a folder that are not images, at any depth, by their paths from the root.
 *
 * @param wanted - The reason why they are none; by default any.
 */
export function otherFilesIn(root: Folder, wanted?: string): string[] {
  return foldersBelow(root).flatMap((folder) =>
    folder.others.flatMap(({ name, reason }) => (!wanted || reason === wanted ? fileIn(folder, name) : [])),
  );
}

/** Counts the files that are not images as left out. @param labelFiles - Those of them whose labels are used. */
export function leaveOutOthers({ root, leftOut }: Walk, labelFiles: ReadonlySet<string> = new Set()): void {
  for (const folder of foldersBelow(root))
    for (const { name, reason } of folder.others) {
      const file = fileIn(folder, name);
      leftOut.add(labelFiles.has(file) ? REASONS.labels : reason, file);
    }
}

interface Place extends Pick<Folder, "path" | "name" | "real"> {
  /** Where it is on disk. */
  dir: string;
}

function innerReal(around: Place, dir: string, name: string, isLink: boolean): string {
  return (isLink && realpathOf(dir)) || path.join(around.real, name);
}

/** Whether a folder is in another one, or the same. */
function isInside(inner: string, outer: string): boolean {
  return `${inner}/`.startsWith(outer === "/" ? "/" : `${outer}/`);
}

interface Entry {
  name: string;
  /** A reason to leave it out if it is neither a file nor a folder. */
  kind: string;
  isLink: boolean;
}

/** Lists a folder, sorted by code unit; a link counts as what it leads to. */
function entriesOf(dir: string): Entry[] {
  try {
    return readdirSync(dir, { withFileTypes: true })
      .map((entry) => {
        const isLink = entry.isSymbolicLink();
        const found: Pick<Stats, "isDirectory" | "isFile"> | null = isLink
          ? (statOf(path.join(dir, entry.name)) ?? null)
          : entry;
        const kind = found?.isDirectory() ? "folder" : found?.isFile() ? "file" : REASONS.special;
        // a broken link to an image is a file, and counts as unreadable
        const kindOfLink = IMAGE_ENDING.test(entry.name) ? "file" : REASONS.brokenLink;
        if (isGarbled(dir, entry.name)) return { name: entry.name, kind: REASONS.notUtf8, isLink };
        return { name: entry.name, kind: found ? kind : kindOfLink, isLink };
      })
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    const fix = "Fix its permissions, or choose another folder.";
    throw readError(dir, { expected: "a folder that can be read", fix }, error);
  }
}

/** Whether a name is not UTF-8: Node.js replaces its bytes, so that no file has the name. */
function isGarbled(dir: string, name: string): boolean {
  return name.includes("\ufffd") && lstatSync(path.join(dir, name), { throwIfNoEntry: false }) === undefined;
}

function statOf(file: string): Stats | undefined {
  try {
    return statSync(file);
  } catch {
    return undefined; // a link in a circle, or without permission
  }
}

function realpathOf(file: string): string | null {
  try {
    return realpathSync(file);
  } catch {
    return null;
  }
}

/** Lists the names of all files in a folder, at any depth. */
function namesBelow(dir: string): string[] {
  try {
    // Not `recursive`: Node.js 26 follows links there, which may lead back to the root.
    const entries = readdirSync(dir, { withFileTypes: true });
    return entries.flatMap((entry) =>
      entry.isDirectory() ? namesBelow(path.join(dir, entry.name)) : [entry.name],
    );
  } catch {
    return [""]; // a folder without permission counts as one file
  }
}
