import { fitTemperature } from "../inference/calibration.js";
import { calibrated } from "../model/calibrated.js";
import { saveModel } from "../model/model-folder.js";
import type { ModelConfig, ParameterValue } from "../model/network.js";

/** Fewer say too little of how sure a network may be. */
const MIN_CALIBRATION_IMAGES = 100;

/**
 * Saves a model with its probabilities calibrated on the validation images, where there are 100 or more. No prediction changes
 * by that: the classes stay in their order.
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
  const numImages = labels.length;
  if (numImages < MIN_CALIBRATION_IMAGES) return saveModel(dir, config, parameters);
  const temperature = fitTemperature(probs, labels, config.classNames.length);
  const model = calibrated(config, parameters, { temperature, numImages });
  return saveModel(dir, model.config, model.parameters);
}
