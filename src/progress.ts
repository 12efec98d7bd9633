/** Progress of a load, as a loader reports it while it works. */
export interface LoadProgress {
  /** `download`, `unpack`, `draw`, `decode`, `compare`, `search` or `classify`. */
  stage: string;
  /** How much is done, in `unit`. */
  done: number;
  /** How much there is to do; 0 if it is not known. */
  total: number;
  unit: "images" | "batches" | "bytes";
}

/** Called again and again while something is loaded. */
export type OnProgress = (progress: LoadProgress) => void;
