"""Prints the seconds that the first cell of the first notebook takes in a new kernel. Runs in ferkit's own virtual environment."""
import os
import time
from pathlib import Path

import nbformat
from jupyter_client.manager import start_new_kernel

PROJECT = Path(__file__).parents[2]
os.environ["JUPYTER_PATH"] = str(PROJECT / "jupyter")

notebook = nbformat.read(PROJECT / "notebooks/01-setup.ipynb", as_version=4)
(code,) = [cell.source for cell in notebook.cells if cell.cell_type == "code" and "import * as ferkit" in cell.source]
manager, client = start_new_kernel(kernel_name=notebook.metadata.kernelspec.name, cwd=PROJECT)
try:
    start = time.perf_counter()
    reply = client.execute_interactive(code, output_hook=lambda message: None)
    seconds = time.perf_counter() - start
finally:
    client.stop_channels()
    manager.shutdown_kernel(now=True)
if reply["content"]["status"] != "ok":
    raise SystemExit(f"Expected the cell to run but found {reply['content']}")
print(seconds)
