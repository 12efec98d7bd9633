// The variables that cells share, each in an object of its own, which compiled cells hold: see `shareQuickly`.
const variables = new Map();

/** The variable of a name, `{ value }`: that of the cell that declared it last. */
function variable(name) {
  if (!variables.has(name)) variables.set(name, { value: undefined });
  return variables.get(name);
}

/** Returns what is in a variable, and forgets it. */
function takeVariable(name) {
  const value = variables.get(name)?.value;
  variables.delete(name);
  return value;
}

/** Returns a function that gives variables their present values again, if they were declared since then and never set. */
function rememberVariables(names) {
  const present = names.map((name) => [variable(name), variable(name).value]);
  return () => {
    for (const [one, value] of present) if (one.value === undefined) one.value = value;
  };
}

/** The same variables as properties, for code that names `exports` itself. What imports define is a value here, which cells may assign. */
const exportsOfCells = new Proxy(
  {},
  {
    get: (_, name) => variables.get(name)?.value,
    has: (_, name) => variables.has(name),
    set: (_, name, value) => {
      variable(name).value = value;
      return true;
    },
    defineProperty: (_, name, { get, value }) => {
      if (name !== "__esModule") variable(name).value = get ? get() : value;
      return true;
    },
  },
);

module.exports = { exportsOfCells, rememberVariables, takeVariable, variable };
