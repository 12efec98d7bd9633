// Images as the charts take them.

import path from "node:path";
import { faceSvg } from "../cartoons/face.js";
import { heatMapDataUrl } from "../charts/heat-map.js";
import { toPngDataUrl } from "../charts/image.js";
import type { AugmentedRow, GridImage } from "../charts/image-grid.js";
import { percent } from "../charts/percent.js";
import type { HeatMap, PredictedImage } from "../charts/prediction-charts.js";
import { type AugmentOptions, augmentPreview } from "../data/augment.js";
import type { Dataset, PackedImages } from "../data/dataset.js";
import { repeatChannel } from "../data/pixels/decode.js";
import { type ImagePrediction, rank } from "../inference/classifier.js";
import type { Evaluation } from "../inference/evaluate.js";
import type { SaliencyMethod } from "../inference/heat-map.js";
import type { Network } from "../model/network.js";
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

/** Which images of an evaluation to show: some at random, or the first of `topLosses` or `labelIssues`. */
export type PredictionChoice =
  | { numImages: number; seed: number }
  | { numImages: number; order: (evaluation: Evaluation, labels: Int32Array) => number[] };

/** An image with what a network said of it and, where that is known, what it is. */
export interface JudgedImage extends ImagePrediction {
  trueClassName?: string;
}

/** Images of an evaluation with what the network said of them and what they are. */
export async function judgedImages(
  images: PackedImages,
  evaluation: Evaluation,
  classNames: string[],
  choice: PredictionChoice,
): Promise<JudgedImage[]> {
  const numClasses = classNames.length;
  const places =
    "seed" in choice
      ? pickSome([...images.labels.keys()], choice.numImages, new Random(choice.seed, "predictions"))
      : choice.order(evaluation, images.labels).slice(0, choice.numImages);
  return Promise.all(
    places.map(async (place) => {
      const pixels = await images.pixels.read(Int32Array.of(place));
      const probs = evaluation.probs.subarray(place * numClasses, (place + 1) * numClasses);
      return {
        name: images.paths[place],
        predictions: rank(probs, classNames),
        pixels: images.numChannels === 1 ? repeatChannel(pixels) : pixels,
        trueClassName: classNames[images.labels[place]],
      };
    }),
  );
}

/** Classified images as the chart of predictions takes them. */
export async function classifiedPictures(images: JudgedImage[]): Promise<PredictedImage[]> {
  return Promise.all(
    images.map(async ({ name, predictions, pixels, trueClassName }) => {
      const side = Math.sqrt(pixels.length / 3);
      return { name, predictions, trueClassName, image: await toPngDataUrl(pixels, side, side, 3) };
    }),
  );
}

/** Images of an evaluation as the chart of predictions takes them. */
export async function predictedPictures(
  ...evaluated: Parameters<typeof judgedImages>
): Promise<PredictedImage[]> {
  return classifiedPictures(await judgedImages(...evaluated));
}

/** Classified images with what they are taken for under them: a gallery, as the chart of samples takes it. */
export async function galleryPictures(images: JudgedImage[]): Promise<GridImage[]> {
  const pictures = await classifiedPictures(images);
  return pictures.map(({ image, predictions: [{ className, prob }], trueClassName }) => ({
    image,
    caption: `${className} ${percent(prob)}`,
    ...(trueClassName !== undefined && { detail: `labelled ${trueClassName}` }),
  }));
}

/**
 * Classified images with heat maps, as the chart of predictions takes them: what speaks for the class that the network chose, and
 * for the true one, where it is another.
 *
 * @param methods - By name, for the captions: `{ "Grad-CAM": gradCam }`.
 */
export async function saliencyPictures(
  network: Network,
  images: JudgedImage[],
  methods: Record<string, SaliencyMethod>,
): Promise<PredictedImage[]> {
  const pictures = await classifiedPictures(images);
  for (const [i, { pixels, predictions, trueClassName }] of images.entries()) {
    const chosen = predictions[0].className;
    const heatMaps: HeatMap[] = [];
    for (const className of new Set([chosen, trueClassName ?? chosen]))
      for (const [method, heatMap] of Object.entries(methods)) {
        const heat = await heatMap(network, pixels, className);
        const image = await heatMapDataUrl(pixels, heat, network.config.imageSize);
        heatMaps.push({ image, caption: `${method}: ${className}` });
      }
    Object.assign(pictures[i], { name: path.basename(pictures[i].name as string), heatMaps });
  }
  return pictures;
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
