"""Which cells of a notebook are executed, and their numbers in all messages and reports."""

from .parameters import INJECTED, has_tag


def is_executed(cell):
    return cell.cell_type == "code" and cell.source.strip() != ""


def cell_numbers(notebook):
    """
    Returns the number of each cell that is executed, by its index in the notebook. Code cells with text count, from 1. The cell of --set,
    which is not in the notebook's file, has the number of the one before it.
    """
    numbers, number = {}, 0
    for index, cell in enumerate(notebook.cells):
        if is_executed(cell):
            number += not has_tag(cell, INJECTED)
            numbers[index] = number
    return numbers
