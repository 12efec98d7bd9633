/** Progress of a load, as a loader reports it while it works. */
export interface LoadProgress {
  /** `download`, `unpack`, `draw`, `decode`, `compare`, `search` or `classify`. */
  stage: string;
  done: number;
  /** 0 if it is not known. */
  total: number;
  unit: "images" | "batches" | "bytes";
}

export type OnProgress = (progress: LoadProgress) => void;
