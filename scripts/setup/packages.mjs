// The packages: npm's from the lockfile, Python's from requirements.txt.
import fs from "node:fs";
import path from "node:path";
import { runCommand } from "./command.mjs";
import { describeFailure, SetupError } from "./problem.mjs";
import { isStamped, stampKey, writeStamp } from "./stamps.mjs";
import { findLinks } from "./wheels.mjs";

/** `npm ci`, without install scripts: the one that matters, the engine's, would fetch an outdated library. */
export const npmStep = {
  name: "npm packages",
  isCurrent: (context) => isStamped(npmStamp(context), npmKey(context)),
  async run(context, show) {
    // Dev packages are part of set-up (headers, compiler) even where the user's npm leaves them out.
    const args = ["ci", "--ignore-scripts", "--include=dev", "--no-audit", "--no-fund"];
    const [file, first] = npmCommand(context.env);
    fs.rmSync(npmStamp(context), { force: true });
    const { status, output } = await runCommand(file, [...first, ...args], {
      cwd: context.root,
      env: context.env,
      onLine: show,
    });
    if (/package\.json and package-lock\.json.*in sync/.test(output)) {
      throw new SetupError({
        expected: "package-lock.json to match package.json",
        where: context.root,
        found: "that they differ",
        fix: "Run: npm install --ignore-scripts",
      });
    }
    if (status !== 0) throw describeFailure("the npm packages", output, context.root);
    writeStamp(npmStamp(context), npmKey(context));
  },
};

function npmStamp(context) {
  return path.join(context.nodeModulesDir, ".ferkit-stamp");
}

function npmKey(context) {
  const { dependencies, devDependencies, overrides } = readJson(path.join(context.root, "package.json"));
  const wanted = JSON.stringify({ dependencies, devDependencies, overrides });
  return stampKey([{ file: path.join(context.root, "package-lock.json") }, wanted]);
}

function readJson(file) {
  return JSON.parse(fs.readFileSync(file, "utf8"));
}

/** The npm that runs this, so that it belongs to the same Node; else the one on PATH. */
function npmCommand(env) {
  const script = env.npm_execpath ?? "";
  return /npm-cli\.c?js$/.test(script) && fs.existsSync(script) ? [process.execPath, [script]] : ["npm", []];
}

/** A virtual environment with the pinned Jupyter packages. */
export const pythonStep = {
  name: "Python packages",
  isCurrent: (context) =>
    fs.existsSync(context.venvPython) && isStamped(venvStamp(context), venvKey(context)),
  async run(context, show) {
    const requirements = path.join(context.root, "requirements.txt");
    fs.rmSync(venvStamp(context), { force: true });
    if (!(await isUsable(context.venvPython))) {
      show("virtual environment");
      const made = await runCommand(context.systemPython, ["-m", "venv", "--clear", context.venvDir]);
      if (made.status !== 0) throw describeFailure("the Python environment", made.output, context.root);
    }
    const options = ["--disable-pip-version-check", "--progress-bar", "off", ...findLinks(context)];
    const { status, output } = await runCommand(
      context.venvPython,
      ["-m", "pip", "install", ...options, "-r", requirements],
      {
        cwd: context.root,
        env: context.env,
        onLine: (line) =>
          show(
            line
              .trim()
              .split(/[\s<=>~]+/, 3)
              .join(" "),
          ),
      },
    );
    if (status !== 0) throw describeFailure("the Python packages", output, context.root);
    writeStamp(venvStamp(context), venvKey(context));
  },
};

// An environment whose making was interrupted, or whose Python was removed from the system, is made anew.
async function isUsable(python) {
  return fs.existsSync(python) && (await runCommand(python, ["-m", "pip", "--version"])).status === 0;
}

function venvStamp(context) {
  return path.join(context.venvDir, ".ferkit-stamp");
}

function venvKey(context) {
  return stampKey([{ file: path.join(context.root, "requirements.txt") }]);
}

/** Jupyter must see the project's own kernelspec, which starts the launcher. */
export const kernelspecStep = {
  name: "Jupyter kernel",
  isCurrent: (context) => isStamped(kernelspecStamp(context), kernelspecKey(context)),
  async run(context) {
    const found = await findKernelspec(context);
    if (found.error) throw new SetupError(found.error);
    writeStamp(kernelspecStamp(context), kernelspecKey(context));
    return "tslab";
  },
};

/**
 * The kernelspec as Jupyter sees it.
 *
 * @returns `{ dir, displayName }`, or `{ error }` with the parts of a SetupError.
 */
export async function findKernelspec(context) {
  const dir = kernelDir(context);
  const env = { ...context.env, JUPYTER_PATH: path.join(context.root, "jupyter") };
  const command = path.join(context.venvDir, "bin/jupyter");
  const { status, output } = await runCommand(command, ["kernelspec", "list", "--json"], {
    cwd: context.root,
    env,
  });
  const expected = "Jupyter to list the kernel tslab";
  if (status !== 0) {
    const fix = "Run: rm -rf .venv && npm run setup";
    return {
      error: { expected, where: command, found: `exit status ${status}: ${output.trim().slice(-500)}`, fix },
    };
  }
  const specs = JSON.parse(output.slice(output.indexOf("{"))).kernelspecs;
  if (!specs.tslab) {
    const fix = "Restore the folder: git checkout -- jupyter";
    return { error: { expected, where: dir, found: `only ${Object.keys(specs).join(", ") || "none"}`, fix } };
  }
  return { dir: specs.tslab.resource_dir, displayName: specs.tslab.spec.display_name };
}

function kernelDir(context) {
  return path.join(context.root, "jupyter/kernels/tslab");
}

function kernelspecStamp(context) {
  return path.join(context.venvDir, ".ferkit-kernelspec");
}

function kernelspecKey(context) {
  return stampKey([context.root, { file: path.join(kernelDir(context), "kernel.json") }, venvKey(context)]);
}
