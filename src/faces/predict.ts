import { decodeWhole } from "../data/pixels/decode.js";
import {
  type Classifier,
  type ImageInput,
  type ImagePrediction,
  listImages,
  type NamedImage,
} from "../inference/classifier.js";
import { cropFace } from "./crop.js";
import { type Face, FaceDetector } from "./detector.js";

/** A face, and what a network says of it. */
export interface FacePrediction extends Face, Omit<ImagePrediction, "name"> {}

/** A photograph, and what a network says of each face in it. */
export interface PhotoPrediction extends NamedImage {
  /** In pixels, upright. */
  width: number;
  height: number;
  /** From left to right. */
  faces: FacePrediction[];
  /** What the network says of the image as a whole, where no face was found in it; else absent. */
  whole?: ImagePrediction;
}

/**
 * Finds the faces in photographs and classifies each: cut out of the full resolution, with level eyes. An image without a face
 * that is found, like one that is itself cut to a face, is classified as a whole.
 *
 * @throws InputError when an image cannot be read, or a folder holds none.
 */
export async function predictFaces(
  classifier: Classifier,
  inputs: ImageInput | ImageInput[],
): Promise<PhotoPrediction[]> {
  const photos = await listImages(inputs);
  const detector = await FaceDetector.load();
  try {
    const results: PhotoPrediction[] = [];
    for (const photo of photos) results.push(await predictPhoto(classifier, detector, photo));
    return results;
  } finally {
    detector.dispose();
  }
}

async function predictPhoto(
  classifier: Classifier,
  detector: FaceDetector,
  { source, name }: NamedImage,
): Promise<PhotoPrediction> {
  const image = await decodeWhole(source, name);
  const faces = await detector.detect(image);
  const { width, height } = image;
  if (faces.length === 0) {
    const [whole] = await classifier.predict(source);
    return { source, name, width, height, faces: [], whole: { ...whole, name } };
  }
  const crops = await Promise.all(faces.map((face) => cropFace(image, face)));
  const predicted = await classifier.predict(crops);
  return {
    source,
    name,
    width,
    height,
    faces: faces.map((face, i) => ({
      ...face,
      predictions: predicted[i].predictions,
      pixels: predicted[i].pixels,
    })),
  };
}
