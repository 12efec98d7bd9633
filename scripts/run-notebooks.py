"""
Runs notebooks headlessly, in order, and stops at the first cell that fails.

Takes one argument, a job as JSON: {"notebooks": [paths], "outDir": path, "projectDir": path, "parameters": {name: value},
"options": {parameter: the option that gave it, unless it was --set}, "timeout": seconds a cell or null, "junit": path or null,
"verbose": boolean, "check": "compare", "update" or null, "atOnce": number of notebooks that may run side by side,
"parent": id of the process that started this one}.
scripts/commands/notebooks.ts makes it from the command line's options. At the start of each cell, this program writes a line of JSON to
file descriptor 3. A job {"junit": path, "problem": text} only writes the report of what was wrong with the options.
Exit status: 0, 1 after a failure, 130 after Ctrl-C.
"""

import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "jupyter/python"))  # set-up does the same for other tools
from headless.compiler import SharedCompiler

JOB = json.loads(sys.argv[1])
# Before the packages below, which take as long to load as the compiler.
COMPILER = None if "problem" in JOB else SharedCompiler(JOB["projectDir"])

# jsonschema would load this package for a check that nbformat does not make, and it takes five times as long as all others.
sys.modules["rfc3987_syntax"] = None

import nbformat

from headless import expectations
from headless.client import HeadlessClient
from headless.failure import shown
from headless.notebook import read_notebook
from headless.parameters import check_parameters, inject_parameters
from headless.problem import CellFailure, CheckFailure, InputProblem, Interrupted
from headless.progress import Progress
from headless.results import (
    NotebookResult,
    annotation,
    check_annotation,
    first_heading,
    index_page,
    junit,
    with_problem,
)
from headless.stop import Stop


# Time between two looks at whether the process that started this one is alive.
PARENT_S = 1


def load_notebook(path):
    try:
        notebook = read_notebook(path)
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
    taken = check_parameters(notebooks, job["parameters"], job["options"])
    folder = Path(job["notebooks"][0]).parent
    expected = {}
    if job["check"]:
        expected = expectations.load_expected(folder, job["check"] == "update")
        expectations.check_tags(folder, notebooks, expected)
    prepare_folders(job, out, notebooks)
    results = [
        NotebookResult(name, first_heading(notebook, name), os.path.relpath(path, workspace()))
        for path, (name, notebook) in zip(job["notebooks"], notebooks.items())
    ]
    checked = []
    watch = asyncio.ensure_future(end_with(job["parent"]))
    try:
        await run_notebooks(job, out, notebooks, results, taken)
        if job["check"]:
            found = {name: expectations.shown_metrics(name, notebook) for name, notebook in notebooks.items()}
            if job["check"] == "update":
                expected = update_expected(folder, expected, found)
            checked = check_metrics(folder, expected, found)
    finally:
        watch.cancel()
        if "index" not in notebooks:
            write_whole(out / "index.html", index_page(results, taken, checked))
        if job["junit"] is not None:
            write_whole(Path(job["junit"]), junit(results, checked))
    num_failed = sum(not row.passed for row in checked)
    if num_failed > 0:
        why = "; the run had other parameters than the notebooks' own" if taken else ""
        raise CheckFailure(f"check failed: {num_failed} of {len(checked)} metrics are not as expected{why}")


def prepare_folders(job, out, notebooks):
    """Makes the folders of a run's results, without those of an earlier run, which must not pass for this one's."""
    if out.resolve() in [Path(path).resolve().parent for path in job["notebooks"]]:
        fix = "The executed copies would replace them: choose another with --out."
        raise InputProblem("another folder than that of the notebooks for --out", out, fix=fix)
    make_folder(out)
    if job["junit"] is not None:
        make_folder(Path(job["junit"]).parent)
    for name in notebooks:
        for suffix in (".ipynb", ".html"):
            (out / f"{name}{suffix}").unlink(missing_ok=True)
    if (out / "index.html").is_file():
        (out / "index.html").unlink()


async def end_with(parent):
    """Ends this program, in order, once the process that started it is gone: nobody could stop it otherwise."""
    while os.getppid() == parent:
        await asyncio.sleep(PARENT_S)
    with contextlib.suppress(OSError):  # the terminal may be gone, too
        print("\nthe command that started the notebooks is gone", file=sys.stderr, flush=True)
    os.kill(os.getpid(), signal.SIGTERM)


def update_expected(folder, expected, found):
    """Writes the metrics of a run to the file of expectations; returns what it holds."""
    path = folder / expectations.FILE
    result = expectations.updated(expected, found)
    if result:
        write_whole(path, json.dumps(result, indent=2, ensure_ascii=False) + "\n")
        print(f"\nwrote {path}; look at its tolerances", flush=True)
    return result


def check_metrics(folder, expected, found):
    """
    Prints how the metrics of a run compare with the expected ones, and returns the comparisons.

    Raises InputProblem if there is nothing to compare.
    """
    path = folder / expectations.FILE
    rows = expectations.compare(expected, found)
    if not rows:
        raise expectations.nothing_to_check(folder)
    for line in ["", *expectations.table(rows)]:
        print(line, flush=True)
    if os.environ.get("GITHUB_ACTIONS") == "true":
        for row in rows:
            if not row.passed:
                print(check_annotation(row, os.path.relpath(path, workspace()), path.read_text("utf-8")), flush=True)
    return rows


async def run_notebooks(job, out, notebooks, results, taken):
    progress = Progress(sys.stdout, job["verbose"])
    progress.width = max(map(len, notebooks))
    for line in taken:
        progress.write(line)
    started = time.monotonic()
    clients = []
    for path, result, (name, notebook) in zip(job["notebooks"], results, notebooks.items()):
        executed = inject_parameters(notebook, job["parameters"])
        clients.append(HeadlessClient(executed, Path(path).parent, name, progress, job["timeout"]))
        result.cells = clients[-1].results
    COMPILER.compile_ahead([client.codes() for client in clients])
    await run_clients(job, out, clients, results, progress)
    for result in results:
        if result.outcome != "passed":
            found = f"{result.name} {result.outcome}"
            raise InputProblem("each notebook to run to its end", found, fix="Run them again.")
    count = f"{len(notebooks)} notebook{'s' if len(notebooks) > 1 else ''}"
    progress.write(f"{count} in {time.monotonic() - started:.0f} s, no failure: {out / 'index.html'}")


async def run_clients(job, out, clients, results, progress):
    """
    Runs the notebooks, and writes a page of each. A notebook starts once each of those before it has ended or come to its cell
    `starts-next`, and at most `atOnce` run side by side. The first failure, in the notebooks' order, ends those after it.
    """
    stop = Stop(clients, progress)
    slots = asyncio.Semaphore(job["atOnce"])

    async def run_in_turn(number):
        for earlier in clients[:number]:
            await earlier.may_start_next.wait()
        async with slots:
            for following in clients[number + 1 : number + 2]:
                await following.start_ahead()
            if stop.number is not None:
                raise Interrupted(stop.number)
            await run_notebook(clients[number], results[number], Path(job["notebooks"][number]), out)

    page, runs, num_turns = None, [], 0
    with stop.handled():
        try:
            await clients[0].start_ahead()
            await COMPILER.ready()  # otherwise its start would count as time of the first cell
            runs = [asyncio.ensure_future(run_in_turn(number)) for number in range(len(clients))]
            for path, result, client, run in zip(job["notebooks"], results, clients, runs):
                if stop.number is not None and client.running is None:
                    break  # it did not start
                progress.begin_turn(client.name)
                num_turns += 1
                await run
                if page:
                    await page
                # While later notebooks run.
                page = asyncio.ensure_future(asyncio.to_thread(write_page, client, Path(path), out))
                shown = shown_path(out / client.name, job["projectDir"])
                progress.write(f"{client.name:<{progress.width}}  → {shown}.{{ipynb,html}}")
                if isinstance(result.stop, CellFailure):
                    raise result.stop
            if stop.number is not None:
                raise Interrupted(stop.number)
        finally:
            for client, run in zip(clients, runs):
                if client.is_running:
                    client.abandon()
                else:
                    run.cancel()
            await asyncio.gather(*runs, return_exceptions=True)
            for client in clients:
                await client.end()
            for client, result in list(zip(clients, results))[num_turns:]:
                result.forget()
                (out / f"{client.name}.ipynb").unlink(missing_ok=True)
            if page:
                await page


async def run_notebook(client, result, path, out):
    """Runs one notebook and writes its executed copy; what stopped it is kept in the result."""
    try:
        await client.run()
    except InputProblem as problem:
        result.problem = str(problem)
        raise
    except (CellFailure, Interrupted) as reason:
        result.stop = reason
        if client.is_abandoned:
            return
        if result.failure and os.environ.get("GITHUB_ACTIONS") == "true":
            client.progress.write(annotation(result, path.read_text(encoding="utf-8")), client.name)
    write_whole(out / f"{client.name}.ipynb", nbformat.writes(client.nb) + "\n")


def write_page(client, path, out):
    """Writes a notebook that ran as a page."""
    from headless.page import render_page  # takes as long to load as the first cells run

    write_whole(out / f"{client.name}.html", render_page(client.nb, client.name, path.parent))


def workspace():
    """Returns the folder from which GitHub counts the paths of files."""
    return os.environ.get("GITHUB_WORKSPACE") or os.getcwd()


def make_folder(folder):
    """Makes a folder, and checks that files can be written to it, before notebooks run for hours."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise InputProblem("a folder that can be written", error.strerror, where=folder, fix="Choose another with --out.") from error


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


def report_problem(report, message):
    """Adds a problem of the input to the JUnit report."""
    with contextlib.suppress(InputProblem):  # a report that cannot be written may be the problem
        make_folder(report.parent)
        write_whole(report, with_problem(report, message))


def main():
    # What these libraries have to say is said again, in one message, by this program.
    for name in ("traitlets", "papermill"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    job = JOB
    report = Path(job["junit"]) if job["junit"] is not None else None
    with contextlib.suppress(OSError):
        if report and report.is_file():
            report.unlink()  # that of an earlier run must not pass for this one's
    if "problem" in job:
        report_problem(report, job["problem"])
        return 0
    try:
        asyncio.run(run_job(job))
        return 0
    except (CellFailure, CheckFailure) as failure:
        print(f"\n{failure}", file=sys.stderr)
    except InputProblem as problem:
        print(f"ferkit: {shown(str(problem))}", file=sys.stderr)
        if report:
            report_problem(report, str(problem))
    except (Interrupted, KeyboardInterrupt) as stop:
        number = getattr(stop, "number", signal.SIGINT)
        print("\ninterrupted" if number == signal.SIGINT else "\nterminated", file=sys.stderr)
        return 128 + number
    finally:
        COMPILER.close()
    return 1


if __name__ == "__main__":
    sys.exit(main())
