import path from "node:path";
import type { Command } from "commander";
import { checkNumber } from "../../src/errors.js";
import {
  classifiedPictures,
  loadClassifier,
  percent,
  predictionGridChart,
  saveChart,
} from "../../src/index.js";
import { callerPath, numberFor } from "../arguments.js";
import { printJson } from "./options.js";

interface Flags {
  model: string;
  top: number;
  chart?: string;
  json?: boolean;
}

export function addPredictCommand(program: Command): void {
  program
    .command("predict")
    .argument("<images...>", "image files or folders")
    .description("print the probability of each class for images of any size and format")
    .requiredOption("--model <folder>", "a model folder: `best` of a run")
    .option("--top <count>", "classes to print for each image", numberFor("--top"), 3)
    .option("--chart <file>", "draw the images with their probabilities: .svg, .png or .json (vega-lite)")
    .option("--json", "print {name, predictions} for each image, as JSON lines")
    .action(async (images: string[], flags: Flags) => {
      checkNumber("--top", flags.top, { min: 1, integer: true });
      const classifier = await loadClassifier(callerPath(flags.model));
      const classified = await classifier.predict(images.map(callerPath));
      classifier.dispose();
      for (const { name, predictions } of classified) {
        if (flags.json) printJson({ name, predictions });
        else {
          const ranked = predictions.slice(0, flags.top);
          console.log(
            `${name}  ${ranked.map(({ className, prob }) => `${className} ${percent(prob)}`).join("  ")}`,
          );
        }
      }
      if (flags.chart === undefined) return;
      const names = withoutCommonFolder(classified.map(({ name }) => name));
      const named = classified.map((image, i) => ({ ...image, name: names[i] }));
      await saveChart(predictionGridChart(await classifiedPictures(named)), callerPath(flags.chart));
    });
}

/** Paths from the innermost folder that holds all of them. */
function withoutCommonFolder(files: string[]): string[] {
  let folder = path.dirname(files[0]);
  while (!files.every((file) => !path.relative(folder, file).startsWith(".."))) folder = path.dirname(folder);
  return files.map((file) => path.relative(folder, file));
}
