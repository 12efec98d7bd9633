// Parts of a split without class folders, whose images a table labels: `val/images/1.jpg` with `val/labels.txt` beside `train/cat/1.jpg`.
import path from "node:path";
import { inShort, nameOf } from "../../../names.js";
import { type Folder, pruned, type Walk } from "../files.js";
import { partsIn, unwrap, withImages } from "../folders/same-folders.js";
import { REASONS } from "../left-out.js";
import { inOrder, type Listing, type Sample } from "../listing.js";
import type { Part } from "../split-names.js";
import { isLabelName, isLabelNumberName } from "./column-names.js";
import { columnsBeside, type LabelChoice } from "./label-columns.js";
import { addOutcomes, type LabelTable, type Outcome, outcomeNotes, samplesOf } from "./label-tables.js";
import { classesBy, withLabels } from "./label-values.js";
import type { ReadTable } from "./matched-tables.js";
import { columnAt, columnInWords, filledIn, type NamedTable } from "./table.js";

/** Parts whose images tables label. */
export interface TableParts {
  /** Their images, by path in the data set's folder. */
  samples: Sample[];
  tables: string[];
  notes: string[];
  /** The data set without these parts and their tables. */
  rest: Walk;
  /** Returns the part of an image. */
  partOf: (file: string) => Part | null;
}

/** A part without class folders, and the class folders of the other parts. */
interface PlainPart {
  folder: Folder;
  part: Part;
  classNames: ReadonlySet<string>;
}

/**
 * Reads the parts of a split that have no class folders, if tables label their images with the class folders of other parts.
 *
 * @param all - The tables of the data set.
 * @throws InputError if two tables have different labels for an image, or the bytes of one are not text.
 */
export function readTableParts(walk: Walk, all: ReadTable[], choice: LabelChoice): TableParts {
  const { folders, parts, plain } = plainParts(walk.root);
  const [samples, notes]: [Sample[], string[]] = [[], []];
  const read: { folder: Folder; files: string[] }[] = [];
  for (const one of plain) {
    const own = all.filter(({ part }) => part === null || part === one.part);
    const tables = own.flatMap((table) => tableOfPart(one, table, choice, notes) ?? []);
    if (tables.length === 0) continue;
    const outcomes = new Map<string, Outcome>();
    for (const table of tables) {
      addOutcomes(table, outcomes);
      notes.push(...outcomeNotes(table, outcomes));
    }
    const files = tables.map(({ file }) => file);
    read.push({ folder: one.folder, files });
    samples.push(...samplesOf(outcomes, { ...walk, root: one.folder }, files));
  }
  const tables = read.flatMap(({ files }) => files);
  const isRead = (file: string) => read.some(({ folder }) => isIn(folder, `${file}/`));
  const beside = new Set(tables.filter((file) => !isRead(file)));
  for (const file of beside) walk.leftOut.add(REASONS.labels, file);
  const rest = read.length > 0 ? pruned(walk.root, (file) => !beside.has(file) && !isRead(file)) : walk.root;
  const partOf = (file: string) =>
    parts.get(folders.find((folder) => isIn(folder, file))?.name ?? "") ?? null;
  return { samples, tables, notes, rest: { ...walk, root: rest }, partOf };
}

/** Adds such parts to the images of class folders. */
export function withTableParts(
  listing: Listing,
  { samples, tables, notes, partOf }: TableParts,
  dir: string,
): Listing {
  const noted = { ...listing, notes: [...listing.notes, ...notes] };
  if (samples.length === 0) return noted;
  const others = listing.samples.map((sample) => {
    const file = path.posix.join(listing.inner, sample.path);
    return { ...sample, path: file, split: sample.split ?? partOf(file) };
  });
  return {
    ...noted,
    root: dir,
    where: dir,
    inner: ".",
    labels: `${listing.labels}, and ${tables.join(", ")}`,
    samples: inOrder([...others, ...samples]),
  };
}

function isIn(folder: Folder, file: string): boolean {
  return file.startsWith(`${folder.path}/`);
}

/** Finds the folders that are named for parts, and those of them without class folders, if others have some. */
function plainParts(top: Folder) {
  const root = unwrap(top);
  const parts = partsIn(root);
  const folders = withImages(root).filter(({ name }) => parts.has(name));
  const foldersIn = (folder: Folder) => withImages(unwrap(folder)).map(({ name }) => nameOf(name));
  const classNames = new Set(folders.map(foldersIn).flatMap((names) => (names.length > 1 ? names : [])));
  const plain = folders.flatMap((folder): PlainPart[] => {
    const names = foldersIn(folder);
    const isPlain = classNames.size > 0 && names.length < 2 && !names.some((name) => classNames.has(name));
    return isPlain ? [{ folder, part: parts.get(folder.name) as Part, classNames }] : [];
  });
  return { folders, parts, plain };
}

/**
 * Reads the rows of a table that are about a part, with the class folders as labels.
 *
 * @param notes - Gets a sentence for each guess.
 * @returns Null if the table is not about the part, or has none of the classes.
 */
function tableOfPart(
  { folder, part, classNames }: PlainPart,
  table: ReadTable,
  choice: LabelChoice,
  notes: string[],
): LabelTable | null {
  const { file, columns, paths } = table;
  const isOwn = (images: string[]) => images.length === 1 && isIn(folder, images[0]);
  if (!table.files.some(isOwn)) return null;
  if (table.damage) throw table.damage;
  const kept = [...paths.keys()].filter((row) => table.files[row].length === 0 || isOwn(table.files[row]));
  const at = <Value>(values: Value[]) => kept.map((row) => values[row]);
  const own = { ...table, rows: at(table.rows), files: at(table.files), paths: at(paths), part, split: null };
  const ofImages = { ...own, rows: own.rows.filter((_, i) => own.files[i].length > 0) };
  const found = labelColumnOf(ofImages, classNames, choice);
  if (typeof found === "string")
    notes.push(`${file} does not label the images in ${folder.path}, since ${found}.`);
  if (found === null || typeof found === "string") return null;
  const { column, classOf } = found;
  const [first] = filledIn(ofImages, column);
  const form = nameOf(first) === classOf(first) ? "" : `, such as ${classOf(first)} for ${first}`;
  notes.push(
    `Images in ${folder.path} are labelled by ${columnInWords(columns, column)} of ${file}${form}, and the others by their folders (--leave-out ${folder.path} leaves them out).`,
  );
  const read = withLabels(own, column, notes);
  const named = (row: string[]) => row.map((cell, i) => (i === column && cell !== "" ? classOf(cell) : cell));
  return { ...read, rows: read.rows.map(named), labels: { columns: [column], isOneHot: false } };
}

/** @returns Null if no column may have labels, or a reason why none is read. */
function labelColumnOf(
  table: NamedTable,
  classNames: ReadonlySet<string>,
  { labelColumn }: LabelChoice,
): { column: number; classOf: (value: string) => string } | string | null {
  const { columns } = table;
  const others = columnsBeside(table);
  const nameIn = (column: number) => columns?.[column] ?? "";
  const chosen = labelColumn === undefined ? undefined : columnAt(columns, labelColumn);
  const isUsual = (column: number) =>
    column === chosen || isLabelName(nameIn(column)) || isLabelNumberName(nameIn(column));
  const read = others.flatMap((column) => {
    const values = filledIn(table, column);
    const classOf = classesBy(values, classNames);
    const mayBeAmount = others.length > 1 && values.every((value) => /^[\d.]+$/.test(value));
    return classOf && (isUsual(column) || !mayBeAmount) ? [{ column, classOf }] : [];
  });
  const best = read.find(({ column }) => column === chosen) ?? read.find(({ column }) => isUsual(column));
  if (best || read.length < 2) return best ?? read[0] ?? null;
  const inWords = inShort(read.map(({ column }) => columnInWords(columns, column)));
  return `${inWords} all have names of classes (--label-column NAME takes one)`;
}
