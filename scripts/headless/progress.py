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
    """Writes to a terminal or a log."""

    def __init__(self, stream, verbose):
        self.stream = stream
        self.verbose = verbose
        self.in_place = stream.isatty() and not verbose and os.environ.get("TERM") != "dumb"
        self.width = 0  # of the longest notebook's name

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
                self._draw(*line())
                await asyncio.sleep(REFRESH_S)

        with contextlib.suppress(OSError):  # nobody reads any more
            step = {"notebook": notebook_name, "cell": cell.number, "title": title}
            os.write(STEPS, f"{json.dumps(step)}\n".encode())
        refreshing = asyncio.ensure_future(refresh()) if self.in_place else None
        if self.verbose:
            self.write(f"{place}  {title}")
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
                self.stream.write("\r\x1b[K")
            self.write("".join(line(outcome)))

    def write(self, text):
        print(shown(text), file=self.stream, flush=True)

    def output(self, text):
        """What a cell printed; shown only when asked for."""
        if self.verbose:
            self.stream.write(text)
            self.stream.flush()

    def _draw(self, text, end):
        columns = shutil.get_terminal_size().columns - len(end) - 1
        self.stream.write(f"\r\x1b[K{shown(text)[:columns]}{end}")
        self.stream.flush()
