// What `evaluate` says and draws.

import { evaluationChart } from "../../src/charts/evaluation.js";
import { percent } from "../../src/charts/format.js";
import { textTable } from "../../src/charts/tables.js";
import type { ChartSpec } from "../../src/charts/theme.js";
import { SPLIT_WORDS } from "../../src/data/split.js";
import type { Dataset } from "../../src/index.js";
import type { Evaluation, EvaluationReport, Scores } from "../../src/inference/evaluate.js";
import { calibrationError, reliability, withTemperature } from "../../src/metrics/calibration.js";

/** Scores as lines of text. */
export function inWords(report: EvaluationReport, name: string): string {
  const { flip, withoutDuplicates, withoutNearDuplicates, ece, eceUncalibrated, loss, split, perClass } =
    report;
  const line = (label: string, scores: Scores) =>
    `${label}: accuracy ${percent(scores.accuracy)} (${range(scores.intervals.accuracy, percent)}), ` +
    `macro-F1 ${scores.macroF1.toFixed(3)} (${range(scores.intervals.macroF1, (value) => value.toFixed(3))}), ` +
    `${scores.numImages} images`;
  const lines = [
    `${line(name, report)}: ${split ? SPLIT_WORDS[split] : "validation"}`,
    ...(flip ? [line("with mirror images", flip)] : []),
    ...(withoutDuplicates ? [line("without identical ones in train", withoutDuplicates)] : []),
    ...(withoutNearDuplicates ? [line("without near-identical ones in train", withoutNearDuplicates)] : []),
    ...(split?.startsWith("official")
      ? [
          "fair only to a model trained with --split official or official-test: others may have learnt from these images",
        ]
      : []),
    ...(split === "all" ? ["identical images: not looked for, since there are no training images"] : []),
    `loss ${loss.toFixed(3)}, calibration error ${percent(ece)}` +
      (eceUncalibrated === null ? "" : ` (${percent(eceUncalibrated)} before calibration)`),
  ];
  const cell = (value: number | null, format: (value: number) => string) =>
    value === null ? "–" : format(value);
  const table = textTable({
    heading: ["class", "precision", "recall", "F1", "images"],
    rows: Object.entries(perClass).map(([className, { precision, recall, f1, count }]) => [
      className,
      cell(precision, percent),
      cell(recall, percent),
      cell(f1, (value) => value.toFixed(3)),
      String(count),
    ]),
    isNumeric: [false, true, true, true, true],
  });
  return [...lines, "(in brackets: 95% of other draws of as many images)", "", table].join("\n");
}

function range([low, high]: readonly [number, number], format: (value: number) => string): string {
  return `${format(low)}–${format(high)}`;
}

/** The model's reliability, what it confuses, and its scores. */
export function chartOf(report: EvaluationReport, dataset: Dataset, { probs }: Evaluation): ChartSpec {
  const { classNames } = dataset;
  const { labels } = dataset.validation;
  const reliabilityOf = (some: Float32Array) => {
    const bins = reliability(some, labels, classNames.length);
    return { bins, ece: calibrationError(bins) };
  };
  const { temperature, split, numImages, accuracy, macroF1, intervals } = report;
  return evaluationChart({
    title: `Evaluation on ${dataset.name}`,
    subtitle:
      `${numImages.toLocaleString("en-US")} images${split ? `, ${SPLIT_WORDS[split]}` : ""} · ` +
      `accuracy ${percent(accuracy)} (95%: ${range(intervals.accuracy, percent)}), macro-F1 ${macroF1.toFixed(3)}`,
    confusion: { matrix: report.confusionMatrix, classNames },
    classScores: classNames.map((name) => report.perClass[name]),
    shown: reliabilityOf(probs),
    ...(temperature !== null && {
      uncalibrated: reliabilityOf(withTemperature(probs, classNames.length, 1 / temperature)),
    }),
  });
}
