// What tests work in: a folder of their own, the command line, and small data sets that are drawn.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import sharp from "sharp";
import { runCli } from "../scripts/cli.js";
import { Random } from "../src/random.js";

export const projectDir = path.resolve(__dirname, "..");
/** Starts the command line in a process of its own. */
export const launcher = path.join(projectDir, "scripts/ferkit.cjs");

/** A folder that is made before the tests that use it, and removed after them. */
export interface Workspace {
  /** Set once the first hook has run. */
  path: string;
  /** Returns the path of a file in it. */
  file(...names: string[]): string;
  /** Runs `ferkit` in the folder, within this process. */
  ferkit(...args: string[]): Promise<Result>;
}

export interface Result {
  status: number | null;
  stdout: string;
  stderr: string;
}

/**
 * Makes a folder for each test of the suite that calls this.
 *
 * @param scope - "suite" for one folder that all tests of the suite share.
 */
export function workspace(scope: "test" | "suite" = "test"): Workspace {
  const self: Workspace = {
    path: "",
    file: (...names) => path.join(self.path, ...names),
    ferkit: (...args) => runFerkit(args, self.path),
  };
  const make = () => {
    self.path = realpathSync(mkdtempSync(path.join(os.tmpdir(), "ferkit-test-")));
  };
  const remove = () => rmSync(self.path, { recursive: true, force: true });
  if (scope === "suite") {
    before("makes a folder", make);
    after("removes the folder", remove);
  } else {
    beforeEach("makes a folder", make);
    afterEach("removes the folder", remove);
  }
  return self;
}

/** Catches what each test of the suite that calls this prints with a method of the console: returns the lines of the current test. */
export function printedLines(method: "error" | "warn"): string[] {
  const lines: string[] = [];
  const original = console[method];
  beforeEach("catches what is printed", () => {
    lines.length = 0;
    console[method] = (text: string) => void lines.push(text);
  });
  afterEach("prints again", () => {
    console[method] = original;
  });
  return lines;
}

/** Returns an environment with a cache of its own below `dir`. */
export function environment(dir: string): NodeJS.ProcessEnv {
  const { FERKIT_CACHE, INIT_CWD, ...rest } = process.env;
  return { ...rest, XDG_CACHE_HOME: path.join(dir, "cache") };
}

/** Runs a command of ferkit as a process in `dir` would, without the second that a process takes to load the engine. */
export async function runFerkit(args: string[], dir: string): Promise<Result> {
  const before = { cwd: process.cwd(), env: process.env, status: process.exitCode };
  const printed = { stdout: "", stderr: "" };
  const restore = (["stdout", "stderr"] as const).map((name) => {
    const stream = process[name];
    const { write, isTTY } = stream;
    stream.isTTY = false; // a terminal would get bars
    stream.write = (chunk: string | Uint8Array, ...rest: unknown[]) => {
      printed[name] += typeof chunk === "string" ? chunk : Buffer.from(chunk).toString();
      const callback = rest.at(-1);
      if (typeof callback === "function") callback();
      return true;
    };
    return () => Object.assign(stream, { write, isTTY });
  });
  process.chdir(dir);
  process.env = environment(dir);
  try {
    return { status: await runCli(args), ...printed };
  } finally {
    process.chdir(before.cwd);
    process.env = before.env;
    process.exitCode = before.status;
    for (const undo of restore) undo();
  }
}

/** Runs a program in `dir` to its end. */
export function runProgram(command: string, args: string[], dir: string): Result {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd: dir,
    env: environment(dir),
    encoding: "utf8",
    timeout: 600_000,
  });
  return { status, stdout, stderr: withoutNotices(stderr) };
}

/** Removes what TensorFlow's library logs while it is loaded: lines such as "I0000 00:00:17…", and what announces them. */
function withoutNotices(text: string): string {
  return text
    .split("\n")
    .filter((line) => !/^(WARNING: All log messages before absl|[IWE]\d{4} \d\d:\d\d:\d+)/.test(line))
    .join("\n");
}

/** Draws class folders of small images: discs and squares of many sizes, no two the same. */
export async function drawClassFolders(dir: string, perClass: number): Promise<void> {
  const random = new Random(0);
  for (const [className, shape] of [
    ["disc", "<circle cx='50%' cy='50%' r='RADIUS'/>"],
    ["square", "<rect x='20%' y='20%' width='RADIUS' height='RADIUS'/>"],
  ]) {
    mkdirSync(path.join(dir, className), { recursive: true });
    for (let i = 0; i < perClass; i++) {
      const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40">${shape.replaceAll("RADIUS", `${6 + i}`)}</svg>`;
      // patches of their own, so that no image is a near-duplicate of another
      const patches = Buffer.from(Array.from({ length: 5 * 5 * 3 }, () => 56 + random.integer(200)));
      await sharp(patches, { raw: { width: 5, height: 5, channels: 3 } })
        .resize(40, 40, { kernel: "nearest" })
        .composite([{ input: Buffer.from(svg) }])
        .removeAlpha()
        .toFile(path.join(dir, className, `${i}.png`));
    }
  }
}
