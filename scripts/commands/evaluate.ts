import type { Command } from "commander";
import {
  type ChartSpec,
  type Dataset,
  type Evaluation,
  findNearDuplicates,
  imageConclusions,
  internals,
} from "../../src/index.js";
import {
  type DataFlags,
  dataInputs,
  printJson,
  scoredModelFolder,
  withChartOption,
  withDataOptions,
  withExamples,
  withPrecisionOption,
  withScoredModelOption,
} from "../options.js";
import { chartPath, writeChart } from "../outputs.js";
import { loadScored, trainedOnInWords } from "../scored-images.js";
import { bracketsInWords, largestInWords, range, scoresInWords } from "../scores.js";

const {
  calibrationError,
  classifyViews,
  formatCount,
  meanOf,
  percent,
  reliability,
  splitInWords,
  textTable,
  withTemperature,
} = internals;

interface Flags extends DataFlags {
  model?: string;
  flip?: boolean;
  crops?: boolean;
  precision: internals.Precision;
  chart?: string;
}

export function addEvaluateCommand(program: Command): void {
  const command = withScoredModelOption(withDataOptions(program.command("evaluate")));
  withPrecisionOption(command);
  withChartOption(command, "calibration, confusions and the scores of each class");
  withExamples(command, "npx ferkit evaluate --data my-images --model runs/mine/best --flip --json")
    .option("--flip", "also score the mean over each image and its mirror image")
    .option(
      "--crops",
      "also score the mean over 12 views: each image, five crops, and their mirror images; takes 12 times as long",
    )
    .option("--json", "print all scores on one line")
    .action(async (flags: Flags) => {
      const model = scoredModelFolder(flags);
      const chart = chartPath(flags, { data: dataInputs(flags), models: [model] });
      const { network, dataset, isTrainedOn, progress } = await loadScored(model, flags);
      const { config } = network;
      const { train, validation } = dataset;
      const nearDuplicates =
        train.numImages > 0
          ? await findNearDuplicates([train, validation], progress.onProgress).finally(progress.stop)
          : null;
      if ((flags.flip || flags.crops) && nearDuplicates)
        for (const { about, text } of await imageConclusions(dataset, nearDuplicates))
          if (about === "mirroring") console.error(`note: ${text}`);
      const { groups } = await internals
        .groupImages(validation, internals.groupOption(dataset), progress.onProgress)
        .finally(progress.stop);
      const views = flags.crops ? "crops" : flags.flip ? "flip" : "image";
      const ofViews = await classifyViews(network, validation, {
        views,
        onProgress: progress.onProgress,
      }).finally(progress.stop);
      network.dispose();
      const evaluation = internals.score(ofViews[0], validation.labels, config.classNames);
      const report = internals.evaluationReport({
        dataset,
        config,
        evaluation,
        viewProbs: {
          ...(flags.flip && { flip: meanOf(ofViews.slice(0, 2)) }),
          ...(flags.crops && { crops: meanOf(ofViews) }),
        },
        nearDuplicates,
        groups,
        isTrainedOn,
        seed: internals.INTERVAL_SEED,
      });
      if (flags.json) printJson({ model, ...report });
      else console.log(reportText(report, dataset.name));
      if (chart !== undefined) await writeChart(reportChart(report, dataset, evaluation), chart);
    });
}

function line(label: string, scores: internals.Scores): string {
  return `${label}: ${scoresInWords(scores)}`;
}

type Unseen = Pick<internals.EvaluationReport, "numImages" | "withoutDuplicates" | "withoutNearDuplicates">;

/** Scores without images like those of training, which say nothing new if there are none. Near-duplicates hold the duplicates. */
function unseenLines(scores: Unseen, start = ""): string[] {
  const { numImages, withoutDuplicates, withoutNearDuplicates } = scores;
  const kinds: [string, internals.Scores | null][] =
    withoutDuplicates?.numImages === withoutNearDuplicates?.numImages
      ? [["duplicates and near-duplicates", withoutNearDuplicates]]
      : [
          ["duplicates", withoutDuplicates],
          ["near-duplicates", withoutNearDuplicates],
        ];
  return kinds.flatMap(([kind, without]) => {
    if (!without) return [];
    if (without.numImages < numImages) return [line(`${start}without ${kind} of training images`, without)];
    return start === "" ? [`${kind} of training images: none`] : [];
  });
}

/** Says that no score without images like those of training is possible. */
function allLikeTraining({ likeTraining, numImages }: internals.EvaluationReport): string[] {
  if (likeTraining?.nearDuplicates !== numImages) return [];
  const kind = likeTraining.duplicates === numImages ? "duplicates" : "duplicates or near-duplicates";
  return [`all of these images are ${kind} of training images, so their scores say nothing about new ones`];
}

function viewLines(label: string, scores: internals.EvaluationReport["flip"]): string[] {
  if (!scores) return [];
  const all = `${line(label, scores)}, calibration error ${percent(scores.ece)}`;
  return [all, ...unseenLines(scores, `${label}, `)];
}

/** Returns the scores as lines of text. */
export function reportText(report: internals.EvaluationReport, name: string): string {
  const { flip, crops, ece, eceUncalibrated, loss, split, splitBy, perClass, predictionSets, riskCoverage } =
    report;
  const uncalibrated = eceUncalibrated === null ? "" : ` (${percent(eceUncalibrated)} before calibration)`;
  return [
    `${line(name, report)}: ${split ? splitInWords(split, splitBy) : "validation"}`,
    ...doubts(report),
    ...unseenLines(report),
    ...allLikeTraining(report),
    ...viewLines("with mirror images", flip),
    ...viewLines("with crops and mirror images", crops),
    ...splitRemarks(split),
    `loss ${loss.toFixed(3)}, calibration error ${percent(ece)}${uncalibrated}`,
    ...(predictionSets ?? []).map(setLine),
    `accuracy ${percent(1 - riskAt(riskCoverage, 0.5))} on the half with the most probable answers; ` +
      `area under the risk–coverage curve ${riskCoverage.aurc.toFixed(3)}`,
    bracketsInWords(report),
    ...fewGroups(report),
    ...fewImages(perClass),
    "",
    classTable(report),
  ].join("\n");
}

/** Says why the accuracy may mean less than it seems to. */
function doubts({ largestClass, trainedOn, numImages }: internals.EvaluationReport): string[] {
  const lines = largestInWords(largestClass);
  if (trainedOn && trainedOn.numImages > 0) {
    lines.push(trainedOnInWords(trainedOn.numImages, numImages));
    if (trainedOn.without) lines.push(line("without them", trainedOn.without));
  }
  return lines;
}

function splitRemarks(split: internals.EvaluationReport["split"]): string[] {
  if (split === "all")
    return ["duplicates of training images: not looked for, since there are no training images"];
  if (!split?.startsWith("official")) return [];
  return [
    "only fair for a model that was trained with --split official or official-test; others may have seen these images",
  ];
}

/** Says how the prediction sets of a coverage do. */
function setLine({
  coverage,
  covered,
  meanSize,
  intervals,
  answered,
}: NonNullable<internals.EvaluationReport["predictionSets"]>[number]): string {
  const correct = answered.accuracy === null ? "" : `, ${percent(answered.accuracy)} of these are correct`;
  return (
    `sets for ${percent(coverage, 0)}: hold the right class of ${percent(covered)} (${range(intervals.covered, percent)}), ` +
    `${meanSize.toFixed(2)} classes (${range(intervals.meanSize, (value) => value.toFixed(2))}); ` +
    `${percent(answered.share)} have one class${correct}`
  );
}

function classTable({ classNames, perClass }: internals.EvaluationReport): string {
  const cell = (value: number | null, format: (value: number) => string) =>
    value === null ? "–" : format(value);
  return textTable({
    heading: ["class", "precision", "recall", "F1", "images"],
    rows: classNames.map((className) => {
      const { precision, recall, f1, count } = perClass[className];
      const scores = [cell(precision, percent), cell(recall, percent), cell(f1, (value) => value.toFixed(3))];
      return [className, ...scores, String(count)];
    }),
    isNumeric: [false, true, true, true, true],
  });
}

/** Fewer images of a class tell little about it, and macro-F1 gives it the weight of any other. */
const FEW_IMAGES = 10;

/** A draw of few groups varies less than other images would. */
function fewGroups({ numGroups, numImages }: internals.EvaluationReport): string[] {
  if (numGroups === numImages || numGroups >= FEW_IMAGES) return [];
  return [`there are fewer than ${FEW_IMAGES} groups, so these intervals are too narrow`];
}

function fewImages(perClass: internals.EvaluationReport["perClass"]): string[] {
  const few = Object.entries(perClass).filter(([, { count }]) => count > 0 && count < FEW_IMAGES);
  if (few.length === 0) return [];
  const named = few.slice(0, 3).map(([name, { count }]) => `${name}: ${count}`);
  return [
    `${few.length === 1 ? "a class has" : `${few.length} classes have`} fewer than ${FEW_IMAGES} images ` +
      `(${named.join(", ")}${few.length > 3 ? ", …" : ""}), so the interval of macro-F1 is too narrow`,
  ];
}

/** Returns the risk of answering a share of the images. */
function riskAt({ points }: internals.EvaluationReport["riskCoverage"], share: number): number {
  return (points.find(({ answered }) => answered >= share) ?? points[points.length - 1]).risk;
}

/** Draws the model's calibration, its confusions, and its scores. */
function reportChart(report: internals.EvaluationReport, dataset: Dataset, { probs }: Evaluation): ChartSpec {
  const { classNames } = dataset;
  const { labels } = dataset.validation;
  const reliabilityOf = (some: Float32Array) => {
    const bins = reliability(some, labels, classNames.length);
    return { bins, ece: calibrationError(bins) };
  };
  const { temperature, split, splitBy, numImages, accuracy, macroF1, intervals, riskCoverage } = report;
  return internals.evaluationChart({
    title: `Evaluation on ${dataset.name}`,
    subtitle:
      `${formatCount(numImages)} images${split ? `, ${splitInWords(split, splitBy)}` : ""} · ` +
      `accuracy ${percent(accuracy)} (95%: ${range(intervals.accuracy, percent)}), macro-F1 ${macroF1.toFixed(3)}`,
    confusion: { matrix: report.confusionMatrix, classNames },
    classScores: classNames.map((name) => report.perClass[name]),
    shown: reliabilityOf(probs),
    riskCoverage,
    ...(temperature !== null && {
      uncalibrated: reliabilityOf(withTemperature(probs, classNames.length, 1 / temperature)),
    }),
  });
}
