// What files say about weights besides the tensors: how the network computes, and what it was trained on.
import path from "node:path";
import { decodeText, EncodingError, SAVE_AS_UTF8 } from "../../decode.js";
import { PADDINGS } from "../../engine/kernels.js";
import { InputError } from "../../errors.js";
import { readRegularFile } from "../../files.js";
import type { Conventions } from "../conventions.js";
import type { Fit, Preprocessing } from "../preprocessing.js";

/** What is known about a file's weights besides the tensors. */
export interface Origin {
  /** A model's name at timm or torchvision. */
  architecture?: string;
  preprocessing?: Preprocessing;
  padding?: Conventions["padding"];
  epsilon?: number;
  /** Names of the classes, in the order of the outputs. */
  classNames?: string[];
  /** Side of the images that the network was built for or trained on, in pixels. */
  imageSize?: number;
  /** How images became square. */
  fit?: Fit;
  /** Share of the square's side that the network saw, (0, 1). */
  cropShare?: number;
  /** What was left out of a Keras file, each a clause. */
  left?: string[];
  /** The layer after which the last layers are none that ferkit's network can have. */
  head?: string;
  /** The layers of a Keras file, if there are several, that its last layer was made of. */
  folded?: string[];
}

export const PROBLEM = {
  expected: "a file of weights that can be read",
  fix: "Fix the file, or choose another one.",
};

/** A larger `config.json` is not timm's. */
const MAX_CONFIG_BYTES = 2 ** 20;

/** Reads the `config.json` that timm writes beside weights. */
export async function besideFile(file: string): Promise<Origin> {
  const beside = path.join(path.dirname(file), "config.json");
  const bytes = await readRegularFile(beside, PROBLEM, MAX_CONFIG_BYTES).catch(() => null);
  const config = parseObject(bytes ? textOf(bytes, beside) : "{}");
  const { architecture, pretrained_cfg, model_args, global_pool, label_names } = config;
  if (typeof architecture !== "string" || !architecture.includes("efficientnet")) return {};
  const { mean, std, crop_pct, crop_mode, input_size } = Object(pretrained_cfg) as Record<string, unknown>;
  const image_size = Array.isArray(input_size) ? input_size[2] : undefined;
  const { pad_type: padding, ...own } = Object(model_args) as Record<string, unknown>;
  return {
    architecture,
    ...scale(mean, std, beside),
    ...(typeof padding === "string" && { padding: padding === "same" ? "same" : "symmetric" }),
    ...trainingOf({ global_pool, ...own, crop_pct, crop_mode, image_size, class_names: label_names }),
  };
}

/** What timm calls the ways to make images square. */
const CROP_MODES: Record<string, Fit> = { center: "crop", squash: "squash", border: "pad" };

/** Reads what programs in Python save about a training, by timm's names. */
function trainingOf(saved: Record<string, unknown>): Origin {
  const { bn_eps: epsilon, global_pool: pooling, crop_pct: cropShare, crop_mode: mode, class_names } = saved;
  const { image_size: imageSize } = saved;
  const classNames = namesInOrder(class_names);
  const fit = typeof mode === "string" && Object.hasOwn(CROP_MODES, mode) ? CROP_MODES[mode] : undefined;
  return {
    ...(isEpsilon(epsilon) && { epsilon }),
    ...(typeof pooling === "string" && pooling.includes("max") && { head: `the pooling ${pooling}` }),
    ...(typeof cropShare === "number" && cropShare > 0 && cropShare < 1 && { cropShare }),
    ...(fit && { fit }),
    ...(isSize(imageSize) && { imageSize }),
    ...(classNames && { classNames }),
  };
}

/** Returns the names of classes in the order of their numbers, from a list, names by number, or numbers by name. */
function namesInOrder(saved: unknown): string[] | null {
  if (typeof saved !== "object" || saved === null) return null;
  const names = new Map<number, unknown>();
  for (const [key, value] of Object.entries(saved))
    if (typeof value === "number") names.set(value, key);
    else names.set(Number(key), value);
  const inOrder = Array.from({ length: Object.keys(saved).length }, (_, number) => names.get(number));
  return inOrder.length > 1 && inOrder.every((name): name is string => typeof name === "string")
    ? inOrder
    : null;
}

/** @throws InputError for bytes that are not text. */
function textOf(bytes: Buffer, where: string): string {
  try {
    return decodeText(bytes);
  } catch (error) {
    if (!(error instanceof EncodingError)) throw error;
    throw new InputError({ expected: "JSON in UTF-8", where, found: error.message, fix: SAVE_AS_UTF8 });
  }
}

/** Reads what `convert_checkpoint.py`, or another program, wrote about the weights into safetensors. */
export function inMetadata(metadata: Record<string, string>, where: string): Origin {
  const { padding, preprocessing, epsilon, image_size, notes, head, folded } = parseObject(
    metadata["ferkit.keras"] ?? "{}",
  );
  const architecture = metadata["ferkit.architecture"] ?? metadata.architecture;
  const [mean, std] = Object.values(parseObject(metadata["ferkit.scale"] ?? "[]"));
  const own = Object(preprocessing) as { mean?: unknown; std?: unknown };
  const known = PADDINGS.find((one) => one === padding);
  return {
    ...(architecture && { architecture }),
    ...scale(mean, std, where),
    ...trainingOf({ class_names: namesIn(metadata), ...parseObject(metadata["ferkit.training"] ?? "{}") }),
    ...(known && { padding: known }),
    ...(isSize(image_size) && { imageSize: image_size }),
    ...(isEpsilon(epsilon) && { epsilon }),
    ...(Array.isArray(notes) && { left: notes.map(String) }),
    ...(typeof head === "string" && { head }),
    ...(Array.isArray(folded) && { folded: folded.map(String) }),
    ...scale(own.mean, own.std, where, 1),
  };
}

/** Returns the names of classes that another program wrote into the metadata of safetensors. */
function namesIn(metadata: Record<string, string>): unknown {
  const key = ["class_names", "classes", "class_to_idx", "id2label"].find((name) => name in metadata);
  return key && parseObject(metadata[key]);
}

const isSize = (value: unknown): value is number => Number.isInteger(value) && (value as number) > 0;
const isEpsilon = (value: unknown): value is number => typeof value === "number" && value >= 0 && value <= 1;

/** Returns a number for each channel; null if there are neither three nor one, as for networks of one channel. */
function ofChannels(values: unknown): number[] | null {
  if (!Array.isArray(values) || !values.every(Number.isFinite)) return null;
  if (values.length === 1) return [values[0], values[0], values[0]];
  return values.length === 3 ? values : null;
}

/**
 * Returns mean and std as preprocessing, if there is a number for each channel, or one for all.
 *
 * @param range - What one unit of them is in pixels of 0–255.
 * @throws InputError if a deviation is not above 0.
 */
function scale(
  mean: unknown,
  std: unknown,
  where: string,
  range: 1 | 255 = 255,
): Pick<Origin, "preprocessing"> {
  const [means, deviations] = [ofChannels(mean), ofChannels(std)];
  if (!means || !deviations) return {};
  if (deviations.some((value) => value <= 0))
    throw new InputError({
      expected: "deviations of the channels above 0",
      where,
      found: deviations.join(", "),
      fix: "Fix the file, or choose other weights.",
    });
  const scaled = (values: number[]) => values.map((value) => range * value);
  return { preprocessing: { mean: scaled(means), std: scaled(deviations) } };
}

function parseObject(text: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(text)) as Record<string, unknown>;
  } catch {
    return {};
  }
}
