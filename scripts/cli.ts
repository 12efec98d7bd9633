import { readFileSync } from "node:fs";
import path from "node:path";
import { Command } from "commander";
import { endOnBrokenPipe } from "./broken-pipe.js";
import { reportFailure } from "./report-failure.js";

/** Loaded when asked for: the engine, which most of them need, takes a second and says so. */
const COMMANDS: Record<string, () => (program: Command) => void> = {
  data: () => require("./commands/data.js").addDataCommand,
  train: () => require("./commands/train.js").addTrainCommand,
  evaluate: () => require("./commands/evaluate.js").addEvaluateCommand,
  predict: () => require("./commands/predict.js").addPredictCommand,
  convert: () => require("./commands/convert.js").addConvertCommand,
  runs: () => require("./commands/runs.js").addRunsCommand,
  notebooks: () => require("./commands/notebooks.js").addNotebooksCommand,
  doctor: () => require("./commands/doctor.js").addDoctorCommand,
};

const { version, description } = JSON.parse(
  readFileSync(path.join(__dirname, "../package.json"), "utf8"),
) as {
  version: string;
  description: string;
};

endOnBrokenPipe(process.stdout);
const program = new Command("ferkit").description(description).version(version).showHelpAfterError();
const [, , asked] = process.argv;
const names = Object.hasOwn(COMMANDS, asked) ? [asked] : Object.keys(COMMANDS);
for (const name of names) COMMANDS[name]()(program);

program.parseAsync().catch(reportFailure);
