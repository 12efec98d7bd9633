// What is compared, and by which program each is run.

/** Programs that run as workers, each in a process of its own. */
export type Engine = "ferkit" | "pytorch" | "keras" | "stockLayers";
/** Order of a torch tensor's axes in memory. */
export type Layout = "default" | "channels-last";

export interface Contender {
  /** As tables and charts name it. */
  label: string;
  engine: Engine;
  /** PyTorch alone: which memory layout. */
  layout?: Layout;
  /** ferkit alone: each step takes its next batch from the loader and augments it. */
  loadsData?: boolean;
}

export const CONTENDERS = {
  ferkit: { label: "ferkit", engine: "ferkit" },
  ferkitLoading: { label: "ferkit, loading and augmenting", engine: "ferkit", loadsData: true },
  pytorch: { label: "PyTorch, default layout", engine: "pytorch", layout: "default" },
  pytorchChannelsLast: { label: "PyTorch, channels-last", engine: "pytorch", layout: "channels-last" },
  keras: { label: "Keras, graph mode", engine: "keras" },
  stockLayers: { label: "stock tfjs layers", engine: "stockLayers" },
} as const satisfies Record<string, Contender>;

export type ContenderName = keyof typeof CONTENDERS;

/** In the order of columns. */
export const CONTENDER_NAMES = Object.keys(CONTENDERS) as ContenderName[];

/** PyTorch in every layout that is measured. */
export const PYTORCH: readonly ContenderName[] = ["pytorch", "pytorchChannelsLast"];
