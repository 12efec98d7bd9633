// The cells: which one runs, what belongs to it (output, interrupts, failure), and how it is stopped.
const { AsyncLocalStorage } = require("node:async_hooks");
const { setImmediate } = require("node:timers"); // not those that cells get
const { inspect } = require("node:util");
const { readableStack } = require("./source-positions.cjs");
const { setListening } = require("./stuck.cjs");

/** Characters that a cell may print, and those of the outputs that it may show. Front ends slow down before. */
const [MAX_PRINTED, MAX_SHOWN] = [5_000_000, 100_000_000];
/** Characters of one text: an error, or the value of a cell. */
const MAX_TEXT = 1_000_000;
/** What an output weighs besides its content, in characters. */
const OUTPUT_WEIGHT = 1000;
/** Prints are sent together, up to this many characters and milliseconds; otherwise a loop would fill the memory. */
const [PRINT_LENGTH, PRINT_MS] = [65_536, 50];
/** Time without a turn of the event loop after which an `await` makes one, so that signals arrive, in milliseconds. */
const TURN_MS = 50;
/** Times that a stopped cell may catch its end and await again. A loop that retries would hold the kernel for ever. */
const MAX_CAUGHT = 100;
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"];

/** Carries the cell through its timers and promises, so that late output finds it. */
const context = new AsyncLocalStorage();
/** The cell that runs, or ran last. */
let current = null;
let lastTurn = performance.now();
/** Cells so far, and the last one of those that an interrupt between cells has stopped. */
let [numCells, stoppedThrough] = [0, 0];

/** One execution of a cell. */
class Cell {
  /**
   * @param publish - Sends a message on behalf of this cell: `(type, content)`.
   * @param isSilent - Shows no output, as Jupyter asks for.
   * @param request - Id of the request that it answers, and its number in stacks.
   */
  constructor(publish, isSilent, request = {}) {
    this.request = request;
    this.send = isSilent ? () => {} : publish;
    this.number = ++numCells;
    this.failure = undefined;
    /** What the compiler found. */
    this.diagnostics = [];
    this.isRunning = true;
    [this.wasStopped, this.wasInterrupted, this.hasCrashed, this.numCaught] = [false, false, false, 0];
    [this.numPrinted, this.numShown] = [0, 0];
    /** What was printed and not sent yet. */
    this.printed = { name: "stdout", text: "" };
    [this.isSending, this.lastSent] = [false, 0];
    this.interruptCallbacks = new Set();
    this.listeners = SIGNALS.map((name) => process.listeners(name));
    this.stopped = new Promise((resolve) => {
      this.stop = () => {
        this.wasStopped = true;
        resolve();
      };
    });
  }

  get isStopped() {
    return this.wasStopped || this.number <= stoppedThrough;
  }

  /** Whether the cell was stopped and has ended: what still runs of it says nothing more. */
  get isOver() {
    return this.isStopped && !this.isRunning;
  }

  publish(type, content) {
    this.flush();
    this.send(type, content);
  }

  print(name, text) {
    const numLeft = MAX_PRINTED - this.numPrinted;
    if (numLeft < 0 || this.isOver) return;
    this.numPrinted += text.length;
    this.#append(name, text.slice(0, numLeft));
    if (text.length > numLeft) this.#append("stderr", tooMuch("printed", MAX_PRINTED));
  }

  #append(name, text) {
    if (name !== this.printed.name) this.flush();
    this.printed = { name, text: this.printed.text + text };
    const isDue = this.printed.text.length >= PRINT_LENGTH || performance.now() - this.lastSent >= PRINT_MS;
    if (isDue) this.flush();
    else if (!this.isSending) {
      this.isSending = true;
      setImmediate(() => {
        this.isSending = false;
        this.flush();
      });
    }
  }

  /** Sends what was printed. */
  flush() {
    const { name, text } = this.printed;
    this.lastSent = performance.now();
    if (text === "") return;
    this.printed = { name, text: "" };
    this.send("stream", { name, text: text.toWellFormed() }); // half a character cannot be saved
  }

  display(output, isUpdate) {
    if (this.isOver) return;
    if (isUpdate) {
      this.publish("update_display_data", output); // takes the place of the last
      return;
    }
    if (this.numShown > MAX_SHOWN) return;
    this.numShown += OUTPUT_WEIGHT;
    for (const form of Object.values(output.data))
      this.numShown += typeof form === "string" ? form.length : JSON.stringify(form).length;
    if (this.numShown > MAX_SHOWN) this.#append("stderr", tooMuch("showed", MAX_SHOWN));
    else this.publish("display_data", output);
  }

  /** Ends the cell with what it threw where no one could catch it, as Node.js ends a program: what it awaits may never come. */
  crash(failure) {
    if (this.isStopped) return;
    this.hasCrashed = true;
    this.failure = failure;
    this.stop();
  }

  fail(thrown) {
    if (thrown?.code === "ERR_SCRIPT_EXECUTION_INTERRUPTED") {
      this.stop(); // what was running never let a signal arrive
      forgetPartlyLoaded();
    }
    if (this.hasCrashed) return;
    this.failure = failureOf(this.isStopped ? new Interrupted() : thrown);
  }

  /** Calls back at an interrupt while the cell runs; the returned function ends that earlier. */
  listen(callback) {
    this.interruptCallbacks.add(callback);
    setListening(true);
    return () => {
      this.interruptCallbacks.delete(callback);
      setListening(this.interruptCallbacks.size > 0);
    };
  }

  /** Asks those who listen to stop; a cell where nobody listens, or that is asked again, is stopped. */
  interrupt() {
    if (this.interruptCallbacks.size === 0 || this.wasInterrupted) this.stop();
    this.wasInterrupted = true;
    // Each on its own: what one throws is the cell's, and stops no other.
    for (const callback of this.interruptCallbacks) context.run(this, () => queueMicrotask(callback));
  }

  end() {
    this.flush();
    this.isRunning = false;
    this.interruptCallbacks.clear();
    setListening(false);
    if (!this.isStopped) return;
    for (const [i, name] of SIGNALS.entries())
      for (const listener of process.listeners(name))
        if (!this.listeners[i].includes(listener)) process.removeListener(name, listener);
  }
}

const tooMuch = (verb, limit) =>
  `\nThis cell ${verb} over ${limit / 1e6} million characters; the rest is left out.\n`;

/** Returns a text of at most `MAX_TEXT` characters, which says what was left out. */
function bounded(text) {
  if (text.length <= MAX_TEXT) return text.toWellFormed();
  const numLeft = text.length - MAX_TEXT;
  return `${text.slice(0, MAX_TEXT).toWellFormed()}\n… ${numLeft.toLocaleString("en-US")} characters left out`;
}

/** Lets modules load again whose loading was stopped: the next `require` would return what there was of them. */
function forgetPartlyLoaded() {
  for (const [file, { loaded }] of Object.entries(require.cache)) if (!loaded) delete require.cache[file];
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

/** Runs `work` as the kernel's own: a signal, and what the compiler watches, may come in the context of any earlier cell. */
function outsideCells(work) {
  return context.exit(work);
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
  if (cell?.isStopped) return endOf(cell);
  if (performance.now() - lastTurn < TURN_MS) return value;
  return turn().then(() => (cell?.isStopped ? endOf(cell) : value));
}

/** Ends a loop that held the event loop during an interrupt. */
function stopLoop() {
  throw new Interrupted();
}

/** Throws in a stopped cell; one that catches this again and again gets a promise that never settles, and so ends there. */
function endOf(cell) {
  if (++cell.numCaught > MAX_CAUGHT) return new Promise(() => {});
  throw new Interrupted();
}

/** Resolves after a turn of the event loop in which signals arrive: the first immediate may come before they are read. */
function turn() {
  return new Promise((resolve) => {
    setImmediate(() =>
      setImmediate(() => {
        lastTurn = performance.now();
        resolve();
      }),
    );
  });
}

/** Stops what cells that have ended left behind. */
function stopLeftovers() {
  stoppedThrough = numCells;
}

/**
 * Ends the timers of a cell with the cell: a stopped one can start no timer, so its loops end at the next one, and its intervals
 * stop.
 */
function boundTimers() {
  for (const name of ["setTimeout", "setInterval", "setImmediate"]) {
    const start = globalThis[name];
    const startForCell = (callback, ...rest) => {
      const cell = context.getStore();
      if (cell?.isOver) throw new Interrupted();
      if (name !== "setInterval" || !cell || typeof callback !== "function") return start(callback, ...rest);
      const timer = start(
        (...args) => {
          if (cell.isOver) clearInterval(timer);
          else callback(...args);
        },
        ...rest,
      );
      return timer;
    };
    globalThis[name] = Object.defineProperties(startForCell, Object.getOwnPropertyDescriptors(start));
  }
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

/** Content of Jupyter's `error` message for what was thrown, which may be an error that cannot say what it is. */
function failureOf(thrown) {
  try {
    return describe(thrown);
  } catch (error) {
    const evalue = `The cell threw something that cannot be described: ${error instanceof Error ? error.message : "that fails too"}`;
    return { ename: "Thrown", evalue, traceback: [`Thrown: ${evalue}`] };
  }
}

function describe(thrown) {
  if (!(thrown instanceof Error)) {
    const evalue = bounded(inspect(thrown));
    return { ename: "Thrown", evalue, traceback: [`Thrown: ${evalue}`] };
  }
  const ename = String(thrown.name);
  const { message, frames } = readableStack(thrown);
  const traceback = bounded(tracebackOf(ename, frames, message).join("\n")).split("\n");
  return { ename, evalue: bounded(String(thrown.message)), traceback };
}

/** Puts the message last, as Python's kernel does: summaries of test runs show the last line. */
function tracebackOf(name, frames, message) {
  return frames.length > 0 ? [name, ...frames, ...message] : message;
}

module.exports = {
  bounded,
  boundTimers,
  Cell,
  captureOutput,
  currentCell: () => current,
  failureOf,
  Interrupted,
  outsideCells,
  owner,
  pause,
  runAs,
  stopLeftovers,
  stopLoop,
  tracebackOf,
  turn,
};
