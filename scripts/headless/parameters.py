"""Parameters: what a notebook's cell tagged `parameters` declares, and the cell with other values that follows it."""

import difflib
import re

from ferkit_jupyter.declarations import closing, find_unclosed
from ferkit_jupyter.papermill import DECIMAL, PREFIXED, TypeScriptTranslator
from nbformat.v4 import new_code_cell

from .problem import InputProblem

INJECTED = "injected-parameters"


def declared_parameters(notebook):
    """Returns name to papermill's `Parameter`; empty if no cell is tagged."""
    tagged = [cell for cell in notebook.cells if has_tag(cell, "parameters")]
    return {parameter.name: parameter for cell in tagged[:1] for parameter in TypeScriptTranslator.inspect(cell)}


def has_tag(cell, tag):
    return tag in cell.metadata.get("tags", [])


def check_parameters(notebooks, values, options):
    """
    Returns a line for each value, which says the notebooks that take it and those that do not.

    Raises InputProblem for a value that no notebook declares.

    notebooks -- name to notebook.
    options -- parameter to the option of the command line that gave its value; --set gave the others.
    """
    declared = {name: declared_parameters(notebook) for name, notebook in notebooks.items()}
    known = sorted({parameter for parameters in declared.values() for parameter in parameters})
    lines = []
    untaken = [options[parameter] for parameter in values if parameter in options and parameter not in known]
    if untaken:
        check_closed(notebooks)
        fix = "Choose others with --notebooks, or remove what they do not take."
        raise InputProblem(f"a notebook that takes {', '.join(untaken)}", ", ".join(notebooks), fix=fix)
    for parameter, value in list(values.items()):
        if parameter not in known:
            check_closed(notebooks)
            raise InputProblem(
                f"one of {', '.join(known)} for --set" if known else "no --set",
                parameter,
                hint=suggestion(parameter, known),
                fix=f"The cells tagged `parameters` of {', '.join(notebooks)} declare "
                + ("these." if known else "nothing."),
            )
        takers = [name for name, parameters in declared.items() if parameter in parameters]
        if any(declared_kinds(declared[name][parameter]) == ["number"] for name in takers):
            value = values[parameter] = number_of(parameter, value)
        for name in takers:
            check_type(name, declared[name][parameter], parameter, value)
        others = [name for name in notebooks if name not in takers]
        line = f"{parameter} = {TypeScriptTranslator.translate(value)} in {', '.join(takers)}"
        lines.append(f"{line}; not declared in {', '.join(others)}" if others else line)
    return lines


def check_closed(notebooks):
    """
    Looks for a cell tagged `parameters` in which a string or bracket stays open: it hides the names that are declared after it.

    Raises InputProblem that names its line.
    """
    for name, notebook in notebooks.items():
        tagged = [cell for cell in notebook.cells if has_tag(cell, "parameters")]
        for source in [cell.source for cell in tagged[:1]]:
            position = find_unclosed(source)
            if position is None:
                continue
            number = source.count("\n", 0, position) + 1
            where = f"line {number} of the cell tagged `parameters` of {name}"
            found = source.splitlines()[number - 1].strip()
            fix = "Fix this line: the names that are declared after it cannot be read."
            raise InputProblem("strings and brackets that are closed", found, where=where, fix=fix)


# What JSON calls the types of simple declarations, and how to write a value of each, of the parameter NAME.
KINDS = {
    "string": ("a text", """in quotes, such as --set 'NAME="5"'"""),
    "number": ("a number", "as a number, such as --set NAME=5"),
    "boolean": ("true or false", "as --set NAME=true or --set NAME=false"),
    "object": ("an object", """as JSON, such as --set 'NAME={"name": 1}'"""),
    "list": ("a list", """as JSON, such as --set 'NAME=[1, 2]'"""),
    "null": ("null", "as --set NAME=null"),
}


# A type of lists, whose items the compiler checks: `number[]`, `readonly string[]`, `Array<string>`.
LIST = re.compile(r"(readonly\s+)?[\w.]+(\[\])+|(Readonly)?Array<[^|]*>")


def check_type(notebook, parameter, name, value):
    """
    Compares a value with the type that a notebook declares, before notebooks run for minutes. The compiler checks other types.

    Raises InputProblem if they differ.

    notebook -- its name.
    parameter -- what papermill knows of the declaration.
    """
    kinds = declared_kinds(parameter)
    kind = kind_of(value)
    if kinds is None or kind in kinds or (kind == "list" and "object" in kinds):
        return
    expected = " or ".join(KINDS[kind][0] for kind in kinds)
    fix = f"Write it {KINDS[kinds[0]][1].replace('NAME', name)}."
    raise InputProblem(f"{expected} for --set {name}, as {notebook} declares", TypeScriptTranslator.translate(value), fix=fix)


def number_of(name, value):
    """
    Returns the number that the text of a parameter is; other values as they are.

    Raises InputProblem for a number that is too large for TypeScript.
    """
    if not isinstance(value, str):
        return value
    if PREFIXED.fullmatch(value):
        return int(value, 0)
    if not DECIMAL.fullmatch(value):
        return value
    number = float(value)
    if number in (float("inf"), float("-inf")):
        raise InputProblem(f"a number up to 1.7e308 for --set {name}", value, fix="Choose a smaller one.")
    return int(number) if number.is_integer() else number


def declared_kinds(parameter):
    """Returns some of `KINDS`, by the declared type or the value that it begins with; None for others."""
    name = parameter.inferred_type_name
    if name == "None":  # neither a declared type nor a plain value
        default = parameter.default
        return ["list"] if default.startswith("[") and closing(default, 0) == len(default) else None
    kinds = ["list" if LIST.fullmatch(kind.strip()) else kind.strip() for kind in name.split("|")]
    return kinds if all(kind in KINDS for kind in kinds) else None


def kind_of(value):
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "number"
    if isinstance(value, list):
        return "list"
    return "string" if isinstance(value, str) else "object"


def suggestion(name, known):
    close = difflib.get_close_matches(name, known, n=1)
    return f"Did you mean {close[0]}?" if close else ""


def inject_parameters(notebook, values):
    """Adds a cell after the one tagged `parameters`, with those of the values that it declares."""
    declared = declared_parameters(notebook)
    chosen = {name: value for name, value in values.items() if name in declared}
    if not chosen:
        return notebook
    source = TypeScriptTranslator.codify(chosen, "Parameters of this run")
    cell = new_code_cell(source, id=INJECTED, metadata={"tags": [INJECTED]})
    kept = [cell for cell in notebook.cells if not has_tag(cell, INJECTED)]
    position = next(i for i, kept_cell in enumerate(kept) if has_tag(kept_cell, "parameters"))
    notebook.cells = [*kept[: position + 1], cell, *kept[position + 1 :]]
    return notebook
