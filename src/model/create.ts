import { stat } from "node:fs/promises";
import { checkNumber } from "../errors.js";
import type { OnProgress } from "../progress.js";
import type { Variant } from "./efficientnet.js";
import { initialValue, type ModelConfig, Network, type ParameterValue } from "./network.js";
import { parameterSpecs } from "./parameters.js";
import { type Decoding, isDefaultDecoding, preprocessing } from "./preprocessing.js";
import { loadParameters } from "./weights/model-folder.js";
import { loadPretrained } from "./weights/pretrained.js";

export interface CreateOptions {
  variant: Variant;
  classNames: string[];
  /** Side of the square input, in pixels. */
  imageSize: number;
  /** `imagenet`, `random`, or the path of torch or safetensors weights or of a model folder. */
  weights: string;
  /** True if it will be trained on grey images; `auto` says nothing. */
  grey?: "auto" | boolean;
  /** How the training images are decoded. */
  decoding?: Decoding;
  /** Governs the weights that are not loaded. */
  seed: number;
  /** Notified of the download, in bytes, of `imagenet` weights that are not in the cache. */
  onProgress?: OnProgress;
}

/** Smallest side at which the last stage has more than one pixel. */
const MIN_IMAGE_SIZE = 33;

/** Builds a network on pretrained weights, with a new last layer for `classNames`. The caller disposes it. */
export async function createNetwork(options: CreateOptions): Promise<Network> {
  const { variant, classNames, seed } = options;
  const imageSize = checkNumber("imageSize", options.imageSize, {
    min: MIN_IMAGE_SIZE,
    max: 1024,
    integer: true,
  });
  const specs = parameterSpecs(variant, classNames.length);
  const config: ModelConfig = {
    variant,
    classNames,
    imageSize,
    preprocessing: preprocessing(variant),
    ...(options.grey === true && { grey: true }),
    ...(isDefaultDecoding(options.decoding) ? {} : { decoding: options.decoding }),
  };
  const given = await startingPoint(options);
  const parameters = new Map(
    specs.map((spec): [string, ParameterValue] => {
      if (!given || spec.name.startsWith("predictions/")) return [spec.name, initialValue(spec, seed)];
      return [spec.name, given.get(spec.name) as ParameterValue]; // Network reports one that is missing
    }),
  );
  return new Network(config, parameters);
}

/**
 * Builds a network that was fine-tuned elsewhere, with its last layer, from timm's safetensors or a torch checkpoint. Its input is
 * scaled as for the variant's published weights. The caller disposes it.
 *
 * @throws InputError if the file cannot be read, or is of another variant or number of classes.
 */
export async function importNetwork(
  file: string,
  config: Omit<ModelConfig, "preprocessing">,
): Promise<Network> {
  const parameters = await loadPretrained(config.variant, { weights: file });
  return new Network({ ...config, preprocessing: preprocessing(config.variant) }, parameters);
}

async function startingPoint({
  variant,
  weights,
  onProgress,
}: CreateOptions): Promise<Map<string, ParameterValue> | null> {
  if (weights === "random") return null;
  if (weights === "imagenet") return loadPretrained(variant, { onProgress });
  const isFolder = (await stat(weights).catch(() => null))?.isDirectory();
  if (isFolder) return (await loadParameters(weights)).parameters;
  return loadPretrained(variant, { weights });
}
