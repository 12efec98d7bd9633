// What a cell that does not compile may have meant: habits from IPython, Python and the shell, and paths counted from the notebook.
const fs = require("node:fs");
const path = require("node:path");
const { version } = require("./typescript.cjs");

const PYTHON = "This looks like Python; cells are TypeScript.";
const SHELL =
  'To run a shell command: import { execSync } from "node:child_process"; execSync("ls").toString();';
/** A line that begins with one of these after `!`, which means "not" in TypeScript, is for a shell. */
const SHELL_COMMANDS =
  "ls|cd|pwd|cat|head|tail|wc|du|df|find|grep|echo|mkdir|rm|cp|mv|wget|curl|unzip|tar|git|python3?|npm|npx|node|nvidia-smi";
/** Habits from IPython and Python, each with what does it here. */
const HABITS = [
  [
    /^\s*%%?timeit|^\s*%%?time\b/,
    'To time a cell, put console.time("cell") above the code and console.timeEnd("cell") below it.',
  ],
  [
    /^\s*[%!]?\s*((pip3?|conda|mamba|uv pip)\s+install|(npm|yarn|pnpm)\s+(install|add|i))\b/m,
    "To install a package, run in a terminal: npm install NAME",
  ],
  [/^\s*!\s*\w+(\s+[-\w./]|\s*$)/, SHELL],
  [new RegExp(`^\\s*(\\w+\\s*=\\s*)?!\\s*(${SHELL_COMMANDS})\\b(?!\\s*[.(])`, "m"), SHELL],
  [/^\s*%%?(bash|sh|script|system|sx|cd|ls)\b/, SHELL],
  [new RegExp(`^\\s*((${SHELL_COMMANDS})[ \\t]+[-\\w./~]|(cd|ls|pwd)\\s*$)`, "m"), SHELL],
  [/^\s*%%html\b/, 'To show HTML: await ferkit.show({ "text/html": "<b>x</b>" });'],
  [/^\s*%(set_)?env\b/, 'To set a variable of the environment: process.env.NAME = "value";'],
  [/^\s*%/, "Cells are TypeScript; there are no % magics."],
  [/^\s*\?+\s*\w|^[\s\w.]+\?+\s*$/, "To see what a name is, put the cursor on it and press Shift-Tab."],
  [/^#(?!!)|^\s*#\s/m, "A comment begins with // in TypeScript."],
  [
    /^\s*(await\s+)?using\s+\w+\s*=/m,
    `Cells have TypeScript ${version}, without using. To dispose of a value: const x = f(); try { … } finally { x[Symbol.dispose](); }`,
  ],
  [/^\s*import\b.*\bwith\s*\{\s*type\b/m, `Cells have TypeScript ${version}. Leave out: with { type: … }`],
  [/^\s*(help|dir)\s*\(/m, `${PYTHON} To see what a name is, put the cursor on it and press Shift-Tab.`],
  [/^\s*print\s*[(\s]/m, `${PYTHON} To print a value: console.log(x)`],
  [/^\s*for\s+[\w, ]+\s+in\b.*:\s*$/m, `${PYTHON} To loop: for (const x of list) console.log(x);`],
  [/^\s*(from\s+[\w.]+\s+import\b|import\s+[\w.]+(\s+as\s+\w+)?\s*$)/m, PYTHON],
  [/^\s*(async\s+)?def\s+\w+\s*\(|^\s*(if|elif|while|with|class)\b.*:\s*$|^\s*(len|range)\s*\(/m, PYTHON],
];

const RESULTS = "Results have no names of their own. Keep one in a variable: const result = f();";
const END = "To end the kernel, choose Restart Kernel or Shut Down Kernel in the menu Kernel.";
const PAGE =
  'Cells run in Node.js, not in the page. To show HTML: await ferkit.show({ "text/html": "<b>x</b>" });';
const INPUT = "A cell cannot ask for input. Put the value in a variable.";
/** Names that IPython, Python and pages have. */
const FOREIGN_NAMES = {
  exit: END,
  quit: END,
  sleep: "To wait a second: await new Promise((resolve) => setTimeout(resolve, 1000));",
  _: RESULTS,
  __: RESULTS,
  Out: RESULTS,
  In: RESULTS,
  input: INPUT,
  prompt: INPUT,
  alert: PAGE,
  document: PAGE,
  window: PAGE,
};

/** By name that only a cell declares which failed: that cell's number. */
const failed = new Map();

/** Notes the names that a cell declares, and its number if it failed. */
function keepFailed(names, number) {
  for (const name of names)
    if (number === undefined) failed.delete(name);
    else failed.set(name, number);
}

/** Methods that change an array, by those that copy it, which TypeScript 5.0 does not know. */
const METHODS = { Sorted: "sort", Reversed: "reverse", Spliced: "splice" };

/**
 * Says what to do instead, for a cell that does not compile because of a habit from elsewhere.
 *
 * @param diagnostics - What the compiler found.
 * @param folder - The notebook's, from which people count the files that they import.
 * @returns A line; empty if there is nothing to say.
 */
function hintFor(code, diagnostics, folder) {
  const habit = HABITS.find(([pattern]) => pattern.test(code));
  const [, name] = /Cannot find name '(\w+)'/.exec(diagnostics) ?? [];
  const [, module] = /Cannot find module '(\.[^']*)'/.exec(diagnostics) ?? [];
  if (module) return importHint(module, folder);
  if (habit) return habit[1];
  const [, constant] = /Cannot assign to '(\w+)' because it is a constant/.exec(diagnostics) ?? [];
  if (constant) return `To assign it, declare it with let in its cell: let ${constant} = …;`;
  const [, method] = /Property 'to(Sorted|Reversed|Spliced)' does not exist/.exec(diagnostics) ?? [];
  if (method) return `Copy the array: [...list].${METHODS[method]}(…)`;
  if (failed.has(name)) return `Cell ${failed.get(name)}, which declares ${name}, failed. Run it again.`;
  if (name && new RegExp(`^\\s*${name}\\s*=(?!=)`, "m").test(code))
    return `Declare it first: let ${name} = …;`;
  return name && Object.hasOwn(FOREIGN_NAMES, name) ? FOREIGN_NAMES[name] : "";
}

/** Says from where a cell's imports count, and how the file is imported that they mean from the notebook's folder. */
function importHint(module, folder) {
  const project = process.cwd();
  if (project === folder) return "";
  const file = path.resolve(folder, module);
  const sources = [file, file.replace(/\.(js|cjs|mjs)$/, "")];
  const endings = ["", ".ts", ".tsx", ".mts", ".cts", ".js", ".cjs", ".json", "/index.ts", "/index.js"];
  const isThere = sources.some((source) => endings.some((ending) => isFile(source + ending)));
  const base = `Imports of cells count from the project's folder, ${project}`;
  if (!isThere) return `${base}, not from the notebook's.`;
  const relative = path.relative(project, file).split(path.sep).join("/");
  return `${base}. Write: "${relative.startsWith(".") ? relative : `./${relative}`}"`;
}

const isFile = (file) => fs.statSync(file, { throwIfNoEntry: false })?.isFile() ?? false;

module.exports = { hintFor, keepFailed };
