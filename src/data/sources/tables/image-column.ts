// Which column of a table names the images.
import path from "node:path";
import { InputError } from "../../../errors.js";
import { inShort } from "../../../names.js";
import { FILE_RANK, isFileName, isFolderName, pathRank } from "./column-names.js";
import { type Found, hasImageEnding, type ImageIndex, type Located, locateImages } from "./image-index.js";
import { columnAt, columnName, columnsIn, filledIn, type Table, valuesIn } from "./table.js";

/** A table whose rows name images. */
export interface Matched extends Located {
  table: Table;
  pathColumn: number;
  /** Path in each row. */
  paths: string[];
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
 * @returns Null if no column names images; an error if several may, or the chosen one does not.
 */
export function matchImages(
  given: Table,
  index: ImageIndex,
  { pathColumn, labelColumn }: { pathColumn?: string; labelColumn?: string },
): Matched | InputError | null {
  const around = path.posix.dirname(given.file);
  const [header, ...below] = withHeader(given, index);
  const searched = { header, below, where: given.where };
  const candidates = candidatesIn([header, ...below], index, around);
  const chosen =
    pathColumn === undefined
      ? guessColumn(candidates, searched, labelColumn)
      : namedColumn(candidates, searched, pathColumn);
  if (chosen === null || chosen instanceof InputError) return chosen;
  const { column } = chosen;
  const isHeader =
    given.columns !== null || !isLikeOthers(header[column] ?? "", column, below, index, around);
  const table = isHeader
    ? { ...given, columns: header.map((name) => name.trim()), rows: below }
    : { ...given, rows: [header, ...below] };
  const paths = pathsOf(table, column, index, around);
  const located = locateImages(paths, index, around);
  if (located.files.some(({ length }) => length > 0)) return { table, pathColumn: column, paths, ...located };
  const apart = paths.find((one) => index.find(one, around) !== null);
  if (apart === undefined) return null; // the name of the column is that of an image
  return new InputError({
    expected: "paths of images",
    where: given.where,
    found: `${apart}, which is in another folder than ${index.find(apart, around)?.files[0]}`,
    fix: "Fix the paths, or rename the folder.",
  });
}

/** Returns all rows. A header that lacks the name of the first column, as CelebA and R write it, gets an empty one. */
function withHeader({ file, columns, rows }: Table, index: ImageIndex): string[][] {
  const [first, ...below] = columns === null ? rows : [columns, ...rows];
  const lacksName = below.length > 0 && below.every(({ length }) => length === first.length + 1);
  const isHeader = lacksName && index.find(first[0], path.posix.dirname(file)) === null;
  return [isHeader ? ["", ...first] : first, ...below];
}

/** Finds the images that each column names. Numbers with other leading zeros count only if no column names an image without them. */
function candidatesIn(rows: string[][], index: ImageIndex, around: string): Candidate[] {
  const [header] = rows;
  const step = Math.max(1, Math.floor(rows.length / NUM_PROBES));
  const probes = rows.filter((_, i) => i % step === 0); // with a header, which names no image
  const columns = columnsIn({ columns: null, rows }).map((column) =>
    valuesIn({ rows: probes }, column).map((value) => index.find(value, around)),
  );
  const candidates = (found: (Found | null)[][]) =>
    found.map((ofColumn, column) => candidateOf(column, header[column] ?? "", ofColumn));
  const byName = candidates(columns.map((found) => found.map((one) => (one?.isByNumber ? null : one))));
  return byName.some(({ numHits }) => numHits > 0) ? byName : candidates(columns);
}

/** The table in which the column is searched. */
interface Searched {
  /** The first row. */
  header: string[];
  below: string[][];
  /** Its path on disk. */
  where: string;
}

const CHOOSE_COLUMN = "Choose one with --path-column NAME.";

/** Returns the column that the user chose, by its name or number. */
function namedColumn(
  candidates: Candidate[],
  { header, below, where }: Searched,
  name: string,
): Candidate | InputError {
  const column = columnAt(header, name) ?? columnAt(null, name) ?? -1;
  const candidate: Candidate | undefined = candidates[column];
  if (candidate?.numHits > 0) return candidate;
  const [value] = filledIn({ rows: below }, column);
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
  { header, below, where }: Searched,
  labelColumn: string | undefined,
): Candidate | InputError | null {
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
  const absent = candidates.find((one) => one.numHits === 0 && looksLikeFiles(one, header, below));
  if (!absent) return best;
  const [example] = filledIn({ rows: below }, absent.column);
  return new InputError({
    expected: `images that the column ${nameOf(absent)} names`,
    where,
    found: `none, as for ${example}; ${nameOf(best)} could be meant, too`,
    fix: CHOOSE_COLUMN,
  });
}

/** Returns the path in each row, with the folder if another column names it and such images exist. */
function pathsOf(table: Table, column: number, index: ImageIndex, around: string): string[] {
  const values = valuesIn(table, column);
  const folder = table.columns?.findIndex(isFolderName) ?? -1;
  if (folder < 0 || folder === column) return values;
  const folders = valuesIn(table, folder);
  const paths = values.map((value, i) => (value && folders[i] ? `${folders[i]}/${value}` : value));
  const hasFolder = (one: Found | null) => one !== null && !one.isApart && one.numSteps > 1;
  return paths.some((one) => hasFolder(index.find(one, around))) ? paths : values;
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
function looksLikeFiles({ column }: Candidate, header: string[], below: string[][]): boolean {
  const values = filledIn({ rows: below }, column);
  if (values.length === 0) return false;
  return isFileName((header[column] ?? "").trim()) || values.every(hasImageEnding);
}

/** Whether the first cell of a column names an image, or has the form of those below it: then the table has no header. */
function isLikeOthers(
  first: string,
  column: number,
  below: string[][],
  index: ImageIndex,
  around: string,
): boolean {
  const form = (value: string) => value.replace(/\d+/g, "0");
  const hasForm = () => valuesIn({ rows: below }, column).some((value) => form(value) === form(first));
  return hasImageEnding(first) || (/\d/.test(first) && hasForm()) || index.find(first, around) !== null;
}
