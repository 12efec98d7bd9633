// tfjs in the browser, on the fastest of its backends. It takes the place of src/engine/tf.ts on the page.
import "@tensorflow/tfjs-backend-webgl";
import "@tensorflow/tfjs-backend-webgpu";
import * as tf from "@tensorflow/tfjs";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";

export { tf };

setWasmPaths("wasm/");

/** Backends of tfjs, the usually fastest first. `cpu` is plain JavaScript. */
export const BACKENDS = ["webgpu", "webgl", "wasm", "cpu"] as const;
export type BackendName = (typeof BACKENDS)[number];

/** Names of programs that imitate a graphics card on the processor; WebAssembly is faster. */
const SOFTWARE = /swiftshader|llvmpipe|software|basic render/i;

/** Returns whether a backend would run on a graphics card, or needs none. */
export async function isWorthMeasuring(name: BackendName): Promise<boolean> {
  if (name === "webgpu") return hasGpu();
  return name !== "webgl" || hasGraphicsCard();
}

/** Returns whether this browser has a backend, and uses it from now on. */
export async function useBackend(name: BackendName): Promise<boolean> {
  try {
    return (await tf.setBackend(name)) && tf.getBackend() === name;
  } catch {
    return false;
  }
}

/** The part of WebGPU's adapter that tells what it is. */
interface Adapter {
  info?: { vendor: string; architecture: string; description: string };
}

async function hasGpu(): Promise<boolean> {
  if (!("gpu" in navigator)) return false;
  const gpu = navigator.gpu as { requestAdapter(): Promise<Adapter | null> };
  const adapter = await gpu.requestAdapter().catch(() => null);
  const { vendor, architecture, description } = adapter?.info ?? {};
  return adapter !== null && !SOFTWARE.test(`${vendor} ${architecture} ${description}`);
}

function hasGraphicsCard(): boolean {
  const context = new OffscreenCanvas(1, 1).getContext("webgl2");
  if (!context) return false;
  const info = context.getExtension("WEBGL_debug_renderer_info");
  const name = String(context.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : context.RENDERER));
  context.getExtension("WEBGL_lose_context")?.loseContext();
  return !SOFTWARE.test(name);
}
