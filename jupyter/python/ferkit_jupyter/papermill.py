"""
How papermill reads and writes parameters in TypeScript.

papermill 2.7 has no entry point for translators, but loads those for engines when it starts. So this module is the entry point of an
engine, papermill's own, and registers the translator when it is loaded.
"""


def __getattr__(name):
    """Gives the entry point its engine. papermill may ask for it while this module is still importing papermill."""
    if name != "NBClientEngine":
        raise AttributeError(name)
    from papermill.engines import NBClientEngine

    return NBClientEngine


import json  # noqa: E402
import re  # noqa: E402

from papermill.models import Parameter  # noqa: E402
from papermill.translators import Translator, papermill_translators  # noqa: E402

from .declarations import find_declarations  # noqa: E402

# Values whose type is clear. JSON does not know some of the numbers: .5, 5., +5, 1_000, 0x10.
DECIMAL = re.compile(r"[+-]?(\d+(_\d+)*\.?(\d+(_\d+)*)?|\.\d+(_\d+)*)([eE][+-]?\d+)?")
PREFIXED = re.compile(r"0([xX][\da-fA-F]+|[oO][0-7]+|[bB][01]+)")
STRING = re.compile(r"""'[^'\\]*'|"[^"\\]*"|`[^`\\$]*`""")
LITERALS = {"number": (DECIMAL, PREFIXED), "string": (STRING,), "boolean": (re.compile("true|false"),)}


def type_of(declaration):
    """Returns the type that a declaration names, or else that of a plain value; empty for others."""
    return declaration.type or next(
        (name for name, patterns in LITERALS.items() if any(one.fullmatch(declaration.value) for one in patterns)), ""
    )


class TypeScriptTranslator(Translator):
    """
    Gives values to the variables that the cell tagged `parameters` declares.

    It assigns them, so that the declared types apply: a value of another type fails in the injected cell instead of wherever it is
    used. A constant cannot be assigned. It is declared again with its type, which the kernel lets a later cell do.
    """

    # Types of the constants in the cell that was inspected last, until the cell with values for them is written.
    constants = {}

    @classmethod
    def translate(cls, val):
        return json.dumps(val, default=str)  # every JSON value is a TypeScript expression

    @classmethod
    def comment(cls, cmt_str):
        return f"// {cmt_str}"

    @classmethod
    def assign(cls, name, str_val):
        if name not in cls.constants:
            return f"{name} = {str_val};"
        declared = cls.constants[name]
        return f"const {name}{f': {declared}' if declared else ''} = {str_val};"

    @classmethod
    def codify(cls, parameters, comment="Parameters"):
        # The kernel shows the value of a last line that is an expression.
        cell = super().codify(parameters, comment) + "void 0;"
        cls.constants = {}  # the next notebook may have no cell to inspect
        return cell

    @classmethod
    def inspect(cls, parameters_cell):
        """Returns a `Parameter` for each declaration, with its keyword (let, const or var) as help."""
        declarations = find_declarations(parameters_cell.source)
        cls.constants = {found.name: type_of(found) for found in declarations if found.keyword == "const"}
        return [
            Parameter(name=found.name, inferred_type_name=type_of(found) or "None", default=found.value, help=found.keyword)
            for found in declarations
        ]


papermill_translators.register("tslab", TypeScriptTranslator)
