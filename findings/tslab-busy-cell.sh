#!/usr/bin/env bash
# tslab 1.0.22: a cell that prints in a loop, without an await, loses most of its lines. Of 2,000 lines about 500 reach the
# notebook, and the cell ends as successful. A log of a long loop, or a table printed row by row, is cut without a mark.
# Until it changes: await something in the loop (new Promise((done) => setTimeout(done))), or print one joined text.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts tslab@1.0.22
python3 -m venv v
v/bin/pip install --quiet --disable-pip-version-check nbclient==0.11.0 nbformat==5.11.1 jupyter_client==8.10.0
mkdir -p kernels/tslab
cat > kernels/tslab/kernel.json <<JSON
{"argv": ["$(command -v node)", "$dir/node_modules/tslab/bin/tslab", "kernel", "--config-path", "{connection_file}"],
 "display_name": "TypeScript", "language": "typescript"}
JSON

cat > run.py <<'PY'
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook


def lines(title, code):
    notebook = new_notebook(cells=[new_code_cell(code)])
    NotebookClient(notebook, kernel_name="tslab", timeout=120).execute()  # raises if a cell fails
    count = sum(len(output["text"].splitlines()) for output in notebook.cells[0].outputs)
    print(f"{title}: {'all 2,000 lines' if count == 2000 else 'less than half' if count < 1000 else count}")


lines("loop", "for (let i = 0; i < 2000; i++) console.log(i);")
lines("with await", "for (let i = 0; i < 2000; i++) { console.log(i); await new Promise((done) => setTimeout(done)); }")
lines("one text", 'console.log(Array.from({ length: 2000 }, (_, i) => i).join("\\n"));')
PY

cat > seen.txt <<'TXT'
loop: less than half
with await: all 2,000 lines
one text: all 2,000 lines
TXT
JUPYTER_PATH="$dir" v/bin/python run.py > now.txt 2> errors.txt || { cat errors.txt; exit 1; }
diff seen.txt now.txt && echo "tslab 1.0.22 still loses them:" && cat now.txt
