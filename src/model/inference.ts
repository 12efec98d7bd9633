import { hasNativeOps } from "../engine/native.js";
import { normalized } from "../engine/native-kernels.js";
import { type Tensor, type Tensor2D, type Tensor4D, tf } from "../engine/tf.js";
import type { Architecture } from "./efficientnet.js";
import { InferenceLayers, type Values } from "./inference-layers.js";
import { applyEfficientNet } from "./layers.js";
import { NativeInferenceLayers } from "./native-inference-layers.js";
import { normalize, type Preprocessing } from "./preprocessing.js";

/** Logits of a batch by moving statistics; by native ops where there are any. The caller disposes them. */
export function runForInference(
  { architecture, preprocessing }: { architecture: Architecture; preprocessing: Preprocessing },
  images: Tensor4D,
  values: Values,
): Tensor2D {
  return tf.tidy(() => {
    if (!hasNativeOps()) {
      const layers = new InferenceLayers(values);
      return applyEfficientNet<Tensor>(layers, architecture, normalize(images, preprocessing)) as Tensor2D;
    }
    const layers = new NativeInferenceLayers(values);
    return applyEfficientNet(layers, architecture, normalized(images, preprocessing)).values as Tensor2D;
  });
}
