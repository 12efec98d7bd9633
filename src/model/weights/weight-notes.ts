// Notes on files of weights: what is left out of them, and what they lack.
import { inShort } from "../../names.js";
import type { ParameterValue } from "../network.js";

/** Names what a training does not take from a file, since it starts from the network alone. */
export const leftOutNote = (where: string, names: string[]) =>
  `${where}: left out, since a training starts from the network alone: ${inShort(names)}.`;

/** Notes kernels that hold nothing but zeros, as in a file that was never filled. */
export function zerosNote(parameters: ReadonlyMap<string, ParameterValue>, where: string): string[] {
  const kernels = [...parameters].filter(([name]) => name.endsWith("kernel"));
  const empty = kernels.filter(([, { data }]) => data.every((value) => value === 0)).map(([name]) => name);
  if (empty.length === 0) return [];
  const count =
    empty.length === kernels.length ? `all ${empty.length}` : `${empty.length} of ${kernels.length}`;
  return [`${where}: ${count} kernels hold nothing but zeros: ${inShort(empty)}.`];
}
