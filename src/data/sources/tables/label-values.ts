// Which values of a column are labels.
import { InputError } from "../../../errors.js";
import { nameOf } from "../../../names.js";
import { columnInWords, type Table, valuesIn } from "./table.js";

/** What programs write for a missing value, and what may be a class as well. */
export const MISSING = /^(nan|<na>|nat|null|undefined|#n\/a)$/i;
const MAY_BE_MISSING = /^(none|n\/?a|unknown|unlabell?ed|\?|-+|-1(\.0+)?)$/i;

/** Names of columns that may have several labels in a cell. */
const SEVERAL = /^(tags|labels|classes|categories|attributes|keywords)$/i;

/**
 * Makes labels of the values in a column: missing ones are empty, and whole numbers are written as such.
 *
 * @param notes - Gets a sentence for each guess.
 * @throws InputError if values are lists or objects.
 */
export function withLabels<Any extends Table>(table: Any, column: number, notes: string[]): Any {
  const { columns: header, rows, file, where } = table;
  const values = valuesIn(table, column);
  const composite = values.filter(isComposite);
  if (composite.length > 0)
    throw new InputError({
      expected: `a name or a number in ${columnInWords(header, column)}`,
      where,
      found: `${composite[0].slice(0, 60)} in ${composite.length} of ${rows.length} rows`,
      fix: "Fix these values, or choose another column with --label-column NAME.",
    });
  const some = (form: RegExp) => [...new Set(values.filter((value) => form.test(value)))];
  const [missing, doubtful] = [some(MISSING), some(MAY_BE_MISSING)];
  if (missing.length > 0)
    notes.push(
      `Rows of ${file} whose label is ${missing.join(" or ")}, which are read as rows without one: ${values.filter((value) => MISSING.test(value)).length}.`,
    );
  if (doubtful.length > 0)
    notes.push(
      `The label ${doubtful.join(" and ")} of ${file} is read as a class. Remove these rows if it stands for no label.`,
    );
  const filled = values.filter((value) => value !== "" && !MISSING.test(value));
  const lists = SEVERAL.test(header?.[column] ?? "")
    ? filled.filter((value) => /\S[ ,;|]\s*\S/.test(value))
    : [];
  if (lists.length * 2 > filled.length)
    notes.push(
      `Each combination in ${columnInWords(header, column)} of ${file} is read as one class, such as ${lists[0]}: ferkit learns one label an image.`,
    );
  const wholeOf = (value: string) => value.replace(/^(-?\d+)\.0*$/, "$1");
  const known = new Set(filled);
  const [decimal] = filled.filter((value) => wholeOf(value) !== value);
  const areAlike = filled.every((value) => /^-?\d+$/.test(wholeOf(value)));
  const areWhole = areAlike || filled.some((value) => wholeOf(value) !== value && known.has(wholeOf(value)));
  const asWhole = (value: string) => (areWhole ? wholeOf(value) : value);
  if (areWhole && decimal !== undefined)
    notes.push(`Numbers in the labels of ${file} are whole, and ${decimal} is read as ${asWhole(decimal)}.`);
  const cells = values.map((value) => (MISSING.test(value) ? "" : asWhole(value)));
  return {
    ...table,
    rows: rows.map((row, i) => row.map((cell, at) => (at === column ? cells[i] : cell))),
  };
}

/** Whether a value is a list or an object in JSON. */
function isComposite(value: string): boolean {
  if (!/^[[{].*[\]}]$/s.test(value)) return false;
  try {
    return typeof JSON.parse(value) === "object";
  } catch {
    return false;
  }
}

/** Ways in which a table may write the name of a class folder: as it is, with other leading zeros, or before a box. */
const FORMS = [
  nameOf,
  (value: string) => value.replace(/^0+(?=\d+$)/, ""),
  (value: string) => value.replace(/^(\S+)\s+-?\d.*$/, "$1"),
];

/** Returns what gives each value its class, if it writes one; null if the values are others than the classes. */
export function classesBy(
  values: readonly string[],
  classNames: ReadonlySet<string>,
): ((value: string) => string) | null {
  for (const form of FORMS) {
    const byForm = new Map([...classNames].map((name) => [form(name), name]));
    const numKnown = values.filter((value) => byForm.has(form(value))).length;
    const isKnown = form === nameOf ? numKnown * 2 > values.length : numKnown === values.length;
    if (byForm.size === classNames.size && values.length > 0 && isKnown)
      return (value) => byForm.get(form(value)) ?? nameOf(value);
  }
  return null;
}
