"""The process that compiles the cells of all notebooks of a run (jupyter/kernels/tslab/shared-compiler.cjs)."""

import asyncio
import contextlib
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

PROGRAM = Path(__file__).parents[2] / "jupyter/kernels/tslab/shared-compiler.cjs"
# Tells a kernel where that process listens. A kernel that cannot reach it compiles its cells itself.
VARIABLE = "FERKIT_COMPILER"


class SharedCompiler:
    """The process. Kernels that start in the project use it until it is closed."""

    def __init__(self, project):
        """Starts it. It loads the compiler while the caller loads what it needs itself."""
        self.folder = tempfile.mkdtemp(prefix="ferkit-")
        os.environ[VARIABLE] = str(Path(self.folder, "socket"))
        self.process = subprocess.Popen(
            ["node", str(PROGRAM), os.environ[VARIABLE]],
            cwd=project,
            stdin=subprocess.PIPE,  # it ends with its input, also if this program is killed
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the notebooks
        )

    def compile_ahead(self, codes):
        """Sends the code of each cell of each notebook, in the order in which they will run."""
        with contextlib.suppress(BrokenPipeError):  # it has ended: kernels compile their cells themselves
            self.process.stdin.write(f"{json.dumps(codes)}\n".encode())
            self.process.stdin.flush()

    async def ready(self):
        """Waits until it has loaded the compiler."""
        await asyncio.to_thread(self.process.stdout.readline)

    def close(self):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
