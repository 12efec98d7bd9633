// What tslab does not say to Jupyter: that a cell begins, that it failed and why, and all that it prints.
const { inspect } = require("node:util");
const { readableStack, startCell } = require("./source-positions.cjs");

/** How tslab prints what the compiler found. */
const DIAGNOSTIC_FORMAT = "%s%d:%d - %s";
/** As long as tslab itself drops the cells that were sent along with one that failed, in milliseconds. */
const DROP_MS = 200;

/** The cell that runs, or ran last. */
let cell = null;
/** What was thrown, or rejected, where nobody caught it, since the last cell ended. */
let uncaught = [];
let executor = null;

/** Mends tslab's server; before it starts. */
function mendProtocol() {
  const { JupyterHandlerImpl, ZmqServer } = require("tslab/dist/jupyter.js");
  const tslabExecutor = require("tslab/dist/executor.js");
  const { createExecutor } = tslabExecutor;

  tslabExecutor.createExecutor = (rootDir, converters) => {
    executor = createExecutor(rootDir, converters, { log: console.log, error: keepFailure });
    return executor;
  };

  const { handleExecuteImpl } = JupyterHandlerImpl.prototype;
  JupyterHandlerImpl.prototype.handleExecuteImpl = async function (request, ...rest) {
    cell = request.cell;
    cell.begin(this.execCount + 1);
    try {
      return await handleExecuteImpl.call(this, request, ...rest);
    } finally {
      await new Promise(setImmediate); // lets a rejection of this cell surface
      cell.failure ??= uncaught[0];
      uncaught = [];
    }
  };

  ZmqServer.prototype.handleExecute = async function (socket, message) {
    send(this, message, socket, "execute_reply", await executeCell(this, message));
  };

  // By default a queue of more than a thousand messages makes the next send fail, and `idle` may be among the lost.
  const { bindSocket } = ZmqServer.prototype;
  ZmqServer.prototype.bindSocket = function (socket, port) {
    if (socket === this.iopub) Object.assign(socket, { sendHighWaterMark: 0, sendTimeout: 0 });
    return bindSocket.call(this, socket, port);
  };

  return { interruptCell: () => executor.interrupt() };
}

/** Answers a message, on one of the server's sockets. */
function send(server, message, socket, type, content) {
  const envelope = message.createReply();
  envelope.header.msg_type = type;
  envelope.content = content;
  envelope.signAndSend(server.connInfo.key, socket);
}

async function executeCell(server, message) {
  const publish = (type, content) => send(server, message, server.iopub, type, content);
  const { code } = message.content;
  const own = {
    failure: undefined,
    begin(number) {
      startCell(number);
      publish("execute_input", { code, execution_count: number });
    },
    display: (output, isUpdate) => publish(isUpdate ? "update_display_data" : "display_data", output),
  };
  const request = { ...message.content, cell: own };
  const print = (name, text) => publish("stream", { name, text });
  const reply = await server.handler.handleExecute(request, print, own.display);
  if (reply.status === "abort") return { ...reply, status: "aborted" };
  if (reply.status === "ok" && !own.failure) return { ...reply, user_expressions: {}, payload: [] };
  if (reply.status === "ok") server.handler.execQueue.reset(DROP_MS);
  const failure = own.failure ?? failureOf(new Error("the cell failed without an error"));
  publish("error", failure);
  return { ...reply, ...failure, status: "error" };
}

/** Takes what tslab's executor prints of a cell that failed: a compiler's message, or what was thrown. */
function keepFailure(...printed) {
  if (printed[0] !== DIAGNOSTIC_FORMAT) {
    cell.failure = failureOf(printed[0]);
    return;
  }
  const [, file, line, column, text] = printed;
  const found = `${file}${line}:${column} - ${text}`;
  const before = cell.failure ? `${cell.failure.evalue}\n` : "";
  const evalue = before + found;
  cell.failure = { ename: "TypeScriptError", evalue, traceback: `TypeScriptError: ${evalue}`.split("\n") };
}

/** Takes what was thrown, or rejected, where nobody caught it: the cell that runs fails with it, or else the next one. */
function keepUncaught(thrown) {
  uncaught.push(failureOf(thrown));
}

/** What Jupyter's `error` message carries. */
function failureOf(thrown) {
  if (!(thrown instanceof Error)) {
    const evalue = inspect(thrown);
    return { ename: "Thrown", evalue, traceback: [`Thrown: ${evalue}`] };
  }
  return { ename: thrown.name, evalue: thrown.message, traceback: readableStack(thrown) };
}

module.exports = { currentCell: () => cell, keepUncaught, mendProtocol };
