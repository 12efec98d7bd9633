"""Parameters: what a notebook's cell tagged `parameters` declares, and the cell with other values that follows it."""

from ferkit_jupyter.papermill import TypeScriptTranslator
from papermill.parameterize import parameterize_notebook

from .problem import InputProblem


def declared_parameters(notebook):
    """Name to papermill's `Parameter`, whose `help` is the keyword; empty when no cell is tagged."""
    tagged = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    return {parameter.name: parameter for cell in tagged[:1] for parameter in TypeScriptTranslator.inspect(cell)}


def check_parameters(notebooks, values):
    """
    Raises InputProblem for a value that no notebook declares, or that one declares as a constant.

    notebooks -- name to notebook.
    """
    declared = {name: declared_parameters(notebook) for name, notebook in notebooks.items()}
    known = sorted({parameter for parameters in declared.values() for parameter in parameters})
    for unknown in [value for value in values if value not in known]:
        choices = f"one of {', '.join(known)}" if known else "no parameter"
        raise InputProblem(
            f"{choices} for --set",
            unknown,
            fix=f"These are what the cells tagged `parameters` of {', '.join(notebooks)} declare.",
        )
    for name, parameters in declared.items():
        for parameter in parameters.values():
            if parameter.name in values and parameter.help == "const":
                fix = f"Declare it so in the cell tagged `parameters`: let {parameter.name} = {parameter.default};"
                raise InputProblem(f"`let {parameter.name}`", "`const`", where=f"{name}.ipynb", fix=fix)


def inject_parameters(notebook, values):
    """The notebook with those of the values that it declares, in a cell after the one tagged `parameters`."""
    declared = declared_parameters(notebook)
    chosen = {name: value for name, value in values.items() if name in declared}
    if not chosen:
        return notebook
    # Papermill wants tags in every cell and a record of the parameters; neither may stay.
    untagged = [cell for cell in notebook.cells if "tags" not in cell.metadata]
    for cell in untagged:
        cell.metadata["tags"] = []
    notebook.metadata["papermill"] = {}
    comment = "Parameters of this run"
    notebook = parameterize_notebook(notebook, chosen, comment=comment, kernel_name="tslab", language="typescript")
    del notebook.metadata["papermill"]
    for cell in untagged:
        del cell.metadata["tags"]
    for cell in notebook.cells:
        if "injected-parameters" in cell.metadata.get("tags", []):
            cell["id"] = "injected-parameters"  # papermill's is random
    return notebook
