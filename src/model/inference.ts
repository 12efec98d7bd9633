import { hasNativeOps } from "../engine/native.js";
import { normalized } from "../engine/native-kernels.js";
import { type Tensor, type Tensor2D, type Tensor4D, tf } from "../engine/tf.js";
import type { Architecture } from "./efficientnet.js";
import { InferenceLayers, type Values } from "./inference-layers.js";
import { applyEfficientNet } from "./layers.js";
import { NativeInferenceLayers } from "./native-inference-layers.js";
import { normalize, type Preprocessing } from "./preprocessing.js";

/** Of images that go through the network at once: what lies between two of its layers then stays in the processor's cache. */
const PIXELS_AT_ONCE = 2 ** 18;

interface Model {
  architecture: Architecture;
  preprocessing: Preprocessing;
}

/**
 * Logits of a batch by moving statistics; by native ops where there are any, a part of a large batch after another. The caller
 * disposes them.
 */
export function runForInference(model: Model, images: Tensor4D, values: Values): Tensor2D {
  const { architecture, preprocessing } = model;
  return tf.tidy(() => {
    if (!hasNativeOps()) {
      const layers = new InferenceLayers(values);
      return applyEfficientNet<Tensor>(layers, architecture, normalize(images, preprocessing)) as Tensor2D;
    }
    const layers = new NativeInferenceLayers(values);
    const run = (part: Tensor4D) =>
      tf.tidy(
        () => applyEfficientNet(layers, architecture, normalized(part, preprocessing)).values as Tensor2D,
      );
    const [batchSize, height, width] = images.shape;
    const partSize = Math.max(1, Math.floor(PIXELS_AT_ONCE / (height * width)));
    if (batchSize <= partSize) return run(images);
    const parts: Tensor2D[] = [];
    for (let start = 0; start < batchSize; start += partSize) {
      const size = Math.min(partSize, batchSize - start);
      parts.push(tf.tidy(() => run(images.slice([start, 0, 0, 0], [size, -1, -1, -1]))));
    }
    return tf.concat(parts);
  });
}
