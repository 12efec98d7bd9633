import { type ModelConfig, Network } from "./network.js";
import { preprocessing } from "./preprocessing.js";
import { loadPretrained } from "./weights/pretrained.js";

/**
 * A network as it was fine-tuned elsewhere, its last layer included: from timm's safetensors, or a torch checkpoint. Its input
 * is scaled as the variant's published weights want it. The caller disposes the network.
 *
 * @throws InputError when the file cannot be read, or is of another variant or number of classes.
 */
export async function importNetwork(
  file: string,
  config: Omit<ModelConfig, "preprocessing">,
): Promise<Network> {
  const { parameters } = await loadPretrained(config.variant, { weights: file });
  return new Network({ ...config, preprocessing: preprocessing(config.variant) }, parameters);
}
