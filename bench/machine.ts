// What was measured on, in names and versions.
import { ferkitVersion, type Machine } from "../src/environment.js";
import type { Engine } from "./contenders.js";
import type { Workers } from "./workers.js";

/** Name → version of all that takes part. */
export type Versions = Record<string, string>;

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
  const versions: Versions = { ferkit: await ferkitVersion() };
  for (const engine of engines) Object.assign(versions, await (await workers.of(engine)).request("versions"));
  return versions;
}
