"""What the user can put right, said in one message without a stack."""


class InputProblem(Exception):
    """Reads "HINT Expected E at WHERE but found F. FIX"; all but `expected` and `found` may be left out."""

    def __init__(self, expected, found, where="", fix="", hint=""):
        place = f" at {where}" if where else ""
        message = f"Expected {expected}{place} but found {found}."
        super().__init__(" ".join(part for part in (hint, message, fix) if part))


class CellFailure(Exception):
    """
    The first cell that failed; its message is the whole report, several lines long.

    number -- Of the cell, from 1.
    source_line -- The line of the cell that failed.
    summary -- The error on one line: "Error: boom".
    """

    def __init__(self, report, number, source_line, summary):
        super().__init__(report)
        self.number = number
        self.source_line = source_line
        self.summary = summary


class CheckFailure(Exception):
    """Metrics that are not as expected; its message says how many."""


class Interrupted(Exception):
    """The run was asked to stop, by the signal `number`."""

    def __init__(self, number):
        super().__init__(f"signal {number}")
        self.number = number
