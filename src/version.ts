// Which ferkit this is.
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

export const PROJECT_DIR = path.join(__dirname, "..");

export async function ferkitVersion(): Promise<string> {
  const file = path.join(PROJECT_DIR, "package.json");
  return (JSON.parse(await readFile(file, "utf8")) as { version: string }).version;
}

/**
 * The commit of the clone that a folder is the root of, ending in "-dirty" where files differ from it; null where it is none,
 * or git does not answer.
 */
export async function commitOf(dir: string): Promise<string | null> {
  const describe = ["describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"];
  // Of the folder itself: a copy of ferkit inside another project's clone has no commit.
  const env = { ...process.env, GIT_CEILING_DIRECTORIES: path.dirname(dir), GIT_OPTIONAL_LOCKS: "0" };
  try {
    const { stdout } = await promisify(execFile)("git", describe, { cwd: dir, env, timeout: 10_000 });
    return stdout.trim();
  } catch {
    return null;
  }
}
