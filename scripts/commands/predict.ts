import type { Command } from "commander";
import { checkNumber } from "../../src/errors.js";
import { loadClassifier } from "../../src/index.js";
import { callerPath, numberFor } from "../arguments.js";
import { percent } from "../progress.js";
import { printJson } from "./options.js";

interface Flags {
  model: string;
  top: number;
  json?: boolean;
}

export function addPredictCommand(program: Command): void {
  program
    .command("predict")
    .argument("<images...>", "image files or folders")
    .description("print the probability of each class for images of any size and format")
    .requiredOption("--model <folder>", "a model folder: `best` of a run")
    .option("--top <count>", "classes to print for each image", numberFor("--top"), 3)
    .option("--json", "print {name, predictions} for each image, as JSON lines")
    .action(async (images: string[], flags: Flags) => {
      checkNumber("--top", flags.top, { min: 1, integer: true });
      const classifier = await loadClassifier(callerPath(flags.model));
      for (const { name, predictions } of await classifier.predict(images.map(callerPath))) {
        if (flags.json) printJson({ name, predictions });
        else {
          const ranked = predictions.slice(0, flags.top);
          console.log(
            `${name}  ${ranked.map(({ className, prob }) => `${className} ${percent(prob)}`).join("  ")}`,
          );
        }
      }
      classifier.dispose();
    });
}
