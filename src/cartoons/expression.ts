// Action units of the drawn faces, and each expression as ranges of their intensities.
import { checkChoice } from "../errors.js";
import type { Random } from "../random.js";

/**
 * Visible muscle movements of a drawn face, by their number in the Facial Action Coding System.
 *
 * @see Ekman & Friesen 1978, Facial Action Coding System: A Technique for the Measurement of Facial Movement.
 */
const ACTION_UNITS = {
  1: "inner brow raiser",
  2: "outer brow raiser",
  4: "brow lowerer",
  5: "upper lid raiser",
  6: "cheek raiser",
  7: "lid tightener",
  9: "nose wrinkler",
  10: "upper lip raiser",
  12: "lip corner puller",
  15: "lip corner depressor",
  16: "lower lip depressor",
  17: "chin raiser",
  19: "tongue show",
  20: "lip stretcher",
  23: "lip tightener",
  24: "lip pressor",
  25: "lips part",
  26: "jaw drop",
  27: "mouth stretch",
  43: "eyes closed",
} as const;

/** Intensity of every action unit: 0 = at rest, 1 = as far as possible. */
export type ActionUnits = Record<keyof typeof ACTION_UNITS, number>;

/** One way to show an expression: the lowest and highest intensity of each active unit. */
type Prototype = Partial<Record<keyof ActionUnits, readonly [number, number]>>;

/**
 * Ways to show each expression, all equally likely. Add a line for a new expression.
 *
 * The units are the prototypes and major variants of the FACS Investigator's Guide (Ekman, Friesen & Hager 2002, table 10-2). The
 * ranges are ours: strong enough for a person to tell.
 */
const PROTOTYPES: Record<string, readonly Prototype[]> = {
  angry: [
    {
      4: [0.75, 1],
      5: [0.15, 0.5],
      7: [0.3, 0.8],
      17: [0.2, 0.7],
      23: [0.5, 1],
      24: [0.5, 1],
      15: [0.1, 0.5],
    },
    {
      4: [0.75, 1],
      5: [0.2, 0.6],
      7: [0.3, 0.8],
      10: [0.2, 0.5],
      16: [0.4, 0.9],
      20: [0, 0.4],
      25: [0.6, 1],
    },
  ],
  disgust: [
    {
      4: [0.2, 0.6],
      6: [0.1, 0.4],
      7: [0.4, 0.8],
      9: [0.7, 1],
      10: [0.7, 1],
      15: [0.3, 0.8],
      17: [0.3, 0.8],
      25: [0.1, 0.5],
    },
    {
      4: [0.2, 0.6],
      7: [0.4, 0.9],
      9: [0.7, 1],
      10: [0.6, 1],
      16: [0.3, 0.7],
      19: [0.7, 1],
      25: [0.5, 0.8],
      26: [0.2, 0.4],
    },
  ],
  fear: [
    {
      1: [0.75, 1],
      2: [0.25, 0.6],
      4: [0.3, 0.6],
      5: [0.75, 1],
      20: [0.6, 1],
      25: [0.3, 0.8],
      16: [0.1, 0.5],
    },
    {
      1: [0.75, 1],
      2: [0.25, 0.6],
      4: [0.3, 0.6],
      5: [0.75, 1],
      20: [0.5, 0.9],
      25: [0.5, 0.9],
      26: [0.15, 0.45],
    },
  ],
  happy: [
    { 6: [0.3, 0.8], 12: [0.65, 1] },
    { 6: [0.3, 0.9], 12: [0.7, 1], 25: [0.6, 1] },
    { 6: [0.5, 1], 12: [0.75, 1], 25: [0.7, 1], 26: [0.3, 0.7] },
  ],
  neutral: [{}],
  sad: [
    { 1: [0.7, 1], 4: [0.2, 0.5], 15: [0.6, 1], 17: [0.2, 0.7] },
    { 1: [0.7, 1], 4: [0.3, 0.6], 6: [0.1, 0.4], 15: [0.6, 1], 25: [0.1, 0.4], 43: [0.3, 1] },
  ],
  surprise: [
    { 1: [0.7, 1], 2: [0.75, 1], 5: [0.4, 1], 25: [0.3, 0.6], 26: [0.6, 1] },
    { 1: [0.7, 1], 2: [0.75, 1], 5: [0.5, 1], 25: [0.3, 0.6], 26: [0.5, 0.8], 27: [0.4, 0.9] },
  ],
};

/** Highest intensity of an inactive unit: a face at rest is never quite still. */
const RESTING = 0.06;

/**
 * Names of the drawn expressions, sorted: the seven classes of FER-2013.
 *
 * @example
 * ```ts
 * import { drawnFacesChart, EXPRESSIONS, saveChart } from "ferkit";
 *
 * console.log(EXPRESSIONS.join(", ")); // angry, disgust, fear, happy, neutral, sad, surprise
 * await saveChart(await drawnFacesChart(EXPRESSIONS, { perExpression: 2, seed: 0 }), "expressions.png");
 * ```
 */
export const EXPRESSIONS: readonly string[] = Object.keys(PROTOTYPES);

/**
 * Draws the intensities of an expression.
 *
 * @throws ParameterError "Expected one of angry, …, surprise for expression but received smug of type string"
 */
export function drawActionUnits(expression: string, random: Random): ActionUnits {
  const prototype = random.pick(PROTOTYPES[checkChoice("expression", expression, EXPRESSIONS)]);
  const names = Object.keys(ACTION_UNITS).map(Number) as (keyof ActionUnits)[];
  const effort = random.uniform(); // muscles of one face move together
  return Object.fromEntries(
    names.map((name) => {
      const [low, high] = prototype[name] ?? [0, RESTING];
      return [name, low + (high - low) * (effort + random.uniform()) * 0.5];
    }),
  ) as ActionUnits;
}
