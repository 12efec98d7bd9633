import os from "node:os";

/** A computer. */
export interface Machine {
  /** Model of its processor. */
  cpu: string;
  cores: number;
  memoryGiB: number;
}

/** The one that this runs on. */
export function machine(): Machine {
  const processors = os.cpus();
  return {
    cpu: processors[0]?.model.trim() ?? "unknown",
    cores: processors.length,
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
  };
}
