import { decodeWhole, type WholeImage } from "../data/pixels/decode.js";
import {
  type Classifier,
  type ImageInput,
  type ImagePrediction,
  listImages,
  type NamedImage,
} from "../inference/classifier.js";
import { cropFace } from "./crop.js";
import { type Face, FaceDetector } from "./detect.js";

/** A face, and what a network predicts for it. */
export interface FacePrediction extends Face, ImagePrediction {}

/** A photograph, and what a network predicts for each face in it. */
export interface PhotoPrediction {
  /** The path; for bytes `buffer N`, with the position among all inputs. */
  name: string;
  photo: WholeImage;
  /** Sorted from left to right. */
  faces: FacePrediction[];
  /** The prediction for the whole image, if no face was found in it. */
  whole?: ImagePrediction;
}

/**
 * Finds the faces in photographs and classifies each, cut out of the full resolution with level eyes. An image without a detected
 * face, such as one that is already cut to a face, is classified as a whole.
 *
 * @returns A photograph after the other, as soon as it is classified. It holds its pixels, so keep few of them.
 * @throws InputError when an image cannot be read, or a folder holds none.
 */
export async function* predictFaces(
  classifier: Classifier,
  inputs: ImageInput | ImageInput[],
): AsyncGenerator<PhotoPrediction, void, undefined> {
  const photos = await listImages(inputs);
  if (photos.length === 0) return;
  const detector = await FaceDetector.load();
  try {
    for (const photo of photos) yield await predictPhoto(classifier, detector, photo);
  } finally {
    detector.dispose();
  }
}

async function predictPhoto(
  classifier: Classifier,
  detector: FaceDetector,
  { source, name }: NamedImage,
): Promise<PhotoPrediction> {
  const photo = await decodeWhole(source, name);
  const faces = await detector.detect(photo);
  if (faces.length === 0) {
    const [whole] = await classifier.predict(source);
    return { name, photo, faces: [], whole: { ...whole, name } };
  }
  const { imageSize } = classifier.config;
  const crops = await Promise.all(
    faces.map(async (face) => ({ name, pixels: await cropFace(photo, face, imageSize) })),
  );
  const predicted = await classifier.predictPixels(crops);
  return { name, photo, faces: faces.map((face, i) => ({ ...face, ...predicted[i] })) };
}
