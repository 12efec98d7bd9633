// Jupyter's requests, one at a time and in order: each is busy, then answered, then idle. Extends the server of tslab.
const { setTimeout } = require("node:timers"); // not those that cells get
const { inspect, types } = require("node:util");
const metadata = require("tslab/dist/metadata.js"); // what the comments of a cell say of it
const { Cell, currentCell, outsideCells, owner, runAs, stopLeftovers, turn } = require("./cells.cjs");
const { compile, converterOf, ownCompiler } = require("./compilation.cjs");
const { bounded, failureOf, Interrupted, lateFailure, typeFailure } = require("./failures.cjs");
const { keepFailed } = require("./hints.cjs");
const { libraryForms } = require("./library.cjs");
const { addMaps, startCell } = require("./source-positions.cjs");
const { clearStop } = require("./stuck.cjs");
const { version } = require("./typescript.cjs");
const { exportsOfCells, rememberVariables, takeVariable } = require("./variables.cjs");

/** How tslab prints what the compiler found. */
const DIAGNOSTIC_FORMAT = "%s%d:%d - %s";
/** Time without a new request after which all requests that were sent before have arrived, in milliseconds. */
const QUIET_MS = 25;
/** Time that a stopped cell has to clean up after itself, in milliseconds. What it prints until then is shown. */
const ENDING_MS = 1000;

/** Requests on the shell channel by arrival, and the last one that a failure or a stop drops. */
let [numArrived, numBegun, dropThrough] = [0, 0, 0];
let executionCount = 0;
/** Inputs by execution count, as `[session, line, input]`. */
const history = [];
/** What cells that had ended threw or rejected without being caught, since the last cell ended: `{ cell, failure }`. */
let uncaught = [];
let notebookFolder = "";
let executor = null;
/** Declarations of the earlier cells. */
let declarations = "";
/** What the next call of the executor gets from the converter. */
let converted = null;

/**
 * Starts tslab's server, extended.
 *
 * @param configPath - File with the ports and the key, from Jupyter.
 * @param folder - The notebook's, from which people count the files that they import.
 */
function startServer(configPath, folder) {
  notebookFolder = folder;
  const jupyter = require("tslab/dist/jupyter.js");
  queueRequests(jupyter.ZmqServer.prototype);
  answerRequests(jupyter.ZmqServer.prototype);
  extendAnswers(jupyter.JupyterHandlerImpl.prototype);
  const server = new jupyter.ZmqServer(new jupyter.JupyterHandlerImpl(makeExecutor(), false), configPath);
  jupyter.lastWriteDisplayData = (output, isUpdate) => owner().display(output, isUpdate); // for tslab's own display
  server.init();
}

/** Makes what runs compiled cells. */
function makeExecutor() {
  // tslab loads the compiler to read the comments of any cell, and skips cells with `@browser`.
  const { getCodeMetadata } = metadata;
  metadata.getCodeMetadata = (code) =>
    code.includes("@module") ? { ...getCodeMetadata(code), mode: "node" } : {};
  const node = converterOf(() => converted);
  const { createExecutor } = require("tslab/dist/executor.js");
  executor = createExecutor(process.cwd(), { node, close: node.close }, { error: keepFailure });
  globalThis.__tslab__.exports = exportsOfCells; // what the code of each cell gets
  return executor;
}

/** Handles one request of the shell channel after the other, and lets none be lost that is sent. */
function queueRequests(server) {
  const { handleShellMessage, bindSocket } = server;
  let last = Promise.resolve();
  server.handleShellMessage = function (socket, ...frames) {
    if (socket === this.control) return handleShellMessage.call(this, socket, ...frames);
    const index = ++numArrived;
    last = last.then(() => {
      numBegun = index;
      return handleShellMessage.call(this, socket, ...frames).catch((error) => console.error(error));
    });
    return last;
  };

  // Beyond a thousand waiting messages the next send would fail, and `idle` may be among the lost.
  server.bindSocket = function (socket, port) {
    if (socket === this.iopub) Object.assign(socket, { sendHighWaterMark: 0, sendTimeout: 0 });
    return bindSocket.call(this, socket, port);
  };
}

/** Answers the requests that tslab answers wrongly, or never. */
function answerRequests(server) {
  server.handleExecute = async function (socket, message) {
    // A client waits for ever for a reply that does not come.
    const content = await execute(this, message).catch((error) => {
      const failure = { ...failureOf(error), execution_count: executionCount };
      return { ...failure, status: "error" };
    });
    send(this, message, socket, "execute_reply", content);
  };
  const answer = (type, contentOf) =>
    function (socket, message) {
      send(this, message, socket, type, contentOf(message.content));
    };
  server.handleCommInfoRequest = answer("comm_info_reply", () => ({ status: "ok", comms: {} }));
  server.handleShutdown = answer("shutdown_reply", ({ restart }) => ({ status: "ok", restart }));

  // tslab warns about requests that it does not know, and says of each only that it is busy, then idle.
  const { publishStatus } = server;
  server.publishStatus = function (status, message) {
    publishStatus.call(this, status, message);
    const { msg_type: type } = message.header;
    if (status === "busy" && type in OTHER_REQUESTS)
      send(this, message, this[SOCKETS[type] ?? "shell"], ...OTHER_REQUESTS[type](message));
  };
  const { warn } = console;
  console.warn = (text, ...rest) => /^unknown msg_type/.test(text) || warn(text, ...rest);
}

/** Completes and corrects what tslab answers. */
function extendAnswers(handler) {
  const { handleKernel, handleInspect, handleIsComplete, handleComplete } = handler;
  handler.handleKernel = function () {
    const info = handleKernel.call(this);
    const { version: tslab } = require("tslab/package.json");
    const language_info = { ...info.language_info, version, nbconvert_exporter: "script" };
    const banner = `TypeScript ${version}, run by tslab ${tslab}`;
    return { ...info, status: "ok", implementation_version: tslab, language_info, banner };
  };
  handler.handleInspect = function ({ code, cursor_pos, ...rest }) {
    const request = { ...rest, code, cursor_pos: unitsBefore(code, cursor_pos) };
    const found = handleInspect.call(this, request);
    const text = found.found ? "" : ownCompiler().signatureAt(request.cursor_pos);
    return text ? { ...found, found: true, data: { "text/plain": text } } : found;
  };
  handler.handleIsComplete = function (request) {
    if (ownCompiler().endsInTemplate(request.code)) return { status: "incomplete", indent: "" };
    return handleIsComplete.call(this, request);
  };
  // The first answer after a change of the cell comes from the program before it.
  handler.handleComplete = function ({ code, cursor_pos, ...rest }) {
    const request = { ...rest, code, cursor_pos: unitsBefore(code, cursor_pos) };
    const first = handleComplete.call(this, request);
    const found = first.matches.length > 0 ? first : handleComplete.call(this, request);
    // tslab would put a name in quotes behind what is typed of it.
    const atCursor = found.cursor_start === request.cursor_pos;
    const quoted = atCursor ? ownCompiler().quotedBefore(request.cursor_pos) : undefined;
    const matches = quoted ? found.matches.filter((name) => name.startsWith(quoted.text)) : found.matches;
    const [start, end] = [quoted?.begin ?? found.cursor_start, found.cursor_end];
    return {
      ...found,
      matches,
      cursor_start: charactersBefore(code, start),
      cursor_end: charactersBefore(code, end),
    };
  };
}

// Jupyter counts characters, JavaScript the one or two units of each.
const unitsBefore = (code, numCharacters) => [...code].slice(0, numCharacters).join("").length;
const charactersBefore = (code, numUnits) => [...code.slice(0, numUnits)].length;

/** Requests that tslab does not know, each with the type and content of its answer. */
const OTHER_REQUESTS = {
  history_request: ({ content }) => ["history_reply", { status: "ok", history: recall(content) }],
  interrupt_request: () => {
    turn().then(interrupt); // requests that were sent before may still be unread
    return ["interrupt_reply", { status: "ok" }];
  },
  connect_request: () => ["connect_reply", { status: "ok" }],
  // Nothing here speaks to widgets; a front end that is not told waits.
  comm_open: ({ content }) => ["comm_close", { comm_id: content.comm_id, data: {} }],
};
/** Where the answers go that are not for the shell channel. */
const SOCKETS = { interrupt_request: "control", comm_open: "iopub" };

/** Inputs that a history request asks for, oldest first. */
function recall({ hist_access_type: access, n, start, stop, pattern = "*", output }) {
  let found = history;
  if (access === "range")
    found = history.filter(([, line]) => line >= (start ?? 0) && line < (stop ?? Infinity));
  if (access === "search") {
    const glob = pattern
      .replace(/[.+^${}()|[\]\\]/g, "\\$&")
      .replaceAll("*", "[^]*")
      .replaceAll("?", "[^]");
    found = history.filter(([, , input]) => new RegExp(`^${glob}$`).test(input));
  }
  const last = access === "range" || !n ? found : found.slice(-n);
  return output ? last.map(([session, line, input]) => [session, line, [input, null]]) : last;
}

/** Answers a message on one of the server's sockets. */
function send(server, message, socket, type, content, metadata = {}) {
  const envelope = message.createReply();
  envelope.header.msg_type = type;
  envelope.content = content;
  envelope.metadata = metadata;
  envelope.signAndSend(server.connInfo.key, socket);
}

async function execute(server, message) {
  const { code, silent = false, stop_on_error: stopsOnError = true } = message.content;
  const { store_history: isCounted = true, user_expressions: expressions } = message.content;
  if (numBegun <= dropThrough) return { status: "aborted" };
  const publish = (type, content) => send(server, message, server.iopub, type, content);
  if (!silent && isCounted) history.push([0, ++executionCount, code]);
  const cell = new Cell(publish, silent, { id: message.header.msg_id, number: executionCount });
  cell.publish("execute_input", { code, execution_count: executionCount });
  startCell(executionCount);
  let late;
  try {
    await runAs(cell, () => runCell(cell, code));
    await turn(); // lets a rejection of this cell surface
    [late] = uncaught;
    uncaught = [];
    if (late) cell.failure ??= late.cell ? lateFailure(late.cell.request.number, late.failure) : late.failure;
  } finally {
    cell.end();
  }
  const reply = {
    execution_count: executionCount,
    numTimers: numTimers(),
    ...(late?.cell && { late: { ...late.failure, request: late.cell.request.id } }),
  };
  if (!cell.failure)
    return { ...reply, status: "ok", user_expressions: refuseEach(expressions), payload: [] };
  // A stop that was read as a signal has dropped what was sent before it; what was sent since then runs.
  const wasStopped = cell.stoppedBy === "an interrupt";
  if (wasStopped ? !cell.wasInterrupted : stopsOnError) await dropQueued();
  cell.publish("error", cell.failure);
  return { ...reply, ...cell.failure, status: "error" };
}

/** Answers the expressions that a front end wants to know the values of beside a cell. */
function refuseEach(expressions) {
  const failure = failureOf(new Error("The kernel computes no expressions beside a cell."));
  return Object.fromEntries(
    Object.keys(expressions ?? {}).map((name) => [name, { status: "error", ...failure }]),
  );
}

/** Runs a cell's code; how it fails is kept in the cell. */
async function runCell(cell, code) {
  let names = [];
  let restore = () => {};
  try {
    await convert(cell, code);
    names = converted.names;
    restore = rememberVariables(names);
    const running = executor.execute(code);
    const succeeded = await Promise.race([running, cell.stopped.then(() => waitFor(ENDING_MS))]);
    if (succeeded) {
      declarations = converted.declOutput ?? "";
      const value = takeVariable(converted.lastExpressionVar);
      if (typeof value === "function" && !types.isProxy(value) && value.name === converted.lastExpressionVar)
        Object.defineProperty(value, "name", { value: "" }); // it has none of its own
      if (value !== undefined) await publishResult(cell, value);
    }
    if (cell.isStopped && cell.interruptCallbacks.size === 0) cell.fail();
    else if (!succeeded) cell.failure ??= failureOf(new Error("The cell failed without an error."));
  } catch (error) {
    cell.fail(error);
  }
  keepFailed(names, cell.failure ? cell.request.number : undefined);
  if (cell.failure) restore(); // later cells see the earlier declarations
  if (cell.diagnostics.length > 0 && !cell.isStopped)
    cell.failure = typeFailure(code, cell.diagnostics, notebookFolder);
}

/** Shows the value of a cell's last expression; of a promise, what it resolves to. */
async function publishResult(cell, result) {
  const value = types.isPromise(result) ? await Promise.race([result, cell.stopped]) : result;
  if (value === undefined || value === null || cell.isStopped) return;
  const data = (await formsOf(value)) ?? { "text/plain": bounded(textOf(value)) };
  cell.publish("execute_result", { execution_count: executionCount, data, metadata: {} });
}

/** Returns the forms that ferkit has for a value, if any. A proxy or a getter may throw when it is looked at, which is no error of the cell. */
async function formsOf(value) {
  try {
    return await libraryForms(value);
  } catch (error) {
    if (error?.name === "InputError") throw error; // a chart that cannot be drawn
    return undefined;
  }
}

function textOf(value) {
  if (typeof value === "string") return value;
  try {
    return isHandle(value) ? `[${value.constructor?.name}]` : inspect(value);
  } catch (error) {
    return `A value that fails to describe itself: ${failureOf(error).evalue}`;
  }
}

/** Whether a value is a timer, a program, a socket or a server. Their fields are those of Node.js and of the kernel. */
const isHandle = (value) =>
  Object(value) === value &&
  !types.isProxy(value) &&
  ("_handle" in value || (typeof value.hasRef === "function" && typeof value.unref === "function"));

/** Compiles a cell. A stop during that time is noticed before the cell runs, and what was compiled is kept. */
async function convert(cell, code) {
  if (metadata.getCodeMetadata(code).module) {
    converted = { declOutput: declarations, names: [] }; // tslab registers it as a module without running it
    return;
  }
  const { maps, ...result } = await outsideCells(() => compile(declarations, code));
  for (const pair of maps) addMaps(...pair);
  converted = result;
  await turn();
  if (cell.isStopped)
    converted = { ...converted, diagnostics: [], output: undefined, declOutput: declarations };
  else clearStop(); // the compiler held the event loop, which is no reason to stop a loop of this cell
}

/** Timers that are still to fire. */
function numTimers() {
  return process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
}

function waitFor(durationMs) {
  return new Promise((resolve) => setTimeout(resolve, durationMs));
}

/** Drops the requests that were sent before now. */
async function dropQueued() {
  for (let seen = -1; seen !== numArrived; ) {
    seen = numArrived;
    await waitFor(QUIET_MS);
  }
  dropThrough = numArrived;
}

/**
 * Stops the running cell and drops what is queued behind it; between cells, stops what they left behind. In the turn of the event
 * loop in which a signal is read, requests are read first: those that were sent before it have arrived.
 */
function interrupt() {
  outsideCells(() => {
    clearStop();
    dropThrough = numArrived;
    const cell = currentCell();
    if (cell?.isRunning) cell.interrupt();
    else stopLeftovers();
  });
}

/** Takes what tslab's executor prints of a cell that failed: a compiler's message, or what was thrown. */
function keepFailure(...printed) {
  const cell = owner(); // one that was stopped may fail while a later one runs
  if (printed[0] !== DIAGNOSTIC_FORMAT) {
    cell.fail(printed[0]);
    return;
  }
  const [, file, line, column, text] = printed;
  cell.diagnostics.push(`${file}${line}:${column} - ${text}`);
}

/**
 * Takes what was thrown or rejected without being caught. It ends the cell that it belongs to. If that has ended, it is shown there;
 * and the cell that runs, or else the next one, fails at its end and names that cell, since other programs only look at replies.
 */
function keepUncaught(thrown) {
  if (thrown instanceof Interrupted) return;
  const failure = failureOf(thrown);
  const cell = owner();
  if (cell?.isRunning) {
    cell.crash(failure);
    return;
  }
  if (cell && !cell.isOver) cell.publish("error", failure);
  uncaught.push({ cell, failure });
}

module.exports = { startServer, interrupt, keepUncaught };
