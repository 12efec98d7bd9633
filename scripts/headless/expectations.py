"""
Metrics of a run, compared with those that are expected.

A metric is a number in a table of one row that a cell tagged `metrics` shows, under the name of its column. `expected.json`, beside the
notebooks, holds what is expected: {notebook: {metric: {"expected": number, "tolerance": number}}}.
"""

import json
import math
from dataclasses import dataclass
from pathlib import Path

from .cells import cell_numbers, is_executed
from .parameters import has_tag
from .problem import InputProblem

FILE = "expected.json"
TAG = "metrics"
# src/show/show.ts adds this form to a table of one row.
ROW = "application/vnd.ferkit.row+json"
# Tolerance of a new metric: none for a count above 1, the first for 0, the second as a share of any other number.
OF_ZERO, SHARE = 0.001, 0.02
# The largest share of its tolerance by which an expectation is rounded.
ROUNDING = 0.01
UPDATE = "Run with --update-expected to write it."


@dataclass
class Comparison:
    notebook: str
    metric: str
    # None if the file does not name the metric.
    expected: float | None
    tolerance: float | None
    # None if no tagged cell shows the metric.
    found: float | None

    @property
    def verdict(self):
        if self.expected is None:
            return "not checked"
        if self.found is None:
            return "not found"
        if abs(self.found - self.expected) <= self.tolerance * (1 + 1e-9):
            return "as expected"
        return f"off by {number(self.found - self.expected, 0.1 * abs(self.found - self.expected))}"

    @property
    def passed(self):
        return self.verdict in ("as expected", "not checked")

    @property
    def shown_expected(self):
        return "nothing" if self.expected is None else f"{number(self.expected, self.tolerance)} ± {number(self.tolerance)}"

    @property
    def shown_found(self):
        return "nothing" if self.found is None else number(self.found, self.tolerance)

    def __str__(self):
        return f"{self.notebook}, {self.metric}: expected {self.shown_expected}, found {self.shown_found}"


def number(value, tolerance=None):
    """Returns a number with four digits, or as many as its tolerance needs, if it has one."""
    if not isinstance(value, float):
        return str(value)
    return f"{value:.4g}" if tolerance is None else shortest(value, tolerance)


def shortest(value, tolerance):
    """Returns the shortest text, from four digits on, that is as good as the value within a tolerance."""
    texts = (f"{value:.{digits}g}" for digits in range(4, 17))
    return next((text for text in texts if abs(float(text) - value) <= ROUNDING * tolerance), repr(value))


def load_expected(folder, may_be_missing):
    """Raises InputProblem if the file is missing, unless it may be, or has another form."""
    path = Path(folder) / FILE
    try:
        expected = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if may_be_missing:
            return {}
        raise InputProblem("a file of metrics to compare with", "no such file", where=path, fix=UPDATE) from None
    except (OSError, ValueError) as error:
        raise InputProblem("a file of metrics to compare with", str(error), where=path, fix=f"Fix the file. {UPDATE}") from None
    names = {notebook.stem for notebook in Path(folder).glob("*.ipynb")}
    for notebook, metrics in expected.items() if isinstance(expected, dict) else [("", None)]:
        if notebook not in names:
            found = f"{notebook or 'another form'}"
            raise InputProblem("metrics by the name of a notebook", found, where=path, fix="Fix the file.")
        for metric, entry in metrics.items() if isinstance(metrics, dict) else [("metrics", metrics)]:
            if not is_entry(entry):
                expectation = f'{{"expected": number, "tolerance": number ≥ 0}} for {metric} of {notebook}'
                raise InputProblem(expectation, json.dumps(entry), where=path, fix="Fix the file.")
    return expected


def is_entry(entry):
    return (
        isinstance(entry, dict)
        and set(entry) == {"expected", "tolerance"}
        and all(is_number(value) for value in entry.values())
        and entry["tolerance"] >= 0
    )


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def shown_metrics(name, notebook):
    """
    Returns the metrics that the tagged cells of an executed notebook show: name to number.

    Raises InputProblem for two of the same name, for one that is not finite, and for a tagged cell that shows none.
    """
    metrics = {}
    for index, number in cell_numbers(notebook).items():
        cell = notebook.cells[index]
        if not has_tag(cell, TAG):
            continue
        before = len(metrics)
        for output in cell.outputs:
            for metric, value in output.get("data", {}).get(ROW, {}).items():
                if value is None:  # JSON has no other way to write them
                    where = f"{name}.ipynb, cell {number}"
                    fix = f"Fix the cell, or remove {metric} from its row."
                    raise InputProblem(f"a finite number for metric {metric}", "NaN, Infinity or null", where=where, fix=fix)
                if not is_number(value):
                    continue
                if metric in metrics:
                    fix = f"Rename one of them, or remove the tag `{TAG}` of a cell."
                    raise InputProblem(f"one metric {metric}", "two", where=f"{name}.ipynb", fix=fix)
                metrics[metric] = value
        if len(metrics) == before:
            where = f"{name}.ipynb, cell {number}"
            fix = f"Add a last line such as ({{ accuracy }});, or remove the tag `{TAG}`."
            raise InputProblem(f"one row of numbers from a cell tagged `{TAG}`", "none", where=where, fix=fix)
    return metrics


def check_tags(folder, notebooks, expected):
    """
    Looks before a run for tags on cells that show nothing, and for metrics to check.

    Raises InputProblem if a tagged cell is text or empty, or if no cell is tagged and no metric expected.

    notebooks -- name to notebook.
    """
    tagged = [(name, cell) for name, notebook in notebooks.items() for cell in notebook.cells if has_tag(cell, TAG)]
    for name, cell in tagged:
        if not is_executed(cell):
            found = "an empty cell" if cell.cell_type == "code" else f"a cell of {'text' if cell.cell_type == 'markdown' else cell.cell_type}"
            fix = f"Remove the tag `{TAG}` of this cell, or add it to the cell whose last value is a row of numbers."
            raise InputProblem(f"the tag `{TAG}` on a cell that shows a row of numbers", found, where=f"{name}.ipynb", fix=fix)
    if not tagged and not any(expected.get(name) for name in notebooks):
        raise nothing_to_check(folder)


def nothing_to_check(folder):
    fix = f"Add the tag `{TAG}` to a cell whose last value is a row of numbers."
    return InputProblem("metrics to check", "none", where=folder, fix=fix)


def compare(expected, found):
    """
    Returns a Comparison for each metric that is expected or found.

    expected -- {notebook: {metric: {"expected", "tolerance"}}}, of which only the notebooks that were run count.
    found -- {notebook: {metric: number}} of the notebooks that were run.
    """
    rows = []
    for notebook, metrics in found.items():
        entries = expected.get(notebook, {})
        for metric in [*entries, *(name for name in metrics if name not in entries)]:
            entry = entries.get(metric, {})
            rows.append(
                Comparison(notebook, metric, entry.get("expected"), entry.get("tolerance"), metrics.get(metric))
            )
    return rows


def updated(expected, found):
    """Returns the expectations with the found values; a metric that was there keeps its tolerance."""
    result = dict(expected)
    for notebook, metrics in found.items():
        entries = expected.get(notebook, {})
        result[notebook] = {
            metric: expectation(value, entries[metric]["tolerance"] if metric in entries else new_tolerance(value))
            for metric, value in metrics.items()
        }
        if not result[notebook]:
            del result[notebook]
    return dict(sorted(result.items()))


def expectation(value, tolerance):
    return {"expected": value if isinstance(value, int) else float(shortest(value, tolerance)), "tolerance": tolerance}


def new_tolerance(value):
    if value == 0:
        return OF_ZERO
    # JavaScript writes a share of 1.0 like a count of 1.
    is_count = isinstance(value, int) and abs(value) > 1
    return 0 if is_count else float(f"{abs(value) * SHARE:.1g}")


def table(rows):
    """Returns the comparisons as aligned lines."""
    cells = [("notebook", "metric", "expected", "found", "")] + [
        (row.notebook, row.metric, row.shown_expected, row.shown_found, row.verdict) for row in rows
    ]
    widths = [max(map(len, column)) for column in zip(*cells)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in cells]
