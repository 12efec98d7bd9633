// What `console.log` prints of charts and data frames in a cell: of their fields it would print a screen.
const { inspect, types } = require("node:util");

const METHODS = ["log", "info", "debug", "warn", "error"];

const isChart = (value) => typeof value?.$schema === "string" && value.$schema.includes("vega-lite");
const isDataFrame = (value) => value?.constructor?.name === "DataFrame" && Array.isArray(value.columns);
const hint = (it) => `To see ${it}, make ${it} the last line of a cell, or call show.`;

function titleOf({ title }) {
  const text = [typeof title === "object" ? title?.text : title].flat().join(" ");
  return text ? ` "${text}"` : "";
}

/** Returns a text for a value whose fields say little; undefined for any other value. */
function consoleText(value) {
  if (isChart(value)) return `A chart${titleOf(value)}. ${hint("it")}`;
  if (Array.isArray(value) && value.length > 0 && value.every(isChart))
    return value.length === 1
      ? `A list of one chart${titleOf(value[0])}. ${hint("it")}`
      : `A list of ${value.length} charts, the first${titleOf(value[0])}. ${hint("them")}`;
  if (isDataFrame(value))
    return `${value.toString()}A data frame of ${value.shape.join(" × ")} values. ${hint("it")}`;
  return undefined;
}

/** Makes the console print these texts. */
function shortenConsole() {
  const textFor = (value) => {
    const isPlain = Object(value) === value && !types.isProxy(value); // a proxy may throw when it is read
    const text = isPlain ? consoleText(value) : undefined;
    return text === undefined ? value : { [inspect.custom]: () => text };
  };
  for (const name of METHODS) {
    const print = console[name];
    console[name] = (...values) => print(...values.map(textFor));
  }
}

module.exports = { shortenConsole };
