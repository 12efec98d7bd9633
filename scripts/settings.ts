// Settings of a training from several sources: a file, and the command line.
import { NO_AUGMENTATION } from "../src/index.js";

/**
 * Returns settings with some replaced. An option of the augmentation has three spellings: inside `augment`, as `augment.zoom`, and
 * as `zoom`; a later one replaces an earlier one in whatever spelling, and leaves the others.
 */
export function mergeSettings(
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const merged = { ...before };
  for (const [name, value] of Object.entries(after)) {
    const isGroup = name === "augment" && isGroupOfSettings(value);
    const short = name.replace(/^augment\./, "");
    const own = isGroup ? Object.keys(value) : Object.hasOwn(NO_AUGMENTATION, short) ? [short] : [];
    for (const option of own) for (const spelling of [option, `augment.${option}`]) delete merged[spelling];
    const group = isGroupOfSettings(merged.augment) ? { ...merged.augment } : undefined;
    for (const option of own) delete group?.[option];
    if (group && own.length > 0) merged.augment = group;
    merged[name] = isGroup ? { ...group, ...value } : value;
  }
  return merged;
}

function isGroupOfSettings(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
