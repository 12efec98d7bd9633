// Images that may be none of their class: masks, thumbnails and altered copies, which are named after another image.
import path from "node:path";
import { groupBy } from "../../collections.js";
import { counted } from "../../text.js";
import { isCopies } from "./folders/folder-names.js";
import type { Sample } from "./listing.js";

/** From this share of all images on, a kind of them is worth a note. */
const MIN_SHARE = 0.05;

/** Images of one kind, and the image that the first is named after. */
interface Paired {
  files: string[];
  partner: string;
}

/**
 * Names images that are called as others with a word before or after it, such as `1_mask.png` beside `1.png`, or with another ending,
 * such as `1.png` beside `1.jpg`, and folders in classes that seldom hold images of the class.
 */
export function pairedNotes(samples: readonly Sample[]): string[] {
  const files = samples.map(({ path: file }) => file);
  const found = new Map<string, Paired>();
  const add = (pattern: string, file: string, partner: string) => {
    const known = found.get(pattern);
    if (known) known.files.push(file);
    else found.set(pattern, { files: [file], partner });
  };
  for (const some of groupBy(files, path.posix.dirname).values()) {
    const byStem = groupBy(some, (file) => path.posix.parse(file).name);
    for (const [stem, [file, ...others]] of byStem) {
      for (const { word, base } of partsOf(stem)) {
        const [partner] = byStem.get(base) ?? [];
        if (partner !== undefined) add(word, file, partner);
      }
      const endings = others.length === 1 ? [file, others[0]].sort(byLikelihood) : [];
      if (endings.length > 0) add(`*${path.posix.extname(endings[1])}`, endings[1], endings[0]);
    }
  }
  const isMuch = ({ files: { length } }: Paired) => length > 1 && length >= MIN_SHARE * files.length;
  const pairs = [...found].filter(([, paired]) => isMuch(paired));
  return [
    ...pairs.map(([pattern, { files: some, partner }]) => {
      const [first] = some;
      return (
        `${some.length} of ${files.length} images are named after another one, such as ${first} after ${partner}. If they are masks, ` +
        `thumbnails or altered copies, add --leave-out '${pattern}'.`
      );
    }),
    ...folderNotes(samples),
  ];
}

/** Splits a name at each of its separators into the name of another image and a word, with a pattern for the word. */
function partsOf(stem: string): { word: string; base: string }[] {
  return [...stem.matchAll(/[ ._-]+/g)].flatMap(({ 0: separator, index }) => {
    const [before, after] = [stem.slice(0, index), stem.slice(index + separator.length)];
    const isWord = (text: string) => /^\p{L}[\p{L} ._-]*\d*$/u.test(text);
    const numbered = (text: string) => text.replace(/[ ._-]*\d+$/, "*");
    return [
      ...(isWord(after) ? [{ word: `*${separator}${numbered(after)}.*`, base: before }] : []),
      ...(isWord(before) ? [{ word: `${numbered(before)}${separator}*`, base: after }] : []),
    ];
  });
}

/** Puts the photograph first: masks seldom are JPEG files. */
function byLikelihood(a: string, b: string): number {
  const isJpeg = (file: string) => Number(/\.jpe?g$/i.test(file));
  return isJpeg(b) - isJpeg(a) || (a < b ? -1 : 1);
}

function folderNotes(samples: readonly Sample[]): string[] {
  const inClass = samples.flatMap((sample) => {
    const folder = sample.path.split("/").slice(0, -1);
    const at = folder.lastIndexOf(sample.className);
    const name = at < 0 ? undefined : folder.slice(at + 1).find(isCopies);
    return name === undefined ? [] : [{ ...sample, name }];
  });
  return [...groupBy(inClass, ({ name }) => name)].map(
    ([name, some]) =>
      `${counted(some.length, "image", "images")} in folders named ${name} ${some.length === 1 ? "is" : "are"} read as their class, such as ${some[0].path}. ` +
      `If they are masks or copies, add --leave-out ${name}.`,
  );
}
