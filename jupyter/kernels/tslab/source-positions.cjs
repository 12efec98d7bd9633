// Maps lines of compiled cells and of src back to what was written.
const { SourceMap } = require("node:module");
const path = require("node:path");

/** The file that tslab compiles each cell as; a line that it puts before the cell makes up for counting from 0. */
const CELL_SOURCE = "__tslab__.ts";

const KERNEL_FRAME = /^\s+at .*(\/node_modules\/tslab\/|\/jupyter\/kernels\/tslab\/|node:vm|node:internal)/;

/** A line of a stack that names a place in a file: short, since the expressions here take quadratic time. */
const isFrame = (line) => line.length < 5000 && /^\s+at /.test(line);

/** By compiled file: the maps back through tslab's two passes, the last pass first, and the name to show. */
const compiled = new Map();
let cellNumber = 0;
let waitingCell = null;

/** Tells which cell is compiled next. */
function startCell(number) {
  cellNumber = number;
}

/**
 * Takes up the two source maps of a compiled file.
 *
 * @param first - From what was written to modern modules, as a source map's JSON.
 * @param second - From there to what runs.
 */
function addMaps(first, second) {
  const source = first.sources[0].replace(/^(\.\.\/)+/, "");
  const isCell = source === CELL_SOURCE;
  const file = isCell ? `cell-${cellNumber}` : path.resolve(source.replace(/\.ts$/, ".js"));
  if (isCell) waitingCell = file;
  compiled.set(file, {
    maps: [new SourceMap(second), new SourceMap(first)],
    describe: isCell
      ? (line, column) => `cell ${file.slice(5)}, line ${line}:${column + 1}`
      : (line, column) => `${source}:${line + 1}:${column + 1}`,
  });
}

/** Name of the script of the cell that was just compiled, once; undefined for any other script. */
function nextCellFile() {
  const file = waitingCell ?? undefined;
  waitingCell = null;
  return file;
}

/** Makes each stack name the positions of cells, and of files in src, as written, without the frames of the kernel. */
function mapStacks() {
  Error.prepareStackTrace = (error, calls) =>
    [Error.prototype.toString.call(error), ...readable(calls.map((call) => `    at ${call}`))].join("\n");
}

/** Returns the lines of a stack's frames that are not the kernel's, with such positions. */
function readable(frames) {
  const cellFunction = frames.findIndex((line) => line.includes("Script.runInThisContext")) - 1;
  return frames
    .filter((line, i) => i !== cellFunction && !(isFrame(line) && KERNEL_FRAME.test(line)))
    .map((line) => (isFrame(line) ? line.replace(/([^\s(]+):(\d+):(\d+)\)?$/, original) : line));
}

/** Returns the lines of an error's message, such as "RangeError: by 3", and the frames below it. */
function readableStack(error) {
  const message = String(error).split("\n");
  const lines = String(error.stack || error).split("\n");
  // Node.js may quote the compiled line before the message.
  const start = lines.indexOf(message[0]);
  const begin = start < 0 ? lines.findIndex(isFrame) : start + message.length;
  return { message, frames: begin < 0 ? [] : readable(lines.slice(begin)) };
}

function original(position, file, line, column) {
  const entry = compiled.get(file);
  if (!entry) return position.replace(`${process.cwd()}/`, ""); // a file of src, as it is written
  let at = { originalLine: Number(line) - 1, originalColumn: Number(column) - 1 };
  for (const map of entry.maps) {
    at = map.findEntry(at.originalLine, at.originalColumn);
    if (at.originalLine === undefined) return position;
  }
  return entry.describe(at.originalLine, at.originalColumn) + (position.endsWith(")") ? ")" : "");
}

module.exports = { addMaps, mapStacks, nextCellFile, readableStack, startCell };
