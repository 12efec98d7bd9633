// Compiles the cells of a run of notebooks, for all of their kernels: see compilation.cjs. Each request is a connection,
// `{ declarations, code }`; the answer is what compiler.cjs returns, or null if the kernel has to compile the cell itself.
//
// Run it in the notebooks' project: `node shared-compiler.cjs SOCKET`. Standard input is a line of JSON, the codes of each notebook's cells,
// which it compiles before they are asked for. It prints a line once it has loaded the compiler, and ends with its input.
const fs = require("node:fs");
const net = require("node:net");
const path = require("node:path");
const { createInterface } = require("node:readline");
const { setTimeout } = require("node:timers/promises");
const { packagePaths } = require("../../../scripts/setup/package-files.cjs");
const { compileHere, ownCompiler } = require("./compilation.cjs");

const [, , address] = process.argv;
const { stamp } = packagePaths(path.resolve(__dirname, "../../.."));
/** Time between two cells that are compiled ahead, in which requests are read, in milliseconds. */
const REQUESTS_MS = 2;
/** Compiled cells by request. */
const compiled = new Map();
/** Time of the declarations of src that the compiler has read. */
let readTime = "";

const declarationsTime = () => String(fs.statSync(stamp, { throwIfNoEntry: false })?.mtimeMs);

/** Loads the compiler. */
function load() {
  ownCompiler();
  readTime = declarationsTime();
  process.stdout.write("ready\n");
}

/**
 * Compiles a cell, once. Returns null if it depends on more than its text: on files of the project, on declarations of src after an edit, or,
 * for a cell that does not compile, on what earlier cells may have installed.
 */
function compile({ declarations, code }) {
  if (declarationsTime() !== readTime) return null;
  const key = JSON.stringify([declarations, code]);
  if (!compiled.has(key)) {
    const result = compileHere(declarations, code);
    compiled.set(key, result.loadsFiles || result.diagnostics.length > 0 ? null : result);
  }
  return compiled.get(key);
}

function answer(socket) {
  let request = "";
  socket.setEncoding("utf8");
  socket.on("data", (text) => {
    request += text;
  });
  socket.on("end", () => {
    try {
      socket.end(JSON.stringify(compile(JSON.parse(request))));
    } catch {
      socket.destroy(); // the kernel compiles the cell itself, and says what is wrong
    }
  });
  socket.on("error", () => {}); // the kernel was ended
}

/** Compiles notebooks cell by cell, each up to a cell that depends on more than its text. */
async function compileAhead(notebooks) {
  for (const codes of notebooks) {
    let declarations = "";
    for (const code of codes) {
      await setTimeout(REQUESTS_MS);
      const result = compile({ declarations, code });
      if (result === null) break;
      declarations = result.declOutput;
    }
  }
}

net.createServer({ allowHalfOpen: true }, answer).listen(address, load);
createInterface({ input: process.stdin })
  .on("line", (line) => compileAhead(JSON.parse(line)))
  .on("close", () => process.exit());
