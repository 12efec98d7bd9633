import path from "node:path";
import type { FaceLandmark68Net, SsdMobilenetv1 } from "@vladmandic/face-api";
import { decodeWhole, loadSharp, type WholeImage } from "../data/pixels/decode.js";
import { tf } from "../engine/tf.js";
import type { ImageInput } from "../inference/classifier.js";
import { type Box, withoutRepeats } from "./box.js";
import { isCutOff, type TiledCopy, tiledCopies } from "./tiles.js";

/** A point in an image, in pixels from the top left. */
export interface Point {
  x: number;
  y: number;
}

/** A face in a photograph. */
export interface Face {
  /** From the eyebrows to the chin, in whole pixels of the upright photograph. */
  box: Box;
  /** How sure the detector is, [0, 1]. */
  score: number;
  /** Centres of the eyes: the photograph's left one first. */
  eyes: [Point, Point];
}

/**
 * Least score of a face. Of 34 faces in 13 photographs, 24 pixels high in 1,280, 82 % are found and 5 boxes hold none; at 0.4 it
 * is 88 % and 7. Of those 48 pixels high 97 % are found, either way.
 */
const MIN_SCORE = 0.5;
/** More than stand in any one tile. */
const MAX_FACES = 200;
/** Side of the square that the finder of eyes sees, in pixels. */
const LANDMARKS_SIDE = 112;

/**
 * Finds the faces of a photograph, from left to right: nearly all that are as high as 4 % of its longer side, most of those of
 * 2 %.
 *
 * @throws InputError when the photograph cannot be read.
 */
export async function detectFaces(photo: ImageInput): Promise<Face[]> {
  const image = await decodeWhole(photo);
  const detector = await FaceDetector.load();
  return detector.detect(image).finally(() => detector.dispose());
}

/**
 * face-api's detector, an SSD over MobileNet, and its 68 landmarks, which tell where the eyes are. Dispose it when done.
 *
 * @see Liu et al. 2016, https://arxiv.org/abs/1512.02325
 */
export class FaceDetector {
  private constructor(
    private readonly network: SsdMobilenetv1,
    private readonly landmarks: FaceLandmark68Net,
  ) {}

  /** Loads the weights that come with the package. */
  static async load(): Promise<FaceDetector> {
    const library = await import("@vladmandic/face-api");
    const weights = path.join(path.dirname(require.resolve("@vladmandic/face-api/package.json")), "model");
    const detector = new FaceDetector(new library.SsdMobilenetv1(), new library.FaceLandmark68Net());
    await detector.network.loadFromDisk(weights);
    await detector.landmarks.loadFromDisk(weights);
    return detector;
  }

  /** The faces of an image, from left to right. */
  async detect(image: WholeImage): Promise<Face[]> {
    const found: Omit<Face, "eyes">[] = [];
    for (const copy of tiledCopies(image.width, image.height))
      found.push(...(await this.detectIn(await resized(image, copy), copy, image.width / copy.width)));
    const faces: Face[] = [];
    for (const { box, score } of withoutRepeats(found)) {
      const whole = rounded(box, image);
      faces.push({ box: whole, score, eyes: await this.findEyes(image, whole) });
    }
    return faces.sort((a, b) => center(a.box) - center(b.box));
  }

  /** @param scale - Pixels of the photograph for a pixel of the copy. */
  private async detectIn(pixels: Buffer, copy: TiledCopy, scale: number): Promise<Omit<Face, "eyes">[]> {
    const options = { minConfidence: MIN_SCORE, maxResults: MAX_FACES };
    const found: Omit<Face, "eyes">[] = [];
    for (const tile of copy.tiles) {
      const images = pixelTensor(await cut({ pixels, ...copy }, tile), tile);
      const detections = await this.network.locateFaces(images, options).finally(() => images.dispose());
      for (const { box: within, score } of detections) {
        const box = { left: within.x, top: within.y, width: within.width, height: within.height };
        if (!isCutOff(box, tile, copy))
          found.push({
            box: scaled({ ...box, left: box.left + tile.left, top: box.top + tile.top }, scale),
            score,
          });
      }
    }
    return found;
  }

  private async findEyes(image: WholeImage, box: Box): Promise<[Point, Point]> {
    const scale = LANDMARKS_SIDE / Math.max(box.width, box.height);
    const [width, height] = [box.width, box.height].map((side) => Math.max(1, Math.round(side * scale)));
    const images = pixelTensor(await cut(image, box, { width, height }), { width, height });
    const found = await this.landmarks.detectLandmarks(images).finally(() => images.dispose());
    const landmarks = Array.isArray(found) ? found[0] : found;
    const inPhoto = (points: Point[]) => ({
      x: box.left + mean(points.map(({ x }) => x)) / scale,
      y: box.top + mean(points.map(({ y }) => y)) / scale,
    });
    return [inPhoto(landmarks.getLeftEye()), inPhoto(landmarks.getRightEye())];
  }

  dispose(): void {
    this.network.dispose();
    this.landmarks.dispose();
  }
}

type Size = Pick<Box, "width" | "height">;

async function resized(image: WholeImage, { width, height }: Size): Promise<Buffer> {
  return cut(image, { left: 0, top: 0, width: image.width, height: image.height }, { width, height });
}

/** Part of an image, of its own size or another. */
async function cut({ pixels, width, height }: WholeImage, part: Box, size: Size = part): Promise<Buffer> {
  const sharp = await loadSharp();
  const image = sharp(pixels, { raw: { width, height, channels: 3 } }).extract(part);
  return image.resize(size.width, size.height, { fit: "fill", kernel: "cubic" }).raw().toBuffer();
}

/** The caller disposes it. */
function pixelTensor(pixels: Buffer, { width, height }: Size) {
  return tf.tensor3d(pixels, [height, width, 3], "int32");
}

function scaled({ left, top, width, height }: Box, scale: number): Box {
  return { left: left * scale, top: top * scale, width: width * scale, height: height * scale };
}

/** In whole pixels, within the image. */
function rounded(box: Box, { width, height }: Size): Box {
  const [left, right] = [box.left, box.left + box.width].map((x) => clamp(Math.round(x), width));
  const [top, bottom] = [box.top, box.top + box.height].map((y) => clamp(Math.round(y), height));
  return { left, top, width: right - left, height: bottom - top };
}

function clamp(value: number, max: number): number {
  return Math.min(max, Math.max(0, value));
}

function center({ left, width }: Box): number {
  return left + width / 2;
}

function mean(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
