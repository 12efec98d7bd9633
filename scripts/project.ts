// The project that a command is called in: its notebooks, and the images that they load.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";

/** Returns the nearest folder with a package.json, where the kernel runs; otherwise the folder itself. */
export function projectOf(folder: string): string {
  for (let dir = folder; dir !== path.dirname(dir); dir = path.dirname(dir))
    if (existsSync(path.join(dir, "package.json"))) return dir;
  return folder;
}

/** Lists the paths of the notebooks in a folder, in the order of their names. */
export function notebooksIn(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".ipynb") && !name.startsWith("."))
    .sort()
    .map((name) => path.join(folder, name));
}

/** Returns the data set that the first notebook to declare one declares in its code; undefined if none does. */
export function declaredData(notebooks: readonly string[]): string | undefined {
  for (const file of notebooks) {
    const [, value] = /"let data(?:: string)? = \\"(.*?)\\";/.exec(readFileSync(file, "utf8")) ?? [];
    if (value !== undefined) return value;
  }
  return undefined;
}

/** Returns the data set that the notebooks of the project around a folder declare; undefined if there is none. */
export function projectData(folder: string): string | undefined {
  const notebooks = path.join(projectOf(folder), "notebooks");
  return existsSync(notebooks) ? declaredData(notebooksIn(notebooks)) : undefined;
}
