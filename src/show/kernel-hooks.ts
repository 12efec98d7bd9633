import type { MimeBundle } from "../charts/mime.js";

/** What the notebook kernel offers to `src`, which does not know the kernel: jupyter/kernels/tslab sets it. */
export interface KernelHooks {
  /** Sends an output below the running cell, or in place of the one of the same id. */
  display?: (bundle: MimeBundle, displayId: string, isUpdate: boolean) => void;
  /** Calls back at an interrupt of the kernel, until the function it returns is called. */
  onInterrupt?: (callback: () => void) => () => void;
}

/** The kernel's hooks; none outside a notebook. */
export function kernelHooks(): KernelHooks {
  return (globalThis as { ferkitKernel?: KernelHooks }).ferkitKernel ?? {};
}
