import type { Calibration, ModelConfig, ParameterValue } from "./network.js";

/** The last layer's, which the logits are linear in. */
const SCALED = ["predictions/kernel", "predictions/bias"];

/**
 * A model whose logits are divided by a temperature within its last layer, so that whoever loads it need not know. One that was
 * calibrated before is by both.
 *
 * @param parameters - Stay as they are.
 */
export function calibrated(
  config: ModelConfig,
  parameters: ReadonlyMap<string, ParameterValue>,
  { temperature, numImages }: Calibration,
): { config: ModelConfig; parameters: Map<string, ParameterValue> } {
  const scaled = new Map(parameters);
  for (const name of SCALED) {
    const { shape, data } = parameters.get(name) as ParameterValue;
    scaled.set(name, { shape, data: data.map((value) => value / temperature) });
  }
  const before = config.calibration?.temperature ?? 1;
  return {
    config: { ...config, calibration: { temperature: before * temperature, numImages } },
    parameters: scaled,
  };
}
