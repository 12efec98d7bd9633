import type { Command } from "commander";

export function addNotebooksCommand(program: Command): void {
  program.command("notebooks").description("run the notebooks headlessly");
}
