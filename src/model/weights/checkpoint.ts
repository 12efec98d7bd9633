// Torch checkpoints and Keras files, which a Python program converts to safetensors. A checkpoint is a pickle, which is a program
// in itself; none of it is run.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { PROJECT_DIR } from "../../environment.js";
import { InputError, type InputProblem } from "../../errors.js";
import { writeError } from "../../files.js";

const PYTHON = path.join(PROJECT_DIR, ".venv/bin/python");
const PROGRAM = path.join(PROJECT_DIR, "scripts/convert_checkpoint.py");
/** Exit status of the program for a file that it cannot read. */
const REFUSED = 2;

/** True if bytes that are no safetensors begin like a torch checkpoint or a Keras file: a pickle, a zip archive or HDF5. */
export function isCheckpoint(bytes: Buffer): boolean {
  return bytes[0] === 0x80 || ["PK", "\x89H"].includes(bytes.toString("latin1", 0, 2));
}

/**
 * Returns the tensors of a checkpoint or Keras file as the bytes of a safetensors file.
 *
 * @throws InputError if the file is neither, is cut short, or asks for anything but data, or if Python is missing.
 */
export async function convertCheckpoint(file: string): Promise<Buffer> {
  if (!existsSync(PYTHON))
    throw new InputError({
      expected: "Python's packages, to read checkpoints and Keras files",
      where: PYTHON,
      found: "no such file",
      fix: "Run `npm run setup`, or choose a file of safetensors.",
    });
  const folder = await mkdtemp(path.join(os.tmpdir(), "ferkit-checkpoint-")).catch((error) => {
    throw writeError(os.tmpdir(), error);
  });
  try {
    const target = path.join(folder, "weights.safetensors");
    // One thread of linear algebra, since each reserves memory.
    const env = { ...process.env, OPENBLAS_NUM_THREADS: "1" };
    await promisify(execFile)(PYTHON, ["-I", PROGRAM, file, target], { env });
    return await readFile(target);
  } catch (error) {
    const { code, signal, stdout, stderr, message } = error as Error & {
      code: unknown;
      signal: unknown;
      stdout: string;
      stderr: string;
    };
    if (code === REFUSED) throw new InputError({ where: file, ...(JSON.parse(stdout) as InputProblem) });
    if (signal === "SIGXCPU" || signal === "SIGKILL")
      throw new InputError({
        expected: "a torch checkpoint or a Keras file",
        where: file,
        found: "data that takes much more time or memory than a file of its size should",
        fix: "Download the file again or choose another one.",
      });
    throw new InputError({
      expected: "to convert a file of weights",
      where: file,
      found: stderr?.trim().split("\n").at(-1) || message,
      fix: "Run `npm run setup`, then try again.",
    });
  } finally {
    await rm(folder, { recursive: true });
  }
}
