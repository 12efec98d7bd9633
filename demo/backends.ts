// Which backend of tfjs is the fastest on this machine: each classifies the same grey picture.
import { type ModelFiles, PageClassifier } from "./classifier.js";
import { BACKENDS, type BackendName, isWorthMeasuring, useBackend } from "./engine.js";

export interface Timing {
  backend: BackendName;
  /** Milliseconds for a frame; null if this browser lacks the backend, or it fails. */
  durationMs: number | null;
}

const SIDE = 512;
const NUM_FRAMES = 2;
/** A backend whose first frame takes longer is not measured further; it compiles its programs then. */
const MAX_FIRST_MS = 20_000;

/**
 * Measures the backends, and calls `onTiming` after each.
 *
 * @returns The timings, and a classifier on the fastest. Plain JavaScript is measured only if there is no other.
 */
export async function chooseBackend(
  model: ModelFiles,
  onTiming: (timing: Timing) => void,
): Promise<{ timings: Timing[]; classifier: PageClassifier }> {
  const timings: Timing[] = [];
  for (const backend of BACKENDS) {
    if (backend === "cpu" && timings.some(({ durationMs }) => durationMs !== null)) continue;
    const timing = { backend, durationMs: await measure(backend, model) };
    timings.push(timing);
    onTiming(timing);
  }
  const measured = timings.filter(({ durationMs }) => durationMs !== null);
  if (measured.length === 0) throw new Error("This browser runs none of the backends of tfjs.");
  measured.sort((a, b) => (a.durationMs as number) - (b.durationMs as number));
  return { timings, classifier: await loadOn(measured[0].backend, model) };
}

/** Loads a model on a backend that this browser has. */
export async function loadOn(backend: BackendName, model: ModelFiles): Promise<PageClassifier> {
  if (!(await useBackend(backend)))
    throw new Error(`This browser has no ${backend}. Choose one of ${BACKENDS.join(", ")}.`);
  return PageClassifier.load(model);
}

async function measure(backend: BackendName, model: ModelFiles): Promise<number | null> {
  if (!(await isWorthMeasuring(backend)) || !(await useBackend(backend))) return null;
  let classifier: PageClassifier | null = null;
  try {
    classifier = await PageClassifier.load(model);
    const image = { pixels: new Uint8Array(SIDE * SIDE * 3).fill(128), width: SIDE, height: SIDE };
    const start = performance.now();
    await classifier.classify(image as never);
    if (performance.now() - start > MAX_FIRST_MS) return null;
    const warm = performance.now();
    for (let frame = 0; frame < NUM_FRAMES; frame++) await classifier.classify(image as never);
    return (performance.now() - warm) / NUM_FRAMES;
  } catch {
    return null;
  } finally {
    classifier?.dispose();
  }
}
