import type { MimeBundle } from "../charts/format.js";

/** What a notebook kernel offers to `src`, which does not know the kernel. `jupyter/kernels/tslab` sets it. */
export interface KernelHooks {
  /** Sends an output below the running cell, or in place of the output with the same id. */
  display?: (bundle: MimeBundle, displayId: string, isUpdate: boolean) => void;
  /** Calls back when the kernel is interrupted, until the returned function is called. */
  onInterrupt?: (callback: () => void) => () => void;
}

/** Returns the kernel's hooks; none outside a notebook. */
export function kernelHooks(): KernelHooks {
  return (globalThis as { ferkitKernel?: KernelHooks }).ferkitKernel ?? {};
}

/**
 * Returns a signal that aborts when the user interrupts: with the kernel's stop button in a notebook, with Ctrl-C elsewhere. There, it
 * also aborts when the system ends the program (SIGTERM), or the terminal is closed (SIGHUP).
 *
 * `signal` is for `train`, `evaluate` and the like. `release()` ends the listening: call it when the work is done, so that Ctrl-C ends the
 * program again.
 *
 * @example
 * ```ts
 * import { interruptSignal, loadDataset, train, trainConfig } from "ferkit";
 *
 * const data = "data/pets";
 * const config = trainConfig("tutorial");
 * const dataset = await loadDataset({ data, imageSize: config.imageSize });
 * const { signal, release } = interruptSignal();
 * for await (const event of train(dataset, config, { runDir: "runs/first", data, signal }))
 *   if (event.type === "done") console.log(event.reason); // interrupted, after Ctrl-C
 * release();
 * ```
 */
export function interruptSignal(): { signal: AbortSignal; release: () => void } {
  const controller = new AbortController();
  const abort = () => controller.abort();
  const { onInterrupt } = kernelHooks();
  if (onInterrupt) return { signal: controller.signal, release: onInterrupt(abort) };
  const release = () => {
    for (const name of END_SIGNALS) process.removeListener(name, stop);
  };
  const stop = () => {
    release(); // so that the next one ends the program
    abort();
  };
  for (const name of END_SIGNALS) process.on(name, stop);
  return { signal: controller.signal, release };
}

/** Signals that ask a program to end. */
export const END_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
