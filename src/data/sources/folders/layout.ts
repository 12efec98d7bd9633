// The images of class folders, once it is known which folders are classes.
import path from "node:path";
import { tally } from "../../../collections.js";
import { type Folder, fileIn, foldersBelow, leaveOutOthers, type Walk } from "../files.js";
import { NOTE_ENDING, REASONS } from "../left-out.js";
import { CLASS_FOLDERS, inOrder, type Listing, listingOf, type Sample, stampOf } from "../listing.js";
import type { Part } from "../split-names.js";

/** Which folders of a data set are classes, and which are not used. */
export interface Layout {
  /** Sample paths are relative to it. */
  root: Folder;
  /** The data set's folder on disk. */
  dir: string;
  classes: { folder: Folder; className: string; split: Part | null }[];
  /** Folders that are not used, each with the reason. */
  unused: Map<Folder, string>;
  notes: string[];
}

/** @param dir - The data set's folder, for errors. */
export function emptyLayout(root: Folder, dir: string): Layout {
  return { root, dir, classes: [], unused: new Map(), notes: [] };
}

/** Lists the images of the class folders, and counts all other files. */
export function listLayout(layout: Layout, walk: Walk): Listing {
  const { root } = layout;
  const samples = samplesIn(layout, walk);
  leaveOutOthers(walk);
  const { besideClasses, elsewhere } = emptyFoldersIn(layout, walk.root);
  const dir = path.join(walk.dir, root.path);
  const note = `Folders without images, which are not used: ${elsewhere.join("; ")}.`;
  return listingOf(walk, {
    root: root.path === "." ? walk.dir : dir,
    where: root.path === "." ? walk.dir : dir,
    inner: root.path,
    labels: CLASS_FOLDERS,
    samples: inOrder(samples),
    emptyClasses: besideClasses,
    notes: elsewhere.length > 0 ? [...layout.notes, note] : layout.notes,
  });
}

/** Lists the images of the class folders, and counts the others as left out. A folder that links reach twice counts once in a class. */
function samplesIn({ root, classes, unused }: Layout, { dir, root: top, leftOut }: Walk): Sample[] {
  const samples: Sample[] = [];
  const start = root.path === "." ? 0 : root.path.length + 1;
  const classAt = new Map(classes.map((one) => [one.folder, { ...one, seen: new Set<string>() }]));
  type Class = ReturnType<typeof classAt.get>;
  const visit = (folder: Folder, around: Class, reasonAround: string): void => {
    const isUnused = unused.has(folder);
    const inClass = isUnused ? undefined : (classAt.get(folder) ?? around);
    const reason = unused.get(folder) ?? reasonAround;
    const isAgain = inClass?.seen.has(folder.real);
    inClass?.seen.add(folder.real);
    for (const name of folder.images) {
      const file = fileIn(folder, name);
      if (!inClass) leftOut.add(reason, file);
      else if (isAgain) leftOut.add(REASONS.again, file);
      else {
        const { className, split } = inClass;
        samples.push({ path: file.slice(start), className, split, ...stampOf(path.join(dir, file)) });
      }
    }
    for (const inner of folder.folders) visit(inner, inClass, reason);
  };
  visit(top, undefined, REASONS.noClassFolder);
  return samples;
}

/** Names the folders without images, with what they hold: those beside classes, and those outside of classes. */
function emptyFoldersIn({ classes }: Layout, top: Folder): { besideClasses: string[]; elsewhere: string[] } {
  const around = new Set(classes.map(({ folder }) => path.posix.dirname(folder.path)));
  const isInClass = (file: string) => classes.some(({ folder }) => file.startsWith(`${folder.path}/`));
  const empty = emptyFolders(top).filter(({ path: file }) => !isInClass(file));
  const isBeside = ({ path: file }: Folder) => around.has(path.posix.dirname(file));
  const inWords = (folder: Folder) => `${folder.path} (${contentOf(folder)})`;
  return {
    besideClasses: empty.filter(isBeside).map(inWords),
    elsewhere: empty.filter((folder) => !isBeside(folder) && !holdsNotes(folder)).map(inWords),
  };
}

/** Whether a folder holds notes and tables alone, whose images nobody misses. */
function holdsNotes(folder: Folder): boolean {
  const others = foldersBelow(folder).flatMap((inner) => inner.others);
  return others.length > 0 && others.every(({ name }) => NOTE_ENDING.test(path.posix.extname(name)));
}

function emptyFolders(folder: Folder): Folder[] {
  if (folder.numImages === 0 && folder.path !== ".") return [folder];
  return folder.folders.flatMap(emptyFolders);
}

/** Counts the files in a folder without images by ending: "2 .heic, 1 .txt". */
function contentOf(folder: Folder): string {
  const names = foldersBelow(folder).flatMap(({ others }) => others.map(({ name }) => name));
  const counts = tally(names.map((name) => path.posix.extname(name).toLowerCase() || "without ending"));
  return [...counts].map(([ending, number]) => `${number} ${ending}`).join(", ") || "empty";
}
