import type { DecodedSample } from "../pixels/packed-file.js";
import type { Split } from "../split.js";
import type { SplitName } from "../split-names.js";

/** What a data set holds, and what is doubtful about it. */
export interface DataReport {
  name: string;
  root: string;
  classNames: string[];
  /** Side of the decoded images, in pixels. */
  imageSize: number;
  /** What the validation images are. */
  split: SplitName;
  numImages: { train: number; validation: number };
  classCounts: { split: "train" | "validation"; className: string; count: number }[];
  /** Of the files, in pixels, most frequent first. */
  sizes: { width: number; height: number; count: number }[];
  unreadable: { path: string; reason: string }[];
  /** Groups of byte-identical images, over both splits. */
  duplicateGroups: number;
  /** Images beyond the first of each group within a split. */
  duplicateImages: number;
  /** Validation images whose bytes also stand in train. */
  leakedImages: number;
  /** Groups of byte-identical images with more than one label. */
  labelConflicts: number;
  /** Images that were left out because they were asked to be. */
  dropped: { duplicates: number; leaked: number };
  /** Split folders that were left out: those for tests, where others are for validation. */
  unusedFolders: string[];
  /** Paths of the images of some groups. */
  examples: { duplicates: string[][]; leaked: string[][]; conflicts: string[][] };
}

const NUM_EXAMPLES = 5;

/** What stands more than once, by the places of its images in each split. */
export class Duplicates {
  private readonly groups: { train: number[]; validation: number[] }[];

  constructor(
    private readonly samples: DecodedSample[],
    split: Split,
  ) {
    const repeated = repeatedDigests(samples, [...split.train, ...split.validation]);
    const groups = new Map<string, { train: number[]; validation: number[] }>();
    for (const name of ["train", "validation"] as const)
      for (const place of split[name]) {
        const { digest } = samples[place];
        if (!repeated.has(digest)) continue;
        const group = groups.get(digest) ?? { train: [], validation: [] };
        group[name].push(place);
        groups.set(digest, group);
      }
    this.groups = [...groups.values()];
  }

  /** Places of the images beyond the first of each group within a split. */
  duplicated(): number[] {
    return this.groups.flatMap(({ train, validation }) => [...train.slice(1), ...validation.slice(1)]);
  }

  /** Places of the validation images that also stand in train. */
  leaked(): number[] {
    return this.groups.flatMap(({ train, validation }) => (train.length > 0 ? validation : []));
  }

  summary() {
    const places = ({ train, validation }: { train: number[]; validation: number[] }) => [
      ...train,
      ...validation,
    ];
    const paths = (groups: typeof this.groups) =>
      groups.slice(0, NUM_EXAMPLES).map((group) => places(group).map((place) => this.samples[place].path));
    const within = this.groups.filter(({ train, validation }) => train.length > 1 || validation.length > 1);
    const across = this.groups.filter(({ train, validation }) => train.length > 0 && validation.length > 0);
    const conflicting = this.groups.filter(
      (group) => new Set(places(group).map((place) => this.samples[place].className)).size > 1,
    );
    return {
      duplicateGroups: this.groups.length,
      duplicateImages: this.duplicated().length,
      leakedImages: this.leaked().length,
      labelConflicts: conflicting.length,
      examples: { duplicates: paths(within), leaked: paths(across), conflicts: paths(conflicting) },
    };
  }
}

function repeatedDigests(samples: DecodedSample[], places: number[]): Set<string> {
  const [once, repeated] = [new Set<string>(), new Set<string>()];
  for (const place of places) {
    const { digest } = samples[place];
    if (once.has(digest)) repeated.add(digest);
    else once.add(digest);
  }
  return repeated;
}

/** Counts of each class in each split. */
export function classCounts(
  samples: DecodedSample[],
  split: Split,
  classNames: string[],
): DataReport["classCounts"] {
  return (["train", "validation"] as const).flatMap((name) => {
    const counts = new Map<string, number>();
    for (const place of split[name]) {
      const { className } = samples[place];
      counts.set(className, (counts.get(className) ?? 0) + 1);
    }
    return classNames.map((className) => ({ split: name, className, count: counts.get(className) ?? 0 }));
  });
}

/** How many files have each size, most frequent first. */
export function sizeCounts(samples: DecodedSample[]): DataReport["sizes"] {
  const counts = new Map<number, { width: number; height: number; count: number }>();
  for (const { width, height } of samples) {
    const key = width * 2 ** 26 + height; // no side of `MAX_PIXELS` is longer
    const entry = counts.get(key) ?? { width, height, count: 0 };
    entry.count++;
    counts.set(key, entry);
  }
  return [...counts.values()].sort((a, b) => b.count - a.count);
}
