// Opens JupyterLab on the notebooks: npm run lab [-- options of `jupyter lab`, such as --no-browser --port=9000].
// jupyter/jupyter_lab_config.json and jupyter/labconfig/ hold its settings.
import { reportFailure } from "./cli.js";
import { projectDir, runPython } from "./jupyter.js";

process.chdir(projectDir); // Jupyter serves the folder that it is started in
// In a container the user is root; the server listens to this machine only.
const asRoot = process.getuid?.() === 0 ? ["--allow-root"] : [];

runPython(["-m", "jupyterlab", ...asRoot, ...process.argv.slice(2)])
  .then((status) => {
    process.exitCode = status;
  })
  .catch(reportFailure);
