/**
 * What one step does: `train` = forward, cross-entropy, backward, Adam on a prepared batch; `infer` = logits of a prepared
 * batch; `predict` = an image file's bytes to probabilities.
 */
export type Kind = "train" | "infer" | "predict";

/** The networks that are compared. */
export type BenchVariant = "lite0" | "b0";

export interface Workload {
  kind: Kind;
  variant: BenchVariant;
  /** Side of the square images, in pixels. */
  imageSize: number;
  batchSize: number;
}

/** Classes of the last layer in every engine: FER-2013's seven. */
export const CLASS_NAMES = ["angry", "disgust", "fear", "happy", "neutral", "sad", "surprise"];

/** `train lite0, 48 px, batch 32`. */
export function describe({ kind, variant, imageSize, batchSize }: Workload): string {
  return `${kind} ${variant}, ${imageSize} px, batch ${batchSize}`;
}

export function isSameWorkload(a: Workload, b: Workload): boolean {
  return describe(a) === describe(b);
}
