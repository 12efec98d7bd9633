// What is measured, in which order.
import { type ContenderName, PYTORCH } from "./contenders.js";
import type { BenchVariant, Kind, Workload } from "./workload.js";

/** A workload, and those who do it in turns. */
export interface Case {
  workload: Workload;
  contenders: readonly ContenderName[];
  /** Turns of each contender. */
  numRounds: number;
}

export interface SuiteOptions {
  /** Turns of each contender. */
  numRounds: number;
  /** Turns where batches are large or images of 96 pixels: these take longest and vary least. */
  numRoundsOfLong: number;
}

const VARIANTS: readonly BenchVariant[] = ["lite0", "b0"];
/** Batch sizes among which each side's best is looked for. */
const BATCH_SIZES = [32, 64, 128, 256];
/** The batch size of the recipe that all is compared with. */
const SEED_BATCH_SIZE = 32;

/** Workloads that the chart shows: the seed recipe's batch size, and one that fills the engines. */
export const DRAWN_BATCH_SIZES: readonly number[] = [SEED_BATCH_SIZE, 128];
export const DRAWN_IMAGE_SIZE = 48;

/** Every case, those first that more depends on. */
export function suite({ numRounds, numRoundsOfLong }: SuiteOptions): Case[] {
  const compare = (kind: Kind, variant: BenchVariant, imageSize: number, batchSize: number): Case => {
    const workload = { kind, variant, imageSize, batchSize };
    const isLong = kind === "train" && (batchSize > SEED_BATCH_SIZE || imageSize > 48);
    return { workload, contenders: contendersOf(workload), numRounds: isLong ? numRoundsOfLong : numRounds };
  };
  const each = (kind: Kind, imageSize: number, batchSizes: number[]) =>
    batchSizes.flatMap((batchSize) =>
      VARIANTS.map((variant) => compare(kind, variant, imageSize, batchSize)),
    );
  return [
    ...each("train", 48, BATCH_SIZES),
    ...each("infer", 48, [1, 32, 256]),
    compare("predict", "lite0", 48, 1),
    ...each("train", 96, [32, 128]),
  ];
}

/** Keras has B0 alone; it and stock layers, which are far behind, are measured where the chart compares them. */
function contendersOf({ kind, variant, imageSize, batchSize }: Workload): ContenderName[] {
  const contenders: ContenderName[] = ["ferkit", ...PYTORCH];
  const isDrawn = kind === "train" && imageSize === DRAWN_IMAGE_SIZE && DRAWN_BATCH_SIZES.includes(batchSize);
  if (isDrawn) contenders.push("ferkitLoading", "stockLayers");
  if (variant === "b0" && (isDrawn || (kind === "infer" && batchSize === 32))) contenders.push("keras");
  return contenders;
}
