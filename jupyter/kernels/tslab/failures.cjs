// How a cell fails: the content of Jupyter's `error` message for what was thrown, rejected or does not compile.
const { inspect } = require("node:util");
const { hintFor } = require("./hints.cjs");
const { readableStack } = require("./source-positions.cjs");

/** Characters of one text: an error, or the value of a cell. */
const MAX_TEXT = 1_000_000;

/** What a stopped cell fails with. */
class Interrupted extends Error {
  name = "Interrupted";
  message = "The cell was stopped.";
}

/** Returns the failure for what was thrown, which may be an error that cannot say what it is. */
function failureOf(thrown) {
  try {
    return thrown instanceof Error ? errorFailure(thrown) : thrownFailure(bounded(inspect(thrown)));
  } catch (error) {
    const reason = error instanceof Error ? error.message : "that fails too";
    return thrownFailure(`The cell threw something that cannot be described: ${reason}`);
  }
}

function errorFailure(error) {
  const ename = String(error.name);
  const { message, frames } = readableStack(error);
  const traceback = bounded(tracebackOf(ename, [...frames, ...causesOf(error)], message).join("\n")).split(
    "\n",
  );
  return { ename, evalue: bounded(String(error.message)), traceback };
}

/** Describes the errors that led to an error: its cause, and those of an `AggregateError`. */
function causesOf({ cause, errors }) {
  const causes = [...(cause === undefined ? [] : [cause]), ...(Array.isArray(errors) ? errors : [])];
  return causes.flatMap((one) => `Cause: ${inspect(one)}`.split("\n"));
}

function thrownFailure(evalue) {
  return { ename: "Thrown", evalue, traceback: [`Thrown: ${evalue}`] };
}

/** Returns the failure of a cell that does not compile, with a hint if there is one. */
function typeFailure(code, diagnostics, notebookFolder) {
  const hint = hintFor(code, diagnostics.join("\n"), notebookFolder);
  const evalue = bounded([...diagnostics, hint].filter((text) => text !== "").join("\n"));
  return { ename: "TypeScriptError", evalue, traceback: `TypeScriptError: ${evalue}`.split("\n") };
}

/** Returns the failure of a cell that was fine itself, for that of an earlier cell, which had ended. */
function lateFailure(number, { ename, evalue: earlier, traceback }) {
  const evalue = `Cell ${number} failed after it had ended. ${ename}: ${earlier}`;
  const frames = traceback.slice(1, -earlier.split("\n").length);
  return {
    ename: "LateError",
    evalue,
    traceback: tracebackOf("LateError", frames, [`LateError: ${evalue}`]),
  };
}

/** Puts the message last, as Python's kernel does: summaries of test runs show the last line. */
function tracebackOf(name, frames, message) {
  return frames.length > 0 ? [name, ...frames, ...message] : message;
}

/** Returns a text of at most `MAX_TEXT` characters, which says what was left out. */
function bounded(text) {
  if (text.length <= MAX_TEXT) return text.toWellFormed();
  const numLeft = text.length - MAX_TEXT;
  return `${text.slice(0, MAX_TEXT).toWellFormed()}\n… ${numLeft.toLocaleString("en-US")} characters left out`;
}

module.exports = { bounded, failureOf, Interrupted, lateFailure, typeFailure };
