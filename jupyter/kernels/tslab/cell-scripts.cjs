// The scripts that cells become: their names, and the interrupts that arrive beside them.
const vm = require("node:vm");
const { outsideCells } = require("./cells.cjs");
const { nextCellFile } = require("./source-positions.cjs");

/** Gives each cell's script a name, by which its lines are found again in a stack, and lets interrupts arrive before and after it. */
function nameScripts() {
  const { runInThisContext } = vm;
  const { listenerCount } = process;
  const countAgain = () => {
    process.listenerCount = listenerCount;
  };
  vm.runInThisContext = (code, options) => {
    const named = { ...options, filename: nextCellFile() ?? options?.filename };
    if (!options?.breakOnSigint) return runInThisContext(code, named);
    try {
      // Node.js would remove listeners that it sees. An interrupt between that and its own handler would end the process.
      process.listenerCount = () => {
        countAgain();
        return 0;
      };
      return runInThisContext(code, named);
    } finally {
      outsideCells(listenAgain);
      countAgain();
    }
  };
}

/** Listens to interrupts again: Node.js puts its own handler in the place of the listeners' for such a script, and leaves it there. */
function listenAgain() {
  const listeners = process.rawListeners("SIGINT");
  process.removeAllListeners("SIGINT");
  for (const listener of listeners) process.on("SIGINT", listener);
}

module.exports = { nameScripts };
