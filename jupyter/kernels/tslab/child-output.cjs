// Programs that a cell starts print in the cell also if they share the kernel's output, as with `stdio: "inherit"`: that would come out
// in the terminal of Jupyter, or nowhere.
const childProcess = require("node:child_process");

const NAMES = { 1: "stdout", 2: "stderr" };

/** Name of the kernel's output that an entry of `stdio` stands for; undefined if it stands for none. */
function outputOf(entry, index) {
  if (entry === "inherit") return NAMES[index];
  return Object.values(NAMES).find((name, i) => entry === i + 1 || (entry && entry === process[name]));
}

/** Returns options in which pipes stand for the kernel's outputs, and the outputs that they stand for, by index of the pipe. */
function withPipes(options) {
  const { stdio } = options;
  const entries = Array.isArray(stdio) ? [...stdio] : [stdio, stdio, stdio];
  const outputs = {};
  for (const index of [1, 2]) {
    const name = outputOf(entries[index], index);
    if (!name) continue;
    outputs[index] = name;
    entries[index] = "pipe";
  }
  if (Object.keys(outputs).length === 0) return { options, outputs };
  // A program that shares an output may print as much as it likes.
  return { options: { maxBuffer: Infinity, ...options, stdio: entries }, outputs };
}

/** Splits the arguments of a function of `child_process`, whose last one may be options. */
function splitOptions(args) {
  const last = args.at(-1);
  const hasOptions = args.length > 1 && typeof last === "object" && last !== null && !Array.isArray(last);
  return hasOptions ? [args.slice(0, -1), last] : [args, {}];
}

/** Prints what came through the pipes of a program that has ended, and takes it from the result. */
function printAll(result, outputs) {
  for (const [index, name] of Object.entries(outputs)) {
    const text = result.output?.[index];
    if (text?.length > 0) process[name].write(text);
    if (result.output) result.output[index] = null;
    result[NAMES[index]] = null;
  }
}

/** Prints what comes through the pipes of a program that runs, which gives none of them to the cell. */
function printEach(child, outputs) {
  for (const [index, name] of Object.entries(outputs)) {
    child.stdio[index]?.setEncoding("utf8").on("data", (text) => process[name].write(text));
    child[NAMES[index]] = null;
    if (child.stdio[index]) child.stdio[index] = null;
  }
  return child;
}

/** Makes these programs print in cells. */
function captureChildren() {
  const { execFileSync, execSync, fork, spawn, spawnSync } = childProcess;
  const capture = (start, others, given, print) => {
    const { options, outputs } = withPipes(given);
    return print(start(...others, options), outputs);
  };

  childProcess.spawn = (...args) => capture(spawn, ...splitOptions(args), printEach);
  childProcess.fork = (...args) => {
    const [others, given] = splitOptions(args);
    const stdio = given.silent ? "pipe" : "inherit";
    return capture(fork, others, { stdio: [stdio, stdio, stdio, "ipc"], ...given }, printEach);
  };
  childProcess.spawnSync = (...args) =>
    capture(spawnSync, ...splitOptions(args), (result, outputs) => {
      printAll(result, outputs);
      return result;
    });

  // These two return standard output and throw everything else, so what they print comes by `spawnSync`.
  for (const [name, run, shell] of [
    ["execSync", execSync, true],
    ["execFileSync", execFileSync, false],
  ])
    childProcess[name] = (...args) => {
      const [others, given] = splitOptions(args);
      if (Object.keys(withPipes(given).outputs).length === 0) return run(...args);
      const result = childProcess.spawnSync(...others, { shell, ...given });
      if (result.error) throw result.error;
      if (result.status === 0) return result.stdout;
      throw Object.assign(new Error(`Command failed: ${others.flat().join(" ")}`), result);
    };
}

module.exports = { captureChildren };
