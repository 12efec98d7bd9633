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
  [/^\s*import\b.*\bwith\s*\{\s*type\b/m, `Cells have TypeScript ${version}. Leave out: with { type: … }`],
  [/^\s*(help|dir)\s*\(/m, `${PYTHON} To see what a name is, put the cursor on it and press Shift-Tab.`],
  [/^\s*print\s*[(\s]/m, `${PYTHON} To print a value: console.log(x)`],
  [/\[[^\]\n]*\bfor\b[^\]\n]*\bin\b/, `${PYTHON} To make a list of another: list.map((x) => 2 * x)`],
  [/\w\[\s*-?\w*\s*:\s*-?\w*\s*\]/, `${PYTHON} To take a part of a list: list.slice(1, 3)`],
  [/"""|'''/, `${PYTHON} Text over several lines is in backticks: \`…\``],
  [/^\s*for\s+[\w, ]+\s+in\b[^{]*:/m, `${PYTHON} To loop: for (const x of list) console.log(x);`],
  [
    /^\s*from\s+\S+\s+import\b|^\s*import\s+[\w.]+(\s+as\s+\w+)?(\s*,\s*[\w.]+(\s+as\s+\w+)?)*\s*$/m,
    `${PYTHON} To import: import { readFileSync } from "node:fs";`,
  ],
  [
    /^\s*(async\s+)?def\s+\w+\s*\(|^\s*(if|elif|while|with|class|except)\b.*:\s*$|^\s*(try|else|finally)\s*:\s*$/m,
    PYTHON,
  ],
  [/^\s*assert\s+[^\s(]/m, PYTHON],
];

/** Functions of Python. Their names alone may be those of forgotten variables. */
const PYTHON_FUNCTIONS = new Set(["len", "range", "str", "int", "float", "isinstance", "enumerate"]);
const RESULTS = "Results have no names of their own. Keep one in a variable: const result = f();";
const END = "To end the kernel, choose Restart Kernel or Shut Down Kernel in the menu Kernel.";
const PAGE =
  'Cells run in Node.js, not in the page. To show HTML: await ferkit.show({ "text/html": "<b>x</b>" });';
const INPUT = "A cell cannot ask for input. Put the value in a variable.";
const VALUES = `${PYTHON} Its True, False and None are true, false and null.`;
const OPERATORS = `${PYTHON} Its and, or, not and is are &&, ||, ! and ===.`;
const DISPOSE = `Cells have TypeScript ${version}, without using. To dispose of a value: const x = f(); try { … } finally { x[Symbol.dispose](); }`;
/** Names that IPython, Python, pages and newer versions of TypeScript have. */
const FOREIGN_NAMES = {
  using: DISPOSE,
  True: VALUES,
  False: VALUES,
  None: VALUES,
  and: OPERATORS,
  or: OPERATORS,
  not: OPERATORS,
  is: OPERATORS,
  lambda: `${PYTHON} A function: (x: number) => 2 * x`,
  raise: `${PYTHON} To throw an error: throw new Error("what is wrong");`,
  ...Object.fromEntries(["def", "del", "elif", "except", "pass"].map((name) => [name, PYTHON])),
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

const DECORATORS =
  "Cells have TypeScript's experimental decorators, not the standard ones. A method's decorator: (target: object, name: string, descriptor: PropertyDescriptor) => void";

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
  const names = [...diagnostics.matchAll(/Cannot find name '(\w+)'/g)].map(([, name]) => name);
  const [, module] = /Cannot find module '(\.[^']*)'/.exec(diagnostics) ?? [];
  if (module) return importHint(module, folder);
  const habit = HABITS.find(([pattern]) => pattern.test(code));
  if (habit) return habit[1];
  if (/Unable to resolve signature of \w+ decorator/.test(diagnostics)) return DECORATORS;
  const [, constant] = /Cannot assign to '(\w+)' because it is a constant/.exec(diagnostics) ?? [];
  if (constant) return `To assign it, declare it with let in its cell: let ${constant} = …;`;
  const [, method] = /Property 'to(Sorted|Reversed|Spliced)' does not exist/.exec(diagnostics) ?? [];
  if (method) return `Copy the array: [...list].${METHODS[method]}(…)`;
  const foreign = names.find((name) => Object.hasOwn(FOREIGN_NAMES, name) && !failed.has(name));
  if (foreign) return FOREIGN_NAMES[foreign];
  if (names.some((name) => PYTHON_FUNCTIONS.has(name) && code.includes(`${name}(`))) return PYTHON;
  const [name] = names;
  if (failed.has(name)) return `Cell ${failed.get(name)}, which declares ${name}, failed. Run it again.`;
  return name && new RegExp(`^\\s*${name}\\s*=(?!=)`, "m").test(code)
    ? `Declare it first: let ${name} = …;`
    : "";
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
