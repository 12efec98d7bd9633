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

# Top-level declarations start a line; indented lines belong to the value above them.
DECLARATION = re.compile(r"^(let|const|var)\s+([A-Za-z_$][\w$]*)\s*(?::\s*([^=\n]+?))?\s*=\s*(.*)$", re.MULTILINE)


class TypeScriptTranslator(Translator):
    """
    Assigns values to the variables that the cell tagged `parameters` declares.

    It does not declare them again, so the declared types apply: a value of another type fails in the injected cell instead of
    wherever it is used.
    """

    @classmethod
    def translate(cls, val):
        return json.dumps(val)  # every JSON value is a TypeScript expression

    @classmethod
    def comment(cls, cmt_str):
        return f"// {cmt_str}"

    @classmethod
    def assign(cls, name, str_val):
        return f"{name} = {str_val};"

    @classmethod
    def codify(cls, parameters, comment="Parameters"):
        # The kernel shows the value of a last line that is an expression.
        return super().codify(parameters, comment) + "void 0;"

    @classmethod
    def inspect(cls, parameters_cell):
        """Returns a `Parameter` for each declaration, with its keyword (let, const or var) as help."""
        declarations = DECLARATION.findall(parameters_cell.source)
        return [
            Parameter(name=name, inferred_type_name=type_name or "None", default=value.rstrip("; "), help=keyword)
            for keyword, name, type_name, value in declarations
        ]


papermill_translators.register("tslab", TypeScriptTranslator)
