// The project's own ops, an addon that set-up makes on machines that can use it. Where it is not, TensorFlow's kernels serve.
import { existsSync } from "node:fs";
import path from "node:path";
import { tf } from "./tf.js";

export type InstructionSet = "avx512" | "avx2";

const ADDON = path.join(__dirname, "../../.ferkit/native/ferkit_ops.node");
let loaded: InstructionSet | null | undefined;

/** Whether ops named Ferkit… can be run. The environment variable FERKIT_NATIVE=0 says no to them. */
export function hasNativeOps(): boolean {
  return instructionSet() !== null;
}

/** What the native ops' kernels were compiled for; null where TensorFlow's own serve. Loads the addon. */
export function instructionSet(): InstructionSet | null {
  if (loaded === undefined) loaded = load();
  return loaded;
}

function load(): InstructionSet | null {
  const { isUsingGpuDevice } = tf.backend() as unknown as { isUsingGpuDevice: boolean };
  if (isUsingGpuDevice || process.env.FERKIT_NATIVE === "0" || !existsSync(ADDON)) return null;
  try {
    return (require(ADDON) as { instructionSet: InstructionSet | null }).instructionSet;
  } catch (error) {
    const { message } = error as Error;
    process.emitWarning(`TensorFlow's own kernels serve, since the native ops do not load: ${message}`);
    return null;
  }
}
