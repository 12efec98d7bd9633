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

/**
 * Builds a network on pretrained weights, with a new last layer for `classNames`. Only a model folder of the same classes keeps
 * its last layer. The caller disposes it.
 */
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
      const isNew = !given || (spec.name.startsWith("predictions/") && !given.keepsLastLayer);
      if (isNew) return [spec.name, initialValue(spec, seed)];
      return [spec.name, given.parameters.get(spec.name) as ParameterValue]; // Network reports one that is missing
    }),
  );
  return new Network(config, parameters, given ? options.weights : undefined);
}

/** Tells whether a model's last layer can be kept: its classes are the same, in any order. */
export function hasSameClasses(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name) => b.includes(name));
}

/** Returns parameters whose last layer has its classes in another order. */
function withClassOrder(
  parameters: Map<string, ParameterValue>,
  from: readonly string[],
  to: readonly string[],
): Map<string, ParameterValue> {
  const columns = to.map((name) => from.indexOf(name));
  const reordered = new Map(parameters);
  for (const name of ["predictions/kernel", "predictions/bias"]) {
    const { shape, data } = parameters.get(name) as ParameterValue;
    const values = data.map((_, i) => data[i - (i % to.length) + columns[i % to.length]]);
    reordered.set(name, { shape, data: values });
  }
  return reordered;
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

interface StartingPoint {
  parameters: Map<string, ParameterValue>;
  /** Whether their last layer is for `classNames`. */
  keepsLastLayer: boolean;
}

async function startingPoint({
  variant,
  classNames,
  weights,
  onProgress,
}: CreateOptions): Promise<StartingPoint | null> {
  if (weights === "random") return null;
  const isFolder = weights !== "imagenet" && (await stat(weights).catch(() => null))?.isDirectory();
  if (isFolder) {
    const { config, parameters } = await loadParameters(weights);
    if (!hasSameClasses(config.classNames, classNames)) return { parameters, keepsLastLayer: false };
    return { parameters: withClassOrder(parameters, config.classNames, classNames), keepsLastLayer: true };
  }
  const source = weights === "imagenet" ? { onProgress } : { weights };
  return { parameters: await loadPretrained(variant, source), keepsLastLayer: false };
}
