import { spawnSync } from "node:child_process";
import path from "node:path";
import type { Command } from "commander";

export function addDoctorCommand(program: Command): void {
  program
    .command("doctor")
    .description("say what is installed, what was found, and how to mend what is wrong")
    .option("--json", "print records")
    .action((flags: { json?: boolean }) => {
      const script = path.join(__dirname, "../bootstrap.mjs");
      const { status } = spawnSync(process.execPath, [script, "doctor", ...(flags.json ? ["--json"] : [])], {
        stdio: "inherit",
      });
      process.exitCode = status ?? 1;
    });
}
