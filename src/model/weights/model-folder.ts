// A model on disk: a tfjs LayersModel with what ferkit needs in its user-defined metadata.
import { readFile } from "node:fs/promises";
import path from "node:path";
import { InputError } from "../../errors.js";
import { writeFileAtomically } from "../../files.js";
import { type Architecture, efficientNet } from "../efficientnet.js";
import { buildLayersModel, NORMALIZATION } from "../keras.js";
import { type ModelConfig, Network, type ParameterValue } from "../network.js";
import { parameterSpecs } from "../parameters.js";
import type { Precision } from "./quantization.js";
import { readTensors, removeOldTensors, type TensorManifest, writeTensors } from "./tensor-file.js";

const FORMAT_VERSION = 1;

interface ModelJson {
  weightsManifest: [TensorManifest];
  userDefinedMetadata?: { ferkit?: ModelConfig & { formatVersion: number } };
}

/**
 * Writes a model folder: `model.json` and one file of weights. A reader finds either the earlier model or the new one, whole, since
 * `model.json` is renamed into place last.
 *
 * @param precision - Of the kernels; plain tfjs reads every precision.
 */
export async function saveModel(
  dir: string,
  config: ModelConfig,
  parameters: ReadonlyMap<string, ParameterValue>,
  precision: Precision = "float32",
): Promise<void> {
  const specs = parameterSpecs(config.variant, config.classNames.length);
  const tensors: [string, ParameterValue][] = [
    ...normalizationWeights(config),
    ...specs.map(({ name }): [string, ParameterValue] => [name, parameters.get(name) as ParameterValue]),
  ];
  const manifest = await writeTensors(dir, tensors, (name) => precisionOf(name, precision));
  const model = {
    format: "layers-model",
    generatedBy: "ferkit",
    convertedBy: null,
    modelTopology: topologyOf(efficientNet(config.variant, config.classNames.length), config.imageSize),
    weightsManifest: [manifest],
    userDefinedMetadata: { ferkit: { formatVersion: FORMAT_VERSION, ...config } },
  };
  await writeFileAtomically(path.join(dir, "model.json"), JSON.stringify(model));
  await removeOldTensors(dir, manifest);
}

/**
 * Reads a model folder that ferkit saved. The caller disposes the network.
 *
 * @throws InputError if there is no model, another program saved it, or its weights are cut short or not finite.
 */
export async function loadModel(dir: string): Promise<Network> {
  const { config, parameters } = await loadParameters(dir);
  return new Network(config, parameters, dir);
}

/** Reads a model folder's configuration and weights, outside the engine. */
export async function loadParameters(
  dir: string,
): Promise<{ config: ModelConfig; parameters: Map<string, ParameterValue> }> {
  const { json, config } = await readModelJson(dir);
  return { config, parameters: await readTensors(dir, json.weightsManifest[0]) };
}

/** Reads a model folder's configuration only. */
export async function loadModelConfig(dir: string): Promise<ModelConfig> {
  return (await readModelJson(dir)).config;
}

async function readModelJson(dir: string): Promise<{ json: ModelJson; config: ModelConfig }> {
  const file = path.join(dir, "model.json");
  const text = await readFile(file, "utf8").catch(() => null);
  if (text === null)
    throw new InputError({
      expected: "a model folder with model.json",
      where: dir,
      found: "none",
      fix: "Train one with `npx ferkit train`, or choose the folder `best` of a run.",
    });
  const json = parse(text);
  const metadata = json?.userDefinedMetadata?.ferkit;
  if (!json || metadata?.formatVersion !== FORMAT_VERSION)
    throw new InputError({
      expected: "a model saved by ferkit",
      where: file,
      found: json ? "no ferkit metadata of a known version" : "something other than JSON",
      fix: "Train one with `npx ferkit train`.",
    });
  const { variant, classNames, imageSize, preprocessing, grey, decoding, calibration } = metadata;
  const config = { variant, classNames, imageSize, preprocessing };
  const rest = { ...(grey && { grey }), ...(decoding && { decoding }), ...(calibration && { calibration }) };
  return { json, config: { ...config, ...rest } };
}

function parse(text: string): ModelJson | null {
  try {
    return JSON.parse(text) as ModelJson;
  } catch {
    return null;
  }
}

/**
 * Returns the precision of one array. Only kernels are stored in fewer bytes, since they are nearly all of a model. Depthwise
 * kernels, which are few and differ much between channels, never take 1 byte.
 */
function precisionOf(name: string, precision: Precision): Precision {
  if (name.startsWith(`${NORMALIZATION}/`)) return "float32";
  if (name.endsWith("/depthwise_kernel")) return precision === "uint8" ? "float16" : precision;
  return name.endsWith("/kernel") ? precision : "float32";
}

/** Returns `(x − mean) / std` as the kernel and bias of a 1×1 depthwise convolution. */
function normalizationWeights({ preprocessing: { mean, std } }: ModelConfig): [string, ParameterValue][] {
  const kernel = Float32Array.from(std, (deviation) => 1 / deviation);
  const bias = Float32Array.from(mean, (value, channel) => -value / std[channel]);
  return [
    [`${NORMALIZATION}/depthwise_kernel`, { shape: [1, 1, 3, 1], data: kernel }],
    [`${NORMALIZATION}/bias`, { shape: [3], data: bias }],
  ];
}

const topologies = new Map<string, unknown>();

/** Returns the topology of the tfjs model; each is built once, since that takes a while. */
function topologyOf(architecture: Architecture, imageSize: number): unknown {
  const key = [architecture.variant, architecture.numClasses, imageSize].join();
  if (!topologies.has(key)) {
    const model = buildLayersModel(architecture, imageSize);
    topologies.set(key, model.toJSON(null, false));
    model.dispose();
  }
  return topologies.get(key);
}
