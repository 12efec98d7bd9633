// How a network does on images that are blurred, noisy, covered, turned, or too dark or bright.
import { type PackedImages, selectImages } from "../data/dataset.js";
import { groupImages } from "../data/groups.js";
import { loadSharp } from "../data/pixels/decode.js";
import type { Pixels } from "../data/pixels/pixels.js";
import type { ImageChanges } from "../engine/backend.js";
import { backend } from "../engine/device.js";
import { tf } from "../engine/tf.js";
import { checkNumber } from "../errors.js";
import { bootstrapIntervals, countGroups, type Interval } from "../metrics/bootstrap.js";
import type { Network } from "../model/network.js";
import type { OnProgress } from "../progress.js";
import { Random } from "../random.js";
import { type Evaluation, evaluate } from "./evaluate.js";

/** One image: uint8 `[side, side, numChannels]`. */
interface Square {
  pixels: Uint8Array;
  side: number;
  numChannels: 1 | 3;
}

/** A change to images, at five strengths. */
interface Corruption {
  /** What `values` are, for charts and tables. */
  title: string;
  /** From the weakest to the strongest. */
  values: readonly number[];
  apply(image: Square, value: number, random: Random): Uint8Array | Promise<Uint8Array>;
}

/** Rows that glasses cover: their middle, as a share of the height of an image that is all face. */
const EYES = 0.36;
/** By default, sharp cuts the kernel of a blur off at a fifth of its height, which leaves nothing of a small one. */
const WHOLE_KERNEL = { precision: "float", minAmplitude: 0.01 } as const;
/** Grey levels of what covers a face. */
const [GLASSES, MASK] = [30, 200];

/**
 * The corruptions, by name. Noise, JPEG and brightness have the strengths of ImageNet-C. Mask and glasses are plain bars over images that are all face.
 *
 * @see Hendrycks and Dietterich 2019, https://arxiv.org/abs/1903.12261
 */
export const CORRUPTIONS = {
  blur: {
    title: "deviation of the blur, as a share of the side",
    values: [0.01, 0.02, 0.03, 0.04, 0.06],
    apply: (image, value) =>
      processed(image, (sharp) => sharp.blur({ sigma: Math.max(0.3, value * image.side), ...WHOLE_KERNEL })),
  },
  noise: {
    title: "deviation of normal noise, as a share of 255",
    values: [0.08, 0.12, 0.18, 0.26, 0.38],
    apply: ({ pixels }, value, random) => changed(pixels, (level) => level + 255 * random.normal(0, value)),
  },
  jpeg: {
    title: "JPEG quality",
    values: [25, 18, 15, 10, 7],
    apply: async (image, quality) => {
      const sharp = await loadSharp();
      const file = await (await open(image)).jpeg({ quality }).toBuffer();
      return sharp(file).toColourspace(colourspaceOf(image)).raw().toBuffer();
    },
  },
  mask: {
    title: "share of the image that is covered from below",
    values: [0.1, 0.2, 0.3, 0.4, 0.5],
    apply: (image, value) => covered(image, 1 - value, 1, MASK),
  },
  glasses: {
    title: "share of the image under a dark bar across the eyes",
    values: [0.06, 0.1, 0.14, 0.18, 0.22],
    apply: (image, value) => covered(image, EYES - value / 2, EYES + value / 2, GLASSES),
  },
  rotation: {
    title: "angle to either side, in degrees",
    values: [5, 10, 20, 30, 45],
    apply: (image, value, random) => rotated(image, random.chance(0.5) ? value : -value),
  },
  darker: {
    title: "share of 255 that is taken from each level",
    values: [0.1, 0.2, 0.3, 0.4, 0.5],
    apply: ({ pixels }, value) => changed(pixels, (level) => level - 255 * value),
  },
  brighter: {
    title: "share of 255 that is added to each level",
    values: [0.1, 0.2, 0.3, 0.4, 0.5],
    apply: ({ pixels }, value) => changed(pixels, (level) => level + 255 * value),
  },
} as const satisfies Record<string, Corruption>;

export type CorruptionName = keyof typeof CORRUPTIONS;
export const CORRUPTION_NAMES = Object.keys(CORRUPTIONS) as CorruptionName[];

/** Scores at one strength of one corruption. */
export interface CorruptedScores {
  corruption: CorruptionName;
  /** From 1, the weakest, to 5. */
  strength: number;
  /** What the strength means; see the corruption's title. */
  value: number;
  /** Top-1, [0, 1]. */
  accuracy: number;
  /** 95% bounds by a bootstrap that draws copies of a picture as one; Wilson's for an accuracy of 0 or 1. */
  interval: Interval;
  macroF1: number;
}

/** What `npx ferkit robustness --json` prints. */
export interface RobustnessReport {
  numImages: number;
  /** Groups of images that tell no more than one, such as copies of a picture; as many as images if there are none. */
  numGroups: number;
  seed: number;
  /** Scores of the images as they are. */
  clean: Pick<CorruptedScores, "accuracy" | "interval" | "macroF1">;
  corrupted: CorruptedScores[];
  /** Mean accuracy over the strengths of each corruption, and over all. */
  meanAccuracy: Record<CorruptionName, number> & { all: number };
}

export interface RobustnessOptions {
  /** Number of images to draw; by default all. */
  numImages?: number;
  /** Determines the drawn images, the noise, the sides that images turn to, and the intervals. */
  seed: number;
  /** A column or a regular expression, as `loadDataset` takes it: images of a group tell no more than one. */
  group?: string;
  onProgress?: OnProgress;
  /** Stops after the current batch with the signal's error. */
  signal?: AbortSignal;
}

/** Scores a network on labelled images under each corruption at five strengths, one after the other. */
export async function robustness(
  network: Network,
  images: PackedImages,
  { numImages = images.numImages, seed, group, onProgress, signal }: RobustnessOptions,
): Promise<RobustnessReport> {
  checkNumber("--images", numImages, { min: 1, integer: true });
  const order = new Random(seed, "robustness").permutation(images.numImages).slice(0, numImages).sort();
  const drawn = numImages < images.numImages ? selectImages(images, order) : images;
  const { groups } = await groupImages(drawn, group, onProgress);
  const scoresOf = ({ accuracy, macroF1, predicted }: Evaluation) => {
    const numClasses = network.config.classNames.length;
    return {
      accuracy,
      interval: bootstrapIntervals(drawn.labels, predicted, numClasses, seed, groups).accuracy,
      macroF1,
    };
  };
  const clean = scoresOf(await evaluate(network, drawn, { signal }));
  const corrupted: CorruptedScores[] = [];
  const total = CORRUPTION_NAMES.reduce((sum, name) => sum + CORRUPTIONS[name].values.length, 0);
  for (const corruption of CORRUPTION_NAMES)
    for (const [i, value] of CORRUPTIONS[corruption].values.entries()) {
      const done = corrupted.length * drawn.numImages;
      onProgress?.({ stage: "classify", done, total: total * drawn.numImages, unit: "images" });
      const pixels = new CorruptedPixels(drawn, corruption, i, seed);
      const scores = scoresOf(await evaluate(network, { ...drawn, pixels }, { signal }));
      corrupted.push({ corruption, strength: i + 1, value, ...scores });
    }
  const meanOf = (some: CorruptedScores[]) =>
    some.reduce((sum, { accuracy }) => sum + accuracy, 0) / some.length;
  const perCorruption = CORRUPTION_NAMES.map((name) => [
    name,
    meanOf(corrupted.filter(({ corruption }) => corruption === name)),
  ]);
  const meanAccuracy = { ...Object.fromEntries(perCorruption), all: meanOf(corrupted) };
  return { numImages: drawn.numImages, numGroups: countGroups(groups), seed, clean, corrupted, meanAccuracy };
}

/** Images that are corrupted when they are read, each by its own random numbers. */
export class CorruptedPixels implements Pixels {
  /** @param strength - Index of the corruption's value. */
  constructor(
    private readonly images: PackedImages,
    private readonly name: CorruptionName,
    private readonly strength: number,
    private readonly seed: number,
  ) {}

  async read(indices: Int32Array): Promise<Uint8Array> {
    const { imageSize: side, numChannels, pixels } = this.images;
    const bytes = await pixels.read(indices);
    const length = side * side * numChannels;
    const corruption: Corruption = CORRUPTIONS[this.name];
    const value = corruption.values[this.strength];
    const parts = Array.from(indices, async (index, i) => {
      const own = bytes.subarray(i * length, (i + 1) * length);
      const random = new Random(this.seed, this.name, this.strength, index);
      own.set(await corruption.apply({ pixels: own, side, numChannels }, value, random));
    });
    await Promise.all(parts);
    return bytes;
  }
}

type Sharp = ReturnType<Awaited<ReturnType<typeof loadSharp>>>;

async function open({ pixels, side, numChannels }: Square): Promise<Sharp> {
  const sharp = await loadSharp();
  return sharp(pixels, { raw: { width: side, height: side, channels: numChannels } });
}

/** Without it, sharp returns three channels for one. */
function colourspaceOf({ numChannels }: Pick<Square, "numChannels">): "b-w" | "srgb" {
  return numChannels === 1 ? "b-w" : "srgb";
}

async function processed(image: Square, process: (sharp: Sharp) => Sharp): Promise<Uint8Array> {
  return process(await open(image))
    .toColourspace(colourspaceOf(image))
    .raw()
    .toBuffer();
}

/** Changes each level of an image, rounded and kept within 0–255. */
function changed(pixels: Uint8Array, change: (level: number) => number): Uint8Array {
  return Uint8Array.from(pixels, (level) => Math.min(255, Math.max(0, Math.round(change(level)))));
}

/** Covers the rows between two shares of the height. */
function covered({ pixels, side, numChannels }: Square, from: number, to: number, level: number): Uint8Array {
  const rowLength = side * numChannels;
  const [first, end] = [from, to].map((share) => Math.round(share * side) * rowLength);
  return Uint8Array.from(pixels).fill(level, first, end);
}

/** Rotates an image clockwise about its centre, with its edge pixels repeated outside. */
async function rotated({ pixels, side, numChannels }: Square, degrees: number): Promise<Uint8Array> {
  const angle = (degrees * Math.PI) / 180;
  const [cos, sin, centre] = [Math.cos(angle), Math.sin(angle), (side - 1) / 2];
  // From a pixel of the result to its source: back by the angle, about the centre.
  const transform = [cos, sin, centre * (1 - cos - sin), -sin, cos, centre * (1 - cos + sin)];
  const changes: ImageChanges = { transforms: [transform], border: "edge", light: null, erased: null };
  const images = tf.tensor4d(pixels, [1, side, side, numChannels], "float32");
  const result = backend().augment(images, [side, side], changes);
  try {
    return Uint8Array.from(await result.data(), Math.round);
  } finally {
    tf.dispose([images, result]);
  }
}
