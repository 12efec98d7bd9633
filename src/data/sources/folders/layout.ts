// The images of class folders, once it is known which folders are classes.
import path from "node:path";
import { tally } from "../../../collections.js";
import { type Folder, fileIn, foldersBelow, leaveOutOthers, type Walk } from "../files.js";
import { REASONS } from "../left-out.js";
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
  const { dir, root: top, leftOut } = walk;
  const { root, unused, notes } = layout;
  const classes = new Map(layout.classes.map((one) => [one.folder, { ...one, seen: new Set<string>() }]));
  const samples: Sample[] = [];
  const start = root.path === "." ? 0 : root.path.length + 1;
  type Class = (Layout["classes"][number] & { seen: Set<string> }) | undefined;
  const visit = (folder: Folder, around: Class, reasonAround: string): void => {
    const inClass = classes.get(folder) ?? around;
    const reason = unused.get(folder) ?? reasonAround;
    const isAgain = inClass?.seen.has(folder.real) ?? false;
    inClass?.seen.add(folder.real);
    for (const name of folder.images) {
      const file = fileIn(folder, name);
      if (!inClass || unused.has(folder)) leftOut.add(reason, file);
      else if (isAgain) leftOut.add(REASONS.again, file);
      else {
        const { className, split } = inClass;
        samples.push({ path: file.slice(start), className, split, ...stampOf(path.join(dir, file)) });
      }
    }
    for (const inner of folder.folders) visit(inner, unused.has(folder) ? undefined : inClass, reason);
  };
  visit(top, undefined, REASONS.noClassFolder);
  leaveOutOthers(walk);
  const around = new Set(layout.classes.map(({ folder }) => path.posix.dirname(folder.path)));
  const isInClass = (file: string) => layout.classes.some(({ folder }) => file.startsWith(`${folder.path}/`));
  const [empty, elsewhere] = [true, false].map((isBeside) =>
    emptyFolders(top).filter(
      ({ path: file }) => around.has(path.posix.dirname(file)) === isBeside && !isInClass(file),
    ),
  );
  const inWords = (folder: Folder) => `${folder.path} (${contentOf(folder)})`;
  const rootDir = root.path === "." ? dir : path.join(dir, root.path);
  return listingOf(walk, {
    root: rootDir,
    where: rootDir,
    inner: root.path,
    labels: CLASS_FOLDERS,
    samples: inOrder(samples),
    emptyClasses: empty.map(inWords),
    notes:
      elsewhere.length > 0
        ? [...notes, `Folders without images, which are not used: ${elsewhere.map(inWords).join("; ")}.`]
        : notes,
  });
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
