// What git stores of a notebook: neither outputs nor what a front end notes about a session, so that running and saving one is
// no change. Set-up makes this file git's filter for notebooks. Imports no package.
const { spawnSync } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");

const SETTING = "filter.ferkit-notebook.clean";
/** Git runs it in the top folder of the clone, wherever that is. */
const COMMAND = "node scripts/setup/stored-notebook.cjs";

/** What front ends add to a cell when it runs, or to show it. */
const SESSION_KEYS = ["ExecuteTime", "collapsed", "execution", "scrolled", "vscode"];
/** What the kernel's answer adds to a notebook: the same in each session, but for its versions. */
const LANGUAGE_KEYS = ["codemirror_mode", "file_extension", "mimetype", "name"];

/**
 * Returns the text of a notebook as git stores it; any other text as it is.
 *
 * @param {string} text
 * @returns {string}
 */
function storedNotebook(text) {
  let notebook;
  try {
    notebook = JSON.parse(text);
  } catch {
    return text;
  }
  if (!Array.isArray(notebook?.cells)) return text;
  for (const cell of notebook.cells) {
    if (cell.cell_type === "code") Object.assign(cell, { execution_count: null, outputs: [] });
    for (const key of SESSION_KEYS) delete cell.metadata?.[key];
  }
  const { language_info: language } = notebook.metadata ?? {};
  for (const key of Object.keys(language ?? {})) if (!LANGUAGE_KEYS.includes(key)) delete language[key];
  return `${JSON.stringify(notebook, sortKeys, 1)}\n`;
}

/** Puts the keys of every object in order, as nbformat does. */
function sortKeys(_, value) {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

const git = (root, ...args) => spawnSync("git", args, { cwd: root, encoding: "utf8" });

/**
 * Returns whether git uses the filter in this clone, or cannot: no git, a folder of its own, or a clone that git does not trust.
 *
 * @param {{ root: string }} context
 */
function hasNotebookFilter({ root }) {
  if (!fs.existsSync(path.join(root, ".git")) || git(root, "rev-parse", "--git-dir").status !== 0)
    return true;
  return git(root, "config", "--local", "--get", SETTING).stdout.trim() === COMMAND;
}

/**
 * Makes git use the filter in this clone.
 *
 * @param {{ root: string }} context
 * @returns {{ status: number | null, output: string }}
 */
function addNotebookFilter({ root }) {
  const { status, stdout, stderr } = git(root, "config", "--local", SETTING, COMMAND);
  return { status, output: stdout + stderr };
}

module.exports = { addNotebookFilter, hasNotebookFilter, storedNotebook };

if (require.main === module) process.stdout.write(storedNotebook(fs.readFileSync(0, "utf8")));
