"""The process that compiles the cells of all notebooks of a run (jupyter/kernels/tslab/shared-compiler.cjs)."""

import asyncio
import contextlib
import json
import os
import shutil
import tempfile
from pathlib import Path

PROGRAM = Path(__file__).parents[2] / "jupyter/kernels/tslab/shared-compiler.cjs"
# Tells a kernel where that process listens. A kernel that cannot reach it compiles its cells itself.
VARIABLE = "FERKIT_COMPILER"


@contextlib.asynccontextmanager
async def shared_compiler(project, codes):
    """
    Runs the process while kernels start in the project. Gives a function that waits until it is ready.

    codes -- The code of each cell of each notebook, in the order in which they will run.
    """
    folder = tempfile.mkdtemp(prefix="ferkit-")
    os.environ[VARIABLE] = str(Path(folder, "socket"))
    process = await asyncio.create_subprocess_exec(
        "node",
        str(PROGRAM),
        os.environ[VARIABLE],
        cwd=project,
        stdin=asyncio.subprocess.PIPE,  # it ends with its input, also if this program is killed
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is for the notebooks
    )
    process.stdin.write(f"{json.dumps(codes)}\n".encode())
    try:
        yield process.stdout.readline
    finally:
        del os.environ[VARIABLE]
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        shutil.rmtree(folder, ignore_errors=True)
