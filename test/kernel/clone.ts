// A copy of the project that a kernel runs in, so that cells may write there.
import { cpSync, mkdirSync, symlinkSync } from "node:fs";
import path from "node:path";
import { projectDir } from "../workspace.js";

const NAMES = [
  ".ferkit/declarations.json",
  "dist",
  "jupyter",
  "package.json",
  "package-lock.json",
  "scripts",
  "src",
  "tsconfig.json",
];

/**
 * Copies what a kernel needs; packages are shared.
 *
 * @param others - More files and folders to copy.
 */
export function cloneProject(dir: string, others: string[] = []): void {
  for (const name of [...NAMES, ...others])
    cpSync(path.join(projectDir, name), path.join(dir, name), { recursive: true, preserveTimestamps: true });
  symlinkSync(path.join(projectDir, "node_modules"), path.join(dir, "node_modules"));
  mkdirSync(path.join(dir, "notebooks"), { recursive: true });
}
