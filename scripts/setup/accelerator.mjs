// Which libtensorflow: the one for CPUs, or the one with CUDA.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { SetupError } from "./problem.mjs";
import { ensureStateDir } from "./project.mjs";
import { writeWhole } from "./stamps.mjs";

const CHOICES = ["cpu", "gpu", "auto"];

/**
 * The accelerator asked for: by flag, by `FERKIT_ACCELERATOR`, as this clone was set up before, or the CPU.
 *
 * @returns "cpu" or "gpu"; "auto" takes the GPU where `nvidia-smi` answers.
 * @throws SetupError "Expected cpu, gpu or auto as accelerator but found tpu."
 */
export function chooseAccelerator(stateDir, env, flag, hasGpu = gpuAnswers) {
  const file = path.join(stateDir, "accelerator");
  const before = fs.existsSync(file) ? fs.readFileSync(file, "utf8").trim() : undefined;
  const choice = flag ?? (env.FERKIT_ACCELERATOR || before || "cpu");
  if (!CHOICES.includes(choice)) {
    const fix = "Run: npm run setup -- --accelerator auto";
    throw new SetupError({ expected: "cpu, gpu or auto as accelerator", found: choice, fix });
  }
  if (choice !== "auto") return choice;
  return hasGpu() ? "gpu" : "cpu";
}

/** Keeps the choice, so that `npm start` after `npm run setup -- --accelerator gpu` stays with the GPU. */
export function rememberAccelerator(context) {
  writeWhole(path.join(ensureStateDir(context), "accelerator"), context.accelerator);
}

/** Name of the first GPU that the driver reports, else undefined. */
export function gpuAnswers() {
  const { status, stdout } = spawnSync("nvidia-smi", ["--query-gpu=name", "--format=csv,noheader"], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  return status === 0 ? stdout.trim().split("\n")[0] : undefined;
}
