// Runs beside one another, as text.
import { isDeepStrictEqual } from "node:util";
import { dataName } from "../data/load.js";
import { flatten, type RunConfig, type RunSummary } from "../training/run.js";
import { duration } from "./duration.js";
import { percent } from "./percent.js";
import type { TextTable } from "./text-table.js";

const NONE = "–";

/** A row for each run: what it was, and what it has come to. */
export function runsTable(runs: (RunSummary & { name: string })[]): TextTable {
  const columns: [heading: string, isNumeric: boolean, cell: (run: (typeof runs)[number]) => string][] = [
    ["run", false, ({ name }) => name],
    ["data", false, ({ data }) => data],
    ["network", false, ({ variant }) => variant],
    ["pixels", true, ({ imageSize }) => `${imageSize}`],
    ["seed", true, ({ seed }) => `${seed}`],
    ["epochs", true, ({ numEpochs, epochs }) => `${numEpochs}/${epochs}`],
    ["state", false, ({ state }) => state],
    ["accuracy", true, ({ bestAccuracy }) => (bestAccuracy === null ? NONE : percent(bestAccuracy))],
    ["at epoch", true, ({ bestEpoch }) => `${bestEpoch ?? NONE}`],
    ["macro-F1", true, ({ macroF1 }) => macroF1?.toFixed(3) ?? NONE],
    ["time", true, ({ durationMs }) => (durationMs ? duration(durationMs / 1000) : NONE)],
    ["started", false, ({ started }) => started?.slice(0, 10) ?? NONE],
  ];
  return {
    heading: columns.map(([heading]) => heading),
    rows: runs.map((run) => columns.map(([, , cell]) => cell(run))),
    isNumeric: columns.map(([, isNumeric]) => isNumeric),
  };
}

/** A row for each value in which the configurations differ, a column for each run; what one lacks is "–". */
export function differencesTable(runs: { name: string; config: RunConfig }[]): TextTable {
  const values = runs.map(({ config: { train, classNames, data, ...rest } }) =>
    flatten({ data: dataName(data), numClasses: classNames.length, ...rest, ...train }),
  );
  const names = [...new Set(values.flatMap((own) => [...own.keys()]))];
  const differing = names.filter((name) =>
    values.some((own) => !isDeepStrictEqual(own.get(name), values[0].get(name))),
  );
  return {
    heading: ["differs", ...runs.map(({ name }) => name)],
    rows: differing.map((name) => [name, ...values.map((own) => cell(own.get(name)))]),
    isNumeric: [false, ...runs.map(() => true)],
  };
}

function cell(value: unknown): string {
  if (value === undefined) return NONE;
  return Array.isArray(value) ? value.join(", ") || "none" : String(value);
}
