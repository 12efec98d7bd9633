// Options that several commands share, and how their values are read.
import { existsSync } from "node:fs";
import path from "node:path";
import { type Command, Option } from "commander";
import { InputError, internals } from "../src/index.js";
import { shown } from "./cli.js";
import { newestModel, projectData, projectOf } from "./project.js";
import { mergeSettings } from "./settings.js";

/** The name of a bundled model. */
type BundledName = keyof typeof internals.BUNDLED_MODELS;

/** Collects repeated `name=value` into an object; a value that is no JSON is text. */
export function collectAssignments(
  text: string,
  previous: Record<string, unknown> = {},
): Record<string, unknown> {
  const equals = text.indexOf("=");
  if (equals < 1)
    throw new InputError({
      expected: "name=value for --set",
      found: text || "nothing",
      fix: "Write for example --set epochs=3.",
    });
  return { ...previous, [text.slice(0, equals)]: parseValue(text.slice(equals + 1)) };
}

/** Collects repeated `name=value` of settings, whose options of the augmentation are replaced one by one. */
export function collectSettings(
  text: string,
  previous: Record<string, unknown> = {},
): Record<string, unknown> {
  return mergeSettings(previous, collectAssignments(text));
}

/** Numbers as Python writes them, which JSON does not have: `.001` and `1.`. */
const PYTHON_NUMBER = /^-?(\d+\.|\.\d+)(e[+-]?\d+)?$/i;

/** A number that is too large stays text, in which it can be named. */
function parseValue(value: string): unknown {
  try {
    const parsed: unknown = JSON.parse(value);
    return parsed === Infinity || parsed === -Infinity ? value : parsed;
  } catch {
    return PYTHON_NUMBER.test(value) ? Number(value) : value;
  }
}

/** Returns a reader of the number that an option takes; its range is checked where it is used. */
export function numberFor(option: string): (text: string) => number {
  return (text) => {
    const value = text.trim() === "" ? Number.NaN : Number(text);
    if (Number.isFinite(value)) return value;
    throw new InputError({ expected: `a number for ${option}`, found: text.trim() || "nothing" });
  };
}

/** Returns the absolute path of one that is relative to where the command was called, also through npm. */
export function callerPath(relative: string): string {
  if (relative === "")
    throw new InputError({
      expected: "a path, or . for this folder",
      found: "an empty one",
      fix: "Fix the option.",
    });
  return path.resolve(process.env.INIT_CWD ?? process.cwd(), internals.checkLocal(relative));
}

/** Returns what `--data` names: a source of ferkit's own, or a path; without it, the images of the project around, or the drawn faces. */
export function dataSource(data?: string): string {
  if (data === undefined) {
    const declared = projectData(callerPath(".")) ?? "synthetic";
    return Object.hasOwn(internals.OWN_SOURCES, declared)
      ? declared
      : path.resolve(projectOf(callerPath(".")), declared);
  }
  return Object.hasOwn(internals.OWN_SOURCES, data) ? data : callerPath(data);
}

/** Shows examples below a command's help. */
export function withExamples(command: Command, ...lines: string[]): Command {
  const heading = lines.length === 1 ? "Example:" : "Examples:";
  return command.addHelpText("after", ["", heading, ...lines.map((line) => `  $ ${line}`)].join("\n"));
}

/** Adds `--model`; `byDefault` says which bundled model is taken without it. */
export function withModelOption(command: Command, byDefault: string): Command {
  return command.option(
    "--model <folder>",
    `model folder, such as \`best\` of a run, or ferplus or fer2013 for a bundled model (default: ${byDefault})`,
  );
}

/** Adds `--model` for commands that score a model: the labels choose the bundled one. */
export function withScoredModelOption(command: Command): Command {
  return withModelOption(command, "ferplus for --labels ferplus and ferplus-soft, otherwise fer2013");
}

/** Returns the folder that `--model` names, or without it that of a bundled model, which is stated on standard error. */
export function modelFolder(model: string | undefined, byDefault: BundledName): string {
  const { BUNDLED_MODELS } = internals;
  if (model === undefined) {
    const other = byDefault === "ferplus" ? "fer2013" : "ferplus";
    const own = newestModel(callerPath("."));
    console.error(
      `note: the bundled model ${byDefault} is used, which predicts facial expressions; ` +
        `${own ? `--model ${own} takes that of your run, and ` : ""}--model ${other} takes the other bundled one.`,
    );
  }
  const name = model ?? byDefault;
  if (Object.hasOwn(BUNDLED_MODELS, name)) return BUNDLED_MODELS[name as BundledName];
  const dir = callerPath(name);
  const isPath = existsSync(dir) || name !== path.basename(name);
  const near = isPath ? undefined : internals.suggestion(name, Object.keys(BUNDLED_MODELS));
  if (near !== undefined)
    throw new InputError({
      expected: `a model folder, or ${Object.keys(BUNDLED_MODELS).join(" or ")}`,
      where: dir,
      found: "no such path",
      fix: `Did you mean ${near}?`,
    });
  return dir;
}

/** Returns whether a folder is a bundled model's. */
export function isBundled(modelDir: string): boolean {
  return Object.values(internals.BUNDLED_MODELS).some((dir) => path.relative(dir, modelDir) === "");
}

/** Returns the folder of the model to score: without `--model`, the bundled one that was trained on the labels. */
export function scoredModelFolder({ model, labels }: { model?: string; labels?: string }): string {
  return modelFolder(model, labels === "ferplus" || labels === "ferplus-soft" ? "ferplus" : "fer2013");
}

/** Builds an option that takes one of some words; for a mistyped one, the error suggests the nearest. */
export function choiceOption(flags: string, description: string, choices: readonly string[]): Option {
  const option = new Option(flags, description).choices(choices);
  return option.argParser((word: string) => internals.checkChoice(option.long ?? flags, word, choices));
}

/** Adds `--precision`, for commands that only infer; `Network.setPrecision` takes its value. */
export function withPrecisionOption(command: Command): Command {
  return command.addOption(
    choiceOption(
      "--precision <type>",
      "numbers to compute with; bfloat16 is faster, less exact, and needs a processor that has it (docs/results.md)",
      internals.PRECISIONS,
    ).default("float32"),
  );
}

export function withChartOption(command: Command, what: string): Command {
  return command.option("--chart <file>", `draw ${what} as .svg, .png or .json (vega-lite)`);
}

export interface PresetFlags {
  preset: string;
  set?: internals.Overrides;
}

/** Adds `--preset` and `--set`, for commands that train. */
export function withPresetOptions(command: Command): Command {
  return command
    .option("--preset <name>", "tutorial, baseline, fer2013-fast, fer2013 or fer2013-best", "tutorial")
    .option(
      "--set <name=value>",
      "replace a value of the preset, such as imageSize=160; may be repeated",
      collectSettings,
    );
}

export interface DataFlags {
  data?: string;
  validationShare?: number;
  split?: internals.SplitChoice;
  fold?: string;
  dropDuplicates?: boolean;
  dropLeaked?: boolean;
  maxUnreadableShare?: number;
  group?: string;
  labels?: string;
  labelColumn?: string;
  pathColumn?: string;
  splitColumn?: string;
  labelNames?: string;
  labelPattern?: string;
  trainFolder?: string;
  validationFolder?: string;
  leaveOut?: string[];
  json?: boolean;
}

/** Adds `--data` and the options that go with it. */
export function withDataOptions(command: Command): Command {
  const what =
    "synthetic, fer2013 (downloads), or a folder, archive, table or Parquet file (docs/layouts.md) (default: what the notebooks of this project load, otherwise synthetic)";
  return withLoadingOptions(command.option("--data <source>", what));
}

/** Adds the options that say how to load a data set, below the command's own. */
export function withLoadingOptions(command: Command): Command {
  const own = command.optionsGroup();
  withSplitOptions(command.optionsGroup("Split into train and validation:"));
  withLabelOptions(command.optionsGroup("Labels and files (docs/layouts.md):"));
  return command.optionsGroup(own);
}

function splitOption(): Option {
  const { SPLIT_CHOICES, checkChoice } = internals;
  const description =
    "the folders' split, or FER-2013's: train on Training, and validate on PublicTest (official) or PrivateTest (official-test)";
  return choiceOption("--split <kind>", description, SPLIT_CHOICES).argParser((word: string) => {
    if (word !== "all") return checkChoice("--split", word, SPLIT_CHOICES);
    const expected = `one of ${SPLIT_CHOICES.join(", ")} for --split`;
    throw new InputError({ expected, found: word, fix: "Choose --validation-share 1 to score all images." });
  });
}

function withSplitOptions(command: Command): void {
  command
    .option(
      "--validation-share <share>",
      "share of each class to hold out for validation, if the data has no split",
      numberFor("--validation-share"),
    )
    .addOption(splitOption())
    .option("--fold <number>", "validate on a fold of the training images: 2/5 is the second of five")
    .option(
      "--train-folder <folder>",
      "folder that holds the class folders to train on; . is the data set's folder",
    )
    .option("--validation-folder <folder>", "folder that holds the class folders to validate on")
    .option(
      "--group <column|pattern>",
      "column of the table, or regular expression for paths; images with the same value, or the same text in its group, are held out together",
    )
    .option("--drop-duplicates", "leave out duplicates within a split")
    .option("--drop-leaked", "leave out validation images that are also in train");
}

function withLabelOptions(command: Command): void {
  command
    .option("--labels <source>", "folders, ferplus, ferplus-soft, or the path of a table of labels")
    .option(
      "--label-column <name>",
      "column of the labels in a table; several, separated by commas, if each is a class",
    )
    .option("--path-column <name>", "column of the images' names in a table")
    .option(
      "--split-column <name>",
      "column of the split in a table; several, separated by commas, if each is 0 or 1; none to use no column",
    )
    .option("--label-names <names>", "names for labels that are codes: 1=surprise,2=fear,… or rafdb")
    .option("--label-pattern <pattern>", "regular expression for paths; the text in its group is the class")
    .option(
      "--leave-out <folder>",
      "folders to leave out, or files by a pattern such as '*_mask.png'; may be repeated",
      collectFolders,
    )
    .option(
      "--max-unreadable-share <share>",
      "share of unreadable images to tolerate",
      numberFor("--max-unreadable-share"),
    )
    .option("--offline", "open no connection; also FERKIT_OFFLINE=1")
    .on("option:offline", () => {
      process.env.FERKIT_OFFLINE = "1";
    });
}

function collectFolders(folder: string, previous: string[] = []): string[] {
  return [...previous, folder];
}

/** Returns the paths that the data options name. */
export function dataInputs({ data, labels }: DataFlags): string[] {
  return [dataSource(data), ...(labels === undefined ? [] : [labelSource(labels)])].filter(path.isAbsolute);
}

/** Returns the data options in the loader's form; the loader checks the ranges of numbers. */
export function dataOptions(flags: DataFlags) {
  return { data: dataSource(flags.data), ...loadingOptions(flags) };
}

export function loadingOptions(flags: Omit<DataFlags, "data">) {
  const { validationShare, split, maxUnreadableShare, dropDuplicates, dropLeaked } = flags;
  const {
    fold,
    group,
    labels,
    labelColumn,
    pathColumn,
    splitColumn,
    labelNames,
    labelPattern,
    trainFolder,
    validationFolder,
    leaveOut,
  } = flags;
  if (fold !== undefined && validationShare !== undefined)
    throw new InputError({
      expected: "--fold or --validation-share",
      found: "both",
      fix: "Remove one of them.",
    });
  return {
    ...(validationShare !== undefined && { validationShare }),
    ...(split !== undefined && { split }),
    ...(fold !== undefined && { fold }),
    ...(maxUnreadableShare !== undefined && { maxUnreadableShare }),
    ...(dropDuplicates && { dropDuplicates }),
    ...(dropLeaked && { dropLeaked }),
    ...(group !== undefined && { group }),
    ...(labels !== undefined && { labels: labelSource(labels) }),
    ...(labelColumn !== undefined && { labelColumn }),
    ...(pathColumn !== undefined && { pathColumn }),
    ...(splitColumn !== undefined && { splitColumn }),
    ...(labelNames !== undefined && { labelNames }),
    ...(labelPattern !== undefined && { labelPattern }),
    ...(trainFolder !== undefined && { trainFolder }),
    ...(validationFolder !== undefined && { validationFolder }),
    ...(leaveOut !== undefined && { leaveOut }),
  };
}

/** Returns what `--labels` names: a word, or a path that counts from where the command was called if it is there. */
function labelSource(labels: string): string {
  const file = callerPath(labels);
  return /^(folders|ferplus|ferplus-soft)$/.test(labels) || !existsSync(file) ? labels : file;
}

export function printJson(value: unknown): void {
  process.stdout.write(`${shown(JSON.stringify(value))}\n`);
}

/** Options that choose the images to validate on. */
const SPLIT_OPTIONS = ["fold", "validationShare"] as const;

/** Leaves the options that choose the images to validate on out of the help of a command that uses all images. */
export function hideSplitOptions(command: Command): void {
  const names: readonly string[] = SPLIT_OPTIONS;
  for (const option of command.options) if (names.includes(option.attributeName())) option.hideHelp();
}

/**
 * Refuses the options that choose the images to validate on.
 *
 * @param reason - Why the command has no use for them: "each image is in one of the folds".
 */
export function refuseSplits(flags: DataFlags, reason: string, fix: string): void {
  const given = SPLIT_OPTIONS.find((name) => flags[name] !== undefined);
  if (given === undefined) return;
  const found = given === "validationShare" ? "--validation-share" : `--${given}`;
  throw new InputError({ expected: `no choice of validation images, since ${reason}`, found, fix });
}

/**
 * Says on standard error which data set is used and how many images it has, if none was named; and that a share to validate on has
 * no effect on a data set that has a split of its own.
 */
export function printData(
  flags: DataFlags,
  report?: Pick<internals.DataReport, "numImages" | "split">,
): void {
  if (flags.data === undefined) printSource(report?.numImages);
  if (flags.validationShare !== undefined && report?.split === "folders")
    console.error(
      "note: --validation-share has no effect, since the data set has a split of its own; --fold 1/5 validates on a part of its training images",
    );
}

function printSource(numImages?: { train: number; validation: number }): void {
  const source = dataSource();
  const own =
    source === "synthetic" ? "the drawn faces (synthetic)" : `the images of this project (${source})`;
  const { train = 0, validation = 0 } = numImages ?? {};
  const counts = [train > 0 && `${train} training`, validation > 0 && `${validation} validation`].filter(
    Boolean,
  );
  const images = counts.length > 0 ? `, ${counts.join(" and ")} images` : "";
  console.error(`data: ${own}${images}; --data names others`);
}

/** Returns a report without the note on images that are much larger than they are used: `train` yields it. */
export function withoutSizeNote(report: internals.DataReport): internals.DataReport {
  return { ...report, conclusions: report.conclusions.filter(({ about }) => about !== "size") };
}

/** Says on standard error which files of a data set are not used if the user may miss some, what was guessed, what the audit concludes, and more notes. */
export function printRemarks(
  { files, notes, conclusions }: internals.DataReport,
  more: readonly string[] = [],
): void {
  const lines = internals.mayBeMissed(files) ? internals.filesInWords(files) : [];
  const remarks = [...notes, ...conclusions.map(({ text }) => text), ...more];
  for (const line of [...lines, ...remarks.map((remark) => `note: ${remark}`)]) console.error(line);
}
