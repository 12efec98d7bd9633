/** What the notebook kernel offers to `src`; there is none outside a notebook. */
interface KernelHooks {
  onNotebookInterrupt?: (callback: () => void) => () => void;
}

/**
 * A signal that aborts when the user interrupts: by the kernel's stop button in a notebook, by Ctrl-C elsewhere.
 *
 * `release` stops listening; call it when the work is done.
 */
export function interruptSignal(): { signal: AbortSignal; release: () => void } {
  const controller = new AbortController();
  const abort = () => controller.abort();
  const { onNotebookInterrupt } = globalThis as KernelHooks;
  if (onNotebookInterrupt) return { signal: controller.signal, release: onNotebookInterrupt(abort) };
  process.once("SIGINT", abort);
  return { signal: controller.signal, release: () => process.removeListener("SIGINT", abort) };
}
