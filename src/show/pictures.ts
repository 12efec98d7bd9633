// Charts of images: each function reads pixels and returns a chart.

import path from "node:path";
import { faceSvg } from "../cartoons/face.js";
import { type FacesPicture, facesCharts } from "../charts/faces.js";
import {
  augmentedGridChart,
  type PicturePair,
  pairsChart,
  type SampleGridOptions,
  sampleGridCharts,
} from "../charts/image-grid.js";
import {
  type PredictedImage,
  type PredictionChartOptions,
  predictionCharts,
  type SaliencyMap,
} from "../charts/predictions.js";
import type { ChartSpec } from "../charts/theme.js";
import type { NearDuplicatePair, NearDuplicates } from "../data/audit/near-duplicates.js";
import { choosePairs, imageAt, PAIR_KINDS, type PairKind } from "../data/audit/report.js";
import { type AugmentOptions, augmentPreview } from "../data/augment.js";
import { checkDataset, checkImages, type Dataset, type PackedImages } from "../data/dataset.js";
import { loadSharp } from "../data/pixels/decode.js";
import { repeatChannel } from "../data/pixels/pixels.js";
import { checkKind, checkList, ParameterError } from "../errors.js";
import type { PhotoPrediction } from "../faces/predict.js";
import { type ImagePrediction, rank } from "../inference/classifier.js";
import type { Evaluation } from "../inference/evaluate.js";
import type { SaliencyMethod } from "../inference/saliency.js";
import type { Network } from "../model/network.js";
import { printedPixels } from "../printed.js";
import { Random } from "../random.js";
import { percent } from "../text.js";
import { jpegDataUrl, pictureOf, pngDataUrl, saliencyDataUrl } from "./data-url.js";

/**
 * Draws cartoon faces, some of each expression.
 *
 * @param expressions - Some of `EXPRESSIONS`.
 * @param options - Faces of each expression, the seed that determines them, and the chart's titles and size.
 * @throws ParameterError for another expression.
 * @example
 * ```ts
 * import { drawnFacesChart, saveChart } from "ferkit";
 *
 * await saveChart(await drawnFacesChart(["happy", "sad"], { perExpression: 6, seed: 0 }), "faces.png");
 * ```
 */
export async function drawnFacesChart(
  expressions: readonly string[],
  { perExpression, seed, ...options }: { perExpression: number; seed: number } & SampleGridOptions,
): Promise<ChartSpec[]> {
  const faces = expressions.flatMap((expression) =>
    Array.from({ length: perExpression }, async (_, i) => {
      const svg = faceSvg(expression, new Random(seed, "faces", expression, i), 192);
      const sharp = await loadSharp();
      const png = await sharp(Buffer.from(svg)).png().toBuffer();
      return { image: `data:image/png;base64,${png.toString("base64")}`, caption: expression };
    }),
  );
  return sampleGridCharts(await Promise.all(faces), { numColumns: perExpression, ...options });
}

const PREDICTIONS = "a list of predictions, as classifier.predict returns them";

/**
 * Draws some images of each class, chosen at random, class by class.
 *
 * @param options - Names of the classes, images of each, the seed that chooses them, and the chart's titles and size.
 * @returns A chart per page.
 * @example
 * ```ts
 * import { loadDataset, samplesChart, saveChart } from "ferkit";
 *
 * const { train, classNames } = await loadDataset({ data: "data/pets", imageSize: 48 });
 * await saveChart(await samplesChart(train, { classNames, perClass: 6, seed: 0 }), "samples.png");
 * ```
 */
export async function samplesChart(
  images: PackedImages,
  options: { classNames: string[]; perClass: number; seed: number } & SampleGridOptions,
): Promise<ChartSpec[]> {
  checkKind("options", "{ classNames, perClass, seed }", options, ["classNames", "perClass", "seed"]);
  const { classNames, perClass, seed, ...grid } = options;
  checkImages("images", images);
  const indices = classNames.flatMap((className, label) =>
    pickSome(indicesOf(images, label), perClass, new Random(seed, "samples", className)),
  );
  const pictures = indices.map(async (index) => ({
    image: await pictureOf(images, index),
    caption: classNames[images.labels[index]],
  }));
  return sampleGridCharts(await Promise.all(pictures), { numColumns: perClass, ...grid });
}

/**
 * Draws one training image of each class, up to `numRows` classes, beside augmented versions of it.
 *
 * @param dataset - The images are from `train`.
 * @param options - Augmentation, its seed, versions of each image, rows, and the chart's titles and size.
 * @example
 * ```ts
 * import { augmentedChart, loadDataset, saveChart, trainConfig } from "ferkit";
 *
 * const { augment } = trainConfig("fer2013");
 * const dataset = await loadDataset({ data: "data/pets", imageSize: 48 });
 * const chart = await augmentedChart(dataset, { augment, numVersions: 5, numRows: 4, seed: 0 });
 * await saveChart(chart, "augmented.png");
 * ```
 */
export async function augmentedChart(
  dataset: Dataset,
  options: {
    augment: AugmentOptions;
    numVersions: number;
    numRows: number;
    seed: number;
  } & SampleGridOptions,
): Promise<ChartSpec> {
  checkDataset(dataset);
  const names = ["augment", "numVersions", "numRows", "seed"];
  checkKind("options", `{ ${names.join(", ")} }`, options, names);
  const { train, classNames } = dataset;
  const { augment, numVersions, numRows, seed, ...grid } = options;
  const random = new Random(seed, "augmented");
  const indices = classNames
    .map((_, label) => indicesOf(train, label))
    .filter((ofClass) => ofClass.length > 0)
    .slice(0, numRows)
    .map((ofClass) => random.pick(ofClass));
  const versions = await augmentPreview(train, indices, numVersions, augment, seed);
  const rows = versions.map(async (pixels, row) => {
    const { imageSize } = train;
    const [original, ...augmented] = await Promise.all(
      pixels.map((one) => pngDataUrl(one, imageSize, imageSize, 3)),
    );
    return { original, augmented, caption: classNames[train.labels[indices[row]]] };
  });
  return augmentedGridChart(await Promise.all(rows), grid);
}

const PAIR_HEADINGS: Record<PairKind, string> = {
  leaked: "One in train, one in validation",
  conflicts: "Different labels",
  mirrored: "Mirrored",
  others: "In the same split, with the same label",
};

/**
 * Draws up to `numEach` pairs of near-duplicates of each kind, side by side.
 *
 * @param found - What `findNearDuplicates` found in train, then validation.
 * @param options - Pairs of each kind, and the chart's titles.
 * @example
 * ```ts
 * import { findNearDuplicates, loadDataset, nearDuplicatesChart, saveChart } from "ferkit";
 *
 * const dataset = await loadDataset({ data: "data/pets", imageSize: 48 });
 * const found = await findNearDuplicates([dataset.train, dataset.validation]);
 * await saveChart(await nearDuplicatesChart(dataset, found, { numEach: 4 }), "near-duplicates.png");
 * ```
 */
export async function nearDuplicatesChart(
  dataset: Dataset,
  found: NearDuplicates,
  options: { numEach: number; title?: string; subtitle?: string },
): Promise<ChartSpec> {
  checkDataset(dataset);
  checkKind("found", "near-duplicates, as findNearDuplicates returns them", found, ["groups", "pairs"]);
  checkKind("options", "{ numEach }", options, ["numEach"]);
  const { numEach, title = "Near-duplicates", subtitle } = options;
  const pairs = choosePairs(dataset, found, numEach);
  const groups = PAIR_KINDS.map(async (kind) => ({
    heading: PAIR_HEADINGS[kind],
    pairs: await Promise.all(pairs[kind].map((pair) => pairPicture(dataset, pair))),
  }));
  return pairsChart(await Promise.all(groups), title, subtitle);
}

async function pairPicture(dataset: Dataset, { indices }: NearDuplicatePair): Promise<PicturePair> {
  const [a, b] = indices.map((index) => imageAt(dataset, index));
  return {
    images: [await pictureOf(a.images, a.index), await pictureOf(b.images, b.index)],
    captions: [dataset.classNames[a.label], dataset.classNames[b.label]],
    detail: [a, b].map((image) => path.basename(image.path)).join(", "),
  };
}

/** Which images of an evaluation to take: some at random, or the first in an order such as `topLosses` or `labelIssues`. */
export type ImageChoice =
  | { numImages: number; seed: number }
  | { numImages: number; order: (evaluation: Evaluation, labels: Int32Array) => number[] };

/**
 * Returns images of an evaluation, with their predictions and true classes, to draw.
 *
 * @param evaluation - From `evaluate`, for the same images.
 * @param choice - Which images: `numImages` at random by `seed`, or the first ones of an `order` such as `topLosses`.
 * @example
 * ```ts
 * import { evaluate, evaluatedImages, loadEvaluationData, loadModel, topLosses } from "ferkit";
 *
 * const network = await loadModel("runs/pets/best");
 * const { dataset } = await loadEvaluationData("runs/pets/best", { data: "data/pets" });
 * const { validation, classNames } = dataset;
 * const evaluation = await evaluate(network, validation);
 * const choice = { numImages: 10, order: topLosses };
 * const errors = await evaluatedImages(validation, evaluation, classNames, choice);
 * for (const { name, trueClassName, predictions } of errors) console.log(name, trueClassName, predictions[0]);
 * network.dispose();
 * ```
 */
export async function evaluatedImages(
  images: PackedImages,
  evaluation: Evaluation,
  classNames: string[],
  choice: ImageChoice,
): Promise<ImagePrediction[]> {
  checkImages("images", images);
  checkKind("evaluation", "what evaluate returns", evaluation, ["predicted", "probs"]);
  checkList("classNames", "a list of names of classes", classNames);
  checkKind("choice", "{ numImages } with a seed or an order", choice, ["numImages"]);
  const numClasses = classNames.length;
  const indices =
    "seed" in choice
      ? pickSome([...images.labels.keys()], choice.numImages, new Random(choice.seed, "predictions"))
      : choice.order(evaluation, images.labels).slice(0, choice.numImages);
  return Promise.all(
    indices.map(async (index) => {
      const pixels = await images.pixels.read(Int32Array.of(index));
      const probs = evaluation.probs.subarray(index * numClasses, (index + 1) * numClasses);
      return {
        name: images.paths[index],
        predictions: rank(probs, classNames),
        pixels: printedPixels(images.numChannels === 1 ? repeatChannel(pixels) : pixels),
        trueClassName: classNames[images.labels[index]],
      };
    }),
  );
}

/**
 * Draws classified images in rows, with the predicted class and the label under each.
 *
 * @param images - From `evaluatedImages` or a classifier.
 * @returns A chart per page.
 * @example
 * ```ts
 * import { galleryChart, loadClassifier, saveChart } from "ferkit";
 *
 * const classifier = await loadClassifier("runs/pets/best");
 * const images = await classifier.predict("data/pets/cat");
 * await saveChart(await galleryChart(images, { title: "Cats", numColumns: 5 }), "cats.png");
 * classifier.dispose();
 * ```
 */
export async function galleryChart(
  images: ImagePrediction[],
  options: SampleGridOptions = {},
): Promise<ChartSpec[]> {
  checkList("images", PREDICTIONS, images, ["predictions"]);
  const pictures = await Promise.all(images.map(predictedImage));
  return sampleGridCharts(
    pictures.map(({ image, predictions: [{ className, prob }], trueClassName }) => ({
      image,
      caption: `${className} ${percent(prob)}`,
      ...(trueClassName !== undefined && { detail: `labelled ${trueClassName}` }),
    })),
    options,
  );
}

/** Saliency maps to draw. */
export interface SaliencyOptions {
  /** Network whose predictions are explained. */
  network: Network;
  /** Methods by the names to show, such as `{ "Grad-CAM": gradCam }`. */
  methods: Record<string, SaliencyMethod>;
}

/**
 * Draws classified images with the probabilities of their classes.
 *
 * @param images - From a classifier or `evaluatedImages`.
 * @param options - `saliency` adds saliency maps of the predicted class, and of the true class if it is another one.
 * @returns A chart per page.
 * @example
 * ```ts
 * import { loadClassifier, occlusionMap, predictionsChart, saveChart } from "ferkit";
 *
 * const classifier = await loadClassifier("runs/pets/best");
 * const images = await classifier.predict("data/pets/cat/1.png");
 * const saliency = { network: classifier.network, methods: { Occlusion: occlusionMap } };
 * await saveChart(await predictionsChart(images, { title: "A cat?", saliency }), "prediction.png");
 * classifier.dispose();
 * ```
 */
export async function predictionsChart(
  images: ImagePrediction[],
  { saliency, ...options }: PredictionChartOptions & { saliency?: SaliencyOptions } = {},
): Promise<ChartSpec[]> {
  checkList("images", PREDICTIONS, images, ["predictions"]);
  return predictionCharts(await predictedImages(images, saliency), options);
}

/**
 * Draws photographs with numbered boxes around the faces, and the probabilities of each face.
 *
 * @param photos - From `predictFaces`; each is drawn before the next one is classified.
 * @param options - `saliency` adds saliency maps of the predicted class of each face.
 * @returns A chart per page.
 * @example
 * ```ts
 * import { loadClassifier, photosChart, predictFaces, saveChart } from "ferkit";
 *
 * const classifier = await loadClassifier();
 * await saveChart(await photosChart(predictFaces(classifier, "photo.jpg")), "faces.png");
 * classifier.dispose();
 * ```
 */
export async function photosChart(
  photos: AsyncIterable<PhotoPrediction> | Iterable<PhotoPrediction>,
  { saliency, title }: { saliency?: SaliencyOptions; title?: string } = {},
): Promise<ChartSpec[]> {
  const pictures: FacesPicture[] = [];
  if (typeof photos === "string") throw new ParameterError("photos", "what predictFaces yields", photos);
  checkKind("photos", "what predictFaces yields", photos, []);
  for await (const photo of photos) pictures.push(await facesPicture(photo, saliency));
  return facesCharts(pictures, { title });
}

/** Turns a photograph into a picture for `facesChart`, without its pixels. */
export async function facesPicture(
  { name, photo, faces, whole, isFace }: PhotoPrediction,
  saliency?: SaliencyOptions,
): Promise<FacesPicture> {
  const crops = await predictedImages(faces, saliency);
  return {
    image: await jpegDataUrl(photo),
    name,
    width: photo.width,
    height: photo.height,
    isFace,
    faces: crops.map((picture, i) => ({ ...picture, box: faces[i].box })),
    ...(whole && { whole: (await predictedImages([whole], saliency))[0] }),
  };
}

/** Turns classified images into pictures for charts. */
async function predictedImages(
  images: ImagePrediction[],
  saliency?: SaliencyOptions,
): Promise<PredictedImage[]> {
  const pictures = await Promise.all(images.map(predictedImage));
  if (!saliency) return pictures;
  for (const [i, picture] of pictures.entries()) {
    picture.saliencyMaps = await saliencyMaps(images[i], saliency);
    picture.name = path.basename(images[i].name); // the column of a picture is narrow
  }
  return pictures;
}

async function predictedImage({
  name,
  predictions,
  pixels,
  trueClassName,
}: ImagePrediction): Promise<PredictedImage> {
  const side = Math.sqrt(pixels.length / 3);
  return { name, predictions, trueClassName, image: await pngDataUrl(pixels, side, side, 3) };
}

async function saliencyMaps(
  { pixels, predictions, trueClassName }: ImagePrediction,
  { network, methods }: SaliencyOptions,
): Promise<SaliencyMap[]> {
  const predicted = predictions[0].className;
  const maps: SaliencyMap[] = [];
  for (const className of new Set([predicted, trueClassName ?? predicted]))
    for (const [name, method] of Object.entries(methods)) {
      const map = await method(network, pixels, className);
      const image = await saliencyDataUrl(pixels, map, network.config.imageSize);
      maps.push({ image, caption: `${name}: ${className}` });
    }
  return maps;
}

function indicesOf({ labels }: PackedImages, label: number): number[] {
  return [...labels.keys()].filter((index) => labels[index] === label);
}

function pickSome(indices: number[], count: number, random: Random): number[] {
  return [...random.permutation(indices.length)].slice(0, count).map((i) => indices[i]);
}
