// Runs the steps of set-up that are not current.
import fs from "node:fs";
import { rememberAccelerator } from "./accelerator.mjs";
import { addonStep, cachedAddon, libtensorflowDir, libtensorflowStep } from "./engine.mjs";
import { engineCheckStep } from "./engine-check.mjs";
import { withLock } from "./lock.mjs";
import { nativeOpsStep } from "./native.mjs";
import { kernelspecStep, npmStep, pythonStep } from "./packages.mjs";
import { checkPrerequisites } from "./prerequisites.mjs";
import { createProgress } from "./progress.mjs";
import { weightsStep } from "./weights.mjs";

/** In order: each step may use what the ones before it made. */
export const steps = [
  npmStep,
  pythonStep,
  libtensorflowStep,
  addonStep,
  nativeOpsStep,
  weightsStep,
  kernelspecStep,
  engineCheckStep,
];

/** Thrown when prerequisites are missing; holds one SetupError for each. */
export class MissingPrerequisites extends Error {
  constructor(problems) {
    super(problems.map((problem) => problem.message).join("\n"));
    this.name = "MissingPrerequisites";
    this.problems = problems;
  }
}

/** The steps whose stamps do not fit. */
export function pendingSteps(context, all = steps) {
  return all.filter((step) => !step.isCurrent(context));
}

/**
 * Brings a clone up to date.
 *
 * @param stream - Where progress goes.
 * @returns Names of the steps that ran; empty when everything was current.
 */
export async function setUp(context, { stream, all = steps, check = checkPrerequisites }) {
  if (pendingSteps(context, all).length === 0) return [];
  const note = (text) => stream.write(`${text}\n`);
  return withLock(context, note, async () => {
    const pending = pendingSteps(context, all); // another set-up may have done them meanwhile
    if (pending.length === 0) return [];
    const { problems, python, compiler } = check(context, findNeeds(context, pending));
    if (problems.length > 0) throw new MissingPrerequisites(problems);
    Object.assign(context, { systemPython: python, compiler, notes: [] });
    rememberAccelerator(context);
    return runSteps(context, all, createProgress(stream, all.length));
  });
}

async function runSteps(context, all, progress) {
  const ran = [];
  for (const step of all) {
    // Asked again, since installing the npm packages takes the addon and the engine check with it.
    if (step.isCurrent(context)) {
      progress.skip();
      continue;
    }
    await progress.step(step.name, (show) => step.run(context, show));
    ran.push(step.name);
  }
  for (const text of context.notes) progress.note(text);
  return ran;
}

/** Which prerequisites the pending steps use. */
export function findNeeds(context, pending) {
  const isPending = (...some) => some.some((step) => pending.includes(step));
  return {
    python: isPending(pythonStep),
    // Installing the npm packages takes the addon with it.
    compiler: isPending(npmStep, addonStep) && !fs.existsSync(cachedAddon(context)),
    cache: isPending(libtensorflowStep) && !fs.existsSync(libtensorflowDir(context)),
    project: isPending(npmStep, pythonStep),
  };
}
