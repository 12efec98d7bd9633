import { decodeWhole, fitWhole, type WholeImage } from "../data/pixels/decode.js";
import { checkKind, checkNames } from "../errors.js";
import {
  type Classifier,
  type ImageInput,
  type ImagePrediction,
  listInputs,
  type OnInputError,
  reportInput,
  rethrow,
} from "../inference/classifier.js";
import type { ModelConfig } from "../model/network.js";
import { DEFAULT_DECODING } from "../model/preprocessing.js";
import { printedPixels } from "../printed.js";
import { cropFace, faceSquare, shareOutside } from "./crop.js";
import { type Face, FaceDetector } from "./detect.js";

/** A face, and what a network predicts for it. */
export interface FacePrediction extends Face, ImagePrediction {
  /** Share of the square that was cut out that is beyond the photograph's border, where it is mirrored, [0, 1]. */
  outside: number;
}

/**
 * A photograph, and what a network predicts for each face in it.
 *
 * @example
 * ```ts
 * import { loadClassifier, type PhotoPrediction, predictFaces } from "ferkit";
 *
 * const expressions = ({ faces }: PhotoPrediction) => faces.map(({ predictions }) => predictions[0].className);
 *
 * const classifier = await loadClassifier();
 * for await (const photo of predictFaces(classifier, "photo.jpg")) console.log(photo.name, expressions(photo));
 * classifier.dispose();
 * ```
 */
export interface PhotoPrediction {
  /** The path; for bytes `buffer N`, with the position among all inputs. */
  name: string;
  /** The photograph's pixels. */
  photo: WholeImage;
  /** Sorted from left to right. */
  faces: FacePrediction[];
  /** The prediction for the whole image, if it has no faces, or is one. */
  whole?: ImagePrediction;
  /** Whether the whole image was taken for a face: it was not searched, or one face fills it. */
  isFace: boolean;
}

/** How faces are found, and what is done with photographs that cannot be read. */
export interface FaceOptions {
  /** Called with each photograph that cannot be read, in place of an exception. */
  onError?: OnInputError;
  /** Classify images that are cut to a face already as a whole; see `isFace`. Default false: every detected face is cut out. */
  keepCrops?: boolean;
}

/** Images whose longer side has no more pixels than this are taken for crops of faces. */
export const MAX_CROP_SIDE = 128;
/** A single face whose square is at least this share of the image's shorter side fills the image. */
const FILLED = 0.75;

/**
 * Finds the faces in photographs and classifies each, cut out of the full resolution with level eyes. An image without a
 * detected face is classified as a whole.
 *
 * @param classifier - For expressions, or for other questions about faces.
 * @param inputs - Paths of photographs or of folders of them, or the bytes of image files.
 * @param options - By default every detected face is cut out, and a photograph that cannot be read is an error.
 * @returns One photograph after the other, as soon as it is classified. It holds its pixels, so keep few of them.
 * @throws InputError when an image cannot be read, or a folder holds none, unless there is `onError`.
 * @example
 * ```ts
 * import { loadClassifier, predictFaces } from "ferkit";
 *
 * const classifier = await loadClassifier();
 * for await (const { name, faces } of predictFaces(classifier, "photo.jpg"))
 *   for (const { box, predictions } of faces) console.log(name, box, predictions[0]);
 * classifier.dispose();
 * ```
 */
export async function* predictFaces(
  classifier: Classifier,
  inputs: ImageInput | ImageInput[],
  options: FaceOptions = {},
): AsyncGenerator<PhotoPrediction, void, undefined> {
  checkKind("classifier", "a classifier, as loadClassifier returns it", classifier, ["predictPixels"]);
  checkNames<keyof FaceOptions>(options, { onError: true, keepCrops: true });
  const { onError = rethrow, keepCrops = false } = options;
  let detector: FaceDetector | undefined;
  try {
    for (const { source, name } of await listInputs(inputs, onError)) {
      const decoded = await decodeWhole(source, name, classifier.config.decoding).catch((error) => {
        reportInput(error, onError);
      });
      if (!decoded) continue;
      const photo = { ...decoded, pixels: printedPixels(decoded.pixels) };
      const isSmall = keepCrops && Math.max(photo.width, photo.height) <= MAX_CROP_SIDE;
      if (!isSmall) detector ??= await FaceDetector.load();
      const found = isSmall ? [] : await (detector as FaceDetector).detect(photo);
      const isFace = isSmall || (keepCrops && isFilled(found, photo));
      yield await classify(classifier, name, photo, isFace ? [] : found, isFace);
    }
  } finally {
    detector?.dispose();
  }
}

async function classify(
  classifier: Classifier,
  name: string,
  photo: WholeImage,
  faces: Face[],
  isFace: boolean,
): Promise<PhotoPrediction> {
  const { imageSize, decoding = DEFAULT_DECODING } = classifier.config;
  if (faces.length === 0) {
    const [whole] = await classifier.predictPixels([
      { name, pixels: fitWhole(photo, imageSize, decoding.fit) },
    ]);
    return { name, photo, faces: [], whole, isFace };
  }
  const crops = await Promise.all(
    faces.map(async (face) => ({ name, pixels: await cropFace(photo, face, imageSize) })),
  );
  const predicted = await classifier.predictPixels(crops);
  return {
    name,
    photo,
    faces: faces.map((face, i) => ({ ...face, outside: shareOutside(photo, face), ...predicted[i] })),
    isFace,
  };
}

function isFilled(faces: Face[], { width, height }: WholeImage): boolean {
  return faces.length === 1 && faceSquare(faces[0]).side >= FILLED * Math.min(width, height);
}

/** Names of facial expressions in FER-2013, FER+, RAF-DB, AffectNet, CK+, JAFFE and KDEF. */
const EXPRESSIONS = new Set(
  "anger angry contempt disgust disgusted fear fearful happiness happy neutral sad sadness surprise surprised".split(
    " ",
  ),
);

/** Returns whether a model predicts facial expressions, so that it knows only images of faces. */
export function predictsExpressions({ classNames }: Pick<ModelConfig, "classNames">): boolean {
  return classNames.every((name) => EXPRESSIONS.has(name.toLowerCase()));
}
