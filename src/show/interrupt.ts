import { kernelHooks } from "./kernel-hooks.js";

/**
 * A signal that aborts when the user interrupts: by the kernel's stop button in a notebook, by Ctrl-C elsewhere.
 *
 * `release` stops listening; call it when the work is done.
 */
export function interruptSignal(): { signal: AbortSignal; release: () => void } {
  const controller = new AbortController();
  const abort = () => controller.abort();
  const { onInterrupt } = kernelHooks();
  if (onInterrupt) return { signal: controller.signal, release: onInterrupt(abort) };
  process.once("SIGINT", abort);
  return { signal: controller.signal, release: () => process.removeListener("SIGINT", abort) };
}
