// Photographs as the charts take them.
import type { FacesPicture } from "../charts/faces-chart.js";
import type { PredictedImage } from "../charts/prediction-charts.js";
import { loadSharp } from "../data/pixels/decode.js";
import type { PhotoPrediction } from "../faces/predict.js";
import { classifiedPictures, type JudgedImage } from "./pictures.js";

/** Longer side of a photograph in a chart, in pixels: about twice what the chart shows. */
const MAX_SIDE = 1600;

/**
 * Photographs, reduced, with their faces as the network saw them.
 *
 * @param toPictures - How classified faces become pictures: as they are, or with heat maps.
 */
export async function photoPictures(
  photos: PhotoPrediction[],
  toPictures: (faces: JudgedImage[]) => Promise<PredictedImage[]> = classifiedPictures,
): Promise<FacesPicture[]> {
  return Promise.all(photos.map((photo) => photoPicture(photo, toPictures)));
}

async function photoPicture(
  { source, name, width, height, faces, whole }: PhotoPrediction,
  toPictures: (faces: JudgedImage[]) => Promise<PredictedImage[]>,
): Promise<FacesPicture> {
  const sharp = await loadSharp();
  const reduced = await sharp(source)
    .autoOrient()
    .flatten({ background: "white" })
    .resize(MAX_SIDE, MAX_SIDE, { fit: "inside", withoutEnlargement: true })
    .toColourspace("srgb")
    .jpeg({ quality: 85 })
    .toBuffer();
  const seen = await toPictures(faces.map((face) => ({ ...face, name })));
  return {
    image: `data:image/jpeg;base64,${reduced.toString("base64")}`,
    name,
    width,
    height,
    faces: seen.map((picture, i) => ({ ...picture, box: faces[i].box })),
    ...(whole && { whole: (await toPictures([whole]))[0] }),
  };
}
