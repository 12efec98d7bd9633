// Options that say nothing about the way in which a data set is read. They are refused, since its user expects an effect.
import { InputError } from "../../errors.js";

/** What the options say something about. */
const NEEDS = {
  labels: "a folder of images",
  labelPattern: "names of image files",
  trainFolder: "class folders",
  validationFolder: "class folders",
  leaveOut: "image files",
} as const;
export type UnusedName = keyof typeof NEEDS;

/** Name of the option on the command line. */
const FLAGS: Readonly<Record<UnusedName, string>> = {
  labels: "--labels",
  labelPattern: "--label-pattern",
  trainFolder: "--train-folder",
  validationFolder: "--validation-folder",
  leaveOut: "--leave-out",
};

/**
 * @param names - Options that have no effect.
 * @param found - What is read instead.
 * @throws InputError if one of them is given.
 */
export function refuseUnused(
  options: Readonly<Partial<Record<UnusedName, unknown>>>,
  names: readonly UnusedName[],
  where: string,
  found: string,
): void {
  const given = names.find((name) => options[name] !== undefined);
  if (given === undefined) return;
  const flag = FLAGS[given];
  const instead = given === "labels" ? ", or choose the folder with --data" : "";
  throw new InputError({
    expected: `${NEEDS[given]}, for ${flag}`,
    where,
    found,
    fix: `Remove ${flag}${instead}.`,
  });
}

/** @throws InputError if labels are chosen in two ways, of which one would be ignored. */
export function refuseBothLabels({ labels, labelPattern }: { labels?: string; labelPattern?: string }): void {
  if (labels === undefined || labelPattern === undefined) return;
  throw new InputError({
    expected: "--labels or --label-pattern",
    found: "both",
    fix: "Remove one of them.",
  });
}
