import path from "node:path";
import { InputError } from "../errors.js";
import type { DecodedSample } from "./pixels/packed-file.js";

/**
 * First row of each part of the original fer2013.csv, by its column Usage, and the number of rows. The class folders' files are
 * named by row.
 */
const [PUBLIC_TEST, PRIVATE_TEST, NUM_ROWS] = [28_709, 32_298, 35_887];

/**
 * The split of the challenge that FER-2013 was made for, whatever folders the images lie in: trains on Training; validates on
 * PublicTest, or on PrivateTest, which published figures are of.
 *
 * @returns Places, ascending.
 * @throws InputError when files are not named by the rows of fer2013.csv, each once.
 */
export function officialSplit(
  samples: DecodedSample[],
  part: "official" | "official-test",
  root: string,
): { train: number[]; validation: number[] } {
  const [from, to] = part === "official" ? [PUBLIC_TEST, PRIVATE_TEST] : [PRIVATE_TEST, NUM_ROWS];
  const rows = rowsOf(samples, root);
  const placesIn = (first: number, end: number) =>
    [...rows.keys()].filter((place) => rows[place] >= first && rows[place] < end);
  return { train: placesIn(0, PUBLIC_TEST), validation: placesIn(from, to) };
}

function rowsOf(samples: DecodedSample[], root: string): number[] {
  const seen = new Map<number, string>();
  return samples.map((sample) => {
    const { name } = path.parse(sample.path);
    const row = /^\d+$/.test(name) ? Number(name) : Number.NaN;
    const other = seen.get(row);
    if (!(row < NUM_ROWS) || other !== undefined)
      throw new InputError({
        expected: `files named by the rows 0 to ${NUM_ROWS - 1} of fer2013.csv, each once, for its official split`,
        where: root,
        found: other === undefined ? sample.path : `both ${other} and ${sample.path}`,
        fix: "Leave out --split, or give the class folders of FER-2013.",
      });
    seen.set(row, sample.path);
    return row;
  });
}
