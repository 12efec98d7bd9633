"""What is said of a cell that failed: where, the line of its source, the error."""

import re

from .problem import CellFailure


def last_traceback(cell):
    """Of the error that the kernel reported, or nothing."""
    errors = [output for output in cell.outputs if output.output_type == "error"]
    return "\n".join(errors[-1].traceback) if errors else ""


def cell_failure(name, result, cell, message, details, is_late=False):
    """
    Returns the failure of a cell of a notebook. Its report says where, the line of the source, the stack, and last the error.

    is_late -- Whether it failed after the cell had ended.
    """
    number, title = result.number, result.title
    lines = cell.source.splitlines()
    found = failing_line(lines, f"{message}\n{details}", cell.execution_count)
    code = [index for index, line in enumerate(lines, 1) if line.strip() and not line.strip().startswith("//")] or [1]
    line = code[0] if found is None else found
    is_sure = found is not None or len(code) == 1
    where = f"{f', line {line}' if is_sure else ''}{', after the cell had ended' if is_late else ''}{'' if is_sure else '; it starts'}"
    report = [f"{name}.ipynb failed at cell {number} ({title}){where}:", f"  {line} | {lines[line - 1]}"]
    error = plain(message).strip()
    # A traceback is the error's name, the frames, and the message; other details are what a program said before it ended.
    rest = plain(details).strip().removesuffix(error).removeprefix(f"{message.partition(':')[0]}\n").strip("\n")
    report += [part for part in (rest, error) if part]
    return CellFailure("\n".join(report), number, lines[line - 1].strip(), error.split("\n")[0])


def failing_line(lines, text, number):
    """
    Number, from 1, of the line of the cell that an error points at, if it does.

    A type error says "LINE:COLUMN - message"; a stack names cells, of which this one has the given number; otherwise the text may quote
    the line.
    """
    text = plain(text)
    for pattern in (r"^(?:\w+: )?(\d+):\d+ - ", rf"\bcell {number}, line (\d+):\d+\)?$"):
        for found in re.findall(pattern, text, re.MULTILINE):
            if 1 <= int(found) <= len(lines):
                return int(found)
    quoted = {line.strip() for line in text.splitlines()}
    return next((number for number, line in enumerate(lines, 1) if line.strip() and line.strip() in quoted), None)


def plain(text):
    """Without a terminal's colours, and with other control characters shown, which a terminal would act on."""
    return shown(re.sub(r"\x1b\[[0-9;]*m", "", text))


# Control characters, and marks that reorder text.
ACTED_ON = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def shown(text):
    """Shows what a terminal would act on, as \\u001b."""
    return ACTED_ON.sub(lambda found: f"\\u{ord(found.group()):04x}", text)
