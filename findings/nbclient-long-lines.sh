#!/usr/bin/env bash
# nbclient 0.11.0: with coalesce_streams, a cell that prints one long line takes time that grows with the square of its length. 100,000
# characters take some seconds, 5 million would take hours, during which the client looks stuck and acts on no signal or timeout. An array
# or a base64 text on one line is enough. The same text in lines of 100 characters takes no time.
# Until it changes: leave coalesce_streams off, and join outputs of the same stream afterwards.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv v
v/bin/pip install --quiet --disable-pip-version-check nbclient==0.11.0 nbformat==5.11.1 jupyter_client==8.10.0 ipykernel==7.4.0

cat > run.py <<'PY'
import time

from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook


def seconds(code, coalesces):
    """Returns the processor time that the client takes for a cell, not the kernel."""
    notebook = new_notebook(cells=[new_code_cell(code)])
    client = NotebookClient(notebook, kernel_name="python3", coalesce_streams=coalesces, timeout=120)
    started = time.process_time()
    client.execute()
    return time.process_time() - started


def growth(code):
    """Returns how many times longer coalescing takes for twice the text."""
    seconds(code.format(1), True)  # loads what is needed
    short, long = (seconds(code.format(n), True) - seconds(code.format(n), False) for n in (50_000, 100_000))
    return long / max(short, 0.1)


print("one line: four times as long for twice the text" if growth('print("y" * {})') > 2.8 else "one line: in proportion")
lines = 'print("\\n".join(["y" * 99] * ({} // 100)))'
print("short lines: no longer" if growth(lines) < 2.8 else "short lines: longer")
PY

cat > seen.txt <<'TXT'
one line: four times as long for twice the text
short lines: no longer
TXT
v/bin/python run.py > now.txt 2> errors.txt || { cat errors.txt; exit 1; }
diff seen.txt now.txt && echo "nbclient 0.11.0 still takes quadratic time:" && cat now.txt
