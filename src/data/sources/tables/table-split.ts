// The split that tables have for images whose labels are elsewhere: a column, or a list of the images of each part.
import path from "node:path";
import { groupBy } from "../../../collections.js";
import { InputError } from "../../../errors.js";
import { REASONS } from "../left-out.js";
import { differenceNotes, type Listing, leaveOut, withNote } from "../listing.js";
import { type Part, partOf } from "../split-names.js";
import { withGroups } from "./group-columns.js";
import type { ImageTable } from "./image-column.js";
import type { LabelChoice } from "./label-columns.js";
import type { ReadTable, Tables } from "./matched-tables.js";
import { choiceOf, inSentence, isSplitChosen, type RowPart } from "./split-columns.js";
import type { Table } from "./table.js";

/** A split that tables have. */
interface TableSplit {
  /** Names it at the start of a sentence: "The column split of splits.csv". */
  name: string;
  /** Column that has it, as --split-column takes it; null if it is in several tables. */
  column: string | null;
  /** Part of each image that is in the tables, by its path. */
  parts: Map<string, RowPart>;
  /** Whether images in none of the tables are for training. */
  isRestTrain?: boolean;
}

/**
 * Gives images the split of tables, if they have none or the tables' was chosen, and the groups of the tables' columns. Says in a note
 * what it takes.
 *
 * @throws InputError if the chosen split cannot be read, or lacks most images.
 */
export function withTableSplit(given: Listing, tables: Tables, choice: LabelChoice): Listing {
  if (given.isTable && given.samples.some(({ split }) => split !== null)) return given;
  if (tables.error && isSplitChosen(choice)) throw tables.error;
  if (tables.error)
    return withNote(given, `A table beside ${given.labels} is not read as a split. ${tables.error.message}`);
  const { useful, lists } = tables;
  const listing = given.isTable ? given : withGroups(given, useful, choice);
  const ofColumns = useful.filter(({ split }) => split?.parts);
  if (ofColumns.length > 1)
    return withNote(
      listing,
      `Each of ${inWords(ofColumns)} has a column of the split, so none of them is used.`,
    );
  const found = ofColumns.length === 1 ? columnSplit(ofColumns[0]) : listSplit([...useful, ...lists], choice);
  if (found === null) return listing;
  return typeof found === "string"
    ? withNote(listing, found)
    : withSplit(listing, found, isSplitChosen(choice));
}

function inWords(tables: Table[]): string {
  return tables.map(({ file }) => file).join(", ");
}

function columnSplit(table: ReadTable): TableSplit {
  const { split, files } = table;
  const parts = new Map<string, RowPart>();
  split?.parts?.forEach((part, i) => {
    if (files[i].length === 1) parts.set(files[i][0], part);
  });
  return { name: `${split?.name} of ${table.file}`, column: choiceOf(table, split?.columns ?? []), parts };
}

/**
 * Reads the split of tables that each name the images of a part: `train.csv` and `test.csv`, or lists of names alone. Without a list
 * for training, as in Speech Commands, the rest is for training.
 */
function listSplit(tables: ImageTable[], choice: LabelChoice): TableSplit | string | null {
  if (choice.splitColumn !== undefined) return null;
  const lists = tables.flatMap((one) => (one.part === null ? [] : [{ ...one, part: one.part }]));
  const kinds = new Set(lists.map(({ part }) => part));
  const isRestTrain = !kinds.has("train");
  if (kinds.size < (isRestTrain ? 1 : 2)) return null;
  const parts = new Map<string, Part>();
  for (const { files, part } of lists)
    for (const [file, ...others] of files) {
      const known = parts.get(file);
      if (known !== undefined && known !== part)
        return `The lists ${inWords(lists)} are not used as the split, since they have ${file} in ${known} and ${part}. ${oneListEach(lists.map(({ file }) => file)) ?? "Keep one list for each part."}`;
      if (file !== undefined && others.length === 0) parts.set(file, part);
    }
  const files = lists.map(({ file }) => file).sort();
  return { name: `The list of each part (${files.join(", ")})`, column: null, parts, isRestTrain };
}

/** Whether a list has the name of a part, as `train1.txt`. */
export function isOfPart(file: string): boolean {
  return partOf(stemOf(file)) !== null;
}

function stemOf(file: string): string {
  return path.posix.parse(file).name;
}

/** Says how to choose one of several lists of each part, as of `train1.txt`, `test1.txt` and `train2.txt`; null if no part has several. */
export function oneListEach(files: string[]): string | null {
  const lists = [...groupBy(files.filter(isOfPart), (file) => partOf(stemOf(file))).values()];
  const firsts = lists.map(([first]) => first);
  return lists.every(({ length }) => length === 1) || lists.length < 2
    ? null
    : `Choose one list for each part, such as --labels ${firsts.join(",")}.`;
}

function withSplit(
  listing: Listing,
  { name, column, parts, isRestTrain }: TableSplit,
  isChosen: boolean,
): Listing {
  const { samples, inner, where } = listing;
  const found = samples.map((sample) => parts.get(path.posix.join(inner, sample.path)) ?? null);
  if (!isChosen && samples.some(({ split }) => split !== null)) {
    const images = samples.map(({ path: file, split }, i) => ({ name: file, part: found[i], other: split }));
    const option = column === null ? "" : ` (--split-column ${column} takes the column)`;
    const notes = differenceNotes(name, images, "their folders", `The folders are used${option}.`);
    return { ...listing, notes: [...listing.notes, ...notes] };
  }
  const [number, without] = [samples.length, samples.filter((_, i) => found[i] === null)];
  if (isRestTrain && without.length === number) return listing;
  const isUsed = isRestTrain ? without.length * 2 >= number : without.length * 2 <= number;
  const lack = isRestTrain
    ? `none is for training, and only ${without.length} of ${number} images are in none`
    : `${without.length} of ${number} images have no part in it, such as ${without[0]?.path}`;
  if (!isUsed && !isChosen) return withNote(listing, `${name} is not used as a split, since ${lack}.`);
  if (!isUsed)
    throw new InputError({
      expected: "a split of most images",
      where,
      found: `${name}, but ${lack}`,
      fix: "Fix the table, or choose --split-column none.",
    });
  const also = isRestTrain ? `, with the other ${without.length} of ${number} images for training` : "";
  const unused = `It has no part for ${without.length}, which are not used.`;
  const rest = !isRestTrain && without.length > 0 ? ` ${unused}` : "";
  return {
    ...withNote(
      listing,
      `${name} is used as the split${also} (--split-column none leaves it unread).${rest}`,
    ),
    splitBy: { words: inSentence(name), isColumn: column !== null, isList: column === null },
    samples: samples.flatMap((sample, i) => {
      const split = found[i] ?? (isRestTrain ? "train" : null);
      if (split !== null && split !== "extra") return [{ ...sample, split }];
      leaveOut(listing, REASONS.noPart, sample);
      return [];
    }),
  };
}
