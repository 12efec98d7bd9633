import { hasNativeOps } from "../engine/native.js";
import { normalized } from "../engine/native-kernels.js";
import type { Tape } from "../engine/tape.js";
import type { Tensor, Tensor2D, Tensor4D } from "../engine/tf.js";
import type { Values } from "./inference-layers.js";
import { applyEfficientNet } from "./layers.js";
import { NativeTrainingLayers } from "./native-training-layers.js";
import type { Network } from "./network.js";
import { normalize } from "./preprocessing.js";
import type { TrainingOptions } from "./recorded-dense.js";
import { TrainingLayers } from "./training-layers.js";

interface Forward {
  logits: Tensor2D;
  /** New values by parameter name. */
  movingStatistics: Map<string, Tensor>;
}

/** Logits of a batch, recorded on a tape; by native ops where there are any. The caller disposes all of it. */
export function forward(
  network: Network,
  images: Tensor4D,
  { tape, values, options }: { tape: Tape; values: Values; options: TrainingOptions },
): Forward {
  const { architecture, config } = network;
  if (hasNativeOps()) {
    const layers = new NativeTrainingLayers(tape, values, options);
    const { norm, ...input } = normalized(images, config.preprocessing);
    const { values: logits } = applyEfficientNet(layers, architecture, { ...input, norm });
    return { logits: logits as Tensor2D, movingStatistics: layers.movingStatistics };
  }
  const layers = new TrainingLayers(tape, values, options);
  const logits = applyEfficientNet<Tensor>(layers, architecture, normalize(images, config.preprocessing));
  return { logits: logits as Tensor2D, movingStatistics: layers.movingStatistics };
}
