// What set-up adds to Python's virtual environment, and what it repairs in one whose clone was moved. Imports no package.
const fs = require("node:fs");
const path = require("node:path");

// Every tool of the virtual environment finds the project's kernel, and papermill its translator. Both paths are relative, so
// they hold when the clone is moved.

const kernelDir = ({ venvDir }) => path.join(venvDir, "share/jupyter/kernels/tslab");
const KERNEL = "../../../../../jupyter/kernels/tslab";
/** What a front end reads or starts. A link to the whole folder is not followed by those that search for `kernel.json`. */
const KERNEL_FILES = ["kernel.cjs", "kernel.json", "logo-32x32.png", "logo-64x64.png", "logo-svg.svg"];
const TRANSLATOR = "../../../../jupyter/python\n";

function translatorFile({ venvDir }) {
  const lib = path.join(venvDir, "lib");
  const version = fs.existsSync(lib) ? fs.readdirSync(lib).find((name) => name.startsWith("python3")) : "";
  return path.join(lib, version ?? "", "site-packages/ferkit_jupyter.pth");
}

function showsKernel(context) {
  const dir = kernelDir(context);
  return (
    fs.lstatSync(dir, { throwIfNoEntry: false })?.isDirectory() === true &&
    KERNEL_FILES.every((name) => {
      const link = fs.lstatSync(path.join(dir, name), { throwIfNoEntry: false });
      return link?.isSymbolicLink() && fs.readlinkSync(path.join(dir, name)) === `${KERNEL}/${name}`;
    }) &&
    fs.existsSync(translatorFile(context)) &&
    fs.readFileSync(translatorFile(context), "utf8") === TRANSLATOR
  );
}

function showKernel(context) {
  const dir = kernelDir(context);
  fs.rmSync(dir, { recursive: true, force: true });
  fs.mkdirSync(dir, { recursive: true });
  for (const name of KERNEL_FILES) fs.symlinkSync(`${KERNEL}/${name}`, path.join(dir, name));
  fs.mkdirSync(path.dirname(translatorFile(context)), { recursive: true });
  fs.writeFileSync(translatorFile(context), TRANSLATOR);
}

// The programs in bin start the Python of the folder that the environment was made in.

/** The first lines of such a program: an interpreter, or a shell that starts it if its path is long. */
const STARTS = /^(?:#!|'''exec' "?)(\/.*)\/bin\/python/m;

/**
 * Returns the folder that the environment was made in, if it is another one now; otherwise undefined.
 *
 * @param {{ venvDir: string }} context
 * @returns {string | undefined}
 */
function movedFrom({ venvDir }) {
  const pip = path.join(venvDir, "bin/pip");
  const start = fs.existsSync(pip) ? fs.readFileSync(pip, "utf8").slice(0, 1000) : "";
  const madeIn = STARTS.exec(start)?.[1];
  return madeIn === venvDir ? undefined : madeIn;
}

/** Puts the present folder in place of the one that the environment was made in. */
function relocate({ venvDir }) {
  const madeIn = movedFrom({ venvDir });
  const bin = path.join(venvDir, "bin");
  const files = fs.readdirSync(bin).map((name) => path.join(bin, name));
  for (const file of [path.join(venvDir, "pyvenv.cfg"), ...files]) {
    if (!fs.lstatSync(file).isFile()) continue;
    const text = fs.readFileSync(file, "utf8");
    if (text.includes("\0") || !text.includes(madeIn)) continue; // a program of another kind
    fs.writeFileSync(`${file}.tmp`, text.replaceAll(madeIn, venvDir), { mode: fs.statSync(file).mode });
    fs.renameSync(`${file}.tmp`, file);
  }
}

module.exports = { movedFrom, relocate, showKernel, showsKernel };
