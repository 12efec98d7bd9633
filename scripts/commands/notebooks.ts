import type { Command } from "commander";
import { type NotebookFlags, runNotebooks, withNotebookOptions } from "../notebooks.js";

export function addNotebooksCommand(program: Command): void {
  withNotebookOptions(program.command("notebooks")).action(async (flags: NotebookFlags) => {
    process.exitCode = await runNotebooks(flags);
  });
}
