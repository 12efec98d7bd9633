// Which column of a table names the images.
import path from "node:path";
import { InputError } from "../../../errors.js";
import { inShort } from "../../../names.js";
import { type Part, partOfFolders } from "../split-names.js";
import { FILE_RANK, isFileName, isFolderName, pathRank } from "./column-names.js";
import {
  type Find,
  type Found,
  hasImageEnding,
  type ImageIndex,
  type Located,
  locateImages,
} from "./image-index.js";
import type { RowPart } from "./split-columns.js";
import { columnAt, columnName, columnsIn, filledIn, type NamedTable, type Table, valuesIn } from "./table.js";

/** A table whose rows name images. */
export interface ImageTable extends NamedTable, Located {
  /** Path in each row. */
  paths: string[];
  /** The part that the whole table is for. */
  part: Part | null;
}

/** How well a column names images, in some of the rows. */
interface Candidate {
  column: number;
  /** Images that each row names. */
  found: (Found | null)[];
  numHits: number;
  /** Different images. */
  numImages: number;
  /** Whether most are whole names of files. */
  isExact: boolean;
  /** By the column's name. */
  rank: number;
}

/** Rows that are looked at to tell which column names images. */
const NUM_PROBES = 200;

/**
 * Finds the column that names the images, and the images of each row. Whole names of files count more than names without ending,
 * then the column's name, then the number of different images.
 *
 * @param pathColumn - Name of the column, if it was chosen.
 * @param part - The part that the whole table is for.
 * @returns Null if no column names images; an error if several may, or the chosen one does not.
 */
export function matchImages(
  given: Table,
  index: ImageIndex,
  { pathColumn, labelColumn }: { pathColumn?: string; labelColumn?: string },
  part: Part | null,
): ImageTable | InputError | null {
  const around = path.posix.dirname(given.file);
  const find = index.finder(around);
  const searched = withHeader(given, find);
  const candidates = candidatesIn(searched, find);
  const chosen =
    pathColumn === undefined
      ? guessColumn(candidates, searched, labelColumn)
      : namedColumn(candidates, searched, pathColumn);
  if (chosen === null || chosen instanceof InputError) return chosen;
  const { column } = chosen;
  const { columns: header, rows: below } = searched;
  const isHeader = given.columns !== null || !isLikeOthers(searched, column, find);
  const table = isHeader
    ? { ...given, columns: header.map((name) => name.trim()), rows: below }
    : { ...given, rows: [header, ...below] };
  const paths = pathsOf(table, column, find);
  const located = locateImages(paths, index, around);
  const files = inPart(located.files, () => part);
  if (files.some(({ length }) => length > 0))
    return { ...table, pathColumn: column, paths, part, ...located, files };
  const apart = paths.find((one) => find(one) !== null);
  if (apart === undefined) return null; // the name of the column is that of an image
  return new InputError({
    expected: "paths of images",
    where: given.where,
    found: `${apart}, which is in another folder than ${find(apart)?.files[0]}`,
    fix: "Fix the paths, or rename the folder.",
  });
}

/** Keeps those of several images of a row that are in folders for its part: `train/0.png` and not `test/0.png` for `0.png`. */
export function inPart(files: string[][], partOfRow: (row: number) => RowPart): string[][] {
  return files.map((named, row) => {
    const part = named.length > 1 ? partOfRow(row) : null;
    const own = part === null ? [] : named.filter((file) => partOfFolders(file) === part);
    return own.length > 0 ? own : named;
  });
}

/** A table whose first row is taken for its header, as long as it is not known what it is. */
type Searched = Table & { columns: string[] };

/** Takes the first row for the header. One that lacks the name of the first column, as CelebA and R write it, gets an empty one. */
function withHeader(given: Table, find: Find): Searched {
  const [first, ...rows] = given.columns === null ? given.rows : [given.columns, ...given.rows];
  const lacksName = rows.length > 0 && rows.every(({ length }) => length === first.length + 1);
  return { ...given, columns: lacksName && find(first[0]) === null ? ["", ...first] : first, rows };
}

/** Finds the images that each column names. Numbers with other leading zeros count only if no column names an image without them. */
function candidatesIn({ columns: header, rows: below }: Searched, find: Find): Candidate[] {
  const rows = [header, ...below];
  const step = Math.max(1, Math.floor(rows.length / NUM_PROBES));
  const probes = rows.filter((_, i) => i % step === 0); // with a header, which names no image
  const columns = columnsIn({ columns: null, rows }).map((column) =>
    valuesIn({ rows: probes }, column).map(find),
  );
  const candidates = (found: (Found | null)[][]) =>
    found.map((ofColumn, column) => candidateOf(column, header[column] ?? "", ofColumn));
  const byName = candidates(columns.map((found) => found.map((one) => (one?.isByNumber ? null : one))));
  return byName.some(({ numHits }) => numHits > 0) ? byName : candidates(columns);
}

const CHOOSE_COLUMN = "Choose one with --path-column NAME.";

/** Returns the column that the user chose, by its name or number. */
function namedColumn(candidates: Candidate[], searched: Searched, name: string): Candidate | InputError {
  const { columns: header, where } = searched;
  const column = columnAt(header, name) ?? columnAt(null, name) ?? -1;
  const candidate: Candidate | undefined = candidates[column];
  if (candidate?.numHits > 0) return candidate;
  const [value] = filledIn(searched, column);
  return new InputError({
    expected: `names of images in the column ${name}`,
    where,
    found: candidate ? `${value}` : header.map((_, i) => columnName(header, i)).join(", "),
    fix: CHOOSE_COLUMN,
  });
}

/** @returns Null if no column names images; an error if several may, or if another one looks as if it should. */
function guessColumn(
  candidates: Candidate[],
  searched: Searched,
  labelColumn: string | undefined,
): Candidate | InputError | null {
  const { columns: header, where } = searched;
  const nameOf = ({ column }: Candidate) => columnName(header, column);
  const usable = candidates.filter(
    ({ column, numHits }) => numHits > 0 && (labelColumn === undefined || header[column] !== labelColumn),
  );
  if (usable.length === 0) return null;
  const best = bestOf(usable);
  if (best === null) {
    const names = usable.map(nameOf);
    const doubt = usable.length > 1 ? "which may all do" : "with few images in many rows";
    return new InputError({
      expected: "one column that names the images",
      where,
      found: `${names.length > 3 ? inShort(names) : names.join(" and ")}, ${doubt}`,
      fix: new Set(names).size < names.length ? "Rename or remove one of them." : CHOOSE_COLUMN,
    });
  }
  if (best.isExact || best.rank >= FILE_RANK) return best;
  const absent = candidates.find((one) => one.numHits === 0 && looksLikeFiles(one, searched));
  if (!absent) return best;
  const [example] = filledIn(searched, absent.column);
  return new InputError({
    expected: `images that the column ${nameOf(absent)} names`,
    where,
    found: `none, as for ${example}; ${nameOf(best)} could be meant, too`,
    fix: CHOOSE_COLUMN,
  });
}

/** Returns the path in each row, with the folder if another column names it and such images exist. */
function pathsOf(table: Table, column: number, find: Find): string[] {
  const values = valuesIn(table, column);
  const folder = table.columns?.findIndex(isFolderName) ?? -1;
  if (folder < 0 || folder === column) return values;
  const folders = valuesIn(table, folder);
  const paths = values.map((value, i) => (value && folders[i] ? `${folders[i]}/${value}` : value));
  const hasFolder = (one: Found | null) => one !== null && !one.isApart && one.numSteps > 1;
  return paths.some((one) => hasFolder(find(one))) ? paths : values;
}

function candidateOf(column: number, name: string, found: (Found | null)[]): Candidate {
  const hits = found.flatMap((one) => one ?? []);
  const numImages = new Set(hits.flatMap(({ files }) => files)).size;
  const isExact = hits.filter((one) => one.isExact).length * 2 >= hits.length;
  return { column, found, numHits: hits.length, numImages, isExact, rank: pathRank(name.trim()) };
}

/** @returns Null if several columns may be meant, or the only one has too few images for its rows. */
function bestOf(usable: Candidate[]): Candidate | null {
  const order = ({ isExact, rank }: Candidate) => (isExact ? 10 : 0) + rank;
  const sorted = [...usable].sort((a, b) => order(b) - order(a) || b.numImages - a.numImages);
  const [best, ...others] = sorted;
  if (!best) return null;
  if (!best.isExact && best.rank < 2 && best.numImages * 2 < best.numHits) return null;
  const keyOf = ({ found }: Candidate) => found.map((one) => one?.files.join("|")).join("\n");
  const rivals = others.filter((other) => {
    if (keyOf(other) === keyOf(best)) return false;
    if (order(other) === order(best)) return other.numImages * 2 > best.numImages;
    return !best.isExact && other.rank >= 0 && other.numImages > best.numImages * 2;
  });
  return rivals.length === 0 ? best : null;
}

/** Whether a column has the name or the values of one with files. */
function looksLikeFiles({ column }: Candidate, searched: Searched): boolean {
  const values = filledIn(searched, column);
  if (values.length === 0) return false;
  return isFileName((searched.columns[column] ?? "").trim()) || values.every(hasImageEnding);
}

/** Whether the first cell of a column names an image, or has the form of those below it: then the table has no header. */
function isLikeOthers(searched: Searched, column: number, find: Find): boolean {
  const first = searched.columns[column] ?? "";
  const form = (value: string) => value.replace(/\d+/g, "0");
  const hasForm = () => valuesIn(searched, column).some((value) => form(value) === form(first));
  return hasImageEnding(first) || (/\d/.test(first) && hasForm()) || find(first) !== null;
}
