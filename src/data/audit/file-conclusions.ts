// What the audit concludes from the files of images, without their labels.
import type { Fit } from "../../model/preprocessing.js";
import { counted, formatCount, percent } from "../../text.js";
import { cutOff, MUCH_CUT } from "../pixels/fit.js";
import type { DecodedImages, DecodedSample } from "../pixels/packed-file.js";
import type { WhiteLevels } from "../pixels/sample-range.js";
import { type Conclusion, named, pathsOf } from "./report.js";
import { telltaleTraits } from "./traits.js";

/**
 * Concludes from what the files say and from their decoded brightness.
 *
 * @param isFixed - Whether a model fixes how images are decoded, so that there is nothing to choose.
 * @param whiteLevels - Numbers that were given to be white.
 */
export function fileConclusions(
  decoded: Pick<DecodedImages, "samples" | "numChannels" | "whiteLevels">,
  {
    fit,
    grey,
    imageSize,
    isFixed = false,
    whiteLevels = {},
  }: {
    fit: Fit;
    grey: "auto" | boolean;
    imageSize: number;
    isFixed?: boolean;
    whiteLevels?: WhiteLevels;
  },
): Conclusion[] {
  const { samples, numChannels } = decoded;
  const usesColour = !isFixed && numChannels === 3;
  const traits = telltaleTraits(samples).filter(({ name }) => usesColour || name !== "colour");
  return [
    ...traits.map(({ text }): Conclusion => ({ about: "trait", text, examples: [] })),
    ...(isFixed ? [] : colourConclusion(decoded, grey)),
    ...brightnessConclusions(samples),
    ...(isFixed ? [] : cropConclusion(samples, fit)),
    ...(isFixed ? [] : sizeConclusion(samples, imageSize)),
    ...numberConclusions(decoded, whiteLevels),
    ...partConclusions(samples),
  ];
}

function colourConclusion(
  { samples, numChannels }: Pick<DecodedImages, "samples" | "numChannels">,
  grey: "auto" | boolean,
): Conclusion[] {
  const coloured = samples.filter(({ isGrey }) => !isGrey);
  const numGrey = samples.length - coloured.length;
  if (coloured.length === 0 || numGrey === 0) return [];
  const isUsedGrey = numChannels === 1;
  const odd = isUsedGrey ? coloured : samples.filter(({ isGrey }) => isGrey);
  const used = isUsedGrey ? "all are used in grey" : "all are used in colour";
  const isGuess = grey === "auto";
  const why = isGuess ? `, since ${isUsedGrey ? "most have no" : "at least half have"} colour` : "";
  const text =
    `${coloured.length} of ${samples.length} in colour; ${used}${why}. ` +
    `Train with --set grey=${!isUsedGrey} for ${isUsedGrey ? "colours" : "grey"}${isGuess ? `, or --set grey=${isUsedGrey} to settle it` : ""}.`;
  return [{ about: "colour", text, examples: pathsOf(odd) }];
}

/** An image is nearly black or white if 99% of its values are beyond these, of 0–255. */
const [NEARLY_BLACK, NEARLY_WHITE] = [24, 231];

function brightnessConclusions(samples: readonly DecodedSample[]): Conclusion[] {
  const kinds: [string, string, (sample: DecodedSample) => boolean][] = [
    ["black", `99% of their values are at most ${NEARLY_BLACK} of 255`, ({ light }) => light <= NEARLY_BLACK],
    ["white", `99% of their values are at least ${NEARLY_WHITE} of 255`, ({ dark }) => dark >= NEARLY_WHITE],
  ];
  return kinds.flatMap(([name, meaning, fits]): Conclusion[] => {
    const found = samples.filter(fits);
    if (found.length === 0) return [];
    const text =
      `${counted(found.length, "image is", "images are")} nearly ${name}${named(found)}: ${meaning}. ` +
      "Remove them, or fix their brightness if they should show something.";
    return [{ about: "brightness", text, examples: pathsOf(found) }];
  });
}

/** Images that lose much, in percent of all, from which on they are worth a word. */
const MIN_CUT_IMAGES = 0.01;

function cropConclusion(samples: readonly DecodedSample[], fit: Fit): Conclusion[] {
  if (fit !== "crop") return [];
  const found = samples.filter((sample) => cutOff(sample) >= MUCH_CUT);
  if (found.length === 0 || found.length < MIN_CUT_IMAGES * samples.length) return [];
  const [worst] = [...found].sort((a, b) => cutOff(b) - cutOff(a));
  const text =
    `The central square leaves out ${percent(MUCH_CUT, 0)} or more of ${found.length} of ${samples.length} images ` +
    `(${percent(cutOff(worst), 0)} of ${worst.path}, ${worst.width}×${worst.height}). ` +
    "Train with --set fit=pad to keep all of them between black bars, or --set fit=squash.";
  return [{ about: "crop", text, examples: pathsOf(found) }];
}

/** Size to suggest for photographs. */
const PHOTO_SIZE = 160;
/** Images are much larger than they are used if the median of their shorter sides is this many times `imageSize`. */
const MUCH_LARGER = 3;

function sizeConclusion(samples: readonly DecodedSample[], imageSize: number): Conclusion[] {
  const sides = samples.map(({ width, height }) => Math.min(width, height)).sort((a, b) => a - b);
  const side = sides[Math.floor(sides.length / 2)] ?? 0;
  const larger = Math.min(PHOTO_SIZE, side - (side % 16));
  if (side < MUCH_LARGER * imageSize || larger < 1.5 * imageSize) return [];
  const times = ((larger / imageSize) ** 2).toPrecision(2);
  const text =
    `At least half of the images measure ${formatCount(side)} pixels or more on their shorter side, and are used at ${imageSize}×${imageSize} (imageSize). ` +
    `Choose a larger imageSize if details matter, such as --set imageSize=${larger}: an epoch then takes about ${Number(times)} times as long.`;
  return [{ about: "size", text, examples: [] }];
}

function numberConclusions(
  { samples, whiteLevels }: Pick<DecodedImages, "samples" | "whiteLevels">,
  given: WhiteLevels,
): Conclusion[] {
  const numbers = [...new Set(samples.map(({ traits }) => traits.numbers))].filter(
    (one) => whiteLevels[one] !== undefined,
  );
  return numbers.map((one): Conclusion => {
    const found = samples.filter(({ traits }) => traits.numbers === one);
    const white = whiteLevels[one];
    const isUsed = (colours: string) => colours === "rgb" && white === 65535; // as decode.ts has it
    const unused = found.filter(({ traits }) => traits.hasProfile && !isUsed(traits.colours)).length;
    const profiles = unused > 0 ? ` The colour profile of ${formatCount(unused)} is not used.` : "";
    const cut = found.filter(({ traits }) => traits.isCut);
    const text =
      `${counted(found.length, "image has", "images have")} ${one} numbers; white is ${formatCount(white)}, ` +
      `${given[one] !== undefined ? "as in training" : "the top of the range that they use"}.` +
      `${cut.length > 0 ? ` ${counted(cut.length, "image has", "images have")} larger ones${named(cut)}, which are cut to it.` : ""}` +
      `${profiles} Save them in 8 bits to choose another range${profiles && ", or to use profiles"}.`;
    return { about: "numbers", text, examples: pathsOf(cut.length > 0 ? cut : found) };
  });
}

/** Concludes what is left out of files that hold more than one opaque image. */
function partConclusions(samples: readonly DecodedSample[]): Conclusion[] {
  const transparent = samples.filter(({ traits }) => traits.hasAlpha && !traits.isOpaque);
  const other = samples.filter(({ traits }) => traits.hasOther);
  const animated = samples.filter(({ traits }) => traits.numFrames > 1);
  const all: Conclusion[] = [
    {
      about: "transparency",
      text:
        `${counted(transparent.length, "image has", "images have")} transparent parts${named(transparent)}, which are shown on ` +
        "white. Save them without transparency to choose another background.",
      examples: pathsOf(transparent),
    },
    {
      about: "transparency",
      text:
        `${counted(other.length, "image has", "images have")} a further channel that is not marked as alpha${named(other)}; ` +
        "it is not used. Save them with an alpha channel if it is one.",
      examples: pathsOf(other),
    },
    {
      about: "frames",
      text:
        `${counted(animated.length, "file holds", "files hold")} several frames or pages${named(animated)}; only the first ` +
        "is used. Save each frame as a file to use them all.",
      examples: pathsOf(animated),
    },
  ];
  return all.filter(({ examples }) => examples.length > 0);
}
