import path from "node:path";
import { isDeepStrictEqual } from "node:util";
import { InputError } from "../errors.js";
import { writeFileAtomically } from "../files.js";
import { loadMetrics, loadRunConfig } from "./run-folder.js";
import type { Run } from "./runs.js";

/**
 * Copies what a run was started with, on what, and what its epochs gave: a run's folder without weights and batches, some
 * kilobytes of text, in place of an earlier copy. Of the data's path the last part is kept, which says as much elsewhere.
 *
 * @throws InputError when the folder holds another run.
 */
export async function recordRun({ folder, config, stretches }: Run, target: string): Promise<void> {
  const own = { ...config, data: path.basename(config.data) };
  const present = await loadRunConfig(target);
  if (present && !isDeepStrictEqual(present, own))
    throw new InputError({
      expected: `no run but ${folder}`,
      where: target,
      found: "one of another configuration",
      fix: "Rename one of them, or remove the earlier record.",
    });
  const events = (await loadMetrics(folder)).filter(({ type }) => type !== "batch");
  const named = events.map((event) =>
    event.type === "done" ? { ...event, runDir: path.basename(target) } : event,
  );
  const lines = named.map((event) => `${JSON.stringify(event)}\n`);
  await writeFileAtomically(path.join(target, "metrics.jsonl"), lines.join(""));
  await writeFileAtomically(path.join(target, "environment.json"), json(stretches));
  await writeFileAtomically(path.join(target, "config.json"), json(own));
}

function json(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
