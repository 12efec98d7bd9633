"""
Runs notebooks headlessly, in order, and stops at the first cell that fails.

Takes one argument, a job as JSON: {"notebooks": [paths], "outDir": path, "projectDir": path, "parameters": {name: value},
"timeout": seconds a cell or null, "junit": path or null, "verbose": boolean}. scripts/commands/notebooks.ts makes it from the
command line's options.
Exit status: 0, 1 after a failure, 130 after Ctrl-C.
"""

import asyncio
import json
import logging
import os
import signal
import sys
import time
from pathlib import Path

import nbformat

sys.path.append(str(Path(__file__).parents[1] / "jupyter/python"))  # set-up does the same for other tools
from headless.client import HeadlessClient
from headless.page import render_page
from headless.parameters import check_parameters, inject_parameters
from headless.problem import CellFailure, InputProblem, Interrupted
from headless.progress import Progress
from headless.results import NotebookResult, annotation, first_heading, index_page, junit


def load_notebook(path):
    try:
        notebook = nbformat.read(path, as_version=4)
    except (OSError, UnicodeDecodeError, nbformat.reader.NotJSONError, nbformat.ValidationError) as error:
        fix = "Restore it, or leave it out with --notebooks."
        raise InputProblem("a notebook", first_line(error), where=path, fix=fix) from error
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return notebook


async def run_job(job):
    out = Path(job["outDir"])
    notebooks = {Path(path).stem: load_notebook(path) for path in job["notebooks"]}
    taken = check_parameters(notebooks, job["parameters"])
    if out.resolve() in [Path(path).resolve().parent for path in job["notebooks"]]:
        fix = "The executed copies would replace them: choose another with --out."
        raise InputProblem("another folder than that of the notebooks for --out", out, fix=fix)
    make_folder(out)
    if job["junit"] is not None:
        make_folder(Path(job["junit"]).parent)
    for name in notebooks:  # what an earlier run left must not pass for this one's
        for suffix in (".ipynb", ".html"):
            (out / f"{name}{suffix}").unlink(missing_ok=True)
    results = [
        NotebookResult(name, first_heading(notebook, name), os.path.relpath(path, workspace()))
        for path, (name, notebook) in zip(job["notebooks"], notebooks.items())
    ]
    try:
        await run_notebooks(job, out, notebooks, results, taken)
    finally:
        if "index" not in notebooks:
            write_whole(out / "index.html", index_page(results, taken))
        if job["junit"] is not None:
            write_whole(Path(job["junit"]), junit(results))


async def run_notebooks(job, out, notebooks, results, taken):
    progress = Progress(sys.stdout, job["verbose"])
    progress.width = max(map(len, notebooks))
    for line in taken:
        progress.write(line)
    started = time.monotonic()
    clients = []
    for result, (name, notebook) in zip(results, notebooks.items()):
        clients.append(HeadlessClient(inject_parameters(notebook, job["parameters"]), name, progress, job["timeout"]))
        result.cells = clients[-1].results
    for path, result, client in zip(job["notebooks"], results, clients):
        name, notebook = client.name, client.nb
        stop = None
        try:
            await client.run()
        except (CellFailure, Interrupted) as reason:
            stop = reason  # once what there is has been written
            result.failure = reason if isinstance(reason, CellFailure) else None
            if result.failure and os.environ.get("GITHUB_ACTIONS") == "true":
                progress.write(annotation(result, Path(path).read_text(encoding="utf-8")))
        write_whole(out / f"{name}.ipynb", nbformat.writes(notebook) + "\n")
        write_whole(out / f"{name}.html", render_page(notebook, name, Path(path).parent))
        progress.write(f"{name:<{progress.width}}  → {shown_path(out / name, job['projectDir'])}.{{ipynb,html}}")
        if stop:
            raise stop
    count = f"{len(notebooks)} notebook{'s' if len(notebooks) > 1 else ''}"
    progress.write(f"{count} in {time.monotonic() - started:.0f} s, no failure: {out / 'index.html'}")


def workspace():
    """Returns the folder from which GitHub counts the paths of files."""
    return os.environ.get("GITHUB_WORKSPACE") or os.getcwd()


def make_folder(folder):
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputProblem("to make a folder", error.strerror, where=folder, fix="Choose another with --out.") from error


def write_whole(path, text):
    """Writes a file as a whole or not at all."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise InputProblem("to write", error.strerror, where=path, fix="Make room or choose another --out.") from error
    finally:
        temporary.unlink(missing_ok=True)


def shown_path(path, project):
    return path.relative_to(project) if path.is_relative_to(project) else path


def first_line(error):
    return (str(error) or type(error).__name__).splitlines()[0]


def main():
    # What these libraries have to say is said again, in one message, by this program.
    for name in ("traitlets", "papermill"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        asyncio.run(run_job(json.loads(sys.argv[1])))
        return 0
    except CellFailure as failure:
        print(f"\n{failure}", file=sys.stderr)
    except InputProblem as problem:
        print(f"ferkit: {problem}", file=sys.stderr)
    except (Interrupted, KeyboardInterrupt) as stop:
        number = getattr(stop, "number", signal.SIGINT)
        print("\ninterrupted" if number == signal.SIGINT else "\nterminated", file=sys.stderr)
        return 128 + number
    return 1


if __name__ == "__main__":
    sys.exit(main())
