// Names of classes, folders and columns: when they are the same, and how a sentence lists them.
import { InputError, ParameterError } from "./errors.js";

/** Returns a name in Unicode form NFC. Unicode has several forms of one name, which look the same. */
export function nameOf(name: string): string {
  return name.normalize("NFC");
}

/**
 * Returns class names in Unicode form NFC, as those of folders are.
 *
 * @throws InputError if one is empty, or comes twice.
 */
export function checkedClassNames(given: readonly string[]): string[] {
  const areTexts = Array.isArray(given) && given.every((name) => typeof name === "string");
  if (!areTexts) throw new ParameterError("classNames", "a list of names of classes", given);
  const names = given.map(nameOf);
  const repeated = names.find((name, i) => name === "" || names.indexOf(name) < i);
  if (repeated === undefined) return names;
  throw new InputError({
    expected: "names of classes, each once",
    found: repeated === "" ? "one that is empty" : `${repeated} twice`,
    fix: "Fix the names (classNames, or --classes).",
  });
}

/** Tells whether lists hold the same class names in the same order. */
export function areSameClasses(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, i) => name === b[i]);
}

/** Tells whether lists hold the same class names, in any order. */
export function hasSameClasses(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name) => b.includes(name));
}

/** Tells whether pairs give each name one other name, and the reverse. */
export function areOneToOne(pairs: readonly (readonly [string, string])[]): boolean {
  const count = (values: string[]) => new Set(values).size;
  const numPairs = count(pairs.map((pair) => JSON.stringify(pair)));
  return [0, 1].every((i) => count(pairs.map((pair) => pair[i])) === numPairs);
}

/** Lists up to `most` names, or the first `numShown` and the number of others. */
export function inShort(names: readonly string[], most = 4, numShown = most - 1): string {
  if (names.length <= most) return names.join(", ");
  return `${names.slice(0, numShown).join(", ")} and ${names.length - numShown} more`;
}
