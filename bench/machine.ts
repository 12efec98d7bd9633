import { readFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import type { Engine } from "./contenders.js";
import type { Workers } from "./workers.js";

/** What was measured on. */
export interface Machine {
  cpu: string;
  cores: number;
  memoryGiB: number;
}

/** Name → version of all that takes part. */
export type Versions = Record<string, string>;

export function describeMachine(): Machine {
  const cpus = os.cpus();
  return {
    cpu: cpus[0].model.trim(),
    cores: cpus.length,
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
  };
}

/** A name for files: `amd-epyc-2-cores`. */
export function shortName({ cpu, cores }: Machine): string {
  const model = cpu
    .replace(/\((R|TM)\)|@.*|\b(CPU|Processor)\b/gi, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, " ")
    .trim()
    .replace(/ /g, "-");
  return `${model}-${cores}-cores`;
}

/** Versions of ferkit and of what the given workers run on. */
export async function readVersions(workers: Workers, engines: readonly Engine[]): Promise<Versions> {
  const versions: Versions = { ferkit: ferkitVersion() };
  for (const engine of engines) Object.assign(versions, await (await workers.of(engine)).request("versions"));
  return versions;
}

function ferkitVersion(): string {
  const file = path.join(__dirname, "../package.json");
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}
