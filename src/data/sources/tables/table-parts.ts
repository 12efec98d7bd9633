// Parts of a split without class folders, whose images a table labels: `val/images/1.jpg` with `val/labels.txt` beside `train/cat/1.jpg`.
import path from "node:path";
import { InputError } from "../../../errors.js";
import { inShort, nameOf } from "../../../names.js";
import { type Folder, imagesBelow, leaveOutOthers, pruned, type Walk } from "../files.js";
import { partsIn, unwrap, withImages } from "../folders/same-folders.js";
import { REASONS } from "../left-out.js";
import { inOrder, type Listing, type Sample, stampOf } from "../listing.js";
import type { Part } from "../split-names.js";
import { isLabelName, isLabelNumberName } from "./column-names.js";
import type { LabelChoice } from "./label-columns.js";
import { withLabels } from "./label-values.js";
import type { ReadTable } from "./matched-tables.js";
import { columnAt, columnInWords, columnsIn, filledIn, type NamedTable, valuesIn } from "./table.js";

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
 * @throws InputError if two tables have different labels for an image, or the bytes of one are not text.
 */
export function readTableParts(walk: Walk, all: ReadTable[], choice: LabelChoice): TableParts {
  const { folders, parts, plain } = plainParts(walk.root);
  const notes: string[] = [];
  const read = plain.flatMap((one) => {
    const own = all.filter(({ part }) => [null, one.part].includes(part));
    const tables = own.flatMap((table) => readTableOf(one, table, choice, notes) ?? []);
    return tables.length > 0 ? [{ ...one, tables, labels: labelsOf(tables, walk.dir) }] : [];
  });
  const samples = read.flatMap(({ folder, part, tables, labels }) => {
    const used = new Set(tables.map(({ file }) => file));
    leaveOutOthers({ ...walk, root: folder }, used);
    return imagesBelow(folder).flatMap((file): Sample[] => {
      const className = labels.get(file);
      if (typeof className === "string")
        return [{ path: file, className, split: part, ...stampOf(path.join(walk.dir, file)) }];
      const { noRow, noLabel, severalLabels } = REASONS;
      walk.leftOut.add(labels.has(file) ? (className === null ? noLabel : severalLabels) : noRow, file);
      return [];
    });
  });
  const tables = read.flatMap((one) => one.tables);
  const isInPart = (file: string) => read.some(({ folder }) => isIn(folder, file));
  const elsewhere = tables
    .filter(({ file, isOfOthers }) => !isOfOthers && !isInPart(file))
    .map(({ file }) => file);
  for (const file of elsewhere) walk.leftOut.add(REASONS.labels, file);
  const keeps = (file: string) =>
    !elsewhere.includes(file) && !read.some(({ folder }) => folder.path === file);
  return {
    samples,
    tables: tables.map(({ file }) => file),
    notes,
    rest: read.length > 0 ? { ...walk, root: pruned(walk.root, keeps) } : walk,
    partOf: (file) => parts.get(folders.find((folder) => isIn(folder, file))?.name ?? "") ?? null,
  };
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

/** The labels that a table has for the images of a part. */
interface PartTable {
  file: string;
  /** Label of each image: null if it has none, undefined if it has several. */
  labels: Map<string, string | null | undefined>;
  /** Whether the table is about other images, too. */
  isOfOthers: boolean;
}

/**
 * @param notes - Gets a sentence for each guess.
 * @returns Null if the table is not about the part, or has none of the classes.
 */
function readTableOf(
  { folder, classNames }: PlainPart,
  given: ReadTable,
  choice: LabelChoice,
  notes: string[],
): PartTable | null {
  const { file, files: named, paths } = given;
  const rows = [...named.keys()].filter((row) => named[row].length === 1 && isIn(folder, named[row][0]));
  if (rows.length === 0) return null;
  if (given.damage) throw given.damage;
  const table: NamedTable = { ...given, rows: rows.map((row) => given.rows[row]) };
  const found = labelColumnOf(table, classNames, choice);
  if (typeof found === "string")
    notes.push(`${file} does not label the images in ${folder.path}, since ${found}.`);
  if (found === null || typeof found === "string") return null;
  const { column, classOf } = found;
  const labels = new Map<string, string | null | undefined>();
  valuesIn(withLabels(table, column, notes), column).forEach((value, i) => {
    const [image] = named[rows[i]];
    const label = value === "" ? null : classOf(value);
    labels.set(image, !labels.has(image) || labels.get(image) === label ? label : undefined);
  });
  const [first] = filledIn(table, column);
  const form = nameOf(first) === classOf(first) ? "" : `, such as ${classOf(first)} for ${first}`;
  notes.push(
    `Images in ${folder.path} are labelled by ${columnInWords(table.columns, column)} of ${file}${form}, and the others by their folders (--leave-out ${folder.path} leaves them out).`,
  );
  const missing = named.findIndex((images) => images.length === 0);
  const isOfOthers = named.some((images) => images.some((image) => !isIn(folder, image)));
  if (missing >= 0 && !isOfOthers) {
    const count = named.filter(({ length }) => length === 0).length;
    notes.push(`${count} of ${named.length} rows of ${file} name no image here, such as ${paths[missing]}.`);
  }
  return { file, labels, isOfOthers };
}

/** Ways in which a table may write the name of a class folder: as it is, with other leading zeros, or before a box. */
const FORMS = [
  nameOf,
  (value: string) => value.replace(/^0+(?=\d+$)/, ""),
  (value: string) => value.replace(/^(\S+)\s+-?\d.*$/, "$1"),
];

/** Returns what gives each value its class, if it writes one; null if the values are others than the classes. */
function classesBy(values: string[], classNames: ReadonlySet<string>): ((value: string) => string) | null {
  for (const form of FORMS) {
    const byForm = new Map([...classNames].map((name) => [form(name), name]));
    const numKnown = values.filter((value) => byForm.has(form(value))).length;
    const isKnown = form === nameOf ? numKnown * 2 > values.length : numKnown === values.length;
    if (byForm.size === classNames.size && values.length > 0 && isKnown)
      return (value) => byForm.get(form(value)) ?? nameOf(value);
  }
  return null;
}

/** @returns Null if no column may have labels, or a reason why none is read. */
function labelColumnOf(
  table: NamedTable,
  classNames: ReadonlySet<string>,
  { labelColumn }: LabelChoice,
): { column: number; classOf: (value: string) => string } | string | null {
  const { columns, pathColumn } = table;
  const others = columnsIn(table).filter(
    (column) => column !== pathColumn && filledIn(table, column).length > 0,
  );
  const nameIn = (column: number) => columns?.[column] ?? "";
  const chosen = labelColumn === undefined ? undefined : columnAt(columns, labelColumn);
  const usual = others.filter((column) => isLabelName(nameIn(column)) || isLabelNumberName(nameIn(column)));
  const isUsual = (column: number) => column === chosen || usual.includes(column);
  const read = others.flatMap((column) => {
    const values = filledIn(table, column);
    const classOf = classesBy(values, classNames);
    const mayBeAmount = others.length > 1 && values.every((value) => /^[\d.]+$/.test(value));
    return classOf && (isUsual(column) || !mayBeAmount) ? [{ column, classOf }] : [];
  });
  const best = read.find(({ column }) => column === chosen) ?? read.find(({ column }) => isUsual(column));
  if (best ?? read.length === 1) return best ?? read[0];
  const inWords = (some: number[]) => inShort(some.map((column) => columnInWords(columns, column)));
  if (read.length > 1)
    return `${inWords(read.map(({ column }) => column))} all have names of classes (--label-column NAME takes one)`;
  return null;
}

/** @throws InputError if tables have different labels for an image. */
function labelsOf(tables: PartTable[], where: string): PartTable["labels"] {
  const all: PartTable["labels"] = new Map();
  const fileOf = new Map<string, string>();
  for (const { file, labels } of tables)
    for (const [image, label] of labels) {
      const other = fileOf.get(image);
      if (other !== undefined && all.get(image) !== label)
        throw new InputError({
          expected: "one label for each image",
          where,
          found: `${image} as ${all.get(image) ?? "nothing"} in ${other}, and as ${label ?? "nothing"} in ${file}`,
          fix: "Remove one of these tables.",
        });
      all.set(image, label);
      fileOf.set(image, file);
    }
  return all;
}
