// Names for labels that are codes.
import { InputError } from "../../errors.js";
import { inShort, nameOf } from "../../names.js";
import { classesOf, type Listing } from "./listing.js";

/** Names by data set; RAF-DB's are those of its description (Li et al. 2017). */
const KNOWN_NAMES: Record<string, string> = {
  rafdb: "1=surprise,2=fear,3=disgust,4=happy,5=sad,6=angry,7=neutral",
};

/**
 * Gives names to labels that are codes, or notes that there are none.
 *
 * @param labelNames - As `--label-names` gives them: `1=surprise,2=fear`, or a data set.
 */
export function nameLabels(listing: Listing, labelNames: string | undefined): Listing {
  const classNames = classesOf(listing.samples);
  const noted = (note: string) => ({ ...listing, notes: [...listing.notes, note] });
  if (labelNames === undefined) {
    const areCodes = classNames.length > 0 && classNames.every((name) => /^\d+$/.test(name));
    const option = `--label-names ${classNames[0]}=NAME,…`;
    const note = `The labels are codes: ${inShort(classNames)} (${option} gives them names, or rafdb for RAF-DB).`;
    return areCodes ? noted(note) : listing;
  }
  const pairs = (KNOWN_NAMES[labelNames] ?? labelNames)
    .split(",")
    .map((pair) => pair.split("=").map((part) => nameOf(part.trim())));
  const names = new Map(pairs.map(([code, name]) => [code, name]));
  const missing = classNames.filter((code) => !names.get(code));
  if (missing.length > 0)
    throw new InputError({
      expected: "a name for each label in --label-names",
      where: listing.where,
      found: `none for ${missing.join(", ")}`,
      fix: `Write them as --label-names ${missing[0]}=NAME,…`,
    });
  const named = (code: string) => names.get(code) as string;
  const samples = listing.samples.map((sample) => ({ ...sample, className: named(sample.className) }));
  const shown = classNames.map((code) => `${code} ${named(code)}`).join(", ");
  return { ...noted(`The labels' names are ${shown}.`), samples };
}
