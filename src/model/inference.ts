import { hasNativeOps } from "../engine/native.js";
import { normalized } from "../engine/native-kernels.js";
import { type Tensor, type Tensor2D, type Tensor4D, tf } from "../engine/tf.js";
import type { Architecture } from "./efficientnet.js";
import { InferenceLayers, type Values } from "./inference-layers.js";
import { applyConvolutions, applyEfficientNet, type Layers } from "./layers.js";
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
  return readForInference(applyEfficientNet, model, images, values) as Tensor2D;
}

/** The feature map that the last layer takes the mean of, `[batchSize, height, width, channels]`; the caller disposes it. */
export function lastFeatures(model: Model, images: Tensor4D, values: Values): Tensor4D {
  return readForInference(applyConvolutions, model, images, values) as Tensor4D;
}

function readForInference(
  apply: <X>(layers: Layers<X>, architecture: Architecture, images: X) => X,
  { architecture, preprocessing }: Model,
  images: Tensor4D,
  values: Values,
): Tensor {
  return tf.tidy(() => {
    if (!hasNativeOps())
      return apply<Tensor>(new InferenceLayers(values), architecture, normalize(images, preprocessing));
    const layers = new NativeInferenceLayers(values);
    const run = (part: Tensor4D) =>
      tf.tidy(() => apply(layers, architecture, normalized(part, preprocessing)).values);
    const [batchSize, height, width] = images.shape;
    const partSize = Math.max(1, Math.floor(PIXELS_AT_ONCE / (height * width)));
    if (batchSize <= partSize) return run(images);
    const parts: Tensor[] = [];
    for (let start = 0; start < batchSize; start += partSize) {
      const size = Math.min(partSize, batchSize - start);
      parts.push(tf.tidy(() => run(images.slice([start, 0, 0, 0], [size, -1, -1, -1]))));
    }
    return tf.concat(parts);
  });
}
