import type { Command } from "commander";
import {
  evaluatedImages,
  galleryChart,
  internals,
  interruptSignal,
  labelIssues,
  loadDataset,
  trainConfig,
} from "../../src/index.js";
import {
  callerPath,
  type DataFlags,
  dataInputs,
  dataOptions,
  hideSplitOptions,
  numberFor,
  type PresetFlags,
  printData,
  printJson,
  printRemarks,
  refuseSplits,
  withChartOption,
  withDataOptions,
  withExamples,
  withoutSizeNote,
  withPresetOptions,
} from "../options.js";
import { chartPath, writeChart } from "../outputs.js";
import { dataProgress, TrainProgress } from "../progress.js";

const { argMax, checkNumber, crossValidate, percent, score, textTable } = internals;

interface Flags extends DataFlags, PresetFlags {
  run: string;
  folds: number;
  top: number;
  chart?: string;
}

export function addLabelsCommand(program: Command): void {
  const command = withChartOption(withDataOptions(program.command("labels")), "the suspected images");
  hideSplitOptions(command);
  withExamples(
    withPresetOptions(command),
    "npx ferkit labels --data my-images --chart labels.png",
    "npx ferkit labels --data my-images --run runs/labels --folds 10 --set epochs=20 --json",
  )
    .option("--folds <count>", "number of folds; each needs a training", numberFor("--folds"), 5)
    .option("--run <folder>", "folder of the runs; the same folder resumes them", "runs/labels")
    .option("--top <count>", "suspected labels to print and draw; --json prints all", numberFor("--top"), 50)
    .option("--json", "print all suspected labels on one line")
    .action(async (flags: Flags) => {
      checkNumber("--folds", flags.folds, { min: 2, max: 100, integer: true });
      checkNumber("--top", flags.top, { min: 1, integer: true });
      refuseSplits(flags, "each image is in one of the folds", "Remove it; --folds chooses their number.");
      const config = trainConfig(flags.preset, flags.set);
      const chart = chartPath(flags, { data: dataInputs(flags) });
      const { imageSize, seed, fit, grey } = config;
      await internals.checkModels(config, internals.foldRunDir(callerPath(flags.run), 1, flags.folds));
      const loading = dataProgress();
      const load = { ...dataOptions(flags), imageSize, seed, fit, grey, onProgress: loading.onProgress };
      const all = await loadDataset({ ...load, validationShare: 1 }).finally(loading.stop);
      printData(flags, all.report);
      printRemarks(withoutSizeNote(all.report));
      const { signal, release } = interruptSignal();
      const dir = callerPath(flags.run);
      const { folds: numFolds } = flags;
      const events = crossValidate(all, load, config, { dir, numFolds, signal });
      const progress = new TrainProgress(config.epochs);
      let shown = 0;
      let step = await events.next();
      for (; !step.done; step = await events.next()) {
        loading.stop();
        const { fold, event } = step.value;
        if (fold !== shown) console.error(`fold ${fold} of ${numFolds}`);
        shown = fold;
        await progress.add(event);
      }
      loading.stop();
      release();
      const found = step.value;
      if (found === null) {
        process.exitCode = 130;
        return;
      }
      const issues = issuesOf(found);
      if (flags.json) printJson(asJson(flags, all.name, found, issues));
      else for (const line of inWords(flags, all.name, found, issues)) console.log(line);
      if (chart !== undefined) await writeChart(await pictures(flags, all.name, found, issues.length), chart);
    });
}

/** A label that is suspected. */
interface Issue {
  path: string;
  /** The class that the image is labelled with, and its probability. */
  label: string;
  labelProb: number;
  /** The class that is most probable instead. */
  likely: string;
  likelyProb: number;
  /** The fold that the image is in; null for an image of a validation folder, which all networks were asked about. */
  fold: number | null;
}

/** Lists the suspected labels, the label of lowest probability first. */
function issuesOf({ images, classNames, probs, folds }: internals.CrossValidation): Issue[] {
  const predicted = argMax(probs, classNames.length);
  const { labels, paths } = images;
  return labelIssues({ predicted, probs }, labels).map((index) => {
    const probOf = (label: number) => probs[index * classNames.length + label];
    return {
      path: paths[index],
      label: classNames[labels[index]],
      labelProb: probOf(labels[index]),
      likely: classNames[predicted[index]],
      likelyProb: probOf(predicted[index]),
      fold: folds[index] || null,
    };
  });
}

function asJson({ folds }: Flags, name: string, found: internals.CrossValidation, issues: Issue[]): object {
  const { images, unchecked } = found;
  return { name, folds, numImages: images.numImages, unchecked, issues };
}

/** Says how many labels are suspected, and lists them. */
function inWords(
  { folds, top }: Flags,
  name: string,
  { images, unchecked }: internals.CrossValidation,
  issues: Issue[],
): string[] {
  const lines = [`${name}: ${issues.length} of ${images.numImages} labels are suspected, by ${folds} folds`];
  if (unchecked.length > 0)
    lines.push(
      `not checked: ${unchecked.length}, whose class no training has or which are left out, such as ${unchecked[0]}`,
    );
  if (issues.length === 0) return lines;
  const table = textTable({
    heading: ["image", "label", "its probability", "more likely", "probability"],
    rows: issues
      .slice(0, top)
      .map((one) => [one.path, one.label, percent(one.labelProb), one.likely, percent(one.likelyProb)]),
    isNumeric: [false, false, true, false, true],
  });
  const more = issues.length > top ? [`${issues.length - top} more (--top ${issues.length} prints all)`] : [];
  return [...lines, "", table, ...more];
}

/** Draws the suspected images, each with the class that is more likely and its label. */
async function pictures(
  { top }: Flags,
  name: string,
  { images, classNames, probs }: internals.CrossValidation,
  numIssues: number,
) {
  const evaluation = score(probs, images.labels, classNames);
  const choice = { numImages: top, order: labelIssues };
  const suspected = await evaluatedImages(images, evaluation, classNames, choice);
  const title = `Label issues of ${name}`;
  const subtitle = `${Math.min(top, numIssues)} of ${numIssues}, the label of lowest probability first`;
  return galleryChart(suspected, { title, subtitle });
}
