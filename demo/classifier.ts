// From pixels to probabilities on the page: faces are found and cut out by the code that Node.js runs, and the model is the stock
// tfjs model that ferkit saves.
import * as faceApi from "@vladmandic/face-api";
import { fitWhole, type WholeImage } from "../src/data/pixels/decode.js";
import { cropFace } from "../src/faces/crop.js";
import { type Face, FaceDetector } from "../src/faces/detect.js";
import type { ModelConfig } from "../src/model/network.js";
import { DEFAULT_DECODING } from "../src/model/preprocessing.js";
import { tf } from "./engine.js";

/** What a page holds of a model, so that each backend can load it. */
export interface ModelFiles {
  name: string;
  config: ModelConfig;
  artifacts: tf.io.ModelArtifacts;
}

/** A face or a whole image, with the probability of each class. */
export interface Classified {
  face: Face | null;
  /** uint8 `[imageSize, imageSize, 3]`: what the model saw. */
  pixels: Uint8Array;
  probs: Float32Array;
}

/** Expressions by their names in the usual data sets: a model of these is for faces. */
const EXPRESSION = /^(ang|contempt|disgust|fear|happ|neutral|sad|surpris)/i;

export function isForFaces({ classNames }: ModelConfig): boolean {
  return classNames.every((name) => EXPRESSION.test(name));
}

/**
 * Reads a model folder.
 *
 * @param read - Returns the bytes of a file of the folder.
 * @throws Error that says what is missing.
 */
export async function readModel(
  name: string,
  read: (file: string) => Promise<ArrayBuffer>,
): Promise<ModelFiles> {
  const json = JSON.parse(new TextDecoder().decode(await read("model.json")));
  const config = json.userDefinedMetadata?.ferkit as ModelConfig | undefined;
  if (!config) throw new Error("model.json was not saved by ferkit.");
  const specs: tf.io.WeightsManifestEntry[] = [];
  const buffers: ArrayBuffer[] = [];
  for (const { paths, weights } of json.weightsManifest as tf.io.WeightsManifestConfig) {
    specs.push(...weights);
    for (const file of paths) buffers.push(await read(file));
  }
  const artifacts = {
    modelTopology: json.modelTopology,
    weightSpecs: specs,
    weightData: await new Blob(buffers).arrayBuffer(),
  };
  return { name, config, artifacts };
}

type WeightsManifest = tf.io.WeightsManifestConfig;
type FaceNetwork = faceApi.SsdMobilenetv1 | faceApi.FaceLandmark68Net;

/** Files of face-api's networks, in the page's folder `faces`. */
const FACE_FILES = { detector: "ssd_mobilenetv1_model", landmarks: "face_landmark_68_model" };

/** What was fetched, so that the page needs no network later. */
const fetched = new Map<string, Promise<{ specs: tf.io.WeightsManifestEntry[]; bytes: ArrayBuffer }>>();

async function fetchWeights(name: string) {
  const manifest = (
    await fetchFile(`faces/${name}-weights_manifest.json`)
  ).json() as Promise<WeightsManifest>;
  const [{ weights, paths }] = await manifest;
  const parts = await Promise.all(
    paths.map(async (file) => (await fetchFile(`faces/${file}`)).arrayBuffer()),
  );
  return { specs: weights, bytes: await new Blob(parts).arrayBuffer() };
}

/** @throws Error that names the file. */
export async function fetchFile(url: string): Promise<Response> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status} ${response.statusText}`);
  return response;
}

async function loadFaceNetwork<Network extends FaceNetwork>(
  network: Network,
  name: string,
): Promise<Network> {
  if (!fetched.has(name)) fetched.set(name, fetchWeights(name));
  const { specs, bytes } = await (fetched.get(name) as ReturnType<typeof fetchWeights>);
  network.loadFromWeightMap(tf.io.decodeWeights(bytes, specs) as never);
  return network;
}

/** A model on the backend in use, with the detector of faces if it is for faces. The caller disposes it. */
export class PageClassifier {
  private constructor(
    readonly model: ModelFiles,
    private readonly network: tf.LayersModel,
    private readonly detector: FaceDetector | null,
  ) {}

  static async load(model: ModelFiles): Promise<PageClassifier> {
    const network = await tf.loadLayersModel(tf.io.fromMemory(model.artifacts));
    if (!isForFaces(model.config)) return new PageClassifier(model, network, null);
    const detector = new FaceDetector(
      await loadFaceNetwork(new faceApi.SsdMobilenetv1(), FACE_FILES.detector),
      await loadFaceNetwork(new faceApi.FaceLandmark68Net(), FACE_FILES.landmarks),
    );
    return new PageClassifier(model, network, detector);
  }

  /** Classifies the faces of an image from left to right; the whole image if it has none, or the model is for other things. */
  async classify(image: WholeImage): Promise<Classified[]> {
    const { imageSize, decoding = DEFAULT_DECODING } = this.model.config;
    const faces = this.detector ? await this.detector.detect(image) : [];
    const inputs =
      faces.length > 0
        ? await Promise.all(
            faces.map(async (face) => ({ face, pixels: await cropFace(image, face, imageSize) })),
          )
        : [{ face: null, pixels: fitWhole(image, imageSize, decoding.fit) }];
    const probs = await this.probsOf(inputs.map(({ pixels }) => pixels));
    return inputs.map((input, i) => ({ ...input, probs: probs[i] }));
  }

  /** Computes the probabilities of images that have the network's size. */
  async probsOf(images: Uint8Array[]): Promise<Float32Array[]> {
    const { imageSize, classNames } = this.model.config;
    const output = tf.tidy(() => {
      const inputs = images.map((pixels) =>
        tf.tensor3d(Float32Array.from(pixels), [imageSize, imageSize, 3]),
      );
      return this.network.predict(tf.stack(inputs)) as tf.Tensor;
    });
    const all = (await output.data()) as Float32Array;
    output.dispose();
    return images.map((_, i) => all.slice(i * classNames.length, (i + 1) * classNames.length));
  }

  dispose(): void {
    this.network.dispose();
    this.detector?.dispose();
  }
}
