import path from "node:path";
import type { Command } from "commander";
import { internals, loadRuns, runsChart } from "../../src/index.js";
import { callerPath, printJson, withChartOption, withExamples } from "../options.js";
import { chartPath, checkCopies, writeChart } from "../outputs.js";

const {
  accuracyPoints,
  byDataSet,
  dataLabels,
  differencesTable,
  meansOverSeeds,
  meansTable,
  recordRun,
  runsTable,
  summarizeRun,
  textTable,
} = internals;
type Run = internals.Run;

interface Flags {
  diff?: boolean;
  mean?: boolean;
  chart?: string;
  record?: string;
  json?: boolean;
}

export function addRunsCommand(program: Command): void {
  const command = program.command("runs").argument("[folders...]", "runs, or folders with runs", ["runs"]);
  withChartOption(command, "validation accuracy over minutes and over epochs");
  withExamples(command, "npx ferkit runs runs/a runs/b --diff --chart runs.png")
    .option("--diff", "also print the values in which their configurations differ")
    .option(
      "--mean",
      "print the mean and standard deviation over runs that differ only in their seed, instead of each run",
    )
    .option("--record <folder>", "copy the runs there without weights and batches, small enough for git")
    .option("--json", "print a JSON line for each run")
    .action(async (folders: string[], flags: Flags) => {
      const chart = chartPath(flags, { models: folders.map(callerPath) });
      const runs = await loadRanked(folders.map(callerPath));
      if (flags.mean) printMeans(runs, flags.json);
      else if (flags.json) for (const { summary, run } of runs) printJson(record(summary, run));
      else if (runs.length) console.log(textTable(runsTable(runs.map(({ summary }) => summary))));
      else console.error("found no runs; `npx ferkit train` makes one");
      if (flags.diff && !flags.json && runs.length) printDifferences(runs);
      if (flags.record !== undefined) {
        const targets = runs.map(({ summary }) =>
          path.join(callerPath(flags.record as string), summary.name),
        );
        checkCopies(
          "--record",
          targets,
          runs.map(({ run }) => run.folder),
        );
        for (const [i, { run }] of runs.entries()) {
          await recordRun(run, targets[i]);
          console.error(`wrote ${targets[i]}`);
        }
      }
      if (chart === undefined) return;
      const curves = runs.map(({ run, summary }) => ({
        name: summary.name,
        points: accuracyPoints(run.epochs),
      }));
      const data = [...new Set(runs.map(({ summary }) => summary.data))];
      const title = data.length === 1 ? `Runs on ${data[0]}` : "Runs";
      await writeChart(runsChart(curves, title), chart);
    });
}

type Ranked = { run: Run; summary: ReturnType<typeof summarizeRun> & { name: string } };

/**
 * Loads the runs of the folders, by data set, folds after whole runs, each sorted by best accuracy and those without one last. A run is
 * named by its path below the folder that was given, or below the working folder if two runs would have the same name.
 */
async function loadRanked(folders: string[]): Promise<Ranked[]> {
  const found = new Map<string, internals.NamedRun>();
  for (const folder of folders) {
    const { runs, broken } = await loadRuns(folder);
    for (const { folder: where, reason } of broken) console.error(`passed over ${where}: ${reason}`);
    for (const { folder: where, problems } of runs)
      for (const problem of problems) console.error(`damaged ${where}: ${problem}`);
    const nameOf = ({ folder: where }: Run) => path.relative(folder, where) || path.basename(where);
    for (const run of runs) found.set(run.folder, { run, name: nameOf(run) });
  }
  const all = [...found.values()];
  const isTaken = (name: string) => all.filter((one) => one.name === name).length > 1;
  const labels = dataLabels(all.map(({ run }) => run));
  const byData = byDataSet(labels);
  return all
    .map(({ run, name }): Ranked => {
      const shown = isTaken(name) ? path.relative(callerPath("."), run.folder) : name;
      return { run, summary: { name: shown, ...summarizeRun(run), data: labels.get(run) as string } };
    })
    .sort((a, b) => byData(a.run, b.run) || (b.summary.bestAccuracy ?? -1) - (a.summary.bestAccuracy ?? -1));
}

function record(summary: Ranked["summary"], { folder, config, sessions, problems }: Run): object {
  return { ...summary, folder, config, environment: sessions, problems };
}

/** Prints the means, and on standard error which runs are in none, and why. */
function printMeans(runs: Ranked[], isJson = false): void {
  const { means, notes } = meansOverSeeds(runs.map(({ run, summary: { name } }) => ({ name, run })));
  if (isJson) for (const mean of means) printJson(mean);
  else console.log(means.length > 0 ? textTable(meansTable(means)) : "No run has ended.");
  for (const note of notes) console.error(`note: ${note}`);
}

function printDifferences(runs: Ranked[]): void {
  const table = differencesTable(runs.map(({ run, summary }) => ({ ...run, name: summary.name })));
  console.log(`\n${table.rows.length ? textTable(table) : "The configurations do not differ."}`);
}
