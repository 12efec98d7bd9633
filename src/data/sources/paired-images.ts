// Images that may be none of their class: masks, thumbnails and altered copies, which are named after another image.
import path from "node:path";
import { groupBy } from "../../collections.js";
import { counted } from "../../text.js";
import { isCopies } from "./folders/folder-names.js";
import type { Sample } from "./listing.js";

/** From this share of the images in their folders on, a kind of them is worth a note. */
const MIN_SHARE = 0.05;

/** Images of one kind, and the image that the first is named after. */
interface Paired {
  files: string[];
  partner: string;
  /** Folders that hold them. */
  folders: Set<string>;
}

/**
 * Names images that are called as others with a word before or after it, such as `1_mask.png` beside `1.png`, or with another ending,
 * such as `1.png` beside `1.jpg`, and folders in classes that seldom hold images of the class.
 */
export function pairedNotes(samples: readonly Sample[]): string[] {
  const files = samples.map(({ path: file }) => file);
  const found = new Map<string, Paired>();
  const folders = groupBy(files, path.posix.dirname);
  for (const [folder, some] of folders) {
    const add = (pattern: string, file: string, partner: string) => {
      const known = found.get(pattern) ?? { files: [], partner, folders: new Set() };
      found.set(pattern, known);
      known.files.push(file);
      known.folders.add(folder);
    };
    const byStem = groupBy(some, (file) => path.posix.parse(file).name);
    for (const [stem, [file, ...others]] of byStem) {
      for (const { word, base } of partsOf(stem)) {
        const [partner] = byStem.get(base) ?? partnersOf(word, base, byStem);
        if (partner !== undefined) add(word, file, partner);
      }
      const endings = others.length === 1 ? [file, others[0]].sort(byLikelihood) : [];
      if (endings.length > 0) add(`*${path.posix.extname(endings[1])}`, endings[1], endings[0]);
    }
  }
  const numIn = (some: Paired["folders"]) =>
    [...some].reduce((sum, folder) => sum + (folders.get(folder)?.length ?? 0), 0);
  const isMuch = ({ files: { length }, folders: some }: Paired) =>
    length > 1 && length >= MIN_SHARE * numIn(some);
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
    const isWord = (text: string) => SIZE.test(text) || /^\p{L}[\p{L} ._-]*\d*$/u.test(text);
    const numbered = (text: string) =>
      text.replace(SIZE, (size) => size.replace(/\d/g, "?")).replace(/[ ._-]*\d+$/, "*");
    return [
      ...(isWord(after) ? [{ word: `*${separator}${numbered(after)}.*`, base: before }] : []),
      ...(isWord(before) ? [{ word: `${numbered(before)}${separator}*`, base: after }] : []),
    ];
  });
}

/** Returns the images that masks are named after if both have a word before their number: `image_0.png` for `mask_0.png`. */
function partnersOf(pattern: string, base: string, byStem: ReadonlyMap<string, string[]>): string[] {
  if (!MASK.test(pattern)) return [];
  return IMAGE_WORDS.flatMap((word) => byStem.get(pattern.replace(MASK, word).replace("*", base)) ?? []);
}

/** Words before the number of a mask, and of its image. */
const MASK = /^(mask|seg|segmentation|label|gt)(?=[ ._-]+\*$)/i;
const IMAGE_WORDS = ["image", "img", "photo", "scan"];
/** A size in pixels, as WordPress writes it behind a name. */
const SIZE = /^\d{2,5}x\d{2,5}$/;

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
