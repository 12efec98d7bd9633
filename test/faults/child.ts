// Runs scenarios in a process of its own, as its parent asks for them.
import { SCENARIOS } from "./scenarios.js";

export interface Job {
  name: string;
  dir: string;
  /** What the layer between the process and its files reads. */
  faults: NodeJS.ProcessEnv;
}

/** What the process says: that something is written, or how a scenario ended. */
export type Message = { acknowledged: string } | { error: string | null; isClear: boolean };

const tell = (message: Message) => process.send?.(message);

process.on("message", ({ name, dir, faults }: Job) => {
  Object.assign(process.env, { FAULT_KIND: "", FAULT_AT: "0", FAULT_LOG: "", ...faults, FAULT_DIR: dir });
  SCENARIOS[name]
    .run(dir, (acknowledged) => tell({ acknowledged }))
    .then(
      () => tell({ error: null, isClear: true }),
      (error: Error) => {
        const isClear = error.name === "InputError";
        tell({ error: isClear ? error.message : (error.stack ?? String(error)), isClear });
      },
    )
    .finally(() => {
      process.env.FAULT_DIR = "";
    });
});
tell({ acknowledged: "ready" });
