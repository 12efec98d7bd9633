// The trials of a space: all combinations of its lists, or draws from its ranges, with each seed and fold.
import { createHash } from "node:crypto";
import { InputError, internals, Random } from "../../src/index.js";

const { checkNumber } = internals;

/** A range to draw numbers from, as `min` and `max` of Optuna's `low` and `high`. */
interface Range {
  min: number;
  max: number;
  /** Draws evenly over orders of magnitude, as for a learning rate. */
  log?: boolean;
  /** Distance of the numbers that are drawn; 1 gives whole numbers. */
  step?: number;
}

/** For each setting, a list of its values or a range. */
export type Space = Record<string, unknown[] | Range>;

/** A run of a sweep. */
export interface Trial {
  /** Names its folder, by its settings, so that it keeps its name when the space grows. */
  name: string;
  /** Its values of the settings that the space varies. */
  settings: Record<string, unknown>;
  /** Such as `2/5`; null without folds. */
  fold: string | null;
}

interface SweepSize {
  /** Most folds; each setting is validated on every one. */
  folds?: number;
  /** Trials altogether; required for ranges. */
  trials?: number;
  /** Seed of the draws. */
  seed: number;
}

/**
 * Lists the trials of a space; those of one setting are neighbours.
 *
 * @param where - The file, for errors.
 * @throws InputError if the space has none.
 */
export function trialsOf(space: Space, { folds, trials, seed }: SweepSize, where: string): Trial[] {
  if (folds !== undefined) checkNumber("folds", folds, { min: 2, max: 1000, integer: true });
  if (trials !== undefined) checkNumber("trials", trials, { min: 1, max: 100_000, integer: true });
  checkSpace(space, where);
  if (Object.keys(space).length === 0 && folds === undefined)
    throw refused(where, "settings to vary in space, or folds", "none", 'Add for example "seed": [0, 1, 2].');
  const { seed: seeds = [], ...varied } = space;
  const eachSeed = Array.isArray(seeds) ? seeds.map((value) => ({ seed: value })) : [];
  if (!Array.isArray(seeds))
    throw refused(where, "a list of seeds", JSON.stringify(seeds), 'Write for example "seed": [0, 1, 2].');
  const eachFold = folds === undefined ? [null] : numbersTo(folds).map((number) => `${number}/${folds}`);
  const repeats = Math.max(1, eachSeed.length) * eachFold.length;
  if (trials !== undefined && trials % repeats !== 0)
    throw refused(
      where,
      `--trials to be a multiple of ${repeats}, since each setting gets ${inWords(eachSeed.length, eachFold.length)}`,
      `${trials}`,
      "Choose another number with --trials.",
    );
  const settings = settingsOf(varied, trials === undefined ? undefined : trials / repeats, seed, where);
  const all = settings.flatMap((values) =>
    (eachSeed.length > 0 ? eachSeed : [{}]).flatMap((own) =>
      eachFold.map((fold) => ({ settings: { ...values, ...own }, fold })),
    ),
  );
  return all.map((trial) => ({ name: nameOf(trial), ...trial }));
}

function inWords(numSeeds: number, numFolds: number): string {
  const parts = [numSeeds > 1 ? `${numSeeds} seeds` : "", numFolds > 1 ? `${numFolds} folds` : ""].filter(
    Boolean,
  );
  return parts.join(" and ");
}

/** Describes how many trials there are: "8 trials: 2 settings × 2 seeds × 2 folds". */
export function countsInWords(trials: readonly Trial[]): string {
  const count = (of: (trial: Trial) => unknown) =>
    new Set(trials.map((trial) => JSON.stringify(of(trial)))).size;
  const [numSettings, numSeeds, numFolds] = [
    count(settingKey),
    count(({ settings }) => settings.seed),
    count(({ fold }) => fold),
  ];
  const plural = (number: number, what: string) => `${number} ${what}${number === 1 ? "" : "s"}`;
  const factors = [plural(numSettings, "setting")];
  if (numSeeds > 1) factors.push(plural(numSeeds, "seed"));
  if (numFolds > 1) factors.push(plural(numFolds, "fold"));
  return `${plural(trials.length, "trial")}${factors.length > 1 ? `: ${factors.join(" × ")}` : ""}`;
}

/** Returns what trials have in common that differ by seed and fold alone. */
export function settingKey({ settings: { seed: _, ...settings } }: Pick<Trial, "settings">): string {
  return JSON.stringify(settings);
}

/** Returns the values of the settings other than the seed: of the grid, or drawn. */
function settingsOf(
  space: Space,
  count: number | undefined,
  seed: number,
  where: string,
): Record<string, unknown>[] {
  const names = Object.keys(space);
  const ranges = names.filter((name) => !Array.isArray(space[name]));
  if (ranges.length > 0) {
    if (count === undefined)
      throw refused(
        where,
        `a number of trials, to draw ${ranges.join(", ")}`,
        "none",
        "Add it with --trials, such as --trials 20.",
      );
    return drawn(space, count, seed, where);
  }
  const grid = names.reduce<Record<string, unknown>[]>(
    (rows, name) =>
      rows.flatMap((row) => (space[name] as unknown[]).map((value) => ({ ...row, [name]: value }))),
    [{}],
  );
  if (count === undefined || count === grid.length) return grid;
  if (count > grid.length)
    throw refused(
      where,
      `at most ${grid.length} settings, all combinations of the lists`,
      `${count}`,
      "Choose fewer with --trials, or add values.",
    );
  return [...new Random(seed, "sweep").permutation(grid.length)].slice(0, count).map((index) => grid[index]);
}

/** Draws settings, no two the same. Each draw has its own generator, so that more trials begin with the same ones. */
function drawn(space: Space, count: number, seed: number, where: string): Record<string, unknown>[] {
  const found = new Map<string, Record<string, unknown>>();
  const maxDraws = 100 * count + 1000;
  for (let number = 1; found.size < count && number <= maxDraws; number++) {
    const random = new Random(seed, "sweep", number);
    const settings = Object.fromEntries(
      Object.entries(space).map(([name, values]) => [name, draw(values, random)]),
    );
    found.set(JSON.stringify(settings), settings);
  }
  if (found.size === count) return [...found.values()];
  const fix = "Choose fewer with --trials, or add values.";
  throw refused(where, `${count} different settings`, `${found.size} in ${maxDraws} draws`, fix);
}

function draw(values: unknown[] | Range, random: Random): unknown {
  if (Array.isArray(values)) return values[random.integer(values.length)];
  const { min, max, log, step } = values;
  if (step !== undefined) {
    const numSteps = random.integer(Math.floor((max - min) / step + 1e-9) + 1);
    return Number((min + step * numSteps).toPrecision(STEP_DIGITS));
  }
  const share = random.uniform();
  return tidy(log ? min * (max / min) ** share : min + (max - min) * share, values);
}

/** Digits that a sum of steps has exactly; without rounding, three steps of 0.1 are 0.30000000000000004. */
const STEP_DIGITS = 14;
/** Digits that names and tables can show well, and that tell all numbers apart. */
const [FEWEST_DIGITS, MOST_DIGITS] = [4, 17];

/** Rounds to as few digits as a hundred numbers of the range need, four or more, and to a number in the range. */
function tidy(value: number, { min, max }: Range): number {
  for (let digits = FEWEST_DIGITS; digits < MOST_DIGITS; digits++) {
    const rounded = Number(value.toPrecision(digits));
    const unit = 10 ** (Math.floor(Math.log10(Math.abs(value))) + 1 - digits);
    if (unit <= (max - min) / 100 && rounded >= min && rounded <= max) return rounded;
  }
  return value;
}

function checkSpace(space: Space, where: string): void {
  const fix = 'Write a list such as [0, 0.1], or a range such as {"min": 0.0001, "max": 0.01, "log": true}.';
  for (const [name, values] of Object.entries(space)) {
    const found = JSON.stringify(values);
    if (Array.isArray(values)) {
      if (values.length === 0) throw refused(where, `values for ${name}`, "an empty list", fix);
      const texts = values.map((value) => JSON.stringify(value));
      const twice = texts.find((text, i) => texts.indexOf(text) < i);
      if (twice !== undefined)
        throw refused(where, `each value of ${name} once`, `${twice} twice`, "Remove one of them.");
    } else if (!isRange(values)) throw refused(where, `a list or a range for ${name}`, found, fix);
  }
}

/** Says that a range over orders of magnitude is drawn evenly, by which hardly any value is small. */
export function rangeNotes(space: Space): string[] {
  return Object.entries(space).flatMap(([name, values]) => {
    if (Array.isArray(values) || values.log || values.step !== undefined) return [];
    const { min, max } = values;
    if (!(min > 0) || max / min < 100) return [];
    const low = Number((min + (max - min) / 10).toPrecision(2));
    return [
      `note: ${name} is drawn evenly from ${min} to ${max}, so nine of ten values are above ${low}; "log": true draws each order of magnitude as often`,
    ];
  });
}

function isRange(values: unknown): values is Range {
  if (typeof values !== "object" || values === null) return false;
  const { min, max, log = false, step, ...rest } = values as Record<string, unknown>;
  if (Object.keys(rest).length > 0 || typeof min !== "number" || typeof max !== "number") return false;
  if (!(min < max) || typeof log !== "boolean" || (log && !(min > 0))) return false;
  return step === undefined || (typeof step === "number" && step > 0 && !log);
}

/** Longest name of a trial; most disks take 255 bytes. */
const MAX_NAME = 120;

/** Names a trial by its settings; a digest tells apart what a name cannot show. */
function nameOf({ settings, fold }: Omit<Trial, "name">): string {
  const parts = Object.entries(settings).map(
    ([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`,
  );
  if (fold !== null) parts.push(`fold=${fold.replace("/", "of")}`);
  const plain = parts.join(",") || "trial";
  const safe = plain.replace(/[^\w.,=+-]+/g, "_").replace(/^\.+/, "");
  if (safe === plain && plain.length <= MAX_NAME) return plain;
  const digest = createHash("sha256").update(plain).digest("hex").slice(0, 8);
  return `${safe.slice(0, MAX_NAME)}-${digest}`;
}

function numbersTo(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i + 1);
}

function refused(where: string, expected: string, found: string, fix: string): InputError {
  return new InputError({ expected, where, found, fix });
}
