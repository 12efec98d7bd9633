// Tables of labels: a CSV, TSV, JSON Lines or list file that names images and their classes.
import path from "node:path";
import { InputError } from "../../errors.js";
import { type Folder, REASONS, type Walk } from "./files.js";
import { type Listing, type Sample, stampOf } from "./listing.js";
import {
  noSplitNote,
  type Part,
  partOf,
  partOfFile,
  type RowPart,
  rowPart,
  splitColumn,
} from "./split-names.js";
import { readTable, TABLE_FILE, type Table } from "./table-file.js";

/** How to read the labels of a table. */
export interface LabelChoice {
  /** Name of the column; required if several may be meant. */
  labelColumn?: string;
}

const NO_LABELS = /submission|readme|licen[cs]e|requirements|changelog|citation/i;
/** Usual names of a column with labels. */
export const LABEL_COLUMN =
  /^(label|labels|class|classes|class[ _-]?name|class[ _-]?label|label[ _-]?name|category|emotion|expression|target|tag|y|species|breed|diagnosis|disease|type)$/i;
const EXTRA_REASON = "in a part that is neither for training nor for validation, by the table";
const UNNAMED = "in no row of the table";

/** Images of a folder by path, name and name without ending, to find those that a table names. */
class ImageIndex {
  private readonly byName = new Map<string, string[]>();
  readonly files: string[] = [];

  constructor(root: Folder) {
    const visit = (folder: Folder): void => {
      for (const name of folder.images) {
        const file = folder.path === "." ? name : `${folder.path}/${name}`;
        this.files.push(file);
        const steps = file.split("/");
        // every end of the path, with and without the ending: `train/a/1.jpg`, `a/1.jpg`, `1.jpg`, `1`
        for (let i = 0; i < steps.length; i++) {
          const end = steps.slice(i).join("/");
          const stem = withoutEnding(end);
          for (const key of [end, stem, stem.replace(/_aligned$/, "")]) this.add(key, file); // RAF-DB's suffix
        }
      }
      folder.folders.forEach(visit);
    };
    visit(root);
  }

  private add(key: string, file: string): void {
    const files = this.byName.get(key);
    if (!files) this.byName.set(key, [file]);
    else if (!files.includes(file)) files.push(file);
  }

  /**
   * Returns the images that a value names; a value may be an address, a path from elsewhere, or lack the ending.
   *
   * @param around - Folder of the table, which relative paths count from.
   */
  find(value: string, around: string): string[] {
    if (value === "") return [];
    const plain = path.posix.normalize(value.replace(/\\/g, "/").replace(/^[a-z]+:\/\/[^/]*\//i, ""));
    const nearby = path.posix.join(around, plain);
    const steps = plain.split("/").filter((step) => step !== "" && step !== "..");
    for (const key of [nearby, ...steps.map((_, i) => steps.slice(i).join("/"))]) {
      const exact = this.byName.get(key)?.filter((file) => file === key || file.endsWith(`/${key}`));
      const found = exact?.length ? exact : (this.byName.get(key) ?? this.byName.get(withoutEnding(key)));
      if (found) return found.includes(nearby) ? [nearby] : found;
    }
    return [];
  }
}

function withoutEnding(file: string): string {
  return file.replace(/\.[^./]+$/, "");
}

/** A table whose rows name images. */
interface Matched {
  table: Table;
  pathColumn: number;
  /** Images of each row. */
  files: string[][];
}

/** Rows that are looked at to tell which column names images. */
const NUM_PROBES = 200;

function match(table: Table, index: ImageIndex): Matched | null {
  const around = path.posix.dirname(table.file);
  const step = Math.max(1, Math.floor(table.rows.length / NUM_PROBES));
  const probes = table.rows.filter((_, i) => i % step === 0);
  const width = Math.max(...probes.map((row) => row.length));
  const shares = Array.from({ length: width }, (_, column) => {
    const hits = probes.filter((row) => index.find(row[column] ?? "", around).length > 0);
    return hits.length / probes.length;
  });
  const best = Math.max(...shares);
  if (!(best > 0)) return null;
  const pathColumn = shares.indexOf(best);
  const [first] = table.rows;
  const hasHeader = table.columns === null && index.find(first[pathColumn] ?? "", around).length === 0;
  const named = hasHeader
    ? { ...table, columns: first.map((name) => name.trim()), rows: table.rows.slice(1) }
    : table;
  return {
    table: named,
    pathColumn,
    files: named.rows.map((row) => index.find(row[pathColumn] ?? "", around)),
  };
}

/**
 * Reads the labels of a data set from its tables.
 *
 * @param given - Tables to read, relative to `dir`; by default all of the folder whose rows are about its images.
 * @returns Null if no table names images.
 * @throws InputError if it is not clear which table, column or image is meant.
 */
export function readLabelTables(
  walk: Walk,
  dir: string,
  choice: LabelChoice,
  given?: string[],
): Listing | null {
  const index = new ImageIndex(walk.root);
  if (index.files.length === 0) return null;
  const files = given ?? tableFiles(walk.root);
  const matched = files.flatMap((file) => {
    const table = readTable(dir, file);
    return (table && match(table, index)) ?? [];
  });
  const useful = matched.filter((one) => given !== undefined || isUseful(one, index.files.length));
  const read = useful.flatMap((one) => {
    const split = splitColumn({ ...one, ...choice }, dir);
    const labels = labelColumns({ ...one, split }, choice, dir);
    return labels ? [{ ...one, split, labels, part: partOfTable(one.table.file) }] : [];
  });
  if (read.length === 0) return null;
  const parts = new Set(read.map(({ part }) => part));
  if (read.length > 1 && (parts.has(null) || parts.size < read.length))
    throw new InputError({
      expected: "one table of labels, or one for each part of the split",
      where: dir,
      found: read.map(({ table }) => table.file).join(", "),
      fix: "Choose one with --labels FILE.",
    });
  const { leftOut } = walk;
  const notes: string[] = [];
  const outcomes = new Map<string, Outcome>();
  for (const one of read) {
    addOutcomes(one, dir, outcomes, notes);
    if (one.split < 0) notes.push(...noSplitNote({ ...one, ...choice }, one.labels.columns));
  }
  const samples = [...outcomes].flatMap(([file, outcome]) =>
    "reason" in outcome || outcome.part === "extra"
      ? []
      : [{ path: file, className: outcome.className, split: outcome.part, ...stampOf(path.join(dir, file)) }],
  );
  countRest(walk, outcomes, new Set(read.map(({ table }) => table.file)));
  const labels = read.map(({ table }) => table.file).join(", ");
  if (samples.some(({ split }) => split === "validation" || split === "test")) {
    const numWithout = samples.filter(({ split }) => split === null).length;
    if (numWithout > 0)
      notes.push(`Images without a part of the split in ${labels}, which are not used: ${numWithout}.`);
  }
  return {
    root: dir,
    where: dir,
    inner: ".",
    labels,
    samples: withParts(samples),
    emptyClasses: [],
    leftOut,
    notes,
  };
}

function tableFiles(root: Folder): string[] {
  const visit = (folder: Folder): string[] => [
    ...folder.others
      .filter(({ name }) => TABLE_FILE.test(name) && !NO_LABELS.test(name))
      .map(({ name }) => path.posix.join(folder.path, name)),
    ...folder.folders.flatMap(visit),
  ];
  return visit(root);
}

/** A table is useful if its rows are about images, not about other things that happen to have such names. */
function isUseful({ files }: Matched, numImages: number): boolean {
  const numFound = files.filter(({ length }) => length === 1).length;
  return numFound * 2 >= files.length || numFound * 2 >= numImages;
}

/** Returns the part of a split that a table is for, by its folder or name: `train/_classes.csv`, `test_labels.csv`. */
function partOfTable(file: string): Part | null {
  const steps = file.replace(/\.[^./]+$/, "").split("/");
  const words = steps.map((step) =>
    step.replace(/labels?|annotations?|list|metadata|meta|info|classes/gi, ""),
  );
  return words.reduce<Part | null>((part, word) => part ?? partOf(word), null);
}

/** Columns of the labels: one column with names, or one for each class with 0 and 1. */
interface LabelColumns {
  columns: number[];
  isOneHot: boolean;
}

/** @returns Null if the table has no labels. */
function labelColumns(
  one: Matched & { split: number },
  { labelColumn }: LabelChoice,
  dir: string,
): LabelColumns | null {
  const { table, pathColumn, split } = one;
  const { columns, rows } = table;
  const width = columns?.length ?? rows.reduce((most, row) => Math.max(most, row.length), 0);
  const isFilled = (column: number) => rows.some((row) => (row[column] ?? "") !== "");
  const others = Array.from({ length: width }, (_, column) => column).filter(
    (column) => column !== pathColumn && column !== split && isFilled(column),
  );
  const named = (fits: (name: string) => boolean) =>
    others.filter((column) => columns && fits(columns[column]));
  const single = (column: number) => ({ columns: [column], isOneHot: false });
  if (labelColumn !== undefined) {
    const [wanted] = named((name) => name === labelColumn);
    if (wanted !== undefined) return single(wanted);
  } else {
    const likely = named((name) => LABEL_COLUMN.test(name));
    if (likely.length === 1) return single(likely[0]);
    if (
      others.length > 1 &&
      others.every((column) => rows.every((row) => /^(0|1)(\.0+)?$/.test(row[column] ?? "")))
    )
      return { columns: others, isOneHot: true };
    if (others.length <= 1) return others.length === 1 ? single(others[0]) : null;
  }
  throw new InputError({
    expected: labelColumn === undefined ? "one column of labels" : `the column ${labelColumn}`,
    where: path.join(dir, table.file),
    found: others.map((column) => columns?.[column] ?? `column ${column + 1}`).join(", "),
    fix: "Choose one with --label-column NAME.",
  });
}

/** A label, or the reason why there is none; and the part that the rows name. */
type Outcome = { part: RowPart } & ({ className: string } | { reason: string });

interface Read extends Matched {
  /** The column that names the part; -1 if there is none. */
  split: number;
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
  const { table, pathColumn, files, labels, split } = one;
  const missing: string[] = [];
  table.rows.forEach((row, i) => {
    if (files[i].length === 0) missing.push(row[pathColumn] ?? "");
    if (files[i].length > 1)
      throw new InputError({
        expected: `one image for each row of ${table.file}`,
        found: `${files[i].slice(0, 2).join(" and ")} for ${row[pathColumn]}`,
        fix: "Choose the folder of images with --data, and the table with --labels.",
      });
    const [file] = files[i];
    if (file === undefined) return;
    const named = split < 0 ? one.part : rowPart(table.columns?.[split], row[split] ?? "");
    const part = named ?? null;
    const known = outcomes.get(file);
    if (known && known.part !== part)
      throw new InputError({
        expected: "each image in one part of the split",
        where: path.join(dir, table.file),
        found: `${file} in ${[known.part, part].map((name) => name ?? "no part").join(" and ")}`,
        fix: "Remove one of its rows.",
      });
    const className = labelIn(row, labels, table.columns);
    const isSame = !known || ("className" in known && known.className === className?.normalize("NFC"));
    if (part === "extra") outcomes.set(file, { part, reason: EXTRA_REASON });
    else if (className === null) outcomes.set(file, { part, reason: "without a label in the table" });
    else if (className === undefined || !isSame)
      outcomes.set(file, { part, reason: "with several labels in the table" });
    else outcomes.set(file, { part, className: className.normalize("NFC") });
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

/** @returns Null if there is no label, undefined if there are several. */
function labelIn(
  row: string[],
  { columns, isOneHot }: LabelColumns,
  header: string[] | null,
): string | null | undefined {
  if (!isOneHot) return row[columns[0]] || null;
  const set = columns.filter((column) => Number(row[column]) === 1);
  return set.length > 1 ? undefined : set.length === 0 ? null : (header?.[set[0]] ?? String(set[0]));
}

/** Takes the split from folders named for parts, or from the beginnings of file names, if the table has none. */
function withParts(samples: Sample[]): Sample[] {
  if (samples.some(({ split }) => split !== null)) return samples;
  const readers = [
    ({ path: file }: Sample) =>
      file
        .split("/")
        .slice(0, -1)
        .reduce<Part | null>((part, step) => part ?? partOf(step), null),
    ({ path: file }: Sample) => partOfFile(file),
  ];
  for (const read of readers) {
    const parts = samples.map(read);
    if (parts.every((part) => part !== null))
      return samples.map((sample, i) => ({ ...sample, split: parts[i] }));
  }
  return samples;
}

/** Counts the images without a label, and all other files. */
function countRest({ root, leftOut }: Walk, outcomes: Map<string, Outcome>, tables: Set<string>): void {
  const visit = (folder: Folder): void => {
    const fileOf = (name: string) => (folder.path === "." ? name : `${folder.path}/${name}`);
    for (const name of folder.images) {
      const outcome = outcomes.get(fileOf(name));
      if (!outcome) leftOut.add(UNNAMED, fileOf(name));
      else if ("reason" in outcome) leftOut.add(outcome.reason, fileOf(name));
    }
    for (const { name, reason } of folder.others)
      leftOut.add(tables.has(fileOf(name)) ? REASONS.labels : reason, fileOf(name));
    folder.folders.forEach(visit);
  };
  visit(root);
}
