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

from papermill.models import Parameter  # noqa: E402
from papermill.translators import Translator, papermill_translators  # noqa: E402

from .declarations import find_declarations  # noqa: E402


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
        return [
            Parameter(name=found.name, inferred_type_name=found.type or "None", default=found.value, help=found.keyword)
            for found in find_declarations(parameters_cell.source)
        ]


papermill_translators.register("tslab", TypeScriptTranslator)
