// The cells: which one runs, what belongs to it (output, interrupts, failure), and how it is stopped.
const { AsyncLocalStorage } = require("node:async_hooks");
const { setImmediate } = require("node:timers"); // not those that cells get
const { CellOutput } = require("./cell-output.cjs");
const { failureOf, Interrupted } = require("./failures.cjs");
const { setListening } = require("./stuck.cjs");

/** Time without a turn of the event loop after which an `await` makes one, so that signals arrive, in milliseconds. */
const TURN_MS = 50;
/** Times that a cell which is over may catch its end and await again. A loop that retries would hold the kernel for ever. */
const MAX_CAUGHT = 100;
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"];

/** Carries the cell through its timers and promises, so that late output finds it. */
const context = new AsyncLocalStorage();
/** The cell that runs, or ran last. */
let current = null;
let lastTurn = performance.now();
/** The cell of each `await` that is pending, by what rejects it. */
const awaits = new Map();
/** Cells so far, and the last one of those that an interrupt between cells has stopped. */
let [numCells, stoppedThrough] = [0, 0];

/**
 * One execution of a cell. It ends when its code returns or throws, or when it is stopped: by an interrupt, or by an error that no code
 * can catch. What it awaits may never come then, so the kernel awaits `stopped` beside it.
 */
class Cell {
  /** What it fails with; undefined if it succeeds. */
  failure = undefined;
  /** What the compiler found. */
  diagnostics = [];
  isRunning = true;
  /** What stopped it: "an interrupt" or "an error"; null if nothing did. */
  stoppedBy = null;
  /** Whether there was an interrupt. Code that listens to it may have ended the cell instead. */
  wasInterrupted = false;
  /** Called at an interrupt. */
  interruptCallbacks = new Set();
  /** Times that the cell, which is over, has caught its end. */
  numCaught = 0;
  #output;
  #index = ++numCells;
  #signalListeners = SIGNALS.map((name) => process.listeners(name));
  #resolveStopped;

  /**
   * @param publish - Sends a message on behalf of this cell: `(type, content)`.
   * @param isSilent - Shows no output, as Jupyter asks for.
   * @param request - Id of the request that it answers, and its number in stacks.
   */
  constructor(publish, isSilent, request = {}) {
    this.request = request;
    this.#output = new CellOutput(isSilent ? () => {} : publish);
    this.stopped = new Promise((resolve) => {
      this.#resolveStopped = resolve;
    });
  }

  get isStopped() {
    return this.stoppedBy !== null || this.#index <= stoppedThrough;
  }

  /** Whether the cell was stopped and has ended: what still runs of it says nothing more. */
  get isOver() {
    return this.isStopped && !this.isRunning;
  }

  publish(type, content) {
    this.#output.publish(type, content);
  }

  print(stream, data) {
    if (!this.isOver) this.#output.print(stream, data);
  }

  display(output, isUpdate) {
    if (!this.isOver) this.#output.display(output, isUpdate);
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
    if (this.interruptCallbacks.size === 0 || this.wasInterrupted) this.#stop("an interrupt");
    this.wasInterrupted = true;
    // Each on its own: what one throws is the cell's, and stops no other.
    for (const callback of this.interruptCallbacks) context.run(this, () => queueMicrotask(callback));
  }

  /** Ends the cell with what it threw where no one could catch it, as Node.js ends a program. */
  crash(failure) {
    if (this.isStopped) return;
    this.failure = failure;
    this.#stop("an error");
  }

  #stop(reason) {
    this.stoppedBy ??= reason;
    this.#resolveStopped();
    endAwaits();
  }

  /** Keeps what the cell fails with: what its code threw, or that it was stopped. */
  fail(thrown) {
    if (thrown?.code === "ERR_SCRIPT_EXECUTION_INTERRUPTED") {
      this.#stop("an interrupt"); // what was running never let a signal arrive
      forgetPartlyLoaded();
    }
    if (this.stoppedBy === "an error") return;
    this.failure = failureOf(this.isStopped ? new Interrupted() : thrown);
  }

  end() {
    this.#output.flush();
    this.isRunning = false;
    this.interruptCallbacks.clear();
    setListening(false);
    if (this.isStopped) this.#removeSignalListeners();
  }

  /** Removes the listeners to signals that the cell has added: they may wait for the work that was stopped. */
  #removeSignalListeners() {
    for (const [i, name] of SIGNALS.entries())
      for (const listener of process.listeners(name))
        if (!this.#signalListeners[i].includes(listener)) process.removeListener(name, listener);
  }
}

/** Lets modules load again whose loading was stopped: the next `require` would return what there was of them. */
function forgetPartlyLoaded() {
  for (const [file, { loaded }] of Object.entries(require.cache)) if (!loaded) delete require.cache[file];
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
 * Is called at each `await` of a cell: makes it throw if the cell is stopped meanwhile, and lets the event loop turn if it has not for a
 * while, because signals arrive there. A chain of promises that are already settled never lets it turn.
 */
function pause(value) {
  const cell = context.getStore();
  if (cell?.isOver) return endOf(cell);
  const isTurnDue = performance.now() - lastTurn >= TURN_MS;
  if (!isTurnDue && Object(value) !== value) return value;
  const settled = isTurnDue ? settledAfterTurn(value) : value;
  return cell ? untilStopped(settled, cell) : settled;
}

/** Returns what a `for await` of a cell loops over, as `pause` does. A loop that is stopped ends at once, and `values` with its next value. */
function pauseEach(values) {
  const each = (async function* () {
    for await (const value of values) {
      await pause();
      yield value;
    }
  })();
  const close = () => each.return();
  const next = async () => {
    try {
      return await pause(each.next());
    } catch (error) {
      close().catch(() => {}); // the loop has ended already
      throw error;
    }
  };
  return { [Symbol.asyncIterator]: () => ({ next, return: close }) };
}

/** Awaits a value, or throws once the cell is stopped. */
async function untilStopped(value, cell) {
  let reject;
  const stop = new Promise((_, rejectStop) => {
    reject = rejectStop;
  });
  awaits.set(reject, cell);
  try {
    return await Promise.race([value, stop]); // keeps the stack of what `value` rejects with
  } finally {
    awaits.delete(reject);
  }
}

/** Ends the pending awaits of stopped cells, so that `catch` and `finally` run: the latest first, which are in the innermost functions. */
function endAwaits() {
  for (const [reject, cell] of [...awaits].reverse()) if (cell.isStopped) reject(new Interrupted());
}

/**
 * Awaits a value, and then a turn of the event loop. The value comes first: the stack of what it may throw names the line of the cell only
 * if something awaits it by then.
 */
async function settledAfterTurn(value) {
  try {
    return await value;
  } finally {
    await turn();
  }
}

/** Ends a loop that held the event loop during an interrupt. */
function stopLoop() {
  throw new Interrupted();
}

/** Throws in a cell that is over; one that catches this again and again gets a promise that never settles, and so ends there. */
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
  endAwaits();
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

module.exports = {
  boundTimers,
  Cell,
  currentCell: () => current,
  outsideCells,
  owner,
  pause,
  pauseEach,
  runAs,
  stopLeftovers,
  stopLoop,
  turn,
};
