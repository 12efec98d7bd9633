import { calibrationError, fitTemperature, reliability, withTemperature } from "../metrics/calibration.js";
import { calibrated } from "../model/calibrated.js";
import type { ModelConfig, ParameterValue } from "../model/network.js";
import { saveModel } from "../model/weights/model-folder.js";

/** Fewer say too little of how sure a network may be. */
const MIN_CALIBRATION_IMAGES = 100;

/**
 * Saves a model with its probabilities calibrated by a temperature fitted on the validation images, where there are 100 or more
 * and it lowers the calibration error: label smoothing can leave a network so near that the temperature of the least
 * cross-entropy takes it away (experiments/README.md). No prediction changes: the classes stay in their order.
 *
 * @param probs - Of the validation images, float32 `[numImages, numClasses]`.
 * @param labels - int32 `[numImages]`.
 */
export async function saveBestModel(
  dir: string,
  config: ModelConfig,
  parameters: ReadonlyMap<string, ParameterValue>,
  { probs }: { probs: Float32Array },
  labels: Int32Array,
): Promise<void> {
  const [numImages, numClasses] = [labels.length, config.classNames.length];
  if (numImages < MIN_CALIBRATION_IMAGES) return saveModel(dir, config, parameters);
  const temperature = fitTemperature(probs, labels, numClasses);
  const errorOf = (values: Float32Array) => calibrationError(reliability(values, labels, numClasses));
  if (errorOf(withTemperature(probs, numClasses, temperature)) >= errorOf(probs))
    return saveModel(dir, config, parameters);
  const model = calibrated(config, parameters, { temperature, numImages });
  return saveModel(dir, model.config, model.parameters);
}
