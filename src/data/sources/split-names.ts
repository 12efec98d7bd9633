// Recognises folders, files and values that are named for a split.
import path from "node:path";

/** Part of a data set. `test` is used for validation if there is nothing else for it. */
export type Part = "train" | "validation" | "test";

const WORDS = new Map<string, Part>([
  ...byPart("train", "train training trn trainval"),
  ...byPart("validation", "val valid validation validate vali dev devel development eval evaluation"),
  ...byPart("test", "test testing tst"),
]);
/** Words that do not change what a name means. */
const FILLERS = new Set(
  (
    "a aligned all and aug augmentation augmented balanced big clean cleaned crop cropped cut data dataset datasets dir directory " +
    "face faces file files final fold folder folders frame frames full fullsize image images img imgs input inputs jpeg jpegs jpg " +
    "jpgs large my new of org orig original part photo photos pic pics picture pictures png pngs processed px raw rgb resized " +
    "sample samples scaled seg set sets small split splits square subset the v ver version"
  ).split(" "),
);

function byPart(part: Part, words: string): [string, Part][] {
  return words.split(" ").map((word) => [word, part]);
}

/** What a name says: the part of the data set, and its other words. */
interface Reading {
  part: Part;
  /** Words that are neither the part's nor fillers nor numbers. */
  rest: string;
}

/** Between letters and digits, and before a capital letter. */
const INSIDE_NAME = /(?<=\p{L})(?=\d)|(?<=\d)(?=\p{L})|(?<=\p{Ll})(?=\p{Lu})/gu;
/** Words without a space, as `testset` and `publictest`. */
const COMPOUND =
  /^(?:(training|train|validation|valid|val|dev|eval|testing|test)(sets?|data|images?|imgs?)|(public|private)(test))$/;

/** Returns the words of a name such as `Val_set`, `seg_test`, `testData`, `train2017` and `FER2013Train`, in lower case. */
function wordsIn(name: string): string[] {
  const parted = name
    .normalize("NFC")
    .replace(/\d+\s*x\s*\d+/gi, " ") // a size in pixels
    .replace(INSIDE_NAME, " ")
    .toLowerCase();
  const words = parted.split(/[^\p{L}\p{N}]+/u).filter(Boolean);
  return words.flatMap((word) => COMPOUND.exec(word)?.slice(1).filter(Boolean) ?? [word]);
}

/** @returns Null if the name names no part, or several. */
function read(name: string): Reading | null {
  const words = wordsIn(name);
  const [part, ...others] = new Set(words.flatMap((word) => WORDS.get(word) ?? []));
  if (part === undefined || others.length > 0) return null;
  const isOfChallenge = (word: string) => part === "test" && /^(public|private)$/.test(word);
  const isKnown = (word: string) =>
    WORDS.has(word) || FILLERS.has(word) || /^\d+$/.test(word) || isOfChallenge(word);
  const rest = words.filter((word) => !isKnown(word)).join(" ");
  // A challenge has two sets for tests, of which the public one is for validation.
  return { part: part === "test" && words.includes("public") ? "validation" : part, rest };
}

/** Returns the part that a value such as `Training`, `val` or `PublicTest` names; null if it names none. */
export function partOf(name: string): Part | null {
  const reading = read(name);
  return reading?.rest === "" ? reading.part : null;
}

/**
 * Returns the part that each of several neighbouring names stands for, if any. A word such as `steam` in `steam_train` means
 * that the name is none, except if neighbours share it, as in `birds_train` and `birds_test`.
 */
export function partsOf(names: string[]): Map<string, Part> {
  const hasValidation = names.some((name) => /val/i.test(name.replace(/eval/gi, "")) && read(name));
  const readings = names.flatMap((name) => {
    const reading = read(name);
    if (!reading) return [];
    // beside a folder for validation, one for evaluation is for tests
    const isTest = hasValidation && reading.part === "validation" && /eval/i.test(name);
    return [{ name, ...reading, ...(isTest && { part: "test" as const }) }];
  });
  const isShared = (rest: string) =>
    new Set(readings.filter((other) => other.rest === rest).map(({ part }) => part)).size > 1;
  return new Map(
    readings.flatMap(({ name, part, rest }) =>
      rest === "" || isShared(rest) ? [[name, part] as const] : [],
    ),
  );
}

/** Returns the part that the outermost folder of this kind around a file names; null if none does. */
export function partOfFolders(file: string): Part | null {
  const folders = file.split("/").slice(0, -1);
  return folders.reduce<Part | null>((part, folder) => part ?? partOf(folder), null);
}

/** Returns the part that the beginning of a file's name stands for, as in `train_00001.jpg` or `val-0003.tar`. */
export function partOfFile(file: string): Part | null {
  const [start] = path.posix.basename(file).split(/[-_.\s]/);
  return partOf(start);
}
