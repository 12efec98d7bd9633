// Which columns of a Parquet file hold the images, the labels and the split.
import { decodeText, EncodingError } from "../../../decode.js";
import { InputError } from "../../../errors.js";
import { isImageName, isLabelName, isSplitName } from "../tables/column-names.js";
import type { LabelChoice } from "../tables/label-columns.js";

/** Columns of a file, and the classes of its label if they have names. */
export interface Columns {
  image: string;
  label: string;
  /** Others with texts, numbers or flags, which may name the part of the split. */
  others: string[];
  /** Names of classes by column. */
  classNames: Record<string, string[]>;
  note: string | null;
}

interface Feature {
  names?: string[];
  /** What a list has. */
  feature?: { names?: string[] };
}

/** Reads the features that Hugging Face's `datasets` writes beside the rows: names of classes by column. */
export function classNamesIn(
  entries: { key: string; value?: string }[] | undefined,
): Record<string, string[]> {
  const text = entries?.find(({ key }) => key === "huggingface")?.value;
  if (!text) return {};
  const { info } = JSON.parse(text) as { info?: { features?: Record<string, Feature> } };
  const features = Object.entries(info?.features ?? {});
  return Object.fromEntries(
    features.flatMap(([name, { names, feature }]) => {
      const found = names ?? feature?.names;
      return found ? [[name, found]] : [];
    }),
  );
}

/**
 * Finds the columns of a file.
 *
 * @param row - The first value of each column.
 * @param plain - Columns with one text, number or flag in each row.
 * @throws InputError if it is not clear which hold the images and the labels.
 */
export function columnsOf(
  row: Record<string, unknown>,
  plain: string[],
  classNames: Record<string, string[]>,
  { labelColumn, pathColumn }: LabelChoice,
  where: string,
): Columns {
  const names = Object.keys(row);
  const images = names.filter(
    (name) => bytesOf(row[name]) !== null && !(textLike(row[name]) && name !== "image"),
  );
  const image = imageColumn(images, pathColumn, where);
  const label = labelColumn ?? likelyLabel(names, plain, classNames);
  const found = names.join(", ") || "no rows";
  if (image === undefined)
    throw new InputError({
      expected: `a column${pathColumn === undefined ? "" : ` ${pathColumn}`} of images`,
      where,
      found,
      fix: pathColumn === undefined ? "Choose another file." : "Fix --path-column.",
    });
  if (label === undefined || !names.includes(label)) {
    const isElsewhere = labelColumn === undefined && plain.every((name) => name === image);
    throw new InputError({
      expected: `the column ${labelColumn ?? "label"}`,
      where,
      found,
      fix: isElsewhere
        ? "Write the file again with the label in a column of its own."
        : "Choose the column with --label-column NAME.",
    });
  }
  const rest = images.filter((name) => name !== image);
  const note =
    rest.length > 0 && pathColumn === undefined
      ? `The images are those of the column ${image}, not of ${rest.join(", ")} (--path-column takes another).`
      : null;
  return { image, label, others: plain.filter((name) => name !== label && name !== image), classNames, note };
}

/** @returns Undefined if there is none. */
function imageColumn(images: string[], chosen: string | undefined, where: string): string | undefined {
  if (chosen !== undefined) return images.find((name) => name === chosen);
  const usual = images.filter(isImageName);
  if (usual.length === 1 || images.length < 2) return usual[0] ?? images[0];
  throw new InputError({
    expected: "one column of images",
    where,
    found: images.join(", "),
    fix: "Choose one with --path-column NAME.",
  });
}

/** Returns the column whose classes have names, or the one with a usual name of labels; undefined if there are none or several. */
function likelyLabel(
  names: string[],
  plain: string[],
  classNames: Record<string, string[]>,
): string | undefined {
  const named = names.filter((name) => name in classNames && !isSplitName(name));
  const usual = names.filter((name) => name === "label" || name === "labels");
  const others = names.filter((name) => isLabelName(name) && plain.includes(name));
  const [label, ...more] = named.length === 1 ? named : usual.length > 0 ? usual : others;
  return more.length === 0 ? label : undefined;
}

/** Strings are bytes, too. */
function textLike(value: unknown): boolean {
  return (
    value instanceof Uint8Array &&
    !/^(\xff\xd8|\x89PNG|GIF8|RIFF|II\*|MM\0)/.test(Buffer.from(value.subarray(0, 8)).toString("latin1"))
  );
}

/** Part of the schema that tells what a column holds. */
interface SchemaElement {
  name: string;
  type?: string;
  num_children?: number;
  repetition_type?: string;
  converted_type?: string;
  logical_type?: { type: string };
}

/** Returns the columns with one text, number or flag in each row. */
export function plainColumns(schema: SchemaElement[]): string[] {
  const columns: string[] = [];
  const [root] = schema;
  let at = 1;
  const skip = ({ num_children = 0 }: SchemaElement): void => {
    for (let i = 0; i < num_children; i++) skip(schema[at++]);
  };
  for (let i = 0; i < (root.num_children ?? 0); i++) {
    const column = schema[at++];
    skip(column);
    const kind = column.logical_type?.type ?? column.converted_type;
    const isText = column.type === "BYTE_ARRAY" && /^(UTF8|STRING|ENUM)$/.test(kind ?? "");
    const isNumber =
      /^(INT32|INT64|FLOAT|DOUBLE)$/.test(column.type ?? "") && /^(U?INT|DECIMAL|$)/.test(kind ?? "");
    const isPlain = isNumber || column.type === "BOOLEAN" || isText;
    if (isPlain && column.repetition_type !== "REPEATED") columns.push(column.name);
  }
  return columns;
}

/** An image is its bytes, or a structure of bytes and a path. */
export function bytesOf(value: unknown): Uint8Array | null {
  if (value instanceof Uint8Array) return value;
  const { bytes } = (value ?? {}) as { bytes?: unknown };
  return bytes instanceof Uint8Array ? bytes : null;
}

/** @throws InputError if it is not one label. */
export function textOf(value: unknown, column: string, where: string): string | null {
  if (value === null || value === undefined || value === "") return null;
  if (value instanceof Uint8Array) return decoded(Buffer.from(value), column, where);
  if (Array.isArray(value) && value.length < 2) return textOf(value[0], column, where);
  if (typeof value === "number" && Math.abs(value) > Number.MAX_SAFE_INTEGER)
    throw new InputError({
      expected: `numbers of at most 15 digits in the column ${column}`,
      where,
      found: String(value),
      fix: "Write the file again with the numbers as text.",
    });
  if (typeof value !== "object") return String(value);
  if (value instanceof Date)
    throw new InputError({
      expected: `class names in the column ${column}`,
      where,
      found: `dates, such as ${value.toISOString().slice(0, 10)}`,
      fix: "Choose another column with --label-column NAME, or write the dates as text if they are the classes.",
    });
  const shown = JSON.stringify(value, (_, one) => (typeof one === "bigint" ? Number(one) : one));
  throw new InputError({
    expected: `one label for each image in the column ${column}`,
    where,
    found: shown.length > 60 ? `${shown.slice(0, 60)}…` : shown,
    fix: Array.isArray(value)
      ? "Choose another column with --label-column NAME, or write the file again with one label in each row."
      : "Choose another column with --label-column NAME, or write the file again with the label in a column of its own.",
  });
}

function decoded(bytes: Buffer, column: string, where: string): string {
  try {
    return decodeText(bytes, "utf-8");
  } catch (error) {
    if (!(error instanceof EncodingError)) throw error;
    const [expected, fix] = [`text in UTF-8 in the column ${column}`, "Write the file again in UTF-8."];
    throw new InputError({ expected, where, found: error.message, fix });
  }
}

/** Returns the first value of each column that is not null. */
export function firstValues(rows: Record<string, unknown>[]): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const row of rows)
    for (const [name, value] of Object.entries(row))
      if (!(name in values) || bytesOf(values[name]) === null) values[name] = value ?? values[name];
  return values;
}
