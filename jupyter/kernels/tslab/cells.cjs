// The cells: which one runs, what belongs to it (output, interrupts, failure), and how it is stopped.
const { AsyncLocalStorage } = require("node:async_hooks");
const { inspect } = require("node:util");
const { readableStack } = require("./source-positions.cjs");

/** Characters that a cell may print. Front ends slow down long before. */
const MAX_PRINTED = 20_000_000;
/** Time without a turn of the event loop after which an `await` makes one, so that signals arrive, in milliseconds. */
const TURN_MS = 50;

/** Carries the cell through its timers and promises, so that late output finds it. */
const context = new AsyncLocalStorage();
/** The cell that runs, or ran last. */
let current = null;
let lastTurn = performance.now();

/** One execution of a cell. */
class Cell {
  /**
   * @param publish - Sends a message on behalf of this cell: `(type, content)`.
   * @param isSilent - Shows no output, as Jupyter asks for.
   */
  constructor(publish, isSilent) {
    this.publish = isSilent ? () => {} : publish;
    this.failure = undefined;
    this.isRunning = true;
    this.isStopped = false;
    this.numPrinted = 0;
    this.interruptCallbacks = new Set();
    this.stopped = new Promise((resolve) => {
      this.stop = () => {
        this.isStopped = true;
        resolve();
      };
    });
  }

  print(name, text) {
    if (this.numPrinted > MAX_PRINTED) return;
    this.numPrinted += text.length;
    if (this.numPrinted > MAX_PRINTED) {
      const limit = `${MAX_PRINTED / 1e6} million characters`;
      this.publish("stream", {
        name: "stderr",
        text: `\nThis cell printed over ${limit}; the rest is left out.\n`,
      });
    } else this.publish("stream", { name, text });
  }

  display(output, isUpdate) {
    this.publish(isUpdate ? "update_display_data" : "display_data", output);
  }

  fail(thrown) {
    this.failure = this.isStopped ? failureOf(new Interrupted()) : failureOf(thrown);
  }

  /** Asks those who listen to stop; a cell where nobody listens, or that is asked again, is stopped. */
  interrupt() {
    if (this.interruptCallbacks.size === 0 || this.wasInterrupted) this.stop();
    this.wasInterrupted = true;
    for (const callback of [...this.interruptCallbacks]) callback();
  }

  end() {
    this.isRunning = false;
    this.interruptCallbacks.clear();
  }
}

/** What a stopped cell fails with. */
class Interrupted extends Error {
  name = "Interrupted";
  message = "The cell was stopped.";
}

/** Runs `work` as a cell: its output, also late output, is the cell's. */
function runAs(cell, work) {
  current = cell;
  return context.run(cell, work);
}

/** The cell that the running code belongs to. */
function owner() {
  return context.getStore() ?? current;
}

/**
 * Stands before each `await` of a cell: throws if the cell was stopped, and lets the event loop turn if it has not for a
 * while, because signals arrive there. A chain of promises that are already settled never lets it turn.
 */
function pause(value) {
  const cell = context.getStore();
  if (cell?.isStopped) throw new Interrupted();
  if (performance.now() - lastTurn < TURN_MS) return value;
  return turn().then(() => {
    if (cell?.isStopped) throw new Interrupted();
    return value;
  });
}

/** Resolves after a turn of the event loop. */
function turn() {
  return new Promise((resolve) => {
    setImmediate(() => {
      lastTurn = performance.now();
      resolve();
    });
  });
}

/** Sends what is written to standard output and error to the cell that wrote it. */
function captureOutput() {
  for (const name of ["stdout", "stderr"]) {
    const write = process[name].write.bind(process[name]);
    process[name].write = (text, encoding, callback) => {
      const done = typeof encoding === "function" ? encoding : callback;
      if (!current) return write(text, encoding, callback);
      owner().print(name, typeof text === "string" ? text : Buffer.from(text).toString());
      if (done) process.nextTick(done);
      return true;
    };
  }
}

/** Content of Jupyter's `error` message for what was thrown. */
function failureOf(thrown) {
  if (!(thrown instanceof Error)) {
    const evalue = inspect(thrown);
    return { ename: "Thrown", evalue, traceback: [`Thrown: ${evalue}`] };
  }
  return { ename: thrown.name, evalue: thrown.message, traceback: readableStack(thrown) };
}

module.exports = { Cell, captureOutput, currentCell: () => current, failureOf, owner, pause, runAs, turn };
