import type { DataFrame } from "danfojs-node";
import "../engine/tf.js"; // danfo.js brings the engine along, which has to be readied first
import type { DataReport } from "../data/audit/report.js";
import type { LayerSummary } from "../model/parameters.js";
import { blockOf } from "../model/parameters.js";
import type { EpochEvent } from "../training/events.js";
import type { ClassCount } from "./data-charts.js";
import type { Cell } from "./table-bundle.js";

/**
 * Records as a table, a column for each name of the first one.
 *
 * @param rows - At least one.
 */
export function table(rows: Record<string, Cell>[]): Promise<DataFrame> {
  const columns = Object.keys(rows[0] ?? {});
  return buildTable(
    columns,
    rows.map((row) => columns.map((name) => row[name] ?? null)),
  );
}

/** A row for each thing that can be wrong with a data set: how often it is, and an example. */
export function auditTable(report: DataReport): Promise<DataFrame> {
  const { numImages, unreadable, examples, dropped } = report;
  const first = (groups: string[][]) => groups[0]?.join(", ") ?? "";
  const row = (check: string, found: number, of: number, leftOut: number, example: string) => ({
    check,
    found,
    of,
    "left out": leftOut,
    example,
  });
  const all = numImages.train + numImages.validation + dropped.duplicates + dropped.leaked;
  return table([
    row(
      "unreadable files",
      unreadable.length,
      all + unreadable.length,
      unreadable.length,
      unreadable[0]?.path ?? "",
    ),
    row(
      "images twice in a split",
      report.duplicateImages,
      all,
      dropped.duplicates,
      first(examples.duplicates),
    ),
    row("validation images also in train", report.leakedImages, all, dropped.leaked, first(examples.leaked)),
    row(
      "same image, different classes",
      report.labelConflicts,
      report.duplicateGroups,
      0,
      first(examples.conflicts),
    ),
  ]);
}

/** A row a block of a network: the shape that leaves it, `height × width × channels`, and its parameters. */
export function blockTable(layers: LayerSummary[]): Promise<DataFrame> {
  const blocks = [...new Set(layers.map(({ layer }) => blockOf(layer)))];
  return table(
    blocks.map((block) => {
      const own = layers.filter(({ layer }) => blockOf(layer) === block);
      return {
        block,
        output: own[own.length - 1].outputShape.join(" × "),
        parameters: own.reduce((total, { numParameters }) => total + numParameters, 0),
      };
    }),
  );
}

/** A row an epoch: losses in nats, scores in [0, 1]. */
export function epochTable(events: EpochEvent[]): Promise<DataFrame> {
  return buildTable(
    [
      "epoch",
      "train loss",
      "train accuracy",
      "validation loss",
      "validation accuracy",
      "macro-F1",
      "learning rate",
      "images/s",
      "seconds",
      "best so far",
    ],
    events.map(({ epoch, train, validation, learningRate, imagesPerSecond, durationMs, isBest }) => [
      epoch,
      train.loss,
      train.accuracy,
      validation.loss,
      validation.accuracy,
      validation.macroF1,
      learningRate,
      imagesPerSecond,
      durationMs / 1000,
      isBest ? "✓" : "",
    ]),
  );
}

/** A row a class: its images in each split, and its share of the first one, [0, 1]. */
export function classTable({ classCounts }: { classCounts: ClassCount[] }): Promise<DataFrame> {
  const splits = [...new Set(classCounts.map(({ split }) => split))];
  const classNames = [...new Set(classCounts.map(({ className }) => className))];
  const countOf = (className: string, split: string) =>
    classCounts.find((one) => one.className === className && one.split === split)?.count ?? 0;
  const first = splits[0] ?? "train";
  const total = classNames.reduce((sum, className) => sum + countOf(className, first), 0);
  return buildTable(
    ["class", ...splits, `share of ${first}`],
    classNames.map((className) => [
      className,
      ...splits.map((split) => countOf(className, split)),
      total ? countOf(className, first) / total : 0,
    ]),
  );
}

/** A row an image: the most probable class and the next one, with their probabilities, [0, 1]. */
export function predictionsTable(
  images: { name: string; predictions: { className: string; prob: number }[] }[],
): Promise<DataFrame> {
  return buildTable(
    ["image", "class", "probability", "next class", "next probability"],
    images.map(({ name, predictions }) => {
      const [first, next] = [...predictions].sort((a, b) => b.prob - a.prob);
      return [
        name,
        first?.className ?? null,
        first?.prob ?? null,
        next?.className ?? null,
        next?.prob ?? null,
      ];
    }),
  );
}

async function buildTable(columns: string[], rows: Cell[][]): Promise<DataFrame> {
  const { DataFrame } = await import("danfojs-node");
  return new DataFrame(rows, { columns });
}
