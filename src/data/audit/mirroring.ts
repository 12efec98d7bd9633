// Whether mirroring makes two classes one: each looks like the other's mirror image.
import { Random } from "../../random.js";
import { counted, percent } from "../../text.js";
import type { Dataset, PackedImages } from "../dataset.js";
import type { NearDuplicatePair } from "./near-duplicates.js";
import { type Conclusion, imageAt, pathsOf } from "./report.js";
import { averagePooling, mirror, THUMBNAIL_SIZE } from "./thumbnails.js";

const NO_MIRRORING = "Train with --set horizontalFlip=0, and evaluate without --flip.";
/** Images of each class that show whether mirroring confuses it; half of them make the class's mean. */
const NUM_MIRRORED = 200;
const MIN_MIRRORED = 4;
/** Share of a class that must look like it, and of its mirror images that must look like the other class. */
const MIN_LIKENESS = 0.75;

/** Concludes from pairs of mirror images with two labels or, without such pairs, from what the images of each class look like. */
export async function mirrorConclusions(
  dataset: Dataset,
  pairs: readonly NearDuplicatePair[] = [],
): Promise<Conclusion[]> {
  const { classNames } = dataset;
  const mirrored = pairs
    .filter(({ isMirrored }) => isMirrored)
    .map(({ indices }) => indices.map((index) => imageAt(dataset, index)));
  const conflicts = mirrored.filter(([one, other]) => one.label !== other.label);
  if (conflicts.length >= 2 && 2 * conflicts.length >= mirrored.length) {
    const [images] = conflicts;
    const shown = images.map(({ path, label }) => `${path} is ${classNames[label]}`);
    const text =
      `${conflicts.length} of ${counted(mirrored.length, "pair")} of mirror images have two labels (${shown.join(", ")}): ` +
      `mirroring mixes up these classes. ${NO_MIRRORING}`;
    return [{ about: "mirroring", text, examples: pathsOf(images) }];
  }
  return (await mirroredClasses(dataset)).map(({ a, b, share, examples }) => {
    const text =
      `${percent(share, 0)} of the mirror images of ${classNames[a]} look like ${classNames[b]}, and the reverse: mirroring mixes up ` +
      `these classes. ${NO_MIRRORING}`;
    return { about: "mirroring", text, examples };
  });
}

/** Two classes of which each looks like the other's mirror image. */
interface MirroredClasses {
  a: number;
  b: number;
  /** Share of their mirror images that look like the other class. */
  share: number;
  examples: string[];
}

/** Compares images and their mirror images with the mean of each class, made of other images. */
async function mirroredClasses({ train, classNames }: Dataset): Promise<MirroredClasses[]> {
  const { numChannels } = train;
  const samples = await Promise.all(classNames.map((_, label) => thumbnailsOf(train, label)));
  const halves = samples.map(({ thumbnails }) => Math.floor(thumbnails.length / 2));
  const means = samples.map(({ thumbnails }, label) =>
    meanOf(thumbnails.slice(0, halves[label]), numChannels),
  );
  const nearest = (thumbnail: Float32Array) => {
    const scores = means.map((mean) => (mean ? dot(mean, thumbnail) : Number.NEGATIVE_INFINITY));
    return scores.indexOf(Math.max(...scores));
  };
  /** Shares of a class's images, and of their mirror images, that look like each class. */
  const shares = samples.map(({ thumbnails }, label) => {
    const tested = thumbnails.slice(halves[label]);
    const shareOf = (some: Float32Array[]) => {
      const found = some.map(nearest);
      return classNames.map(
        (_, other) => found.filter((one) => one === other).length / Math.max(1, found.length),
      );
    };
    return {
      own: shareOf(tested),
      mirrored: shareOf(tested.map((one) => mirror(one, THUMBNAIL_SIZE, numChannels))),
    };
  });
  const isLike = (label: number, other: number) =>
    shares[label].own[label] >= MIN_LIKENESS && shares[label].mirrored[other] >= MIN_LIKENESS;
  return classNames.flatMap((_, a) =>
    classNames.flatMap((_, b): MirroredClasses[] => {
      if (b <= a || Math.min(halves[a], halves[b]) < MIN_MIRRORED || !isLike(a, b) || !isLike(b, a))
        return [];
      const share = Math.min(shares[a].mirrored[b], shares[b].mirrored[a]);
      return [{ a, b, share, examples: [samples[a].paths[halves[a]], samples[b].paths[halves[b]]] }];
    }),
  );
}

/** Reads some images of a class as thumbnails of mean 0 and length 1. */
async function thumbnailsOf(
  { pixels, labels, imageSize, numChannels, paths }: PackedImages,
  label: number,
): Promise<{ thumbnails: Float32Array[]; paths: string[] }> {
  const own = [...labels.keys()].filter((index) => labels[index] === label);
  const order = new Random(0, "mirrored classes", label).permutation(own.length).subarray(0, NUM_MIRRORED);
  const indices = Int32Array.from(order, (i) => own[i]);
  const bytes = await pixels.read(indices);
  const gridOf = averagePooling(imageSize, numChannels, THUMBNAIL_SIZE);
  const length = imageSize ** 2 * numChannels;
  const thumbnails = [...indices.keys()].map((i) =>
    normalized(gridOf(bytes.subarray(i * length, (i + 1) * length))),
  );
  return { thumbnails, paths: [...indices].map((index) => paths[index]) };
}

function normalized(values: Float32Array): Float32Array {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const centered = values.map((value) => value - mean);
  const length = Math.sqrt(dot(centered, centered));
  return length > 0 ? centered.map((value) => value / length) : centered;
}

function meanOf(thumbnails: Float32Array[], numChannels: number): Float32Array | null {
  if (thumbnails.length < MIN_MIRRORED) return null;
  const sum = new Float32Array(THUMBNAIL_SIZE ** 2 * numChannels);
  for (const thumbnail of thumbnails)
    thumbnail.forEach((value, i) => {
      sum[i] += value;
    });
  return normalized(sum);
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
