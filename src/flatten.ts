/** Values of an object and of those inside it, by dotted names: `augment.zoom`; a list is one value. */
export function flatten(values: object, prefix = ""): Map<string, unknown> {
  return new Map(
    Object.entries(values).flatMap(([name, value]): [string, unknown][] =>
      isPlainObject(value) ? [...flatten(value, `${prefix}${name}.`)] : [[prefix + name, value]],
    ),
  );
}

/** Whether a value has named values inside. */
export function isPlainObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
