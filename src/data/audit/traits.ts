// Traits of image files that tell the classes apart, though they do not show what is in the images.
import { groupBy, tally } from "../../collections.js";
import { percent } from "../../text.js";
import type { DecodedSample } from "../pixels/packed-file.js";

/** Classes and values that a sentence names. */
const NUM_EXAMPLES = 3;

/** A trait of files that does not show what is in the image. */
interface Trait {
  name: string;
  /** Null if it does not apply. */
  valueIn(sample: DecodedSample): string | null;
  /** What settles it, as a sentence. */
  advice: string;
}

const SAVE_ALIKE = "Save the images of all classes in the same way.";
const TRAITS: Trait[] = [
  {
    name: "size",
    valueIn: ({ width, height }) => `${width}×${height}`,
    advice: "Save the images of all classes in one size: enlarged images stay blurred.",
  },
  {
    name: "shape",
    valueIn: ({ width, height }) => (width > height ? "wide" : width < height ? "tall" : "square"),
    advice: "Crop the images of all classes alike.",
  },
  { name: "format", valueIn: ({ traits }) => traits.format, advice: SAVE_ALIKE },
  {
    name: "colour",
    valueIn: ({ isGrey }) => (isGrey ? "grey" : "coloured"),
    advice: "Train with --set grey=true, so that all images are used in grey.",
  },
  { name: "colour mode", valueIn: ({ traits }) => traits.colours, advice: SAVE_ALIKE },
  { name: "number format", valueIn: ({ traits }) => traits.numbers, advice: SAVE_ALIKE },
  {
    name: "transparency",
    valueIn: ({ traits }) => (traits.hasAlpha ? "transparent" : "opaque"),
    advice: "Save the images of all classes without transparency, on one background.",
  },
  {
    name: "EXIF data",
    valueIn: ({ traits }) => (traits.hasExif ? "with EXIF" : "without EXIF"),
    advice: SAVE_ALIKE,
  },
  {
    name: "colour profile",
    valueIn: ({ traits }) => (traits.hasProfile ? "with a profile" : "without a profile"),
    advice: SAVE_ALIKE,
  },
  {
    name: "JPEG quality",
    valueIn: ({ traits }) => (traits.quality === null ? null : `quality ${traits.quality}`),
    advice: "Save the images of all classes in one quality: compression leaves traces.",
  },
];
/** Numbers of which one threshold may tell the classes apart, if equal numbers are rare. */
const MEASURES: { name: string; measure(sample: DecodedSample): number | null; unit: string }[] = [
  {
    name: "size",
    measure: ({ width, height }) => Math.max(width, height),
    unit: "pixels on the longer side",
  },
  { name: "JPEG quality", measure: ({ traits }) => traits.quality, unit: "of 100" },
];

/** A trait tells if it gets this share of the labels right that guessing the largest class gets wrong, and this many images. */
const [MIN_GAIN, MIN_SURPLUS] = [0.5, 5];
/** A threshold is chosen among many, so that it needs more images. */
const MIN_IMAGES_FOR_THRESHOLD = 30;
/** Share of a class that has a value, of the images with that value that are in the class, and of the other images without it. */
const MIN_OVERLAP = 0.9;

/** A file's class with its value of a trait. */
interface Valued {
  className: string;
  value: string;
}

/** Finds traits that tell the classes apart, or give one class away, each with a sentence that says how and what settles it. */
export function telltaleTraits(samples: readonly DecodedSample[]): { name: string; text: string }[] {
  const found: { name: string; text: string }[] = [];
  for (const { name, valueIn, advice } of [...TRAITS, ...thresholds(samples)]) {
    if (found.some((one) => one.name === name)) continue;
    const files = samples.flatMap((sample): Valued[] => {
      const value = valueIn(sample);
      return value === null ? [] : [{ className: sample.className, value }];
    });
    const classes = [...new Set(files.map(({ className }) => className))];
    const how = classes.length < 2 ? null : (tellsClasses(files, classes) ?? tellsOneClass(files, classes));
    if (how !== null)
      found.push({
        name,
        text: `The ${name} of the files ${how}. A network can learn it instead of what the images show. ${advice}`,
      });
  }
  return found;
}

/** Returns traits that say on which side of the best threshold a measure is. */
function thresholds(samples: readonly DecodedSample[]): Trait[] {
  return MEASURES.flatMap(({ name, measure, unit }) => {
    const threshold = bestThreshold(samples, measure);
    if (threshold === null) return [];
    const advice = TRAITS.find((trait) => trait.name === name)?.advice ?? SAVE_ALIKE;
    const sideOf = (sample: DecodedSample) => {
      const number = measure(sample);
      if (number === null) return null;
      return number < threshold ? `below ${threshold} ${unit}` : `${threshold} ${unit} or more`;
    };
    return [{ name, valueIn: sideOf, advice }];
  });
}

/** Finds the number from which on another class is the most frequent one, with the most labels right. */
function bestThreshold(
  samples: readonly DecodedSample[],
  measure: (sample: DecodedSample) => number | null,
): number | null {
  const files = samples
    .flatMap((sample) => {
      const number = measure(sample);
      return number === null ? [] : [{ className: sample.className, number }];
    })
    .sort((a, b) => a.number - b.number);
  if (files.length < MIN_IMAGES_FOR_THRESHOLD) return null;
  const [below, above] = [new Map<string, number>(), tally(files.map(({ className }) => className))];
  let best: { threshold: number | null; right: number } = { threshold: null, right: 0 };
  files.forEach(({ className, number }, i) => {
    if (i > 0 && number > files[i - 1].number) {
      const right = Math.max(...below.values()) + Math.max(...above.values());
      if (right > best.right) best = { threshold: number, right };
    }
    below.set(className, (below.get(className) ?? 0) + 1);
    above.set(className, (above.get(className) ?? 0) - 1);
  });
  return best.threshold;
}

/** Says how many labels a file's value alone gets right, guessed from the other files. */
function tellsClasses(files: Valued[], classes: string[]): string | null {
  let right = 0;
  for (const alike of groupBy(files, ({ value }) => value).values()) {
    const counts = tally(alike.map(({ className }) => className));
    const [most, second = 0] = [...counts.values()].sort((a, b) => b - a);
    if (most - 1 > second) right += most; // the most frequent label even without the file itself
  }
  const largest = Math.max(...tally(files.map(({ className }) => className)).values());
  if (right - largest < Math.max(MIN_SURPLUS, MIN_GAIN * (files.length - largest))) return null;
  const shares = classes.slice(0, NUM_EXAMPLES).map((className) => {
    const own = files.filter((file) => file.className === className).map(({ value }) => value);
    const [[value, times]] = [...tally(own)].sort((a, b) => b[1] - a[1]);
    return `${className}: ${value} in ${times} of ${own.length}`;
  });
  return (
    `tells the classes apart: it alone gets ${percent(right / files.length, 0)} of the labels right, the largest class ` +
    `${percent(largest / files.length, 0)} (${shares.join("; ")}${classes.length > NUM_EXAMPLES ? "; …" : ""})`
  );
}

/** Says which value nearly all files of one class have, and nearly no others. */
function tellsOneClass(files: Valued[], classes: string[]): string | null {
  const totals = tally(files.map(({ value }) => value));
  const shares = classes.flatMap((className) => {
    const own = files.filter((file) => file.className === className).map(({ value }) => value);
    const numOthers = files.length - own.length;
    if (own.length < MIN_SURPLUS || numOthers < MIN_SURPLUS) return [];
    return [...tally(own)].flatMap(([value, times]) => {
      const total = totals.get(value) ?? times;
      const others = total - times;
      const isTelling = times >= MIN_OVERLAP * total && numOthers - others >= MIN_OVERLAP * numOthers;
      if (times < MIN_OVERLAP * own.length || !isTelling) return [];
      return [`${value} in ${times} of ${own.length} of ${className}, and in ${others} others`];
    });
  });
  return shares.length > 0 ? `gives a class away: ${shares.slice(0, NUM_EXAMPLES).join("; ")}` : null;
}
