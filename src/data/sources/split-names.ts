// Recognises folders, files and values that are named for a split.
import path from "node:path";

/** Part of a data set. `test` is used for validation if there is nothing else for it. */
export type Part = "train" | "validation" | "test";

const WORDS: Record<string, Part> = {
  ...byPart("train", "train training trn"),
  ...byPart("validation", "val valid validation validate vali dev devel development eval evaluation"),
  ...byPart("test", "test testing tst"),
};
/** Words that do not change what a name means. */
const FILLERS = new Set(
  (
    "a aligned all and aug augmentation augmented balanced big clean cleaned crop cropped cut data dataset datasets dir directory " +
    "face faces file files final fold folder folders frame frames full fullsize image images img imgs input inputs jpeg jpegs jpg " +
    "jpgs large my new of org orig original part photo photos pic pics picture pictures png pngs processed px raw rgb resized " +
    "sample samples scaled seg set sets small split splits square subset the v ver version"
  ).split(" "),
);

function byPart(part: Part, words: string): Record<string, Part> {
  return Object.fromEntries(words.split(" ").map((word) => [word, part]));
}

/** What a name says: the part of the data set, and its other words. */
interface Reading {
  part: Part;
  /** Words that are neither the part's nor fillers nor numbers. */
  rest: string;
  numbers: string;
}

/** Reads names such as `train`, `Val_set`, `seg_test`, `testData`, `train2017`, `FER2013Train`, `PublicTest`. */
function read(name: string): Reading | null {
  const words = name
    .normalize("NFC")
    .replace(/\d+\s*x\s*\d+/gi, " ")
    .replace(/([\p{Ll}\d])(\p{Lu})/gu, "$1 $2")
    .replace(/(\d)(\p{L})/gu, "$1 $2")
    .replace(/(\p{L})(\d)/gu, "$1 $2")
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter(Boolean)
    .flatMap((word) =>
      word
        .replace(
          /^(training|train|validation|valid|val|dev|eval|testing|test)(sets?|data|images?|imgs?)$/,
          "$1 $2",
        )
        .replace(/^(public|private)(test)$/, "$1 $2")
        .split(" "),
    );
  const parts = new Set(words.flatMap((word) => WORDS[word] ?? []));
  if (parts.size !== 1) return null;
  const [part] = parts;
  const others = words.filter((word) => !WORDS[word] && !FILLERS.has(word));
  const isPublic = part === "test" && others.includes("public"); // of the two test sets of a challenge, for validation
  const rest = others.filter(
    (word) => !/^\d+$/.test(word) && !(part === "test" && /^(public|private)$/.test(word)),
  );
  return {
    part: isPublic ? "validation" : part,
    rest: rest.join(" "),
    numbers: others.filter((word) => /^\d+$/.test(word)).join(" "),
  };
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
