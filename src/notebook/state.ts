// What one notebook leaves for the next: files, never variables of a kernel.
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { InputError } from "../errors.js";
import { writeFileAtomically } from "../files.js";
import type { RunConfig } from "../training/run-folder.js";

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
 */
export function runFolder(preset: string, config: RunConfig): string {
  const digest = createHash("sha256").update(JSON.stringify(config)).digest("hex").slice(0, 8);
  return path.join("runs", `${preset}-${digest}`);
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
  if (text !== null) return JSON.parse(text);
  throw new InputError({
    expected: `what notebook ${notebook} leaves`,
    where: file,
    found: "no such file",
    fix: `Run notebooks/${notebook}.ipynb first, or \`npm start -- --notebooks ${notebook.slice(0, 2)}\`.`,
  });
}
