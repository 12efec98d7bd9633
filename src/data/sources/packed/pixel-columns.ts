// Which columns of a table hold the pixels and the labels of images.
import { InputError } from "../../../errors.js";
import { isLabelName, isSplitName } from "../tables/column-names.js";
import { headerOf } from "../tables/csv.js";
import type { LabelChoice } from "../tables/label-columns.js";
import { columnAt } from "../tables/table.js";
import { isUnreadTable } from "../tables/table-file.js";

/** Where a table of pixels has what. */
export interface PixelColumns {
  /** Names of all columns. */
  header: string[];
  /** One column with all pixels, or one for each. */
  pixels: number[];
  /** -1 if there is none. */
  label: number;
  others: { name: string; column: number }[];
  /** Whether the labels are FER-2013's codes. */
  isCoded: boolean;
}

/** Returns the columns of a table of pixels, such as fer2013.csv and icml_face_data.csv; null if a file is none. */
export async function pixelColumns(
  file: string,
  { labelColumn }: LabelChoice = {},
): Promise<PixelColumns | null> {
  const header = await headerOf(file);
  const columns = header.map((name) => name.toLowerCase());
  const found = (fits: (name: string) => boolean) => columns.flatMap((name, i) => (fits(name) ? i : []));
  const single = found((name) => name === "pixels");
  const each = found((name) => /^(pixel[ _]?\d+|\d+x\d+)$/.test(name));
  refuseNumbers(file, header);
  if (single.length === 0 && each.length < 16) return null;
  const pixels = single.length > 0 ? single : each;
  const chosen = labelColumn === undefined ? -1 : (columnAt(header, labelColumn) ?? -1);
  const [emotion = -1] = labelColumn === undefined ? found((name) => name === "emotion") : [];
  const [likely = -1, ...others] = labelColumn === undefined ? found(isLabelName) : [chosen];
  const label = emotion >= 0 ? emotion : others.length > 0 ? -1 : likely;
  const read = [...single, ...each, label, ...found(isSplitName)];
  const repeated = columns.find(
    (name, i) => columns.indexOf(name) < i && read.includes(columns.indexOf(name)),
  );
  if (repeated !== undefined)
    throw new InputError({
      expected: `one column ${repeated}`,
      where: file,
      found: `${found((name) => name === repeated).length} of that name`,
      fix: "Rename or remove the others.",
    });
  const beside = header
    .map((name, column) => ({ name, column }))
    .filter(({ column }) => column !== label && !pixels.includes(column));
  return { header, pixels, label, others: beside, isCoded: label >= 0 && columns[label] === "emotion" };
}

/** Refuses a table whose first line is an image: a label, before or after the pixels of a square. */
function refuseNumbers(file: string, header: string[]): void {
  const side = Math.sqrt(header.length - 1);
  if (side < 8 || !Number.isInteger(side) || !header.every((cell) => /^\d+(\.\d+)?$/.test(cell))) return;
  throw new InputError({
    expected: "names of columns in the first line",
    where: file,
    found: `${header.length} numbers, as for a label and ${side} × ${side} pixels`,
    fix: "Add a first line of names: label,pixel0,pixel1,… (or with label at the end, if it is there).",
  });
}

export async function isPixelTable(file: string): Promise<boolean> {
  return !isUnreadTable(file) && (await pixelColumns(file)) !== null;
}

/** @throws InputError if a table has no column of labels. */
export async function labelledColumns(file: string, choice: LabelChoice): Promise<PixelColumns> {
  const columns = await pixelColumns(file, choice);
  if (columns && columns.label >= 0) return columns;
  const names = (await headerOf(file)).filter((name) => !/\d/.test(name));
  throw new InputError({
    expected: `${choice.labelColumn ? `the column ${choice.labelColumn}` : "a column emotion or label"} beside pixels`,
    where: file,
    found: names.join(", ") || "pixels only",
    fix: names.length > 1 ? "Choose the column with --label-column NAME." : "Choose a table with labels.",
  });
}
