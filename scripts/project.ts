// The project that a command is called in: its notebooks, the images that they load, and its runs.
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { internals } from "../src/index.js";

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

/** Returns the best model that was written last to a run in the folder `runs`: `runs/mine/best`. */
export function newestModel(dir: string): string | undefined {
  const runs = path.join(dir, "runs");
  const found = internals.isFolder(runs) ? readdirSync(runs) : [];
  const models = found.flatMap((name) => {
    const file = path.join(runs, name, "best/model.json");
    return existsSync(file) ? [{ name, written: statSync(file).mtimeMs }] : [];
  });
  const [newest] = models.sort((a, b) => b.written - a.written);
  return newest && path.join("runs", newest.name, "best");
}
