// The Python packages that ferkit is compared with, in a virtual environment of the bench's own.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { cacheDir } from "../src/files.js";

const run = promisify(execFile);

const REQUIREMENTS = path.join(__dirname, "requirements.txt");
/** timm asks for torchvision, which it does not need here and which follows no other pin. */
const REQUIREMENTS_ALONE = path.join(__dirname, "requirements-alone.txt");
/** Written last, so that an environment that has it is whole. */
const STAMP = "complete";

let prepared: Promise<string> | undefined;

/** The Python with all packages installed; made on first use, and anew when the requirements change. */
export function preparePython(): Promise<string> {
  prepared ??= prepare();
  return prepared;
}

async function prepare(): Promise<string> {
  const digest = createHash("sha256");
  for (const file of [REQUIREMENTS, REQUIREMENTS_ALONE]) digest.update(readFileSync(file));
  const dir = path.join(cacheDir(), `bench-${digest.digest("hex").slice(0, 12)}`);
  const python = path.join(dir, "bin/python");
  if (existsSync(path.join(dir, STAMP))) return python;
  console.error(`Installing PyTorch and Keras into ${dir}; this takes some minutes, once.`);
  await rm(dir, { recursive: true, force: true });
  await call("python3", "-m", "venv", dir);
  const install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"] as const;
  await call(...install, "--requirement", REQUIREMENTS);
  await call(...install, "--no-deps", "--requirement", REQUIREMENTS_ALONE);
  await writeFile(path.join(dir, STAMP), "");
  return python;
}

/** @throws Error with all that the program printed. */
async function call(file: string, ...args: string[]): Promise<void> {
  await run(file, args, { maxBuffer: 2 ** 26 });
}
