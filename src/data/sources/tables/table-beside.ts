// Tables beside class folders: whether their labels agree, and which split is used.
import path from "node:path";
import { caught, InputError } from "../../../errors.js";
import { areSameClasses, inShort } from "../../../names.js";
import type { Walk } from "../files.js";
import { areDoubtful, areInstances, areNumbered, areSources } from "../folders/folder-names.js";
import { classesOf, type Listing } from "../listing.js";
import { isGroupName, isLabelName } from "./column-names.js";
import { isNumbering, type LabelChoice, labelIn } from "./label-columns.js";
import { readLabelTables, withLabelColumns } from "./label-tables.js";
import { classesBy } from "./label-values.js";
import type { ReadTable, Tables } from "./matched-tables.js";
import { isSplitChosen } from "./split-columns.js";
import { columnsIn, isFilled, valuesIn } from "./table.js";
import { withTableSplit } from "./table-split.js";

/**
 * Compares class folders with the tables beside them. The split of a table is used if the folders have none.
 *
 * @throws InputError if a table has other labels, so that it is not clear which are meant.
 */
export function compareWithTables(
  listing: Listing,
  walk: Walk,
  choice: LabelChoice,
  tables: Tables,
): Listing {
  const own = classesOf(listing.samples);
  const unused = { ...walk, leftOut: walk.leftOut.copy() };
  if (own.length === 1)
    // perhaps a folder of all images
    return withSplitBeside(readLabelTables(unused, choice, tables) ?? listing, tables, choice);
  const areUnlikely = areDoubtful(own) || areSources(own) === "surely";
  const classOf: ClassByImage = new Map(
    listing.samples.map((sample) => [path.posix.join(listing.inner, sample.path), sample.className]),
  );
  const useful = tables.useful.filter((table) => mayLabel(table, classOf, choice));
  const areConfirmed = useful.some((table) => repeatsFolders(table, classOf, choice, areUnlikely));
  const found = areConfirmed ? null : caught(() => readLabelTables(unused, choice, { ...tables, useful }));
  if (found === null) return withSplitBeside(listing, tables, choice);
  if (found instanceof InputError) {
    if (areUnlikely) throw orFolders(found, own);
    const note = `A table beside the class folders is not compared with them. ${found.message}`;
    const noted = { ...listing, notes: [...listing.notes, note] };
    return found === tables.error && !isSplitChosen(choice) ? noted : withSplitBeside(noted, tables, choice);
  }
  const labels = classesOf(found.samples);
  const isNamed = () => useful.some(({ columns }) => columns?.some(isLabelName));
  const mayBeNone = areUnlikely || areNumbered(own) || (areInstances(own) && isNamed());
  if (mayBeNone && !areSameClasses(own, labels)) {
    const note = `The folders ${inShort(own)} do not look like classes, so the labels are those of ${found.labels} (--labels folders takes the folders).`;
    return withSplitBeside({ ...found, notes: [...found.notes, note] }, tables, choice);
  }
  throw new InputError({
    expected: "one kind of labels",
    where: walk.dir,
    found: contradictionOf(classOf, found),
    fix: `Choose with --labels folders or --labels ${found.labels.replace(/, /g, ",")}.`,
  });
}

/** Adds to an error of a table that the folders may be meant. */
function orFolders({ problem: { fix = "", ...problem } }: InputError, folders: string[]): InputError {
  const otherwise = `Or choose --labels folders if the folders ${inShort(folders)} are the classes.`;
  return new InputError({ ...problem, fix: `${fix} ${otherwise}` });
}

/** Class folder of each image, by the image's path in the data set. */
type ClassByImage = ReadonlyMap<string, string>;

/** Whether a table may label images of class folders: it does not only number them, or name groups of them. */
function mayLabel(table: ReadTable, classOf: ClassByImage, { labelColumn }: LabelChoice): boolean {
  const { files, pathColumn, columns, split } = table;
  if (!files.some((images) => images.some((image) => classOf.has(image)))) return false;
  if (labelColumn !== undefined) return true;
  const others = columnsIn(table).filter(
    (column) => column !== pathColumn && isFilled(table, column) && !split?.alike.includes(column),
  );
  const isNumbered = others.length === 1 && isNumbering(valuesIn(table, others[0]));
  return !isNumbered && !others.every((column) => isGroupName(columns?.[column] ?? ""));
}

/** Whether the labels of a table are the class folders. If it is not clear which column has them, any may be. */
function repeatsFolders(
  table: ReadTable,
  classOf: ClassByImage,
  choice: LabelChoice,
  areUnlikely: boolean,
): boolean {
  const pairsWith = (values: (string | null | undefined)[]) =>
    values.flatMap((value, i) => {
      const [className] = table.files[i].length === 1 ? [classOf.get(table.files[i][0])] : [];
      return value && className !== undefined ? [{ className, value }] : [];
    });
  const found = caught(() => withLabelColumns(table, choice, []));
  if (!(found instanceof InputError))
    return found !== null && areSame(pairsWith(found.rows.map((row) => labelIn(row, found))), classOf);
  if (areUnlikely || choice.labelColumn !== undefined) return false;
  const others = columnsIn(table).filter((column) => column !== table.pathColumn);
  return others.some((column) => {
    const pairs = pairsWith(valuesIn(table, column));
    return areSame(pairs, classOf) && new Set(pairs.map(({ value }) => value)).size < pairs.length;
  });
}

/** Whether values are the classes beside them, or one number for each, as Caffe's lists have. */
function areSame(pairs: { className: string; value: string }[], classOf: ClassByImage): boolean {
  const classIn = classesBy(
    pairs.map(({ value }) => value),
    new Set(classOf.values()),
  );
  if (classIn && pairs.every(({ className, value }) => classIn(value) === className)) return true;
  const [numPairs, ...counts] = [
    pairs.map((pair) => JSON.stringify(pair)),
    pairs.map(({ className }) => className),
    pairs.map(({ value }) => value),
  ].map((values) => new Set(values).size);
  const areNumbers = pairs.every(({ value }) => /^\d+$/.test(value));
  return areNumbers && numPairs > 1 && counts.every((count) => count === numPairs);
}

/** Says how the labels of a table differ from the class folders around the images. */
function contradictionOf(classOf: ClassByImage, { samples, labels }: Listing): string {
  const [own, others] = [[...new Set(classOf.values())].sort(), classesOf(samples)];
  if (!areSameClasses(own, others))
    return `the folders ${inShort(own)}, and ${labels} with ${inShort(others)}`;
  const differing = samples.filter(
    ({ path: file, className }) => (classOf.get(file) ?? className) !== className,
  );
  const [{ path: file, className }] = differing;
  return `${labels} with other labels for ${differing.length} of ${classOf.size} images, for example ${className} for ${file}`;
}

/** Gives images the split of tables that do not have their labels. */
export function withSplitBeside(listing: Listing, tables: Tables, choice: LabelChoice): Listing {
  const split = caught(() => withTableSplit(listing, tables, choice));
  if (!(split instanceof InputError)) return split;
  if (isSplitChosen(choice)) throw split;
  const note = `A table beside ${listing.labels} is not read as a split. ${split.message}`;
  return { ...listing, notes: [...listing.notes, note] };
}

/** @throws InputError if a column was chosen and no table is read. @param instead - Another remedy. */
export function refuseUnusedColumns(
  { where, labels }: Pick<Listing, "where" | "labels">,
  choice: LabelChoice,
  instead = "choose the table with --labels",
): void {
  const { labelColumn, pathColumn } = choice;
  const [option, column] =
    labelColumn === undefined ? ["--path-column", pathColumn] : ["--label-column", labelColumn];
  if (column === undefined) return;
  throw new InputError({
    expected: `a table with the column ${column}, for ${option}`,
    where,
    found: `none beside ${labels}`,
    fix: `Remove ${option}, or ${instead}.`,
  });
}
