// Where commands write. It is checked before their work, which may take hours.
import { existsSync, readdirSync, readFileSync, realpathSync, type Stats, statSync } from "node:fs";
import path from "node:path";
import { type ChartSpec, InputError, internals, saveChart } from "../src/index.js";
import { callerPath } from "./options.js";

/** What a command reads, which it must not replace. */
export interface Inputs {
  /** Files, and folders of images or labels. */
  data?: string[];
  /** Model folders, runs, and folders of runs. */
  models?: string[];
}

/**
 * Returns the path that `--chart` gives, if it is there.
 *
 * @throws InputError for an ending that no chart has, or if the chart would replace an input.
 */
export function chartPath({ chart }: { chart?: string }, inputs: Inputs): string | undefined {
  return chart === undefined ? undefined : checkChart("--chart", callerPath(chart), inputs);
}

/**
 * Returns `file` if it can be that of a chart.
 *
 * @param option - What gives it, for messages.
 * @throws InputError as `chartPath`.
 */
export function checkChart(option: string, file: string, inputs: Inputs): string {
  internals.checkChartFile(file);
  checkOutput(option, file, inputs);
  const other = /\.json$/i.test(file) && filesAt(file).find((one) => !isChart(one));
  if (!other) return file;
  throw new InputError({
    expected: `a new file or an earlier chart for ${option}`,
    where: other,
    found: "another JSON file",
    fix: "Choose another name, so that the file is kept.",
  });
}

/** Writes a chart, or the pages of one, and says where. */
export async function writeChart(chart: ChartSpec | ChartSpec[], file: string): Promise<void> {
  const files = await saveChart(chart, file);
  const [first] = files;
  console.error(
    files.length === 1
      ? `wrote ${first}`
      : `wrote ${files.length} pages: ${first} to ${files[files.length - 1]}`,
  );
}

/** Whether a JSON file has a chart, which names its grammar. */
function isChart(file: string): boolean {
  return statSync(file).isFile() && readFileSync(file, "utf8").includes("vega.github.io/schema");
}

/**
 * Returns `file` if neither it nor a page of it, such as `file-1.png`, is an input, and nothing above it is a file.
 *
 * @throws InputError otherwise.
 */
export function checkOutput(option: string, file: string, inputs: Inputs): string {
  checkFolderAbove(option, file);
  const present = filesAt(file);
  const replaced = present.find((one) => isInput(one, inputs));
  if (replaced === undefined) return file;
  throw new InputError({
    expected: `a path that is no input for ${option}`,
    found: replaced,
    fix: "Choose another name, so that the input is kept.",
  });
}

/**
 * Checks that folders to be written are outside the runs that they are of, and that no two are the same.
 *
 * @throws InputError otherwise.
 */
export function checkCopies(option: string, folders: string[], runs: string[]): void {
  for (const [i, folder] of folders.entries()) {
    checkOutput(option, folder, { data: runs });
    const where = realPath(folder);
    const run = runs.find((one) => isInside(where, one));
    if (run !== undefined)
      throw new InputError({
        expected: `a folder outside of runs for ${option}`,
        where: folder,
        found: `that it is inside of ${run}`,
        fix: "Choose another folder.",
      });
    const other = folders.findIndex((one) => realPath(one) === where);
    if (other < i)
      throw new InputError({
        expected: `another folder for each run with ${option}`,
        where: folder,
        found: `that ${runs[other]} and ${runs[i]} have the same name`,
        fix: "Rename one of them, or record them one by one.",
      });
  }
}

/** Returns the real path of what may not be there yet. */
function realPath(file: string): string {
  const real = resolved(file);
  if (real !== null || file === path.dirname(file)) return real ?? file;
  return path.join(realPath(path.dirname(file)), path.basename(file));
}

/**
 * Checks that nothing above a new file is a file itself.
 *
 * @param what - What is to be written, for messages.
 * @throws InputError otherwise.
 */
export function checkFolderAbove(what: string, file: string): void {
  let above = path.dirname(file);
  while (!existsSync(above) && above !== path.dirname(above)) above = path.dirname(above);
  if (statOf(above)?.isDirectory() ?? true) return;
  throw new InputError({
    expected: `a path in a folder for ${what}`,
    where: file,
    found: `that ${above} is a file`,
    fix: "Choose another path.",
  });
}

/**
 * Returns `folder` if it is not there yet or holds nothing but hidden files, so that what a command writes there replaces and mixes
 * with nothing: a trained model, a run, images.
 *
 * @throws InputError otherwise.
 */
export function checkNewFolder(option: string, folder: string): string {
  const found = contentAt(folder);
  if (found === null) return folder;
  throw new InputError({
    expected: `a new or empty folder for ${option}`,
    where: folder,
    found,
    fix: "Choose another folder, or remove this one first if nothing in it is needed.",
  });
}

/** Says what is at the path of a new folder, if anything. */
function contentAt(folder: string): string | null {
  try {
    const [first, ...others] = readdirSync(folder)
      .filter((name) => !name.startsWith("."))
      .sort();
    if (first === undefined) return null;
    return `one that holds ${first}${others.length > 0 ? ` and ${others.length} more` : ""}`;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return null;
    if (code !== "ENOTDIR") return message;
    return existsSync(folder) ? "a file" : "a file above it";
  }
}

/** Lists the files that writing to a path, or the pages of it, would replace. */
function filesAt(file: string): string[] {
  const { dir, name, ext } = path.parse(file);
  const isPage = (other: string) =>
    other === path.basename(file) ||
    (other.startsWith(`${name}-`) &&
      other.endsWith(ext) &&
      /^-\d+$/.test(other.slice(name.length, -ext.length || undefined)));
  const folder = resolved(dir);
  return folder === null
    ? []
    : readdirSync(folder)
        .filter(isPage)
        .map((other) => path.join(folder, other));
}

function isInput(file: string, { data = [], models = [] }: Inputs): boolean {
  return data.some((input) => isOf(file, input)) || models.some((folder) => isOfModel(file, folder));
}

/** Whether a file is an input, or one that the input holds or names. */
function isOf(file: string, input: string): boolean {
  const found = statOf(input);
  if (found === null) return false;
  if (file === inFolder(input)) return true;
  if (/\.svg$/i.test(file)) return false; // no image that ferkit reads
  if (found.isDirectory()) return isInside(file, input);
  return isTable(input, found) && isInside(file, path.dirname(input)) && names(input, path.basename(file));
}

/** Whether a file is one that describes a model or a run. */
function isOfModel(file: string, folder: string): boolean {
  return file === inFolder(folder) || (/\.json$/i.test(file) && isInside(file, folder));
}

/** A larger table is one of pixels, which names no files. */
const MAX_TABLE_BYTES = 2 ** 26;

function isTable(file: string, { size }: Stats): boolean {
  return internals.TABLE_FILE.test(file) && size <= MAX_TABLE_BYTES;
}

function names(table: string, file: string): boolean {
  return readFileSync(table, "utf8").includes(file);
}

function isInside(file: string, folder: string): boolean {
  const real = resolved(folder);
  return real !== null && file.startsWith(path.join(real, path.sep));
}

/** Returns a path through the real folder around it. A link itself is what writing would replace. */
function inFolder(file: string): string | null {
  const folder = resolved(path.dirname(file));
  return folder && path.join(folder, path.basename(file));
}

function resolved(file: string): string | null {
  try {
    return realpathSync(file);
  } catch {
    return null;
  }
}

function statOf(file: string): Stats | null {
  try {
    return statSync(file);
  } catch {
    return null; // the error of writing it says what is wrong
  }
}
