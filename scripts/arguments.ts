// Values given on the command line.
import path from "node:path";
import { OWN_SOURCES } from "../src/data/load.js";
import { InputError } from "../src/errors.js";

/** Collects repeated `name=value` into an object; values are JSON where they parse, else text. */
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

/** Reads the number that a flag takes; its range is checked where it is used. */
export function numberFor(flag: string): (text: string) => number {
  return (text) => {
    const value = text.trim() === "" ? Number.NaN : Number(text);
    if (Number.isFinite(value)) return value;
    throw new InputError({ expected: `a number for ${flag}`, found: text.trim() || "nothing" });
  };
}

function parseValue(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

/** A path given by the caller: it counts from where the command was called, also through npm. */
export function callerPath(relative: string): string {
  return path.resolve(process.env.INIT_CWD ?? process.cwd(), relative);
}

/** What `--data` names: a source of ferkit's own, or a path. */
export function dataSource(data: string): string {
  return Object.hasOwn(OWN_SOURCES, data) ? data : callerPath(data);
}
