// What one notebook leaves for the next: files, never variables of a kernel.
import { createHash } from "node:crypto";
import { readFile, rm } from "node:fs/promises";
import path from "node:path";
import type { TrainConfig } from "../config.js";
import type { Dataset } from "../data/dataset.js";
import { InputError } from "../errors.js";
import { writeFileAtomically } from "../files.js";

/** How notebook 02 loaded the data set, so that the later ones load the same. */
export interface PreparedData {
  data: string;
  seed: number;
  validationShare: number;
  dropDuplicates: boolean;
  dropLeaked: boolean;
}

const PREPARED = path.join("data", "prepared.json");
const LATEST = path.join("runs", "latest.json");

export async function savePreparedData(prepared: PreparedData): Promise<void> {
  await writeFileAtomically(PREPARED, `${JSON.stringify(prepared, null, 2)}\n`);
}

/** @throws InputError that names the notebook to run, when none has prepared the data. */
export async function loadPreparedData(): Promise<PreparedData> {
  return (await readLeft(PREPARED, "02-preprocessing")) as PreparedData;
}

/**
 * The folder of a run, named by all that governs it: the same configuration finds its run again, to go on or to look at,
 * and another one gets a folder of its own.
 *
 * @param options.fresh - Remove the run that is there.
 */
export async function prepareRunFolder(
  preset: string,
  config: TrainConfig,
  { classNames, train, validation }: Dataset,
  { data, fresh }: { data: string; fresh: boolean },
): Promise<string> {
  const identity = JSON.stringify([config, classNames, data, train.numImages, validation.numImages]);
  const runDir = path.join(
    "runs",
    `${preset}-${createHash("sha256").update(identity).digest("hex").slice(0, 8)}`,
  );
  if (fresh) await rm(runDir, { recursive: true, force: true });
  return runDir;
}

export async function saveLatestRun(runDir: string): Promise<void> {
  await writeFileAtomically(LATEST, `${JSON.stringify({ runDir })}\n`);
}

/** @throws InputError that names the notebook to run, when none has trained. */
export async function loadLatestRun(): Promise<string> {
  return ((await readLeft(LATEST, "04-training")) as { runDir: string }).runDir;
}

async function readLeft(file: string, notebook: string): Promise<unknown> {
  const text = await readFile(file, "utf8").catch(() => null);
  const left = text === null ? undefined : parseJson(text);
  if (left !== undefined) return left;
  throw new InputError({
    expected: `what notebook ${notebook} leaves`,
    where: file,
    found: text === null ? "no such file" : "no JSON",
    fix: `Run notebooks/${notebook}.ipynb first, or \`npm start -- --notebooks ${notebook.slice(0, 2)}\`.`,
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
