import { readFileSync } from "node:fs";
import path from "node:path";
import { Command } from "commander";
import { addDataCommand } from "./commands/data.js";
import { addDoctorCommand } from "./commands/doctor.js";
import { addEvaluateCommand } from "./commands/evaluate.js";
import { addNotebooksCommand } from "./commands/notebooks.js";
import { addPredictCommand } from "./commands/predict.js";
import { addTrainCommand } from "./commands/train.js";

const { version, description } = JSON.parse(
  readFileSync(path.join(__dirname, "../package.json"), "utf8"),
) as {
  version: string;
  description: string;
};

const program = new Command("ferkit").description(description).version(version).showHelpAfterError();
for (const add of [
  addDataCommand,
  addTrainCommand,
  addEvaluateCommand,
  addPredictCommand,
  addNotebooksCommand,
  addDoctorCommand,
])
  add(program);

program.parseAsync().catch((error: Error) => {
  // What the user can mend needs no stack; a fault of ours does.
  const isInput = error.name === "InputError" || error.name === "ParameterError";
  console.error(isInput ? `ferkit: ${error.message}` : error);
  process.exitCode = 1;
});
