// Whether the engine works: started once after set-up, and by the doctor.
import path from "node:path";
import { runCommand } from "./command.mjs";
import { addonKey, libtensorflowDir } from "./engine.mjs";
import { nativeKey } from "./native.mjs";
import { SetupError } from "./problem.mjs";
import { isStamped, stampKey, writeStamp } from "./stamps.mjs";

/**
 * Starts the engine in a process of its own.
 *
 * @returns `{ isRight, libtensorflow, tfjs, isGpu, device, kernels }`, or `{ error }` with what the process printed.
 */
export async function probeEngine(context) {
  const probe = path.join(context.root, "scripts/setup/engine-probe.cjs");
  const { status, output } = await runCommand(process.execPath, ["--require", "tsx/cjs", probe], {
    cwd: context.root,
    env: context.env,
  });
  const line =
    output
      .trim()
      .split("\n")
      .findLast((text) => text.startsWith("{")) ?? "";
  if (status === 0 && line) return JSON.parse(line);
  return { error: output.trim() };
}

export const engineCheckStep = {
  name: "engine check",
  isCurrent(context) {
    return isStamped(checkStamp(context), checkKey(context));
  },
  async run(context) {
    const engine = await probeEngine(context);
    if (engine.error !== undefined || !engine.isRight) {
      throw new SetupError({
        expected: "the engine to multiply two matrices and to derive x³",
        found: engine.error === undefined ? "wrong values" : `an error:\n${engine.error}\n`,
        fix: `Remove what was built and run this again: rm -rf ${path.join(context.cacheDir, "addons")} node_modules`,
      });
    }
    if (context.accelerator === "gpu" && !engine.isGpu) {
      context.notes.push(
        "WARNING: the CUDA libraries are installed, but the engine found no usable GPU and runs on the CPU. " +
          "Run: nvidia-smi, to see whether the driver answers.",
      );
    }
    writeStamp(checkStamp(context), checkKey(context));
    return `TensorFlow ${engine.libtensorflow} on ${engine.device}, ${engine.kernels} kernels`;
  },
};

// One stamp for each Node release line, so that going back and forth between two does not repeat the check.
function checkStamp(context) {
  return path.join(context.nodeModulesDir, `.ferkit-engine-v${process.versions.node.split(".")[0]}`);
}

function checkKey(context) {
  return stampKey([process.version, addonKey(context), nativeKey(context), libtensorflowDir(context)]);
}
