// Stops loops of cells that hold the event loop, where Node.js cannot read an interrupt: behind an `await`, or in a timer. A thread
// learns of the interrupt from a shell in the kernel's process group, which Jupyter signals as a whole. Loops look at what it says.
const { spawn } = require("node:child_process");
const { Worker, workerData } = require("node:worker_threads");

/** Time without a turn of the event loop after which loops are stopped, and that between two beats, in milliseconds. */
const [STUCK_MS, BEAT_MS] = [500, 50];
/** What the threads share: whether loops stop, whether something stops by itself at an interrupt, and turns of the event loop. */
const [STOPS, LISTENS, BEATS] = [0, 1, 2];
/** Prints a line for each interrupt, and ends with the kernel. */
const SHELL = "trap 'is=told; echo' INT; while :; do is=; read -r _ || [ $is ] || exit; done";

const isThread = workerData instanceof Int32Array;
const shared = isThread ? workerData : new Int32Array(new SharedArrayBuffer(12));

/** Begins to look after the event loop; returns the array whose first value says whether loops stop. */
function watchEventLoop() {
  setInterval(() => Atomics.add(shared, BEATS, 1), BEAT_MS).unref();
  new Worker(__filename, { workerData: shared, stdin: true }).unref();
  return shared;
}

/** Says whether something stops by itself at an interrupt. Only a second one stops the loops then. */
function setListening(isListening) {
  shared[LISTENS] = Number(isListening);
}

/** Lets loops run again. */
function clearStop() {
  shared[STOPS] = 0;
}

/** Runs in the thread. */
function watch() {
  let last = -1;
  const { stdout } = spawn("sh", ["-c", SHELL], { stdio: ["pipe", "pipe", "ignore"] });
  stdout.on("data", () => {
    const beats = Atomics.load(shared, BEATS);
    const isAgain = beats === last;
    last = beats;
    setTimeout(() => {
      const isStuck = Atomics.load(shared, BEATS) === beats;
      if (isStuck && (isAgain || !Atomics.load(shared, LISTENS))) Atomics.store(shared, STOPS, 1);
    }, STUCK_MS);
  });
}

if (isThread) watch();
else module.exports = { clearStop, setListening, watchEventLoop };
