// Runs cells in the project's kernel, or in tslab's own, through Jupyter's protocol.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { findVenvPython, jupyterEnvironment, projectDir } from "../../scripts/jupyter.js";

/** A cell, or another request of Jupyter's protocol. */
export type Request =
  | {
      code: string;
      interruptAt?: string;
      stopOnError?: boolean;
      storeHistory?: boolean;
      expressions?: Record<string, string>;
    }
  | { type: string; content: Record<string, unknown> };

export interface CellResult {
  /** Status of the reply; null if none came. */
  status: "ok" | "error" | "aborted" | null;
  reply: Record<string, unknown> | null;
  messages: { type: string; content: Record<string, unknown> }[];
  /** The kernel said that it was done. */
  isIdle: boolean;
}

export interface Conversation {
  /** One for each request, in the order in which they were sent. */
  results: CellResult[];
  /** The statuses that the kernel published, each with the index of its request. */
  statuses: [request: number, state: string][];
}

export type KernelName = "tslab" | "stock";

/**
 * Sends groups of requests to a new kernel, started in the folder of the notebooks as Jupyter does.
 *
 * @param groups - The requests of a group are sent at once; the next group waits for their replies.
 */
export async function converse(
  kernel: KernelName,
  groups: Request[][],
  { patience = 120, pause = 0, late = 0, root = projectDir, cwd = path.join(root, "notebooks") } = {},
): Promise<Conversation> {
  const dir = await mkdtemp(path.join(os.tmpdir(), "ferkit-kernel-"));
  try {
    await writeStockKernel(path.join(dir, "kernels/stock"));
    const job = { kernel, cwd, groups, patience, pause, late };
    const env = jupyterEnvironment(root);
    const { stdout } = await promisify(execFile)(
      findVenvPython(),
      [path.join(__dirname, "drive_kernel.py"), JSON.stringify(job)],
      {
        env: { ...env, JUPYTER_PATH: `${env.JUPYTER_PATH}${path.delimiter}${dir}` },
        maxBuffer: 1 << 28,
      },
    );
    return JSON.parse(stdout) as Conversation;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** Runs cells one after the other in a new kernel. */
export async function runCells(
  kernel: KernelName,
  cells: (string | Request)[],
  patience = 120,
): Promise<CellResult[]> {
  const groups = cells.map((cell) => [typeof cell === "string" ? { code: cell } : cell]);
  // Stock tslab skips what comes right after a failure.
  return (await converse(kernel, groups, { patience, pause: kernel === "stock" ? 0.3 : 0 })).results;
}

/** Text of what a cell's last expression gave. */
export function resultOf({ messages }: CellResult): unknown {
  const results = messages.filter(({ type }) => type === "execute_result");
  return results.length === 1
    ? (results[0].content.data as Record<string, unknown>)["text/plain"]
    : undefined;
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
