// Settings of a run from a file: npx ferkit train --config run.json. Options of the command line win.
import { readFileSync } from "node:fs";
import path from "node:path";
import { Command, type Option } from "commander";
import { InputError, internals, NO_AUGMENTATION, PRESETS } from "../src/index.js";
import { mergeSettings } from "./settings.js";

const { isPlainObject } = internals;

/** Options that name a file or a folder, which the file gives from its own folder. */
const PATHS = ["data", "run", "labels", "notebook", "chart"];
/** Options of the commands that a file has no use for. */
const LEFT_OUT = ["config", "space", "help", "findLearningRate", "offline", "dryRun", "ray"];

/** Adds `--config FILE`, whose keys are the command's options. */
export function withConfigOption(command: Command): Command {
  return command
    .option("--config <file>", "JSON file of these options (schema: docs/run.schema.json); options here win")
    .hook("preAction", (_, action) => {
      const file = action.getOptionValue("config") as string | undefined;
      if (file !== undefined) applyConfig(action, path.resolve(process.env.INIT_CWD ?? process.cwd(), file));
    });
}

/**
 * Sets options of a command from a file, except those that were given on the command line.
 *
 * @param own - Keys of the file that are no options.
 * @returns The values of these keys.
 */
export function applyConfig(command: Command, file: string, own: string[] = []): Record<string, unknown> {
  const options = new Map(configOptions(command).map((option) => [option.attributeName(), option]));
  const values: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(
    readConfig(file, own.includes("space") ? "--space" : "--config"),
  )) {
    if (key === "$schema") continue;
    if (own.includes(key)) {
      values[key] = value;
      continue;
    }
    const option = options.get(key);
    if (!option) {
      const names = [...own, ...options.keys()];
      const near = internals.suggestion(key, names);
      const fix = settingNames().includes(key)
        ? `Put ${key} under set, as in {"set": {${JSON.stringify(key)}: ${JSON.stringify(value)}}}.`
        : near
          ? `Did you mean ${near}?`
          : `Choose from ${names.join(", ")}.`;
      throw new InputError({ expected: `options of ferkit ${command.name()}`, where: file, found: key, fix });
    }
    const given = command.getOptionValueSource(key) === "cli" ? command.getOptionValue(key) : undefined;
    if (key === "set") {
      if (!isPlainObject(value)) throw wrongType(file, key, "an object of settings", value);
      const own = settingsOf(path.dirname(file), value);
      command.setOptionValueWithSource(key, mergeSettings(own, { ...(given as object) }), "config");
    } else if (given === undefined)
      command.setOptionValueWithSource(key, checkValue(option, value, file), "config");
  }
  return values;
}

/** Returns settings whose paths count from a folder: the weights, the teachers, and the data of a notebook. */
export function settingsOf(
  folder: string,
  settings: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [name, settingOfFolder(folder, name, value)]),
  );
}

/** Values of settings that are names where others are paths. */
const NAMED_WEIGHTS = ["imagenet", "random", ""];

/** Returns the value of a setting; if it is a path, it counts from a folder. */
export function settingOfFolder(folder: string, name: string, value: unknown): unknown {
  const names = { weights: NAMED_WEIGHTS, teachers: [""], data: [...NAMES, ""] }[name];
  if (names === undefined) return value;
  if (Array.isArray(value)) return value.map((one) => settingOfFolder(folder, name, one));
  return typeof value !== "string" || names.includes(value) ? value : path.resolve(folder, value);
}

function readConfig(file: string, option: string): Record<string, unknown> {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    const found =
      (error as NodeJS.ErrnoException).code === "ENOENT" ? "no such path" : (error as Error).message;
    throw new InputError({
      expected: "a file of settings",
      where: file,
      found,
      fix: `Choose another with ${option}.`,
    });
  }
  try {
    const value = internals.parseJson(bytes);
    if (isPlainObject(value)) return value;
    throw new Error("another value");
  } catch (error) {
    const found = (error as Error).message;
    throw new InputError({ expected: "a JSON object of settings", where: file, found, fix: "Fix the file." });
  }
}

/** Returns a value as the command line would give it. */
function checkValue(option: Option, value: unknown, file: string): unknown {
  const key = option.attributeName();
  const kind = kindOf(option);
  if (kind === "array") {
    if (!Array.isArray(value) || value.some((item) => typeof item !== "string"))
      throw wrongType(file, key, "a list of texts", value);
    return value;
  }
  if (typeof value !== kind) throw wrongType(file, key, kind === "string" ? "a text" : `a ${kind}`, value);
  if (option.argChoices) return internals.checkChoice(key, value, option.argChoices);
  const isPath = PATHS.includes(key) && !NAMES.includes(String(value));
  return isPath ? path.resolve(path.dirname(file), String(value)) : value;
}

/** Values of path options that are names instead. */
const NAMES = [...Object.keys(internals.OWN_SOURCES), "folders", "ferplus", "ferplus-soft"];

function wrongType(file: string, key: string, expected: string, value: unknown): InputError {
  const found = JSON.stringify(value);
  return new InputError({ expected: `${expected} for ${key}`, where: file, found, fix: "Fix the file." });
}

type Kind = "boolean" | "number" | "string" | "array";

/** Returns the JSON type of an option's value. */
function kindOf(option: Option): Kind {
  if (option.isBoolean()) return "boolean";
  if (option.attributeName() === "leaveOut") return "array";
  return /<(share|count|pixels|seconds)>/.test(option.flags) ? "number" : "string";
}

function configOptions(command: Command): Option[] {
  return command.options.filter((option) => !LEFT_OUT.includes(option.attributeName()));
}

/** Returns the JSON Schema of the file, which editors check and complete it by. */
export function configSchema(command: Command): object {
  const properties = configOptions(command).map((option) => {
    const key = option.attributeName();
    const { description } = option;
    if (key === "set")
      return [key, { type: "object", description, additionalProperties: false, properties: settings() }];
    if (key === "preset") return [key, { enum: Object.keys(PRESETS), description }];
    const kind = kindOf(option);
    if (option.argChoices) return [key, { enum: option.argChoices, description }];
    return [key, { type: kind, description, ...(kind === "array" && { items: { type: "string" } }) }];
  });
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Settings of a run of ferkit: npx ferkit train --config FILE",
    type: "object",
    additionalProperties: false,
    properties: { $schema: { type: "string" }, ...Object.fromEntries(properties) },
  };
}

/** Returns the schema of each setting of a preset, by the type of its value. */
function settings(): Record<string, object> {
  const { augment, ...values } = PRESETS.baseline;
  const all: Record<string, unknown> = { ...augment, ...values, augment };
  return Object.fromEntries(settingNames().map((name) => [name, schemaOf(name, all[name])]));
}

/** Settings that take values of several types. */
const MIXED = ["classWeights", "fill", "grey"];

function schemaOf(name: string, value: unknown): object {
  const isSimple = ["number", "string", "boolean"].includes(typeof value) && !MIXED.includes(name);
  return isSimple ? { type: [typeof value, "null"] } : {};
}

/** Returns the names that `--set` takes. */
export function settingNames(): string[] {
  return [...Object.keys(PRESETS.baseline), ...Object.keys(NO_AUGMENTATION)].sort();
}

/** Returns the setting that an option like `--batch-size` would be. */
export function settingOf(flag: string): string | undefined {
  const { plainName } = internals;
  return settingNames().find((name) => plainName(name) === plainName(flag));
}

if (require.main === module) {
  const program = new Command();
  require("./commands/train.js").addTrainCommand(program);
  process.stdout.write(internals.prettyJson(configSchema(program.commands[0])));
}
