import { fileURLToPath } from "node:url";

/** The parts of a message about a wrong input. */
export interface InputProblem {
  /** A noun phrase: "a folder of class folders". */
  expected: string;
  /** What was there: "no such path". */
  found: string;
  /** A path, URL or notebook. */
  where?: string;
  /** What to do, as a sentence: "Rename the folder." */
  fix?: string;
}

/**
 * Reports an input that the user can fix: a path, a file, an option. Programs print its message without a stack.
 *
 * The message is "Expected E at WHERE but found F. FIX".
 *
 * @example
 * ```ts
 * import { InputError, loadClassifier } from "ferkit";
 *
 * try {
 *   await loadClassifier("no/such/folder");
 * } catch (error) {
 *   if (!(error instanceof InputError)) throw error;
 *   console.log(error.message); // Expected a model folder with model.json at no/such/folder but found none. …
 * }
 * ```
 */
export class InputError extends Error {
  override readonly name = "InputError";

  constructor(readonly problem: InputProblem) {
    const { expected, found, where, fix } = problem;
    super(
      visible(
        `Expected ${expected}${where ? ` at ${where}` : ""} but found ${found}.${fix ? ` ${fix}` : ""}`,
      ),
    );
  }
}

/** Returns what a call returns, or the InputError that it throws. */
export function caught<Result>(read: () => Result): Result | InputError {
  try {
    return read();
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
}

/** Reports a disk that fails or refuses. That says nothing about what is on it, which may be whole and is not to be replaced. */
export class DiskError extends InputError {}

/** Tells whether an error reports a file that was read and is not what it should be. */
export function isOfContent(error: unknown): error is InputError {
  return error instanceof InputError && !(error instanceof DiskError);
}

/**
 * Shows what a terminal would act on or hide: control characters, as `\u001b`, and marks that reorder text,
 * and what no text may hold, such as half a surrogate pair. Names of files and classes may hold any.
 *
 * @param kept - Characters to leave as they are, such as line breaks of a text that has lines.
 */
export function visible(text: string, kept = ""): string {
  return text.replace(/[\p{Cc}\p{Bidi_Control}\p{Cs}\u2028\u2029\ufffe\uffff]/gu, (character) =>
    kept.includes(character) ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/**
 * Reports a parameter of a function, or a setting, that is out of range. Programs that pass on what users write print its message.
 *
 * The message is "Expected X for NAME but received Y of type T", after a hint if there is one.
 *
 * @example
 * ```ts
 * import { ParameterError, trainConfig } from "ferkit";
 *
 * try {
 *   trainConfig("tutorial", { epochs: 0 });
 * } catch (error) {
 *   if (!(error instanceof ParameterError)) throw error;
 *   console.log(error.message); // Expected an integer ≥ 1 for epochs but received 0 of type number
 * }
 * ```
 */
export class ParameterError extends RangeError {
  override readonly name = "ParameterError";

  /** @param hint - A sentence that comes first, since a list of choices may be long: "Did you mean epochs?" */
  constructor(name: string, expected: string, value: unknown, hint?: string) {
    const received = `${asText(value)} of type ${Array.isArray(value) ? "array" : typeof value}`;
    super(visible(`${hint ? `${hint} ` : ""}Expected ${expected} for ${name} but received ${received}`));
  }
}

/** Characters of an object or list that a message shows. */
const MAX_SHOWN = 200;

function asText(value: unknown): string {
  if (value === "") return '""';
  if (typeof value === "function") return `the function ${value.name}`;
  if (typeof value !== "object" || value === null) return String(value);
  const kind = Object.getPrototypeOf(value)?.constructor?.name ?? "Object";
  if (kind !== "Object" && kind !== "Array") return `${/^[AEIO]/.test(kind) ? "an" : "a"} ${kind}`;
  const fields = Object.keys(value);
  if (fields.some((name) => typeof (value as Record<string, unknown>)[name] === "bigint")) return `a ${kind}`;
  const text = JSON.stringify(value, (_, inner) => (ArrayBuffer.isView(inner) ? "…" : inner));
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}

/** Bounds of a number, `min` and `max` included unless `exclusiveMax`. */
export interface NumberRange {
  min?: number;
  max?: number;
  integer?: boolean;
  exclusiveMax?: boolean;
}

/**
 * Returns `value` if it is a finite number within `range`.
 *
 * @throws ParameterError "Expected an integer ≥ 1 for batchSize but received -1 of type number"
 */
export function checkNumber(name: string, value: unknown, range: NumberRange = {}): number {
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY, integer, exclusiveMax } = range;
  const inRange =
    typeof value === "number" &&
    Number.isFinite(value) &&
    value >= min &&
    (exclusiveMax ? value < max : value <= max) &&
    (!integer || Number.isInteger(value));
  if (!inRange) throw new ParameterError(name, describeRange(range), value);
  return value;
}

/**
 * Checks that numbers are indices, such as labels, of `length` items if that is given.
 *
 * @throws ParameterError "Expected an integer in [0, 3) for labels[5] but received -1 of type number"
 */
export function checkIndices(name: string, indices: ArrayLike<number>, length?: number): void {
  const isIndex = (index: number) => Number.isInteger(index) && index >= 0 && index < (length ?? Infinity);
  const wrong: number = Array.prototype.findIndex.call(indices, (index) => !isIndex(index));
  if (wrong < 0) return;
  const range = { min: 0, max: length, integer: true, exclusiveMax: true };
  checkNumber(`${name}[${wrong}]`, indices[wrong], range);
}

/** With more choices than these, a message that names the nearest one lists no others. */
const MAX_LISTED = 20;

/**
 * Returns `value` if it is one of `choices`.
 *
 * @param otherNames - Choices by what they are called elsewhere, as `plainName` gives it, to suggest them.
 */
export function checkChoice<T extends string>(
  name: string,
  value: unknown,
  choices: readonly T[],
  otherNames: Record<string, T> = {},
): T {
  const choice = choices.find((known) => known === value);
  if (choice !== undefined) return choice;
  const plain = plainName(String(value));
  const known = Object.hasOwn(otherNames, plain) ? otherNames[plain] : undefined;
  const nearest = known ?? (typeof value === "string" ? suggestion(value, choices) : undefined);
  const hint = nearest === undefined ? undefined : `Did you mean ${nearest}?`;
  const isShort = hint === undefined || choices.length <= MAX_LISTED;
  throw new ParameterError(name, isShort ? `one of ${choices.join(", ")}` : "a known name", value, hint);
}

/**
 * Returns `value` if it can be a path: an empty text would be the working folder.
 *
 * @throws ParameterError "Expected a path for runDir but received "" of type string"
 */
export function checkPath(name: string, value: unknown): string {
  if (typeof value === "string" && value !== "") return checkLocal(value);
  throw new ParameterError(name, "a path", value);
}

/**
 * Returns `given` if it can be a path on this computer.
 *
 * @throws InputError for an address, and for the hyphen by which other programs mean standard input or output.
 */
export function checkLocal(given: string): string {
  const isAddress = /^[a-z][a-z0-9+.-]+:\/\//i.test(given);
  if (!isAddress && given !== "-") return given;
  const local = localPath(given);
  const download = local ? `Choose it as a path, ${local}.` : "Download it, and choose the file.";
  throw new InputError({
    expected: "a path on this computer",
    found: isAddress ? `the address ${given}` : "-, for standard input or output",
    fix: isAddress ? download : "Choose a file, or write ./- for one of this name.",
  });
}

/** Returns the path of a `file:` address of this computer; null for other addresses. */
function localPath(address: string): string | null {
  try {
    return fileURLToPath(address);
  } catch {
    return null; // its scheme is another, or its computer
  }
}

/**
 * Checks an argument of a program without types: that it has what is used of it.
 *
 * @param kind - What it should be: "a network, as loadModel returns it".
 * @param members - Names of its fields and methods.
 * @throws ParameterError "Expected a network, as loadModel returns it, for network but received a Classifier of type object"
 */
export function checkKind(name: string, kind: string, value: unknown, members: readonly string[]): void {
  const found = Object(value) as Record<string, unknown>;
  const isNothing = value === undefined || value === null;
  if (isNothing || members.some((member) => found[member] === undefined))
    throw new ParameterError(name, `${kind},`, value);
}

/** Checks that an argument is a list whose items have what is used of them, as `checkKind`. */
export function checkList(name: string, kind: string, value: unknown, members: readonly string[] = []): void {
  if (!Array.isArray(value)) throw new ParameterError(name, `${kind},`, value);
  for (const item of value) checkKind(name, kind, item, members);
}

/**
 * Checks the names of options in a program without types, where a mistyped option would have no effect.
 *
 * @param known - Has the names of all options; its values are not used.
 * @param otherNames - Options by what they are called elsewhere, as `plainName` gives it, to suggest them.
 * @throws ParameterError "Did you mean views? Expected one of views, signal for the name of an option but received view of type string"
 */
export function checkNames<T extends string>(
  options: object,
  known: Readonly<Record<T, unknown>>,
  otherNames: Record<string, T> = {},
): void {
  const names = Object.keys(known) as T[];
  for (const name of Object.keys(options)) checkChoice("the name of an option", name, names, otherNames);
}

/** Returns a name without what differs between programs: case, hyphens and underscores. */
export function plainName(name: string): string {
  return name.toLowerCase().replace(/[-_]/g, "");
}

/** Returns the choice that a mistyped word most probably means: at most a third of its letters differ. */
export function suggestion(word: string, choices: readonly string[]): string | undefined {
  const distances = choices.map((choice) => editDistance(word.toLowerCase(), choice.toLowerCase()));
  const nearest = distances.indexOf(Math.min(...distances));
  return distances[nearest] <= word.length / 3 ? choices[nearest] : sharingWord(word, choices);
}

/** Returns the only choice that is a word of a name, or has a word like it: `weights` for `initialWeights`, `rotation` for `rotate`. */
function sharingWord(name: string, choices: readonly string[]): string | undefined {
  const last = name.split(".").at(-1) ?? "";
  const wordsOf = (text: string) =>
    text
      .replace(/([a-z\d])([A-Z])/g, "$1 $2")
      .toLowerCase()
      .split(/[^a-z\d]+/);
  const isLike = (word: string) => {
    const given = last.toLowerCase();
    if (Math.min(word.length, given.length) < 4) return false;
    return (
      editDistance(word, given) <= word.length / 4 || (given.length > 4 && word.startsWith(given.slice(0, 5)))
    );
  };
  const equal = choices.filter((choice) => wordsOf(last).includes(choice.toLowerCase()));
  const found = equal.length > 0 ? equal : choices.filter((choice) => wordsOf(choice).some(isLike));
  return found.length === 1 ? found[0] : undefined;
}

/** Counts the letters to insert, remove or replace (Levenshtein 1966). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length];
}

function describeRange({ min, max, integer, exclusiveMax }: NumberRange): string {
  const kind = integer ? "an integer" : "a number";
  if (min !== undefined && max !== undefined) return `${kind} in [${min}, ${max}${exclusiveMax ? ")" : "]"}`;
  if (min !== undefined) return `${kind} ≥ ${min}`;
  if (max !== undefined) return `${kind} ${exclusiveMax ? "<" : "≤"} ${max}`;
  return integer ? "an integer" : "a finite number";
}
