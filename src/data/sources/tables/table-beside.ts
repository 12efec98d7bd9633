// Tables beside class folders: whether their labels agree, and which split is used.
import path from "node:path";
import { caught, InputError } from "../../../errors.js";
import { areSameClasses, inShort } from "../../../names.js";
import type { Walk } from "../files.js";
import { areDoubtful, areInstances, areNumbered, areSources } from "../folders/folder-names.js";
import { classesOf, type Listing, type Sample } from "../listing.js";
import { isGroupName, isLabelName } from "./column-names.js";
import type { LabelChoice } from "./label-columns.js";
import { readLabelTables } from "./label-tables.js";
import type { Tables } from "./matched-tables.js";
import { isSplitChosen } from "./split-columns.js";
import { columnsIn, isFilled } from "./table.js";
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
  const table = caught(() => readLabelTables({ ...walk, leftOut: walk.leftOut.copy() }, choice, tables));
  const isSingle = classesOf(listing.samples).length === 1; // perhaps a folder of all images
  if (isSingle && table) {
    if (table instanceof InputError) throw table;
    return withSplitBeside(table, tables, choice);
  }
  const own = classesOf(listing.samples);
  const areUnlikely = areDoubtful(own) || areSources(own) === "surely";
  if (table instanceof InputError && areUnlikely) {
    const { fix = "", ...problem } = table.problem;
    const folders = `Or choose --labels folders if the folders ${inShort(own)} are the classes.`;
    throw new InputError({ ...problem, fix: `${fix} ${folders}` });
  }
  const labelled = table instanceof InputError || onlyGroups(tables, choice) ? null : table;
  const contradiction = labelled && contradictionOf(listing, labelled);
  if (
    contradiction &&
    labelled &&
    (areUnlikely ||
      areNumbered(own) ||
      (areInstances(own) && tables.useful.some(({ columns }) => columns?.some(isLabelName)))) &&
    !areSameClasses(own, classesOf(labelled.samples))
  ) {
    const note = `The folders ${inShort(own)} do not look like classes, so the labels are those of ${labelled.labels} (--labels folders takes the folders).`;
    return withSplitBeside({ ...labelled, notes: [...labelled.notes, note] }, tables, choice);
  }
  if (contradiction)
    throw new InputError({
      expected: "one kind of labels",
      where: walk.dir,
      found: contradiction,
      fix: `Choose with --labels folders or --labels ${labelled?.labels.replace(/, /g, ",")}.`,
    });
  const doubts =
    table instanceof InputError
      ? [`A table beside the class folders is not compared with them. ${table.message}`]
      : [];
  const compared = { ...listing, notes: [...listing.notes, ...doubts] };
  const split = caught(() => withTableSplit(compared, tables, choice)); // its error is the table's, which is noted
  if (!(split instanceof InputError)) return split;
  if (isSplitChosen(choice)) throw split;
  return compared;
}

/** Whether tables have no labels, but columns of groups, as `file,patient`. */
function onlyGroups({ useful }: Tables, choice: LabelChoice): boolean {
  if (choice.labelColumn !== undefined) return false;
  return useful.every((table) => {
    const { pathColumn, split } = table;
    const others = columnsIn(table).filter(
      (column) => column !== pathColumn && isFilled(table, column) && !split?.alike.includes(column),
    );
    return others.every((column) => isGroupName(table.columns?.[column] ?? ""));
  });
}

/** Returns how the labels of a table differ from the class folders around the images; null if they agree. */
function contradictionOf({ samples, inner }: Listing, table: Listing): string | null {
  const labels = new Map(table.samples.map((sample) => [sample.path, sample.className]));
  const labelOf = (file: string) => labels.get(path.posix.join(inner, file));
  const shared = samples.filter((sample) => labelOf(sample.path) !== undefined);
  const differing = shared.filter((sample) => labelOf(sample.path) !== sample.className);
  const [own, others] = [samples, table.samples].map(classesOf);
  const areSame = areSameClasses(own, others);
  if (differing.length === 0 && (areSame || shared.length > 0)) return null;
  if (!areSame && others.every((name) => /^\d+$/.test(name)) && areRenamed(shared, labelOf)) return null;
  if (!areSame) return `the folders ${inShort(own)}, and ${table.labels} with ${inShort(others)}`;
  const [{ path: first }] = differing;
  return `${table.labels} with other labels for ${differing.length} of ${samples.length} images, for example ${labelOf(first)} for ${first}`;
}

/** Whether a table has one other name for each class folder, as Caffe's lists have numbers. */
function areRenamed(shared: readonly Sample[], labelOf: (file: string) => string | undefined): boolean {
  const pairs = shared.map(({ path: file, className }) => [className, labelOf(file)]);
  const [numPairs, ...counts] = [
    pairs.map((pair) => JSON.stringify(pair)),
    ...[0, 1].map((i) => pairs.map((pair) => pair[i])),
  ].map((values) => new Set(values).size);
  return numPairs > 1 && counts.every((count) => count === numPairs);
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
