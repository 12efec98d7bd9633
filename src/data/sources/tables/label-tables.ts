// Tables of labels: a CSV, TSV, JSON Lines or list file that names images and their classes.
import path from "node:path";
import { caught, InputError } from "../../../errors.js";
import { inShort, nameOf } from "../../../names.js";
import { imagesBelow, leaveOutOthers, type Walk } from "../files.js";
import { REASONS } from "../left-out.js";
import {
  differenceNotes,
  type Listing,
  listingOf,
  type Sample,
  type SplitSource,
  stampOf,
  withoutPartNote,
  withParts,
} from "../listing.js";
import { type Part, partOfFile, partOfFolders } from "../split-names.js";
import { isLabelName } from "./column-names.js";
import { isGroupColumn, withGroups } from "./group-columns.js";
import {
  type LabelChoice,
  type LabelColumns,
  labelColumns,
  labelIn,
  withoutRepeats,
} from "./label-columns.js";
import { withLabels } from "./label-values.js";
import { matchTables, type ReadTable, type Tables } from "./matched-tables.js";
import { noSplitNote, type RowPart, wordsOf } from "./split-columns.js";
import type { Table } from "./table.js";

/** A table of labels. */
export type LabelTable = ReadTable & { labels: LabelColumns };

/**
 * Reads the labels of a data set from its tables.
 *
 * @param tables - Tables to read, by default all of the folder whose rows are about its images.
 * @returns Null if no table names images.
 * @throws InputError if it is not clear which table, column or image is meant.
 */
export function readLabelTables(
  walk: Walk,
  choice: LabelChoice,
  tables: Tables = matchTables(walk, choice),
): Listing | null {
  const { useful, refusals, others, error, areChosen } = tables;
  if (error) throw error;
  const notes = others.flatMap(({ file, why }) => (why ? `${file} is not read, since ${why.reason}.` : []));
  const read = withAllLabelColumns(useful, choice, notes);
  if (read.length === 0 && refusals.length > 0) throw refusals[0];
  if (read.length === 0) return null;
  refuseSeveral(read, walk.dir, areChosen);
  const outcomes = new Map<string, Outcome>();
  for (const table of read) {
    notes.push(...matchNotes(table, walk.dir));
    addOutcomes(table, outcomes);
    const split = table.split?.notes ?? noSplitNote(table, choice, table.labels.columns);
    notes.push(...outcomeNotes(table, outcomes), ...split);
  }
  const files = filesOf(read);
  const samples = samplesOf(outcomes, walk, files);
  const labels = files.join(", ");
  notes.push(...withoutPartNote(samples, labels));
  const listing = listingOf(walk, { labels, isTable: true, samples, notes });
  const split = { ...listing, ...withPathParts(samples, labels, listing, splitOf(read)) };
  const forGroups = areChosen && isGroupColumn(choice.group) ? matchTables(walk, choice).useful : useful;
  return withGroups(split, [...read, ...forGroups.filter(({ file }) => !files.includes(file))], choice);
}

/** Lists the images with a label, and counts those without one, and all other files. @param tables - Files of the tables. */
export function samplesOf(
  outcomes: ReadonlyMap<string, Outcome>,
  walk: Walk,
  tables: readonly string[],
): Sample[] {
  const { dir, root, leftOut } = walk;
  for (const file of imagesBelow(root)) {
    const outcome = outcomes.get(file);
    if (!outcome) leftOut.add(REASONS.noRow, file);
    else if ("reason" in outcome) leftOut.add(outcome.reason, file);
  }
  leaveOutOthers(walk, new Set(tables));
  return [...outcomes].flatMap(([file, outcome]): Sample[] => {
    if ("reason" in outcome || outcome.part === "extra") return [];
    const { className, part } = outcome;
    return [{ path: file, className, split: part, ...stampOf(path.join(dir, file)) }];
  });
}

function filesOf(tables: Table[]): string[] {
  return tables.map(({ file }) => file);
}

/**
 * Leaves out tables whose labels are not clear and that lack the columns of the others' labels, such as a competition's `test.csv`.
 *
 * @throws InputError if a table may have its labels in several columns; the error names other tables that have theirs in one.
 */
function withAllLabelColumns(tables: ReadTable[], choice: LabelChoice, notes: string[]): LabelTable[] {
  const unclear: { table: Table; error: InputError }[] = [];
  const read = tables.flatMap((table) => {
    const found = caught(() => withLabelColumns(table, choice, notes));
    if (!(found instanceof InputError)) return found ?? [];
    unclear.push({ table, error: found });
    return [];
  });
  const names = read.flatMap(({ columns, labels }) => labels.columns.flatMap((at) => columns?.[at] ?? []));
  const areClear =
    choice.labelColumn !== undefined ||
    read.every(({ labels }) => labels.isOneHot) ||
    names.every(isLabelName);
  const lacksLabels = ({ table: { columns } }: { table: Table }) =>
    areClear && names.length > 0 && columns !== null && !names.some((name) => columns.includes(name));
  for (const { table } of unclear.filter(lacksLabels))
    notes.push(`${table.file} is not read, since it has no column ${inShort(names)}.`);
  const errors = unclear.filter((one) => !lacksLabels(one));
  const first = errors.find(({ table }) => table.columns?.some(isLabelName)) ?? errors[0];
  if (first) throw read.length === 0 ? first.error : orTables(first.error, read);
  return read;
}

/** Makes an error that names other tables, whose labels are clear. */
function orTables({ problem }: InputError, read: LabelTable[]): InputError {
  const otherwise = problem.fix?.replace(/^./, (letter) => letter.toLowerCase());
  const fix = `Choose --labels ${filesOf(read).join(",")} if ${read.length > 1 ? "they have" : "it has"} the labels. Otherwise ${otherwise}`;
  return new InputError({ ...problem, fix });
}

/** @returns Null if the table has no labels. */
export function withLabelColumns(table: ReadTable, choice: LabelChoice, notes: string[]): LabelTable | null {
  const labels = table.labels ?? labelColumns(table, table.split, choice, notes);
  if (!labels) return null;
  withoutRepeats(
    table,
    labels.columns.flatMap((column) => table.columns?.[column] ?? []),
  );
  return { ...(labels.isOneHot ? table : withLabels(table, labels.columns[0], notes)), labels };
}

/** Tables that a message names to choose from. */
const MAX_NAMED = 4;

/** Refuses several tables, unless each is for a part of the split, or they were chosen and are about different images. */
function refuseSeveral(read: LabelTable[], dir: string, areChosen: boolean): void {
  const parts = new Set(read.map(({ part }) => part));
  const named = read.flatMap(({ files }) => [...new Set(files.flat())]);
  const isApart = new Set(named).size === named.length;
  const areApart = areChosen && isApart;
  const areParts = !parts.has(null) && (areApart || parts.size === read.length);
  if (read.length === 1 || areParts || (areApart && parts.size === 1)) return;
  const ofParts = read.filter(({ part }) => part !== null);
  const isSplit = ofParts.length > 1 && new Set(ofParts.map(({ part }) => part)).size === ofParts.length;
  const some = areChosen ? [] : isSplit ? ofParts : isApart ? read : [];
  throw new InputError({
    expected: "one table of labels, or one for each part of the split",
    where: dir,
    found: filesOf(read).join(", "),
    fix: `Choose one with --labels FILE${some.length > 1 && some.length <= MAX_NAMED ? `, or several with --labels ${filesOf(some).join(",")}` : ""}.`,
  });
}

/** Returns what has the split: a column, or tables that are each for a part; if any. */
function splitOf(read: LabelTable[]): SplitSource | undefined {
  for (const { split, file } of read)
    if (split?.parts) return { words: wordsOf(split, file), isColumn: true };
  const tablesFor = (wanted: Part) => filesOf(read.filter(({ part }) => part === wanted)).join(", ");
  const held = tablesFor("validation") || tablesFor("test");
  return held ? { words: `the table ${held}`, isColumn: false } : undefined;
}

/** A label, or the reason why there is none; and the part that the rows name. */
type RowOutcome = { part: RowPart } & ({ className: string } | { reason: string });

/** What rows say about an image, and their table. */
export type Outcome = RowOutcome & { file: string };

/**
 * Says how rows were matched with images.
 *
 * @throws InputError if rows with different names are of one image.
 */
function matchNotes(table: LabelTable, dir: string): string[] {
  const { file, paths, files, moved, numbered, conflict } = table;
  if (conflict)
    throw new InputError({
      expected: `one name for each image in ${file}`,
      where: dir,
      found: `${conflict.map((row) => paths[row]).join(" and ")} for ${files[conflict[1]][0]}`,
      fix: "Remove the rows of images that are not here, or choose the folder around all of them with --data.",
    });
  const notes: string[] = [];
  if (moved >= 0)
    notes.push(
      `The paths of ${file} are of other folders, so images are found by name: ${files[moved][0]} for ${paths[moved]}.`,
    );
  if (numbered >= 0)
    notes.push(
      `Numbers of ${file} have other leading zeros than those of the files, so they are compared without them: ${files[numbered][0]} for ${paths[numbered]}.`,
    );
  return notes;
}

/**
 * Adds the label of each image that the rows name, or the reason why it has none.
 *
 * @throws InputError if a row names two images, or tables have different labels for an image, or rows put it into two parts.
 */
export function addOutcomes(table: LabelTable, outcomes: Map<string, Outcome>): void {
  const { paths, files, split } = table;
  table.rows.forEach((row, i) => {
    const [file, other] = files[i];
    if (file === undefined) return;
    if (other !== undefined)
      throw new InputError({
        expected: `one image for each row of ${table.file}`,
        found: `${file} and ${other} for ${paths[i]}`,
        fix: "Choose the folder of images with --data, and the table with --labels.",
      });
    const part = split?.parts ? split.parts[i] : table.part;
    const known = outcomes.get(file);
    if (known && known.part !== part)
      throw new InputError({
        expected: "each image in one part of the split",
        where: table.where,
        found: `${file} in ${[known.part, part].map((name) => name ?? "no part").join(" and ")}`,
        fix: "Remove one of its rows.",
      });
    const label = labelIn(row, table);
    const [own, earlier] = [nameOf(label ?? ""), known && "className" in known ? known.className : ""];
    if (known && known.file !== table.file && own !== earlier)
      throw new InputError({
        expected: "one label for each image",
        where: table.where,
        found: `${file} as ${own || "nothing"}, and as ${earlier || "nothing"} in ${known.file}`,
        fix: "Remove one of these tables.",
      });
    outcomes.set(file, { ...outcomeOf(label, part, known), file: table.file });
  });
}

/** @param label - Null if there is none, undefined if there are several. @param known - Outcome of an earlier row. */
function outcomeOf(label: string | null | undefined, part: RowPart, known: Outcome | undefined): RowOutcome {
  if (part === "extra") return { part, reason: REASONS.extra };
  if (label === null) return { part, reason: REASONS.noLabel };
  const className = nameOf(label ?? "");
  const isSame = !known || ("className" in known && known.className === className);
  return label === undefined || !isSame ? { part, reason: REASONS.severalLabels } : { part, className };
}

/** Says which images and rows of a table are not used. */
export function outcomeNotes(
  { file, rows, paths, files }: LabelTable,
  outcomes: Map<string, Outcome>,
): string[] {
  const notes: string[] = [];
  const numExtra = new Set(files.flat().filter((image) => outcomes.get(image)?.part === "extra")).size;
  if (numExtra > 0)
    notes.push(`Images that ${file} has in no part for training or tests, which are left out: ${numExtra}.`);
  const missing = paths.filter((_, i) => files[i].length === 0);
  if (missing.length > 0)
    notes.push(
      `${missing.length} of ${rows.length} rows of ${file} name a file that is missing or not read as an image, such as ${missing[0]}.`,
    );
  return notes;
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
    const images = samples.map(({ path: name, split }, i) => ({ name, part: split, other: byFolder[i] }));
    const used = "The table is used (--labels folders takes the folders).";
    listing.notes.push(...differenceNotes(labels, images, "their folders", used));
    return { samples, splitBy };
  }
  const isInNames = byFolder.every((part) => part === null) && byName.every((part) => part !== null);
  return {
    samples: withParts(samples, isInNames ? byName : byFolder, listing),
    splitBy: isInNames ? { words: "the names of the files", isColumn: false } : splitBy,
  };
}
