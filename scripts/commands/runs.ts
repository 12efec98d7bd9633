import path from "node:path";
import type { Command } from "commander";
import { saveChart } from "../../src/charts/render.js";
import { accuracyPoints, differencesTable, runsChart, runsTable } from "../../src/charts/runs.js";
import { textTable } from "../../src/charts/tables.js";
import { loadRuns, type Run, recordRun, summarizeRun } from "../../src/training/run.js";
import { callerPath } from "../arguments.js";
import { printJson } from "./options.js";

interface Flags {
  diff?: boolean;
  chart?: string;
  record?: string;
  json?: boolean;
}

export function addRunsCommand(program: Command): void {
  program
    .command("runs")
    .argument("[folders...]", "folders with runs in them, or runs", ["runs"])
    .description("list and compare runs, the most accurate first")
    .option("--diff", "print also the values in which their configurations differ")
    .option(
      "--chart <file>",
      "draw validation accuracy over minutes and over epochs: .svg, .png or .json (vega-lite)",
    )
    .option("--record <folder>", "copy them there without weights and batches: small enough for git")
    .option("--json", "print a JSON line for each run")
    .action(async (folders: string[], flags: Flags) => {
      const runs = await loadRanked(folders.map(callerPath));
      if (flags.json) for (const { summary, run } of runs) printJson(record(summary, run));
      else if (runs.length) print(runs, flags);
      else console.error("no runs in there; `npx ferkit train` makes one");
      if (flags.record !== undefined)
        for (const { run, summary } of runs)
          await recordRun(run, path.join(callerPath(flags.record), summary.name));
      if (flags.chart === undefined) return;
      const curves = runs.map(({ run, summary }) => ({
        name: summary.name,
        points: accuracyPoints(run.epochs),
      }));
      const data = [...new Set(runs.map(({ summary }) => summary.data))];
      const title = data.length === 1 ? `Runs on ${data[0]}` : "Runs";
      await saveChart(runsChart(curves, title), callerPath(flags.chart));
    });
}

type Ranked = { run: Run; summary: ReturnType<typeof summarizeRun> & { name: string } };

/** The runs in the folders by their best accuracy, those without one last; a run is named by its path. */
async function loadRanked(folders: string[]): Promise<Ranked[]> {
  const found = new Map<string, Ranked>();
  for (const folder of folders) {
    const { runs, broken } = await loadRuns(folder);
    for (const { folder: where, reason } of broken) console.error(`passed over ${where}: ${reason}`);
    const nameOf = ({ folder: where }: Run) => path.relative(folder, where) || path.basename(where);
    for (const run of runs)
      found.set(run.folder, { run, summary: { name: nameOf(run), ...summarizeRun(run) } });
  }
  return [...found.values()].sort(
    ({ summary: a }, { summary: b }) => (b.bestAccuracy ?? -1) - (a.bestAccuracy ?? -1),
  );
}

function record(summary: Ranked["summary"], { folder, config, sessions }: Run): object {
  return { ...summary, folder, config, environment: sessions };
}

function print(runs: Ranked[], { diff }: Flags): void {
  console.log(textTable(runsTable(runs.map(({ summary }) => summary))));
  if (!diff) return;
  const table = differencesTable(runs.map(({ run, summary }) => ({ ...run, name: summary.name })));
  console.log(`\n${table.rows.length ? textTable(table) : "The configurations do not differ."}`);
}
