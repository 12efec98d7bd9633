"""Progress: one line a cell, in place on a terminal."""

import asyncio
import contextlib
import json
import os
import re
import shutil
import time

from .failure import shown

REFRESH_S = 1.0
TITLE_LENGTH = 60


def cell_title(notebook, index):
    """What a code cell is about: the first heading since the code cell before it, else its first line of code."""
    for above in reversed(notebook.cells[:index]):
        if above.cell_type == "code":
            break
        headings = re.findall(r"^#+[ \t]+(.+?)[ \t]*$", above.source, re.MULTILINE)
        if headings:
            return headings[0]
    lines = [line.strip() for line in notebook.cells[index].source.splitlines()]
    first = next((line.removeprefix("// ") for line in lines if line), "")
    return first if len(first) <= TITLE_LENGTH else f"{first[:TITLE_LENGTH - 1]}…"


# Where the command that started this program reads which cell runs, in case this program is killed.
STEPS = 3


class Progress:
    """Writes to a terminal or a log. The lines of a notebook that runs beside an earlier one wait until it is its turn."""

    def __init__(self, stream, verbose):
        self.stream = stream
        self.verbose = verbose
        # The notebook whose lines are written, and what the others are to write, by name.
        self.turn, self.waiting = None, {}
        # The cell of each notebook that began last.
        self.steps = {}
        self.in_place = stream.isatty() and not verbose and os.environ.get("TERM") != "dumb"
        self.width = 0  # of the longest notebook's name

    def begin_turn(self, notebook_name):
        """Writes the lines of a notebook from now on, after those that it has so far."""
        self.turn = notebook_name
        self._report_step()
        self._print(self.waiting.pop(notebook_name, ""))

    @contextlib.asynccontextmanager
    async def cell(self, notebook_name, cell, total, failed):
        """
        Around the execution of a code cell, of `total`; sets its time and outcome.

        failed -- Gives the word for what happened to a cell that raises.
        """
        title = cell.title
        place = f"{notebook_name:<{self.width}}  {cell.number:>{len(str(total))}}/{total}"
        started = time.monotonic()

        def line(note=""):
            return f"{place}  {title}", f"  {note}{time.monotonic() - started:.1f} s"

        async def refresh():
            while True:
                if self.turn == notebook_name:
                    self._draw(*line())
                await asyncio.sleep(REFRESH_S)

        self.steps[notebook_name] = {"notebook": notebook_name, "cell": cell.number, "title": title}
        if self.turn == notebook_name:
            self._report_step()
        refreshing = asyncio.ensure_future(refresh()) if self.in_place else None
        if self.verbose:
            self.write(f"{place}  {title}", notebook_name)
        outcome = ""
        try:
            yield
            cell.outcome = "passed"
        except BaseException:
            cell.outcome = failed()
            outcome = f"{cell.outcome} after "
            raise
        finally:
            cell.seconds = time.monotonic() - started
            if refreshing:
                refreshing.cancel()
                if self.turn == notebook_name:
                    self.stream.write("\r\x1b[K")
            self.write("".join(line(outcome)), notebook_name)

    def write(self, text, notebook_name=None):
        """Writes a line, of a notebook if one is given."""
        self._print(f"{shown(text)}\n", notebook_name)

    def output(self, notebook_name, text):
        """Writes what a cell printed, if that was asked for."""
        if self.verbose:
            self._print(text, notebook_name)

    def _print(self, text, notebook_name=None):
        if notebook_name in (None, self.turn):
            self.stream.write(text)
            self.stream.flush()
        else:
            self.waiting[notebook_name] = self.waiting.get(notebook_name, "") + text

    def _report_step(self):
        if self.turn in self.steps:
            with contextlib.suppress(OSError):  # nobody reads any more
                os.write(STEPS, f"{json.dumps(self.steps[self.turn])}\n".encode())

    def _draw(self, text, end):
        columns = shutil.get_terminal_size().columns - len(end) - 1
        self.stream.write(f"\r\x1b[K{shown(text)[:columns]}{end}")
        self.stream.flush()
