// JSON from files that people edit, which says where it is wrong, and the values in it.
import { decodeText } from "./decode.js";

/** Parts of JSON, in groups: a text, another value, punctuation. */
const TOKEN =
  /("(?:[ !#-[\]-\u{10ffff}]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)|([[\]{},:])/uy;
/** Texts, and the punctuation around objects and lists, in what is JSON. */
const PARTS = /"(?:[^"\\]|\\.)*"|[[\]{}:]/g;
const SPACE = /[ \t\r\n]*/y;

/**
 * Parses JSON, of a file in UTF-8 or, if its byte-order mark says so, in UTF-16, as PowerShell writes it.
 *
 * @throws SyntaxError "line 3, column 5: a comma before }"
 */
export function parseJson(bytes: Buffer): unknown {
  return parseJsonText(decodeText(bytes));
}

/**
 * Parses JSON that is decoded.
 *
 * @throws SyntaxError as `parseJson`, also if an object has a name twice, of which JSON's own parser takes the last one.
 */
export function parseJsonText(text: string): unknown {
  let value: unknown;
  let problem: Problem | null;
  try {
    value = JSON.parse(text);
    problem = countNames(text) === countKeys(value) ? null : repeatedName(text);
  } catch {
    problem = firstProblem(text);
  }
  if (problem === null) return value;
  const lines = text.slice(0, problem.at).split("\n");
  throw new SyntaxError(
    `line ${lines.length}, column ${lines[lines.length - 1].length + 1}: ${problem.found}`,
  );
}

/** Texts and numbers in what is JSON. */
const SCALARS = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g;
/** A whole number with more digits than a number may keep, also if it is written as a decimal. */
const LONG_NUMBER = /^(-?\d{16,})(\.0+)?$/;

/**
 * Parses JSON that is decoded, with long whole numbers as texts: ids and labels must not be rounded to the same number.
 *
 * @throws SyntaxError as `parseJson`.
 */
export function parseExactJson(text: string): unknown {
  const value = parseJsonText(text);
  if (!/(^|[[,:\s])-?\d{16}/.test(text)) return value;
  return JSON.parse(text.replace(SCALARS, (part) => part.replace(LONG_NUMBER, '"$1"')));
}

/** Counts the names in text that is JSON, and what looks like one inside a text. Names that come twice are counted twice. */
function countNames(text: string): number {
  let count = 0;
  for (let at = text.indexOf(":"); at >= 0; at = text.indexOf(":", at + 1)) {
    let before = at - 1;
    while (" \t\r\n".includes(text[before])) before--;
    if (text[before] === '"') count++;
  }
  return count;
}

/** Counts the keys of a value and of all values in it. Lists can be nested deeper than calls can. */
function countKeys(value: unknown): number {
  let count = 0;
  const rest = [value];
  while (rest.length > 0) {
    const one = rest.pop();
    if (typeof one !== "object" || one === null) continue;
    const inside: unknown[] = Array.isArray(one) ? one : Object.values(one);
    if (inside !== one) count += inside.length;
    for (const each of inside) if (typeof each === "object") rest.push(each);
  }
  return count;
}

/** Finds the first name that an object has twice, in text that is JSON. */
function repeatedName(text: string): Problem | null {
  const objects: Set<string>[] = [];
  let [name, at] = ["", 0];
  for (const { 0: token, index } of text.matchAll(PARTS)) {
    if (token === "{" || token === "[") objects.push(new Set());
    else if (token === "}" || token === "]") objects.pop();
    else if (token !== ":") [name, at] = [token, index ?? 0];
    else {
      const names = objects[objects.length - 1];
      const plain = JSON.parse(name) as string;
      if (names.has(plain)) return { at, found: `the name ${name.slice(0, 40)} for the second time` };
      names.add(plain);
    }
  }
  return null;
}

/** Where JSON is wrong, and how. */
interface Problem {
  at: number;
  found: string;
}

/** What may come next: a value, the name of one, what separates two, or nothing more. */
type Expected = "a value" | "a name in double quotes" | "a colon" | "a comma or the end" | "nothing more";

function firstProblem(text: string): Problem {
  const open: string[] = [];
  let expected: Expected = "a value";
  let [before, position] = [{ token: "", at: 0 }, 0];
  for (;;) {
    SPACE.lastIndex = position;
    const at = position + (SPACE.exec(text)?.[0].length ?? 0);
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    if (!match) return { at, found: strange(text.slice(at), expected) };
    const [token, name, value] = match;
    const isEnd = token === "}" || token === "]";
    const closes = isEnd && open[open.length - 1] === (token === "}" ? "{" : "[");
    if (closes && before.token === ",") return { at: before.at, found: `a comma before ${token}` };
    const isFirst = ["{", "["].includes(before.token);
    if (closes && (expected === "a comma or the end" || isFirst)) open.pop();
    else if (expected === "a value" && (token === "{" || token === "[")) open.push(token);
    else if (!isAsExpected(expected, token, name ?? value, name))
      return { at, found: `${token.slice(0, 40)} instead of ${expected}` };
    expected = nextOf(token, expected, open);
    [before, position] = [{ token, at }, at + token.length];
  }
}

function isAsExpected(expected: Expected, token: string, value?: string, name?: string): boolean {
  if (expected === "a value") return value !== undefined;
  if (expected === "a name in double quotes") return name !== undefined;
  if (expected === "a colon") return token === ":";
  return expected === "a comma or the end" && token === ",";
}

function nextOf(token: string, expected: Expected, open: string[]): Expected {
  const isObject = open[open.length - 1] === "{";
  if (token === "{") return "a name in double quotes";
  if (token === "[" || token === ":") return "a value";
  if (token === ",") return isObject ? "a name in double quotes" : "a value";
  if (expected === "a name in double quotes" && token !== "}") return "a colon";
  return open.length > 0 ? "a comma or the end" : "nothing more";
}

/** Names what JSON does not have. */
function strange(rest: string, expected: Expected): string {
  if (rest === "") return `the end of the file instead of ${expected}`;
  if (/^(\/\/|\/\*|#)/.test(rest)) return "a comment, which JSON does not have";
  if (rest.startsWith("'")) return "a single quote instead of a double quote";
  if (rest.startsWith('"')) return "a text without its closing quote";
  return `${/^[\w.+-]{1,40}|^./su.exec(rest)?.[0]} instead of ${expected}`;
}

export function prettyJson(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** Returns all values inside an object by dotted name: `augment.zoom`. A list is one value. */
export function flatten(values: object, prefix = ""): Map<string, unknown> {
  return new Map(
    Object.entries(values).flatMap(([name, value]): [string, unknown][] =>
      isPlainObject(value) ? [...flatten(value, `${prefix}${name}.`)] : [[prefix + name, value]],
    ),
  );
}

export function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
