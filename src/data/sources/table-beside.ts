// Tables beside class folders: whether their labels agree, and which split is used.
import path from "node:path";
import { InputError } from "../../errors.js";
import { areSameClasses, inShort } from "../../names.js";
import type { Walk } from "./files.js";
import { isPiece } from "./folder-names.js";
import type { LabelChoice } from "./label-columns.js";
import { REASONS } from "./left-out.js";
import { classesOf, differenceNotes, type Listing, leaveOut } from "./listing.js";
import { matchTables } from "./matched-tables.js";
import { choiceOf, inSentence, isSplitChosen, type RowPart } from "./split-columns.js";
import { readLabelTables } from "./tables.js";

/**
 * Compares class folders with the tables beside them. The split of a table is used if the folders have none.
 *
 * @throws InputError if a table has other labels, so that it is not clear which are meant.
 */
export function compareWithTables(listing: Listing, walk: Walk, choice: LabelChoice): Listing {
  const table = caught(() => readLabelTables({ ...walk, leftOut: walk.leftOut.copy() }, choice));
  const isSingle = classesOf(listing.samples).length === 1; // perhaps a folder of all images
  if (isSingle && table) {
    if (table instanceof InputError) throw table;
    return table;
  }
  const own = classesOf(listing.samples);
  if (table instanceof InputError && own.every((name) => isPiece(name))) {
    const { fix = "", ...problem } = table.problem;
    const folders = `Or choose --labels folders if the folders ${inShort(own)} are the classes.`;
    throw new InputError({ ...problem, fix: `${fix} ${folders}` });
  }
  const labelled = table instanceof InputError ? null : table;
  const contradiction = labelled && contradictionOf(listing, labelled);
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
  const split = caught(() => readTableSplit(walk, choice)); // its error is the table's, which is noted
  if (split instanceof InputError && isSplitChosen(choice)) throw split;
  return split && !(split instanceof InputError)
    ? withSplit(compared, split, isSplitChosen(choice))
    : compared;
}

/** Returns how the labels of a table differ from the class folders around the images; null if they agree. */
function contradictionOf({ samples, inner }: Listing, table: Listing): string | null {
  const [own, others] = [samples, table.samples].map(classesOf);
  if (!areSameClasses(own, others))
    return `the folders ${inShort(own)}, and ${table.labels} with ${inShort(others)}`;
  const labels = new Map(table.samples.map((sample) => [sample.path, sample.className]));
  const labelOf = (file: string) => labels.get(path.posix.join(inner, file));
  const differing = samples.filter(
    (sample) => (labelOf(sample.path) ?? sample.className) !== sample.className,
  );
  if (differing.length === 0) return null;
  const [{ path: first }] = differing;
  return `${table.labels} with other labels for ${differing.length} of ${samples.length} images, for example ${labelOf(first)} for ${first}`;
}

/** Returns what a call returns, or the InputError that it throws. */
function caught<Result>(read: () => Result): Result | InputError {
  try {
    return read();
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
}

/** A split that a table has. */
interface TableSplit {
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
function readTableSplit(walk: Walk, choice: LabelChoice): TableSplit | null {
  const [one, ...others] = matchTables(walk, choice).useful.filter(({ split }) => split?.parts);
  if (!one?.split?.parts || others.length > 0) return null;
  const { table, split, files } = one;
  const parts = new Map<string, RowPart>();
  one.split.parts.forEach((part, i) => {
    if (files[i].length === 1) parts.set(files[i][0], part);
  });
  return { name: `${split.name} of ${table.file}`, choice: choiceOf(table, split.columns), parts };
}

/** Gives images in class folders the split of a table, if the folders have none or the table's was chosen. */
function withSplit(listing: Listing, { name, choice, parts }: TableSplit, isChosen: boolean): Listing {
  const { samples, inner } = listing;
  const noted = (note: string): Listing => ({ ...listing, notes: [...listing.notes, note] });
  const found = samples.map((sample) => parts.get(path.posix.join(inner, sample.path)) ?? null);
  if (!isChosen && samples.some(({ split }) => split !== null)) {
    const images = samples.map(({ path: file, split }, i) => ({ name: file, part: found[i], other: split }));
    const used = `The folders are used (--split-column ${choice} takes the column).`;
    return { ...listing, notes: [...listing.notes, ...differenceNotes(name, images, "their folders", used)] };
  }
  const without = samples.filter((_, i) => found[i] === null);
  const lack = `${without.length} of ${samples.length} images have no part in it, such as ${without[0]?.path}`;
  if (without.length * 2 > samples.length) {
    if (!isChosen) return noted(`${name} is not used as a split, since ${lack}.`);
    throw new InputError({
      expected: "a split of most images",
      where: listing.where,
      found: `${name}, but ${lack}`,
      fix: "Fix the table, or choose --split-column none.",
    });
  }
  const rest = without.length > 0 ? ` It has no part for ${without.length}, which are not used.` : "";
  return {
    ...noted(`${name} is used as the split (--split-column none leaves it unread).${rest}`),
    splitBy: { words: inSentence(name), isColumn: true },
    samples: samples.flatMap((sample, i) => {
      const split = found[i];
      if (split !== null && split !== "extra") return [{ ...sample, split }];
      leaveOut(listing, REASONS.noPart, sample);
      return [];
    }),
  };
}
