// Runs cells in the project's kernel, or in tslab's own, through Jupyter's protocol.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { findVenvPython, jupyterEnvironment, projectDir } from "../../scripts/jupyter.js";

export interface Cell {
  code: string;
  /** Interrupt the kernel once the cell has printed this. */
  interruptAt?: string;
}

export interface CellResult {
  /** Of the reply; null where none came. */
  status: "ok" | "error" | "aborted" | null;
  messages: { type: string; content: Record<string, unknown> }[];
  /** The kernel said that it was done. */
  isIdle: boolean;
}

export type KernelName = "tslab" | "stock";

/** Runs cells one after the other in a new kernel, started in the folder of the notebooks as Jupyter does. */
export async function runCells(
  kernel: KernelName,
  cells: (string | Cell)[],
  patienceSeconds = 60,
): Promise<CellResult[]> {
  const dir = await mkdtemp(path.join(os.tmpdir(), "ferkit-kernel-"));
  try {
    await writeStockKernel(path.join(dir, "kernels/stock"));
    const job = {
      kernel,
      cwd: path.join(projectDir, "notebooks"),
      cells: cells.map((cell) => (typeof cell === "string" ? { code: cell } : cell)),
      patience: patienceSeconds,
    };
    const env = jupyterEnvironment();
    const { stdout } = await promisify(execFile)(
      findVenvPython(),
      [path.join(__dirname, "drive_kernel.py"), JSON.stringify(job)],
      {
        env: { ...env, JUPYTER_PATH: `${env.JUPYTER_PATH}${path.delimiter}${dir}` },
        maxBuffer: 1 << 28,
      },
    );
    return JSON.parse(stdout) as CellResult[];
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** What a cell printed on standard output. */
export function printed({ messages }: CellResult): string {
  return messages
    .filter(({ type, content }) => type === "stream" && content.name === "stdout")
    .map(({ content }) => content.text)
    .join("");
}

/** The contents of a cell's messages of one type. */
export function contentsOf({ messages }: CellResult, type: string): Record<string, unknown>[] {
  return messages.filter((message) => message.type === type).map(({ content }) => content);
}

async function writeStockKernel(dir: string): Promise<void> {
  const tslab = path.join(projectDir, "node_modules/tslab/bin/tslab");
  if (!existsSync(tslab)) throw new Error(`no ${tslab}`);
  await mkdir(dir, { recursive: true });
  const spec = {
    argv: [process.execPath, tslab, "kernel", "--config-path={connection_file}"],
    display_name: "stock tslab",
    language: "typescript",
  };
  await writeFile(path.join(dir, "kernel.json"), JSON.stringify(spec));
}
