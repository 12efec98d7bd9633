// The JSON files of runs and model folders, checked by the schema that docs/ publishes.
import { readFileSync } from "node:fs";
import path from "node:path";
import type { ErrorObject, ValidateFunction } from "ajv";
import { InputError } from "./errors.js";
import { type ReadProblem, readRegularFile } from "./files.js";
import { parseJson } from "./json.js";

/** A definition of the schema. */
export type SavedKind = "model" | "config" | "event" | "session" | "state";

const SCHEMA_FILE = path.join(__dirname, "../docs/saved-files.schema.json");
/** Larger than any such file: a topology has a few hundred kilobytes. */
const MAX_JSON_BYTES = 2 ** 26;

type Compile = (kind: SavedKind) => ValidateFunction;
let compiler: Promise<Compile> | undefined;

/** Loads the schema once, and compiles each definition when it is first used, since that takes longer than to check most files. */
function loadSchema(): Promise<Compile> {
  compiler ??= import("ajv").then(({ default: Ajv }) => {
    const schema = JSON.parse(readFileSync(SCHEMA_FILE, "utf8")) as { $id: string };
    const ajv = new Ajv({ strictNumbers: true }).addSchema(schema);
    const compiled = new Map<SavedKind, ValidateFunction>();
    return (kind) => {
      const validate = compiled.get(kind) ?? ajv.compile({ $ref: `${schema.$id}#/definitions/${kind}` });
      compiled.set(kind, validate);
      return validate;
    };
  });
  return compiler;
}

/** Returns a function that says what is wrong with a parsed value, as "train.epochs, which should be integer"; null if nothing is. */
export async function savedCheck(kind: SavedKind): Promise<(value: unknown) => string | null> {
  const validate = (await loadSchema())(kind);
  return (value) => (validate(value) ? null : inWords((validate.errors as ErrorObject[])[0]));
}

function inWords({ dataPath, message, params }: ErrorObject): string {
  const where = dataPath.replace(/^\./, "");
  if ("missingProperty" in params)
    return where ? `no ${params.missingProperty} in ${where}` : `no ${params.missingProperty}`;
  const choices = "allowedValues" in params ? `: ${params.allowedValues.join(", ")}` : "";
  return `${where || "a value"}, which ${message}${choices}`.replace(" should NOT ", " should not ");
}

/**
 * Reads a saved JSON file and checks it.
 *
 * @param problem - What to say if it cannot be used.
 * @returns Undefined if there is no such file.
 * @throws InputError if it is no regular file, no JSON, or does not fit the schema.
 */
export async function readSaved(file: string, kind: SavedKind, problem: ReadProblem): Promise<unknown> {
  const value = await readJsonFile(file, problem);
  if (value === undefined) return undefined;
  const found = (await savedCheck(kind))(value);
  if (found !== null) throw new InputError({ ...problem, where: file, found });
  return value;
}

/**
 * Reads a JSON file.
 *
 * @returns Undefined if there is no such file.
 * @throws InputError if it is no regular file, or no JSON.
 */
export async function readJsonFile(file: string, problem: ReadProblem): Promise<unknown> {
  const bytes = await readRegularFile(file, problem, MAX_JSON_BYTES);
  if (bytes === null) return undefined;
  try {
    return parseJson(bytes);
  } catch (error) {
    const found = `something other than JSON (${(error as Error).message})`;
    throw new InputError({ ...problem, where: file, found });
  }
}
