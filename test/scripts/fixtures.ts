// The command line as its users have it: a process of its own, in a folder of its own.
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import path from "node:path";
import sharp from "sharp";

export const root = path.resolve(__dirname, "../..");
export const launcher = path.join(root, "scripts/ferkit.cjs");

export interface Result {
  status: number | null;
  stdout: string;
  /** Without the notices of TensorFlow's library. */
  stderr: string;
}

/** Environment with a cache of its own below `dir`. */
export function environment(dir: string): NodeJS.ProcessEnv {
  const { FERKIT_CACHE, INIT_CWD, ...rest } = process.env;
  return { ...rest, XDG_CACHE_HOME: path.join(dir, "cache") };
}

/** Runs a program in `dir` to its end. */
export function runProgram(command: string, args: string[], dir: string): Result {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd: dir,
    env: environment(dir),
    encoding: "utf8",
    timeout: 120_000,
  });
  return { status, stdout, stderr: withoutNotices(stderr) };
}

/** Runs `ferkit` in `dir`. */
export function runFerkit(args: string[], dir: string): Result {
  return runProgram(process.execPath, [launcher, ...args], dir);
}

/** Without what the library logs by itself when it is loaded: lines such as "I0000 00:00:17…", and what announces them. */
function withoutNotices(text: string): string {
  return text
    .split("\n")
    .filter((line) => !/^(WARNING: All log messages before absl|[IWE]\d{4} \d\d:\d\d:\d+)/.test(line))
    .join("\n");
}

/** Class folders of small images: discs and squares of many sizes, of which no two are the same. */
export async function drawClassFolders(dir: string, perClass: number): Promise<void> {
  for (const [className, shape] of [
    ["disc", "<circle cx='50%' cy='50%' r='RADIUS'/>"],
    ["square", "<rect x='20%' y='20%' width='RADIUS' height='RADIUS'/>"],
  ]) {
    mkdirSync(path.join(dir, className), { recursive: true });
    for (let i = 0; i < perClass; i++) {
      const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40">${shape.replaceAll("RADIUS", `${6 + i}`)}</svg>`;
      await sharp(Buffer.from(svg))
        .flatten({ background: "white" })
        .toFile(path.join(dir, className, `${i}.png`));
    }
  }
}
