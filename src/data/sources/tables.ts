// Tables of labels: a CSV, TSV, JSON Lines or list file that names images and their classes.
import path from "node:path";
import { InputError } from "../../errors.js";
import { nameOf } from "../../names.js";
import { imagesBelow, leaveOutOthers, type Walk } from "./files.js";
import { explainUnmatched, type Matched, matchImages } from "./image-column.js";
import { ImageIndex } from "./image-index.js";
import {
  type LabelChoice,
  type LabelColumns,
  labelColumns,
  labelIn,
  oneHotColumns,
  withLabels,
  withoutRepeats,
} from "./label-columns.js";
import {
  EXTRA_REASON,
  type Listing,
  listingOf,
  type Sample,
  SEVERAL_LABELS,
  type SplitSource,
  stampOf,
  withoutPartNote,
  withParts,
} from "./listing.js";
import {
  choiceOf,
  noSplitNote,
  type ReadColumns,
  type RowPart,
  type SplitColumns,
  splitColumns,
  whyCodedSplit,
  wordsOf,
} from "./split-columns.js";
import { type Part, partOf, partOfFile, partOfFolders } from "./split-names.js";
import { isOtherJson, labelFiles, readTable, type Table, tableFiles, whyNoTable } from "./table-file.js";

const UNNAMED = "in no row of the table";

/**
 * Reads the labels of a data set from its tables.
 *
 * @param given - Tables to read, relative to the folder; by default all of the folder whose rows are about its images.
 * @returns Null if no table names images.
 * @throws InputError if it is not clear which table, column or image is meant.
 */
export function readLabelTables(walk: Walk, choice: LabelChoice, given?: string[]): Listing | null {
  const { dir } = walk;
  const { useful, refusals, notes } = matchTables(walk, choice, given);
  const read = useful.flatMap((one) => {
    const { classColumns, split } = one;
    const labels = classColumns
      ? { columns: classColumns, isOneHot: true }
      : labelColumns(one, split, choice, dir);
    if (!labels) return [];
    const labelNames = labels.columns.flatMap((column) => one.table.columns?.[column] ?? []);
    withoutRepeats(one.table, one.pathColumn, labelNames, dir);
    const table = labels.isOneHot
      ? one.table
      : withLabels(one.table, labels.columns[0], whereOf(one.table, dir), notes);
    return [{ ...one, table, labels, part: partOfTable(table.file) }];
  });
  const [unclear] = refusals;
  if (read.length === 0 && unclear) throw unclear;
  if (read.length === 0) return null;
  const parts = new Set(read.map(({ part }) => part));
  const named = read.flatMap(({ files }) => [...new Set(files.flat())]);
  const areApart = given !== undefined && new Set(named).size === named.length;
  const areParts = !parts.has(null) && (areApart || parts.size === read.length);
  if (read.length > 1 && !areParts && !(areApart && parts.size === 1))
    throw new InputError({
      expected: "one table of labels, or one for each part of the split",
      where: dir,
      found: read.map(({ table }) => table.file).join(", "),
      fix: "Choose one with --labels FILE.",
    });
  const outcomes = new Map<string, Outcome>();
  for (const one of read) {
    addOutcomes(one, dir, outcomes, notes);
    notes.push(...(one.split?.notes ?? noSplitNote(columnsOf(one, choice, dir), one.labels.columns)));
  }
  const samples = [...outcomes].flatMap(([file, outcome]) =>
    "reason" in outcome || outcome.part === "extra"
      ? []
      : [{ path: file, className: outcome.className, split: outcome.part, ...stampOf(path.join(dir, file)) }],
  );
  countRest(walk, outcomes, new Set(read.map(({ table }) => table.file)));
  const labels = read.map(({ table }) => table.file).join(", ");
  notes.push(...withoutPartNote(samples, labels));
  const listing = listingOf(walk, { labels, samples, notes });
  return { ...listing, ...withPathParts(samples, labels, listing, splitOf(read)) };
}

/** Returns what has the split: a column, or tables that are each for a part; if any. */
function splitOf(read: Read[]): SplitSource | undefined {
  for (const { split, table } of read)
    if (split?.parts) return { words: wordsOf(split, table.file), isColumn: true };
  const tablesFor = (wanted: Part) =>
    read.flatMap(({ part, table }) => (part === wanted ? table.file : [])).join(", ");
  const held = tablesFor("validation") || tablesFor("test");
  return held ? { words: `the table ${held}`, isColumn: false } : undefined;
}

/** A table that names images, with the columns of classes and of the split. */
interface WithSplit extends Matched {
  classColumns: number[] | null;
  split: SplitColumns | null;
}

/**
 * Finds the tables that name images, and says why others do not.
 *
 * @throws InputError if columns can be understood in several ways, or the bytes of such a table are not text.
 */
function matchTables(
  { dir, root }: Walk,
  choice: LabelChoice,
  given?: string[],
): { useful: WithSplit[]; refusals: InputError[]; notes: string[] } {
  const index = new ImageIndex(root);
  const { labelColumn, pathColumn } = choice;
  const chosen = [pathColumn, ...(labelColumn?.split(",") ?? [])].flatMap((name) => name?.trim() ?? []);
  const [useful, refusals, notes]: [WithSplit[], InputError[], string[]] = [[], [], []];
  for (const file of index.files.length === 0 ? [] : (given ?? tableFiles(root))) {
    const table = readTable(dir, file);
    const one = table && matchImages(table, index, dir, choice);
    const mayBeUseful = one instanceof InputError || (one && isUseful(one, index.files.length));
    if (table?.damage && (given !== undefined || mayBeUseful)) throw table.damage;
    if (one instanceof InputError) refusals.push(one);
    else if (one && (given !== undefined || isUseful(one, index.files.length))) {
      const why = given === undefined ? whyCodedSplit(one, choice) : null;
      if (why) {
        notes.push(`${file} is not read, since ${why.reason}.`);
        continue;
      }
      const names = [...chosen, one.table.columns?.[one.pathColumn] ?? ""];
      const matched = { ...one, table: withoutRepeats(one.table, one.pathColumn, names, dir) };
      const classColumns = oneHotColumns(matched, choice, dir);
      const split = splitColumns(columnsOf({ ...matched, classColumns }, choice, dir));
      useful.push({ ...matched, classColumns, split });
    }
  }
  return { useful, refusals, notes };
}

function whereOf({ file }: Table, dir: string): string {
  return path.join(dir, file);
}

function columnsOf(
  { table, pathColumn, classColumns }: Matched & { classColumns: number[] | null },
  { labelColumn, splitColumn }: LabelChoice,
  dir: string,
): ReadColumns {
  return { table, pathColumn, classColumns, labelColumn, splitColumn, where: whereOf(table, dir) };
}

/** A split that a table has. */
export interface TableSplit {
  /** Names the column and the table: "The column split of splits.csv". */
  name: string;
  /** Chooses the column: "split", as --split-column takes it. */
  choice: string;
  /** Part of each image that is in the table, by its path. */
  parts: Map<string, RowPart>;
}

/**
 * Reads the split in the tables of a data set, also of those without labels.
 *
 * @returns Null if no table has one, or several have.
 * @throws InputError if columns can be understood in several ways.
 */
export function readTableSplit(walk: Walk, choice: LabelChoice): TableSplit | null {
  const [one, ...others] = matchTables(walk, choice).useful.filter(({ split }) => split?.parts);
  if (!one?.split?.parts || others.length > 0) return null;
  const { table, split, files } = one;
  const parts = new Map(
    one.split.parts.flatMap((part, i): [string, RowPart][] =>
      files[i].length === 1 ? [[files[i][0], part]] : [],
    ),
  );
  return { name: `${split.name} of ${table.file}`, choice: choiceOf(table, split.columns), parts };
}

/** A file that may have labels but is not read. */
export interface Unread {
  /** Begins with the file's name: "labels.csv, whose column id names none of them: …". */
  found: string;
  fix: string;
}

/**
 * Returns why files that may have labels are not read: they name no image here, or are no tables.
 *
 * @param classNames - A table of these is no table of images.
 */
export function unreadTables(
  { dir, root }: Walk,
  choice: LabelChoice,
  given?: string[],
  classNames: string[] = [],
): Unread[] {
  const index = new ImageIndex(root);
  return (given ?? labelFiles(root)).flatMap((file): Unread[] => {
    const why = whyNoTable(dir, file);
    const table = why ? null : readTable(dir, file);
    const one = table && matchImages(table, index, dir, choice);
    const isOther = given === undefined && one && !(one instanceof InputError);
    const reason = why ?? (isOther ? whyCodedSplit(one, choice) : null);
    if (reason) return [{ found: `${file}, which is not read, since ${reason.reason}`, fix: reason.fix }];
    if (!table || one instanceof InputError || (one && isUseful(one, index.files.length))) return [];
    if (isOfClasses(table, classNames) || isOfNames(table)) return [];
    const found = explainUnmatched(table, index);
    if (found && table.damage) {
      const { problem } = table.damage;
      return [{ found: `${file}, which is not read, since it has ${problem.found}`, fix: problem.fix ?? "" }];
    }
    const fix = "Fix the names in the table, or choose its column of names with --path-column.";
    return found ? [{ found, fix }] : [];
  });
}

/** Whether the rows of a table are classes, as those of `labels.txt` with `0 cat` and `1 dog`. */
function isOfClasses({ columns, rows }: Table, classNames: string[]): boolean {
  const all = columns === null ? rows : [columns, ...rows];
  const isKnown = (row: string[], column: number) => classNames.includes(row[column] ?? "");
  const numKnown = (column: number) => all.filter((row) => isKnown(row, column)).length;
  return (
    all.length <= classNames.length + 1 && all[0].some((_, column) => numKnown(column) >= all.length - 1)
  );
}

/**
 * A table is useful if its rows are about images, not about other things that happen to have such names. JSON with another name than
 * that of labels must be about most images, since `{"1": "rose"}` names classes.
 */
function isUseful({ files, table }: Matched, numImages: number): boolean {
  const numFound = files.filter(({ length }) => length === 1).length;
  const isOther = isOtherJson(table.file) || isOfNames(table);
  return numFound * 2 >= numImages || (numFound * 2 >= files.length && !isOther);
}

/** Whether a table may name the classes: JSON with another text for each number, as `{"0": "Healthy", "1": "Blight"}`. */
function isOfNames({ file, columns, rows }: Table): boolean {
  const isNumbered = rows.every((row) => row.length === 2 && /^\d+$/.test(row[0]));
  return (
    isNumbered &&
    /\.json$/i.test(file) &&
    columns === null &&
    new Set(rows.map((row) => row[1])).size === rows.length
  );
}

/** Returns the part of a split that a table is for, by its folder or name: `train/_classes.csv`, `test_labels.csv`. */
function partOfTable(file: string): Part | null {
  const steps = file.replace(/\.[^./]+$/, "").split("/");
  const words = steps.map((step) =>
    step.replace(/labels?|annotations?|list|metadata|meta|info|classes/gi, ""),
  );
  return words.reduce<Part | null>((part, word) => part ?? partOf(word), null);
}

/** A label, or the reason why there is none; and the part that the rows name. */
type Outcome = { part: RowPart } & ({ className: string } | { reason: string });

interface Read extends WithSplit {
  labels: LabelColumns;
  /** The part that the whole table is for. */
  part: Part | null;
}

/**
 * Adds the label of each image that the rows name, or the reason why it has none.
 *
 * @throws InputError if a row names two images, or rows put an image into two parts.
 */
function addOutcomes(one: Read, dir: string, outcomes: Map<string, Outcome>, notes: string[]): void {
  const { table, paths, files, labels, split, moved, numbered, conflict } = one;
  const missing: string[] = [];
  if (conflict)
    throw new InputError({
      expected: `one name for each image in ${table.file}`,
      where: dir,
      found: `${conflict.map((row) => paths[row]).join(" and ")} for ${files[conflict[1]][0]}`,
      fix: "Remove the rows of images that are not here, or choose the folder around all of them with --data.",
    });
  if (moved >= 0)
    notes.push(
      `The paths of ${table.file} are of other folders, so images are found by name: ${files[moved][0]} for ${paths[moved]}.`,
    );
  if (numbered >= 0)
    notes.push(
      `Numbers of ${table.file} have other leading zeros than those of the files, so they are compared without them: ${files[numbered][0]} for ${paths[numbered]}.`,
    );
  table.rows.forEach((row, i) => {
    if (files[i].length === 0) missing.push(paths[i]);
    if (files[i].length > 1)
      throw new InputError({
        expected: `one image for each row of ${table.file}`,
        found: `${files[i].slice(0, 2).join(" and ")} for ${paths[i]}`,
        fix: "Choose the folder of images with --data, and the table with --labels.",
      });
    const [file] = files[i];
    if (file === undefined) return;
    const part = split?.parts ? split.parts[i] : one.part;
    const known = outcomes.get(file);
    if (known && known.part !== part)
      throw new InputError({
        expected: "each image in one part of the split",
        where: path.join(dir, table.file),
        found: `${file} in ${[known.part, part].map((name) => name ?? "no part").join(" and ")}`,
        fix: "Remove one of its rows.",
      });
    const className = labelIn(row, labels, table.columns);
    const isSame = !known || ("className" in known && known.className === (className && nameOf(className)));
    if (part === "extra") outcomes.set(file, { part, reason: EXTRA_REASON });
    else if (className === null) outcomes.set(file, { part, reason: "without a label in the table" });
    else if (className === undefined || !isSame) outcomes.set(file, { part, reason: SEVERAL_LABELS });
    else outcomes.set(file, { part, className: nameOf(className) });
  });
  const numExtra = new Set(files.flat().filter((file) => outcomes.get(file)?.part === "extra")).size;
  if (numExtra > 0)
    notes.push(
      `Images that ${table.file} has in no part for training or tests, which are left out: ${numExtra}.`,
    );
  if (missing.length > 0)
    notes.push(
      `${missing.length} of ${table.rows.length} rows of ${table.file} name no image here, as ${missing[0]}.`,
    );
}

/**
 * Takes the split from folders named for parts, or from the beginnings of all file names, if the table has none. If both have one,
 * a note says where they differ.
 */
function withPathParts(
  samples: Sample[],
  labels: string,
  listing: Parameters<typeof withParts>[2],
  splitBy: SplitSource | undefined,
): Pick<Listing, "samples" | "splitBy"> {
  const byName = samples.map(({ path: file }) => partOfFile(file));
  const byFolder = samples.map(({ path: file }) => partOfFolders(file));
  if (samples.some(({ split }) => split !== null)) {
    const differing = samples.filter(({ split }, i) => split && byFolder[i] && byFolder[i] !== split);
    const [first] = differing;
    if (first)
      listing.notes.push(
        `${labels} puts ${differing.length} of ${samples.length} images into another part than their folders, as ${first.path} into ${first.split}. The table is used (--labels folders takes the folders).`,
      );
    return { samples, splitBy };
  }
  const isInNames = byFolder.every((part) => part === null) && byName.every((part) => part !== null);
  return {
    samples: withParts(samples, isInNames ? byName : byFolder, listing),
    splitBy: isInNames ? { words: "the names of the files", isColumn: false } : splitBy,
  };
}

/** Counts the images without a label, and all other files. */
function countRest(walk: Walk, outcomes: Map<string, Outcome>, tables: Set<string>): void {
  for (const { file } of imagesBelow(walk.root)) {
    const outcome = outcomes.get(file);
    if (!outcome) walk.leftOut.add(UNNAMED, file);
    else if ("reason" in outcome) walk.leftOut.add(outcome.reason, file);
  }
  leaveOutOthers(walk, tables);
}
