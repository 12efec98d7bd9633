// How the project's own Jupyter is called.
import { existsSync } from "node:fs";
import path from "node:path";
import { InputError } from "../src/errors.js";

export const projectDir = path.resolve(__dirname, "..");

/**
 * The Python with the pinned Jupyter packages.
 *
 * @throws InputError when set-up has not made it.
 */
export function findVenvPython(root = projectDir): string {
  const python = path.join(root, ".venv/bin/python");
  if (existsSync(python)) return python;
  throw new InputError({
    expected: "the Python with the Jupyter packages",
    where: python,
    found: "no such file",
    fix: "Run: npm run setup",
  });
}

/** Environment in which Jupyter finds the project's kernel and settings, and the kernel runs on this Node. */
export function jupyterEnvironment(root = projectDir): NodeJS.ProcessEnv {
  const jupyterDir = path.join(root, "jupyter");
  return {
    ...process.env,
    PATH: joinPaths(path.dirname(process.execPath), process.env.PATH),
    JUPYTER_PATH: joinPaths(jupyterDir, process.env.JUPYTER_PATH),
    JUPYTER_CONFIG_PATH: joinPaths(jupyterDir, process.env.JUPYTER_CONFIG_PATH),
  };
}

function joinPaths(first: string, rest: string | undefined): string {
  return rest ? `${first}${path.delimiter}${rest}` : first;
}
