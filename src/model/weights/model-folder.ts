// A model on disk: a tfjs LayersModel with what ferkit needs in its user-defined metadata.
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { checkChoice, checkKind, checkPath, InputError, type InputProblem } from "../../errors.js";
import { isFolder, statIfThere, writeFileAtomically } from "../../files.js";
import { nameOf } from "../../names.js";
import { readJsonFile, savedCheck } from "../../saved-files.js";
import { efficientNet } from "../efficientnet.js";
import { buildLayersModel, inputWeights } from "../keras.js";
import { checkParameters, type ModelConfig, Network, type ParameterValue } from "../network.js";
import { parameterSpecs } from "../parameters.js";
import { STORED_PRECISIONS, type StoredPrecision } from "./quantization.js";
import {
  packTensors,
  readTensors,
  removeOldTensors,
  type TensorManifest,
  writeTensors,
} from "./tensor-file.js";

/** Version 2 has conventions other than TensorFlow's, which readers of version 1 would pass over. */
const FORMAT_VERSIONS = [1, 2];

interface ModelJson {
  weightsManifest: [TensorManifest];
  userDefinedMetadata?: { ferkit?: ModelConfig & { formatVersion: number } };
}

/**
 * Writes a model folder: `model.json` and one file of weights. Plain `@tensorflow/tfjs` loads it, in a browser too. A reader
 * finds either the earlier model or the new one, whole, since `model.json` is renamed into place last.
 *
 * @param dir - The folder; made if there is none.
 * @param parameters - From `network.parameters()`.
 * @param precision - Of the kernels; plain tfjs reads every precision. Default: `float32`.
 * @throws InputError if the parameters are not those of the configuration, are not finite, or do not fit into float16, or if the
 * folder cannot be written.
 * @example
 * ```ts
 * import { loadModel, saveModel } from "ferkit";
 *
 * const network = await loadModel("runs/pets/best");
 * await saveModel("models/pets", network.config, await network.parameters(), "uint8"); // a quarter of the size
 * network.dispose();
 * ```
 */
export async function saveModel(
  dir: string,
  config: ModelConfig,
  parameters: ReadonlyMap<string, ParameterValue>,
  precision: StoredPrecision = "float32",
): Promise<void> {
  checkPath("dir", dir);
  checkKind("config", "a model's configuration, such as network.config", config, [
    "variant",
    "classNames",
    "imageSize",
  ]);
  checkKind("parameters", "what network.parameters() returns", parameters, ["get", "size"]);
  checkChoice("precision", precision, STORED_PRECISIONS);
  checkParameters(parameterSpecs(config.variant, config.classNames.length), parameters);
  const write = () => writeTensors(dir, ...tensorsOf(config, parameters, precision));
  const manifest = await write();
  const model = {
    format: "layers-model",
    generatedBy: "ferkit",
    convertedBy: null,
    modelTopology: topologyOf(config),
    weightsManifest: [manifest],
    userDefinedMetadata: { ferkit: { formatVersion: config.padding || config.epsilon ? 2 : 1, ...config } },
  };
  await writeFileAtomically(path.join(dir, "model.json"), JSON.stringify(model));
  // A process that saved another model meanwhile may have removed the file, which nothing named yet.
  if (!(await statIfThere(path.join(dir, manifest.paths[0])))) await write();
  await removeOldTensors(dir, "model.json");
}

/** Returns a model's tensors in the order of its file, and the precision of each. */
function tensorsOf(
  config: ModelConfig,
  parameters: ReadonlyMap<string, ParameterValue>,
  precision: StoredPrecision,
): [tensors: [string, ParameterValue][], of: (name: string) => StoredPrecision] {
  const specs = parameterSpecs(config.variant, config.classNames.length);
  const input = new Map(inputWeights(config));
  const own = specs.map(({ name }): [string, ParameterValue] => [
    name,
    parameters.get(name) as ParameterValue,
  ]);
  return [[...input, ...own], (name) => (input.has(name) ? "float32" : precisionOf(name, precision))];
}

/** Returns the name of the file of weights that `saveModel` writes for a model: it has the digest of all of them. */
export function weightFileName(config: ModelConfig, parameters: ReadonlyMap<string, ParameterValue>): string {
  return packTensors(...tensorsOf(config, parameters, "float32")).manifest.paths[0];
}

const BROKEN = "Copy the folder again, or choose another model.";

/**
 * Reads a model folder that ferkit saved. The caller disposes the network.
 *
 * @throws InputError if there is no model, another program saved it, or it was changed or damaged since: its weights are verified.
 * @example
 * ```ts
 * import { evaluate, loadDataset, loadModel } from "ferkit";
 *
 * const network = await loadModel("runs/pets/best");
 * const { imageSize, classNames } = network.config;
 * const { validation } = await loadDataset({ data: "data/pets", imageSize, classNames });
 * console.log((await evaluate(network, validation)).accuracy);
 * network.dispose();
 * ```
 */
export async function loadModel(dir: string): Promise<Network> {
  const { config, parameters } = await loadParameters(dir);
  return new Network(config, parameters, dir);
}

/** A model folder, outside the engine. */
export interface SavedModel {
  config: ModelConfig;
  parameters: Map<string, ParameterValue>;
  /** What its kernels are stored in. */
  precision: StoredPrecision;
  /** Name of its file of weights. */
  weightFile: string;
}

/** Reads a model folder's configuration and weights. */
export async function loadParameters(dir: string): Promise<SavedModel> {
  const { json, config } = await readModelJson(dir);
  const [manifest] = json.weightsManifest;
  const last = manifest.weights.find(({ name }) => name === "predictions/kernel");
  const precision = last?.quantization?.dtype ?? "float32";
  const tensors = await readTensors(dir, manifest, BROKEN);
  return {
    config,
    parameters: ownParameters(dir, config, tensors),
    precision,
    weightFile: manifest.paths[0],
  };
}

/** Reads a model folder's configuration only. */
export async function loadModelConfig(dir: string): Promise<ModelConfig> {
  return (await readModelJson(dir)).config;
}

/**
 * Returns the network's parameters among the tensors of a model folder. The others are of the layers before the network, which
 * follow from the configuration; models of version 0.1 may lack one.
 */
function ownParameters(
  dir: string,
  config: ModelConfig,
  tensors: Map<string, ParameterValue>,
): Map<string, ParameterValue> {
  const refuse = (found: string) =>
    new InputError({
      expected: `the weights of a model of ${config.variant}`,
      where: dir,
      found,
      fix: BROKEN,
    });
  const parameters = new Map(tensors);
  for (const [name, { shape, data }] of inputWeights(config)) {
    const given = tensors.get(name);
    parameters.delete(name);
    if (given && (given.shape.join() !== shape.join() || !data.every((value, i) => value === given.data[i])))
      throw refuse(`${name} that does not fit the preprocessing`);
  }
  const specs = parameterSpecs(config.variant, config.classNames.length);
  const missing = specs.find(({ name }) => !parameters.has(name));
  if (missing) throw refuse(`no ${missing.name}`);
  const known = new Set(specs.map(({ name }) => name));
  const surplus = [...parameters.keys()].find((name) => !known.has(name));
  if (surplus !== undefined) throw refuse(`${surplus}, which it does not have`);
  return parameters;
}

/**
 * Returns the model folder that a path was probably meant for: the one that it is in, or the best model of the run that it is of.
 *
 * @returns Undefined if there is none.
 */
export function nearestModel(given: string): string | undefined {
  const [around, beyond] = [path.dirname(given), path.dirname(path.dirname(given))];
  const folders = [path.join(given, "best"), around, path.join(around, "best"), path.join(beyond, "best")];
  return folders.find((dir) => existsSync(path.join(dir, "model.json")));
}

/** Files of weights that other programs write. */
const WEIGHTS = /(\.(safetensors|pth|pt|ckpt|keras|h5)|^pytorch_model\.bin)$/i;

/** Says what a folder without model.json has from another program, and what to do with it; null if it has none. */
function weightsIn(dir: string): Pick<InputProblem, "found" | "fix"> | null {
  const files = isFolder(dir) ? readdirSync(dir).sort() : [];
  const index = files.find((file) => /\.(safetensors|bin)\.index\.json$/.test(file));
  if (index !== undefined)
    return {
      found: `${index}, for weights in several files`,
      fix: "Save the network in one file, and convert it: npx ferkit convert FILE",
    };
  if (files.includes("saved_model.pb"))
    return {
      found: "a SavedModel of TensorFlow, which is not read",
      fix: "Save the model in Keras as .keras, and convert it: npx ferkit convert FILE",
    };
  const weights = files.find((file) => WEIGHTS.test(file));
  if (weights === undefined) return null;
  return {
    found: `${weights}, which another program wrote`,
    fix: `Convert it: npx ferkit convert ${path.join(dir, weights)}. A training can start from the file (weights).`,
  };
}

async function readModelJson(dir: string): Promise<{ json: ModelJson; config: ModelConfig }> {
  const file = path.join(checkPath("dir", dir), "model.json");
  const problem = { expected: "a model saved by ferkit", fix: BROKEN };
  const json = (await readJsonFile(file, problem)) as ModelJson | null | undefined;
  const near = nearestModel(dir);
  if (json === undefined)
    throw new InputError({
      expected: "a model folder with model.json",
      where: dir,
      ...((!near && weightsIn(dir)) || {
        found: "none",
        fix: near
          ? `Choose the model folder ${near}.`
          : "Train one with `npx ferkit train`, or choose the folder `best` of a run.",
      }),
    });
  const metadata = json?.userDefinedMetadata?.ferkit;
  if (!json || !metadata || !FORMAT_VERSIONS.includes(metadata.formatVersion))
    throw new InputError({
      expected: "a model saved by ferkit",
      where: file,
      found: "no ferkit metadata of a known version",
      fix: "Train one with `npx ferkit train`.",
    });
  const found = (await savedCheck("model"))(json);
  if (found !== null) throw new InputError({ ...problem, where: file, found });
  const { formatVersion: _, ...config } = metadata;
  return { json, config: { ...config, classNames: config.classNames.map(nameOf) } };
}

/**
 * Returns the precision of one of the network's parameters. Only kernels are stored in fewer bytes, since they are nearly all of a
 * model. Depthwise kernels, which are few and differ much between channels, never take 1 byte.
 */
export function precisionOf(name: string, precision: StoredPrecision): StoredPrecision {
  if (name.endsWith("/depthwise_kernel")) return precision === "uint8" ? "float16" : precision;
  return name.endsWith("/kernel") ? precision : "float32";
}

const topologies = new Map<string, unknown>();

/** Returns the topology of the tfjs model; each is built once, since that takes a while. */
function topologyOf(config: ModelConfig): unknown {
  const { variant, classNames, imageSize, padding, epsilon, grey } = config;
  const key = JSON.stringify([variant, classNames.length, imageSize, padding, epsilon, grey]);
  if (!topologies.has(key)) {
    const model = buildLayersModel(efficientNet(variant, classNames.length, config), config);
    topologies.set(key, model.toJSON(null, false));
    model.dispose();
  }
  return topologies.get(key);
}
