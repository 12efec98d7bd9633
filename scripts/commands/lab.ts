// Opens JupyterLab on the notebooks. jupyter/jupyter_lab_config.json and jupyter/labconfig/ hold its settings.
import path from "node:path";
import type { Command } from "commander";
import { runPython } from "../jupyter.js";
import { defaultFolder } from "./notebooks.js";

export function addLabCommand(program: Command): void {
  program
    .command("lab")
    .argument("[arguments...]", "options of `jupyter lab`, such as --no-browser --port=9000")
    .allowUnknownOption()
    .addHelpText("after", "\nExample:\n  $ npx ferkit lab --no-browser --port=9000")
    .action(async (_, __, { args }: Command) => {
      process.chdir(path.dirname(defaultFolder())); // Jupyter serves the folder that it is started in
      // In a container the user is root; the server listens to this machine only.
      const asRoot = process.getuid?.() === 0 ? ["--allow-root"] : [];
      const { status, death } = await runPython(["-m", "jupyterlab", ...asRoot, ...args]);
      if (death !== null)
        console.error(`ferkit: JupyterLab was ${death}. Run this again; notebooks are as last saved.`);
      process.exitCode = status;
    });
}
