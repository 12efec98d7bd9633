// Tables beside class folders: whether their labels agree, and which split is used.
import path from "node:path";
import { caught, InputError } from "../../../errors.js";
import { areOneToOne, areSameClasses, inShort } from "../../../names.js";
import type { Walk } from "../files.js";
import { areDoubtful, areInstances, areNumbered, areSources } from "../folders/folder-names.js";
import { classesOf, type Listing, withNote } from "../listing.js";
import { isGroupName, isLabelName } from "./column-names.js";
import { columnsBeside, type LabelChoice, labelIn } from "./label-columns.js";
import { readLabelTables, withLabelColumns } from "./label-tables.js";
import { classesBy } from "./label-values.js";
import type { ReadTable, Tables } from "./matched-tables.js";
import { isSplitChosen } from "./split-columns.js";
import { valuesIn } from "./table.js";
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
  const isSingle = own.length === 1; // perhaps a folder of all images
  if (isSingle) return withTableSplit(readLabelTables(unused, choice, tables) ?? listing, tables, choice);
  const areUnlikely = areDoubtful(own) || areSources(own) === "surely";
  const classOf: ClassByImage = new Map(
    listing.samples.map((sample) => [path.posix.join(listing.inner, sample.path), sample.className]),
  );
  const useful = tables.useful.filter((table) => mayLabel(table, classOf, choice));
  const areConfirmed = useful.some((table) => repeatsFolders(table, classOf, choice, areUnlikely));
  const found = areConfirmed ? null : caught(() => readLabelTables(unused, choice, { ...tables, useful }));
  if (found === null) return withTableSplit(listing, tables, choice);
  if (found instanceof InputError) {
    if (areUnlikely) throw orFolders(found, own);
    const note = `A table beside the class folders is not compared with them. ${found.message}`;
    const noted = withNote(listing, note);
    return found === tables.error && !isSplitChosen(choice) ? noted : withTableSplit(noted, tables, choice);
  }
  const labels = classesOf(found.samples);
  const areSameNames = areSameClasses(own, labels);
  const differing = found.samples.filter(
    ({ path: file, className }) => classOf.has(file) && classOf.get(file) !== className,
  );
  const [first] = differing;
  if (!first) return withTableSplit(listing, tables, choice);
  const isNamed = () => useful.some(({ columns }) => columns?.some(isLabelName));
  const mayBeNone = areUnlikely || areNumbered(own) || (areInstances(own) && isNamed());
  if (mayBeNone && !areSameNames) {
    const note = `The folders ${inShort(own)} do not look like classes, so the labels are those of ${found.labels} (--labels folders takes the folders).`;
    return withTableSplit(withNote(found, note), tables, choice);
  }
  throw new InputError({
    expected: "one kind of labels",
    where: walk.dir,
    found: areSameNames
      ? `${found.labels} with other labels for ${differing.length} of ${classOf.size} images, for example ${first.className} for ${first.path}`
      : `the folders ${inShort(own)}, and ${found.labels} with ${inShort(labels)}`,
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

/** Whether a table may label images of class folders: it does not only number or describe them, or name groups of them. */
function mayLabel(table: ReadTable, classOf: ClassByImage, { labelColumn }: LabelChoice): boolean {
  const { files, columns, split } = table;
  if (!files.some((images) => images.some((image) => classOf.has(image)))) return false;
  if (labelColumn !== undefined) return true;
  const others = columnsBeside(table).filter((column) => !split?.alike.includes(column));
  const nameIn = (column: number) => columns?.[column] ?? "";
  const [only, ...more] = others;
  const values = valuesIn(table, only ?? -1);
  const areDistinct = values.length > 2 && new Set(values).size === values.length;
  if (more.length === 0 && areDistinct && !isLabelName(nameIn(only))) return false;
  return !others.every((column) => isGroupName(nameIn(column)));
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
      return value && className !== undefined ? [[value, className] as const] : [];
    });
  const found = caught(() => withLabelColumns(table, choice, []));
  if (!(found instanceof InputError))
    return found !== null && areSame(pairsWith(found.rows.map((row) => labelIn(row, found))), classOf);
  if (areUnlikely || choice.labelColumn !== undefined) return false;
  return columnsBeside(table).some((column) => {
    const pairs = pairsWith(valuesIn(table, column));
    return areSame(pairs, classOf) && new Set(pairs.map(([value]) => value)).size < pairs.length;
  });
}

/** Whether values are the classes beside them, or one number for each, as Caffe's lists have. */
function areSame(pairs: (readonly [string, string])[], classOf: ClassByImage): boolean {
  const values = pairs.map(([value]) => value);
  const classIn = classesBy(values, new Set(classOf.values()));
  if (classIn && pairs.every(([value, className]) => classIn(value) === className)) return true;
  return new Set(values).size > 1 && values.every((value) => /^\d+$/.test(value)) && areOneToOne(pairs);
}
