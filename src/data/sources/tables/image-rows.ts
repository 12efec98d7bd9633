// Rows that hold their images: of tables of pixels, Parquet files and webdataset's samples.
import path from "node:path";
import { nameOf } from "../../../names.js";
import type { Walk } from "../files.js";
import { REASONS } from "../left-out.js";
import {
  differenceNotes,
  type Listing,
  listingOf,
  type Sample,
  stampOf,
  type Usage,
  withoutPartNote,
  withParts,
} from "../listing.js";
import type { Part } from "../split-names.js";
import { groupsOf } from "./group-columns.js";
import { type LabelChoice, labelColumnNote } from "./label-columns.js";
import { withLabels } from "./label-values.js";
import { noSplitNote, splitColumns, wordsOf } from "./split-columns.js";
import type { NamedTable } from "./table.js";

/** A row whose image was unpacked. */
export interface ImageRow {
  /** Path of the image, relative to the root. */
  path: string;
  /** Names the row in messages: "line 3". */
  name: string;
  label: string;
  /** The other columns, which may name its part of the split. */
  cells: string[];
  /** Part that the row's file or folder is for. */
  part?: Part | null;
}

export interface ImageRows {
  /** Names the table in notes. */
  file: string;
  /** Names it in errors. */
  where: string;
  /** Name of the column of labels, if they are in one. */
  label?: string;
  /** Names of the columns of `cells`. */
  columns: string[];
  rows: ImageRow[];
  /** Whether the labels are known to be names, so that none is a number or a missing value. */
  areNames: boolean;
}

/** Columns before the cells. */
const [NAME, LABEL] = [0, 1];

/**
 * Lists the images of rows, with the split of their table, or that of their files and folders if it has none.
 *
 * @param place - The folder that the images were unpacked into, and what is left out.
 * @param notes - Gets a note for each guess.
 * @throws InputError if the columns can be understood in several ways.
 */
export function listRows(
  { file, where, label, columns, rows, areNames }: ImageRows,
  choice: LabelChoice,
  place: Pick<Walk, "dir" | "leftOut">,
  notes: string[],
): Listing {
  const { labelColumn, splitColumn } = choice;
  const given: NamedTable = {
    file,
    where,
    columns: ["", "label", ...columns],
    rows: rows.map(({ name, label, cells }) => [name, label, ...cells]),
    pathColumn: NAME,
  };
  const table = areNames ? given : withLabels(given, LABEL, notes);
  const split = splitColumns(table, { labelColumn: "label", splitColumn });
  notes.push(...(split?.notes ?? noSplitNote(table, choice, [LABEL])));
  const others = columns.map((_, i) => i + LABEL + 1).filter((column) => !split?.alike.includes(column));
  if (label !== undefined && labelColumn === undefined)
    notes.push(...labelColumnNote(table, LABEL, label, others));
  const parts = split?.parts;
  const groups = groupsOf(table, choice, [NAME, LABEL, ...(split?.alike ?? [])]);
  const samples = table.rows.flatMap((row, i): Sample[] => {
    const image = rows[i].path;
    const part = parts ? parts[i] : (rows[i].part ?? null);
    if (part === "extra") place.leftOut.add(REASONS.extra, image);
    else if (row[LABEL] === "") place.leftOut.add(REASONS.rowWithoutLabel, file);
    else {
      const [usage] = split?.alike.flatMap((column) => usageIn(row[column] ?? "")) ?? [];
      const stamp = stampOf(path.join(place.dir, image));
      const group = groups.values?.[i];
      const known = { ...(usage && { usage }), ...(group && { group }) };
      return [{ path: image, className: nameOf(row[LABEL]), split: part, ...known, ...stamp }];
    }
    return [];
  });
  const groupHint = groups.hint ?? undefined;
  const listing = listingOf(place, { where, labels: file, isTable: true, samples, notes, groupHint });
  if (!parts) {
    const found = samples.map((sample) => sample.split);
    return { ...listing, samples: withParts(samples, found, listing) };
  }
  const images = rows.map(({ name, part = null }, i) => ({ name, part: parts[i], other: part }));
  const used = "It is used (--split-column none takes the files and folders).";
  notes.push(...differenceNotes(split.name, images, "their files and folders", used));
  notes.push(...withoutPartNote(samples, file));
  return { ...listing, splitBy: { words: wordsOf(split, file), isColumn: true } };
}

/** Returns the part of FER-2013's challenge that a value names, if any. */
function usageIn(value: string): Usage | [] {
  const plain = value.replace(/[^a-z]/gi, "").toLowerCase();
  return (
    (["Training", "PublicTest", "PrivateTest"] as const).find((one) => one.toLowerCase() === plain) ?? []
  );
}
