// A model for other programs: one ONNX file, or a folder as transformers.js loads it.
import path from "node:path";
import { ferkitVersion } from "../../environment.js";
import { InputError } from "../../errors.js";
import { isFolder, writeFileAtomically } from "../../files.js";
import { prettyJson } from "../../json.js";
import type { ModelConfig, ParameterValue } from "../network.js";
import { DEFAULT_DECODING } from "../preprocessing.js";
import type { StoredPrecision } from "../weights/quantization.js";
import { type GraphForm, onnxGraph } from "./graph.js";
import { encodeModel } from "./messages.js";

/**
 * Versions of the operators and of the file format. Opset 13 is the oldest with all operators as they are today (Softmax and Clip
 * changed), so that old and small runtimes read the file; it came with format 7.
 */
const [OPSET, IR_VERSION] = [13, 7];

type Parameters = ReadonlyMap<string, ParameterValue>;

/**
 * Writes a network as one ONNX file, from pixels to probabilities.
 *
 * The graph takes `images`, uint8 `[batch, imageSize, imageSize, 3]`, RGB, and gives `probs`, float32 `[batch, numClasses]`. The step
 * to grey, the scale of the input and the temperature are inside. The file's metadata name the classes and the image size.
 *
 * @param precision - Of the kernels in the file. All is computed in float32.
 * @throws InputError if the file cannot be written.
 */
export async function exportOnnx(
  file: string,
  config: ModelConfig,
  parameters: Parameters,
  precision: StoredPrecision = "float32",
): Promise<void> {
  if (isFolder(file))
    throw new InputError({
      expected: "a file to write",
      where: file,
      found: "a folder",
      fix: "Choose another file name.",
    });
  await writeFileAtomically(file, await encode(config, parameters, precision, "pixels"));
}

/**
 * Writes a network as a folder that transformers.js loads as an image classifier: `config.json`, `preprocessor_config.json` and
 * `onnx/model.onnx`.
 *
 * @throws InputError if the folder cannot be written, or the model pads images, which the format cannot say.
 */
export async function exportTransformers(
  dir: string,
  config: ModelConfig,
  parameters: Parameters,
  precision: StoredPrecision = "float32",
): Promise<void> {
  const preprocessor = preprocessorConfig(config);
  const model = await encode(config, parameters, precision, "transformers");
  await writeFileAtomically(path.join(dir, "onnx", "model.onnx"), model);
  await writeFileAtomically(path.join(dir, "preprocessor_config.json"), prettyJson(preprocessor));
  await writeFileAtomically(path.join(dir, "config.json"), prettyJson(transformersConfig(config)));
}

async function encode(
  config: ModelConfig,
  parameters: Parameters,
  precision: StoredPrecision,
  form: GraphForm,
): Promise<Uint8Array> {
  const version = await ferkitVersion();
  const { variant, classNames, imageSize, grey = false, decoding = DEFAULT_DECODING, calibration } = config;
  return encodeModel({
    irVersion: IR_VERSION,
    opset: OPSET,
    producer: { name: "ferkit", version },
    graph: onnxGraph(config, parameters, precision, form),
    metadata: {
      ferkit_version: version,
      variant: variant,
      class_names: JSON.stringify(classNames),
      image_size: String(imageSize),
      fit: decoding.fit,
      grey: String(grey),
      precision,
      ...(decoding.whiteLevels && { white_levels: JSON.stringify(decoding.whiteLevels) }),
      ...(calibration && { temperature: String(calibration.temperature) }),
    },
  });
}

function transformersConfig({ classNames, imageSize }: ModelConfig) {
  return {
    model_type: "efficientnet",
    architectures: ["EfficientNetForImageClassification"],
    image_size: imageSize,
    num_labels: classNames.length,
    id2label: Object.fromEntries(classNames.map((name, label) => [label, name])),
    label2id: Object.fromEntries(classNames.map((name, label) => [name, label])),
  };
}

/** Number of Hugging Face's list of interpolations that means bicubic. */
const BICUBIC = 3;

/** Describes how an image file becomes the graph's input; the graph scales the pixels itself. */
function preprocessorConfig({ imageSize, decoding = DEFAULT_DECODING }: ModelConfig) {
  const square = { height: imageSize, width: imageSize };
  if (decoding.fit === "pad")
    throw new InputError({
      expected: "a model that crops or squashes images, for transformers.js",
      found: "fit pad",
      fix: "Choose --to onnx, and pad the images.",
    });
  const isCropped = decoding.fit === "crop";
  return {
    image_processor_type: "ViTImageProcessor",
    do_convert_rgb: true,
    do_resize: true,
    size: isCropped ? { shortest_edge: imageSize } : square,
    resample: BICUBIC,
    do_center_crop: isCropped,
    ...(isCropped && { crop_size: square }),
    do_rescale: false,
    do_normalize: false,
  };
}
