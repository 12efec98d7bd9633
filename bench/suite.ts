// What is compared, on which workloads, in which order.

/** Programs that run as workers, each in its own process. */
export type Engine =
  | "ferkit"
  | "pytorch"
  | "keras"
  | "stockLayers"
  | "onnxRuntime"
  | "onnxRuntimeNode"
  | "openvino";
/** Order of a torch tensor's axes in memory. */
export type Layout = "default" | "channels-last";
/** Type of the numbers that a runtime computes with. */
export type Precision = "float32" | "bfloat16";

export interface Contender {
  /** Its name in tables and charts. */
  label: string;
  engine: Engine;
  /** PyTorch only: memory layout. */
  layout?: Layout;
  /** PyTorch only: compiled by `torch.compile`, and frozen for inference. */
  compiled?: boolean;
  /** float32 by default. */
  precision?: Precision;
  /** ferkit only: each step takes its next batch from the loader and augments it. */
  loadsData?: boolean;
}

export const CONTENDERS = {
  ferkit: { label: "ferkit", engine: "ferkit" },
  ferkitBf16: { label: "ferkit, bfloat16", engine: "ferkit", precision: "bfloat16" },
  ferkitLoading: { label: "ferkit, loading and augmenting", engine: "ferkit", loadsData: true },
  pytorch: { label: "PyTorch, default layout", engine: "pytorch", layout: "default" },
  pytorchChannelsLast: { label: "PyTorch, channels-last", engine: "pytorch", layout: "channels-last" },
  pytorchCompiled: {
    label: "PyTorch, torch.compile",
    engine: "pytorch",
    layout: "channels-last",
    compiled: true,
  },
  onnxRuntime: { label: "ONNX Runtime", engine: "onnxRuntime" },
  onnxRuntimeNode: { label: "ONNX Runtime for Node", engine: "onnxRuntimeNode" },
  openvino: { label: "OpenVINO", engine: "openvino", precision: "float32" },
  openvinoBf16: { label: "OpenVINO, bfloat16", engine: "openvino", precision: "bfloat16" },
  keras: { label: "Keras, graph mode", engine: "keras" },
  stockLayers: { label: "stock tfjs layers", engine: "stockLayers" },
} as const satisfies Record<string, Contender>;

export type ContenderName = keyof typeof CONTENDERS;

/** In the order of columns. */
export const CONTENDER_NAMES = Object.keys(CONTENDERS) as ContenderName[];

/** Eager PyTorch in every layout that is measured. */
export const PYTORCH: readonly ContenderName[] = ["pytorch", "pytorchChannelsLast"];
/** Runtimes that only infer, from a network in ONNX format. */
export const RUNTIMES: readonly ContenderName[] = [
  "onnxRuntime",
  "onnxRuntimeNode",
  "openvino",
  "openvinoBf16",
];
/** Contenders that are ferkit itself. */
export const OWN: readonly ContenderName[] = ["ferkit", "ferkitBf16", "ferkitLoading"];

/**
 * Kind of step: `train` = forward, cross-entropy, backward, Adam on a prepared batch; `infer` = logits of a prepared batch;
 * `predict` = bytes of an image file to probabilities.
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

/** Returns a workload's name, such as `train lite0, 48 px, batch 32`. */
export function describe({ kind, variant, imageSize, batchSize }: Workload): string {
  return `${kind} ${variant}, ${imageSize} px, batch ${batchSize}`;
}

/** A workload and the contenders that take turns at it. */
export interface Case {
  workload: Workload;
  contenders: readonly ContenderName[];
  /** Turns of each contender. */
  numRounds: number;
}

export interface SuiteOptions {
  /** Turns of each contender. */
  numRounds: number;
  /** Turns for large batches and for images of 96 pixels: they take long and vary little. */
  numRoundsOfLong: number;
}

const VARIANTS: readonly BenchVariant[] = ["lite0", "b0"];
/** Batch sizes at which each contender's best is sought. */
const BATCH_SIZES = [32, 64, 128, 256];
/** Batch size of the preset `baseline`. */
export const BASELINE_BATCH_SIZE = 32;

/** Batch sizes in the chart: the baseline's, and one that keeps every engine busy. */
export const DRAWN_BATCH_SIZES: readonly number[] = [BASELINE_BATCH_SIZE, 128];
export const DRAWN_IMAGE_SIZE = 48;

/** Lists every case, the most important first. */
export function suite({ numRounds, numRoundsOfLong }: SuiteOptions): Case[] {
  const compare = (kind: Kind, variant: BenchVariant, imageSize: number, batchSize: number): Case => {
    const workload = { kind, variant, imageSize, batchSize };
    const isLong = kind === "train" && (batchSize > BASELINE_BATCH_SIZE || imageSize > 48);
    return { workload, contenders: contendersOf(workload), numRounds: isLong ? numRoundsOfLong : numRounds };
  };
  const each = (kind: Kind, imageSize: number, batchSizes: number[]) =>
    batchSizes.flatMap((batchSize) =>
      VARIANTS.map((variant) => compare(kind, variant, imageSize, batchSize)),
    );
  return [
    ...each("train", 48, BATCH_SIZES),
    ...each("infer", 48, [1, 32, 256]),
    compare("infer", "lite0", 144, 1),
    compare("infer", "lite0", 144, 32),
    compare("predict", "lite0", 48, 1),
    ...each("train", 96, [32, 128]),
  ];
}

/**
 * Keras lacks Lite0. Keras and stock layers are far behind, so they are measured only where the chart shows them. Compilation by
 * PyTorch takes minutes, so it is measured only for the most important workloads.
 */
function contendersOf({ kind, variant, imageSize, batchSize }: Workload): ContenderName[] {
  const contenders: ContenderName[] = ["ferkit", ...PYTORCH];
  const isDrawn = kind === "train" && imageSize === DRAWN_IMAGE_SIZE && DRAWN_BATCH_SIZES.includes(batchSize);
  const isFullBatch = kind === "infer" && batchSize === 32;
  if (isDrawn) contenders.push("ferkitLoading", "stockLayers");
  if (isDrawn || isFullBatch || (kind === "infer" && imageSize === 48 && batchSize === 1))
    contenders.push("pytorchCompiled");
  if (kind === "infer") contenders.push("ferkitBf16", ...RUNTIMES);
  if (variant === "b0" && (isDrawn || isFullBatch)) contenders.push("keras");
  return contenders;
}
