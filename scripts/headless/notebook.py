"""Reads notebooks of all versions of the format."""

import json

import nbformat


def read_notebook(path):
    """
    Returns the notebook in a file, in the form of today, in which each cell has an id of its own: notebooks before format 4.5 have
    none, and cells that a program copied may share one. The ids are the same each time.
    """
    with open(path, encoding="utf-8") as file:
        notebook = nbformat.reader.reads(file.read())
    minor, cells = notebook.get("nbformat_minor"), notebook.get("cells")
    if notebook.get("nbformat") == 4 and isinstance(minor, int) and isinstance(cells, list):
        notebook["nbformat_minor"] = max(5, minor)
        give_ids([cell for cell in cells if isinstance(cell, dict)])
    return nbformat.reads(json.dumps(notebook), as_version=4)


def give_ids(cells):
    known = {name for cell in cells if isinstance(name := cell.get("id"), str)}
    used = set()
    for number, cell in enumerate(cells, 1):
        name = cell.get("id")
        if not isinstance(name, str) or name in used:
            name = f"cell-{number}"
            while name in known or name in used:
                name += "-"
            cell["id"] = name
        used.add(name)
