#!/usr/bin/env bash
# papermill 2.7.0: -p reads a value as Python would read a number, in which digits may be separated by _. A run or a folder called
# 2026_11_28 becomes the number 20261128, 1_0 becomes 10, 007 becomes 7 and nan a number, for kernels of all languages. The notebook
# looks for another folder, or starts a new run, and papermill reports success.
# Until it changes: pass texts with -r, as in the last line of the output.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv v
v/bin/pip install --quiet --disable-pip-version-check papermill==2.7.0 nbformat==5.11.1

cat > run.py <<'PY'
import subprocess

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

kernel = {"name": "python3", "language": "python", "display_name": "Python 3"}
cell = new_code_cell('run = "first"', metadata={"tags": ["parameters"]})
nbformat.write(new_notebook(cells=[cell], metadata={"kernelspec": kernel}), "in.ipynb")
for option, value in (("-p", "2026-11-28"), ("-p", "2026_11_28"), ("-p", "1_0"), ("-p", "007"), ("-p", "nan"), ("-r", "2026_11_28")):
    command = ["v/bin/papermill", "--prepare-only", "in.ipynb", "out.ipynb", option, "run", value]
    subprocess.run(command, check=True, capture_output=True)
    source = nbformat.read("out.ipynb", 4).cells[1].source
    print(f"{option} run {value}: {source.splitlines()[-1]}")
PY

# Correct would be the value in quotes, as in the first line.
cat > seen.txt <<'TXT'
-p run 2026-11-28: run = "2026-11-28"
-p run 2026_11_28: run = 20261128
-p run 1_0: run = 10
-p run 007: run = 7
-p run nan: run = float('nan')
-r run 2026_11_28: run = "2026_11_28"
TXT
v/bin/python run.py > now.txt 2> errors.txt || { cat errors.txt; exit 1; }
diff seen.txt now.txt && echo "papermill 2.7.0 still reads names as numbers:" && cat now.txt
