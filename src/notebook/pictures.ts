// Images as the charts take them.

import { toPngDataUrl } from "../charts/image.js";
import type { AugmentedRow, GridImage } from "../charts/image-grid.js";
import type { PredictedImage } from "../charts/prediction-charts.js";
import type { AugmentOptions } from "../data/augment.js";
import { faceSvg } from "../data/face.js";
import type { Dataset, PackedImages } from "../data/packed.js";
import { augmentPreview } from "../data/preview.js";
import { type ImagePrediction, rank } from "../inference/classifier.js";
import type { Evaluation } from "../inference/evaluate.js";
import { Random } from "../random.js";

/** Some images of each class, at random, class after class. */
export async function samplePictures(
  images: PackedImages,
  { classNames, perClass, seed }: { classNames: string[]; perClass: number; seed: number },
): Promise<GridImage[]> {
  const places = classNames.flatMap((className, label) => {
    const ofClass = placesOf(images, (i) => images.labels[i] === label);
    return pickSome(ofClass, perClass, new Random(seed, "samples", className));
  });
  return Promise.all(
    places.map(async (place) => ({
      image: await picture(images, place),
      caption: classNames[images.labels[place]],
    })),
  );
}

/** One image of each of the first classes that have training images, as it is and augmented. */
export async function augmentedPictures(
  { train, classNames }: Dataset,
  {
    augment,
    numVersions,
    numRows,
    seed,
  }: { augment: AugmentOptions; numVersions: number; numRows: number; seed: number },
): Promise<AugmentedRow[]> {
  const random = new Random(seed, "augmented");
  const ofClasses = classNames.map((_, label) => placesOf(train, (i) => train.labels[i] === label));
  const places = ofClasses
    .filter((ofClass) => ofClass.length > 0)
    .slice(0, numRows)
    .map((ofClass) => random.pick(ofClass));
  const versions = await augmentPreview(train, places, numVersions, augment, seed);
  return Promise.all(
    versions.map(async (pixels, row) => {
      const size = train.imageSize;
      const [original, ...augmented] = await Promise.all(
        pixels.map((one) => toPngDataUrl(one, size, size, 3)),
      );
      return { original, augmented, caption: classNames[train.labels[places[row]]] };
    }),
  );
}

/** Which images of an evaluation to show: some at random, or the mistakes that the network was surest of. */
export type PredictionChoice =
  | { numImages: number; seed: number }
  | { numImages: number; surestMistakes: true };

/** Images of an evaluation with what the network said of them and what they are. */
export async function predictedPictures(
  images: PackedImages,
  { predicted, probs }: Evaluation,
  classNames: string[],
  choice: PredictionChoice,
): Promise<PredictedImage[]> {
  const numClasses = classNames.length;
  const probsOf = (place: number) => probs.subarray(place * numClasses, (place + 1) * numClasses);
  const all = placesOf(images, () => true);
  const sureness = (place: number) => probsOf(place)[predicted[place]];
  const places =
    "seed" in choice
      ? pickSome(all, choice.numImages, new Random(choice.seed, "predictions"))
      : all
          .filter((place) => predicted[place] !== images.labels[place])
          .sort((a, b) => sureness(b) - sureness(a))
          .slice(0, choice.numImages);
  return Promise.all(
    places.map(async (place) => ({
      image: await picture(images, place),
      predictions: rank(probsOf(place), classNames),
      name: images.paths[place],
      trueClassName: classNames[images.labels[place]],
    })),
  );
}

/** Classified images as the chart of predictions takes them. */
export async function classifiedPictures(images: ImagePrediction[]): Promise<PredictedImage[]> {
  return Promise.all(
    images.map(async ({ name, predictions, pixels }) => {
      const side = Math.sqrt(pixels.length / 3);
      return { name, predictions, image: await toPngDataUrl(pixels, side, side, 3) };
    }),
  );
}

/** Drawn faces, some of each expression. */
export function facePictures(
  expressions: readonly string[],
  { perExpression, seed }: { perExpression: number; seed: number },
): GridImage[] {
  return expressions.flatMap((expression) =>
    Array.from({ length: perExpression }, (_, i) => {
      const svg = faceSvg(expression, new Random(seed, "faces", expression, i), 96);
      return {
        image: `data:image/svg+xml;base64,${Buffer.from(svg).toString("base64")}`,
        caption: expression,
      };
    }),
  );
}

async function picture({ pixels, imageSize, numChannels }: PackedImages, place: number): Promise<string> {
  return toPngDataUrl(await pixels.read(Int32Array.of(place)), imageSize, imageSize, numChannels);
}

function placesOf({ numImages }: PackedImages, isWanted: (place: number) => boolean): number[] {
  return Array.from({ length: numImages }, (_, i) => i).filter(isWanted);
}

function pickSome(places: number[], count: number, random: Random): number[] {
  return [...random.permutation(places.length)].slice(0, count).map((i) => places[i]);
}
