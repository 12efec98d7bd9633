// A run of three epochs, and readers of its report.
import { trainConfig } from "../../src/presets.js";
import type { DoneEvent, EpochEvent } from "../../src/training/events.js";
import type { RunConfig } from "../../src/training/run-config.js";
import { batchEvent, epochEvent } from "./fixtures.js";

export const CONFIG: RunConfig = {
  train: trainConfig("tutorial", { epochs: 3, variant: "b0" }),
  classNames: ["happy", "sad"],
  data: "synthetic",
  numImages: { train: 64, validation: 8 },
};

/** 3 of 4 happy and 4 of 4 sad images: 7/8 = 87.5%. */
const BEST: Partial<EpochEvent> = {
  isBest: true,
  validation: {
    loss: 0.125,
    accuracy: 0.875,
    macroF1: 0.873,
    perClassRecall: { happy: 0.75, sad: 1 },
    confusionMatrix: [
      [3, 1],
      [0, 4],
    ],
  },
};
export const BATCHES = [1, 2, 3, 4].map((step) => batchEvent(step, { learningRate: step * 1e-4 }));
export const DONE: DoneEvent = {
  type: "done",
  reason: "completed",
  bestEpoch: 2,
  bestAccuracy: 0.875,
  runDir: "runs/mine",
};
/** The third epoch has not ended. */
export const EVENTS = [
  ...BATCHES,
  epochEvent(1, 0.5, 0.25, { isBest: true }),
  epochEvent(2, 0.75, 0.875, BEST),
];

/** Returns the text under the title. */
export function subtitle(page: string): string {
  return /<p class="subtitle">([^<]*)<\/p>/.exec(page)?.[1] ?? "";
}

/** Returns "label: value, note" of each headline. */
export function headlines(page: string): string[] {
  const pattern = /<dt>([^<]*)<\/dt><dd class="value">([^<]*)<\/dd><dd class="note">([^<]*)<\/dd>/g;
  return [...page.matchAll(pattern)].map(([, label, value, note]) => `${label}: ${value}, ${note}`);
}

/** Returns the texts of each drawing on the page. */
export function svgTexts(page: string): string[][] {
  return [...page.matchAll(/<svg[\s\S]*?<\/svg>/g)].map(([svg]) =>
    [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text),
  );
}

/** Returns the cells of the table that contains a mark. */
export function tableRows(page: string, mark: string): string[][] {
  const [body] = page.slice(page.indexOf(mark) + mark.length).split("</table>");
  return [...body.matchAll(/<tr>(.*?)<\/tr>/g)].map(([, row]) =>
    [...row.matchAll(/<t[hd][^>]*>(.*?)<\/t[hd]>/g)].map(([, cell]) => cell),
  );
}
