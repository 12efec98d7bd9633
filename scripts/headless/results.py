"""What a run did, for machines and reviewers: JUnit XML, GitHub annotations, an index page."""

import html
import json
import re
from dataclasses import dataclass, field
from urllib.parse import quote
from xml.etree import ElementTree

from .problem import CellFailure


@dataclass
class Cell:
    number: int
    title: str
    seconds: float = 0.0
    # "passed", "failed", "interrupted" or "not run"
    outcome: str = "not run"
    # The CellFailure of one that failed.
    failure: object = None


@dataclass
class NotebookResult:
    name: str
    # The notebook's first heading.
    title: str
    path: str
    cells: list = field(default_factory=list)
    # The CellFailure or Interrupted that stopped it, if any.
    stop: object = None
    # What kept it from running, such as a kernel that did not start.
    problem: str = ""

    def forget(self):
        """Counts a notebook as one that did not run: it ran beside an earlier one, which failed."""
        self.stop, self.problem = None, ""
        for cell in self.cells:
            cell.seconds, cell.outcome, cell.failure = 0.0, "not run", None

    @property
    def failure(self):
        return self.stop if isinstance(self.stop, CellFailure) else None

    @property
    def seconds(self):
        return sum(cell.seconds for cell in self.cells)

    @property
    def outcome(self):
        if self.problem:
            return "failed"
        outcomes = {cell.outcome for cell in self.cells}
        for outcome in ("failed", "interrupted", "not run"):
            if outcome in outcomes:
                return outcome
        return "passed"


def first_heading(notebook, name):
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and (found := re.search(r"^# +(.+?) *$", cell.source, re.MULTILINE)):
            return found.group(1)
    return name


# Characters that XML 1.0 has no way to write.
UNWRITABLE = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(results, checked):
    """
    Returns JUnit XML: a suite for each notebook with a case for each cell, and one with a case for each checked metric.

    checked -- the Comparisons of the run's metrics, if they were compared.
    """
    root = ElementTree.Element("testsuites", name="ferkit notebooks")
    for result in results:
        count = lambda outcome: str(sum(cell.outcome == outcome for cell in result.cells))
        suite = ElementTree.SubElement(
            root,
            "testsuite",
            name=result.name,
            tests=str(len(result.cells)),
            failures=count("failed"),
            errors="0",
            skipped=str(int(count("not run")) + int(count("interrupted"))),
            time=f"{result.seconds:.3f}",
        )
        for cell in result.cells:
            name = UNWRITABLE.sub("", f"cell {cell.number}: {cell.title}")
            attributes = {"classname": result.name, "name": name, "file": result.path, "time": f"{cell.seconds:.3f}"}
            case = ElementTree.SubElement(suite, "testcase", attributes)
            if cell.outcome == "failed" and cell.failure:
                message = UNWRITABLE.sub("", cell.failure.summary)
                failure = ElementTree.SubElement(case, "failure", message=message, type=message.split(":")[0])
                failure.text = UNWRITABLE.sub("", str(cell.failure))
            elif cell.outcome != "passed":
                ElementTree.SubElement(case, "skipped", message=cell.outcome)
    if checked:
        failed = [row for row in checked if not row.passed]
        counts = {"tests": str(len(checked)), "failures": str(len(failed)), "errors": "0", "skipped": "0", "time": "0"}
        suite = ElementTree.SubElement(root, "testsuite", {"name": "metrics", **counts})
        for row in checked:
            name = UNWRITABLE.sub("", row.metric)
            case = ElementTree.SubElement(suite, "testcase", classname=row.notebook, name=name, time="0")
            if row in failed:
                ElementTree.SubElement(case, "failure", message=UNWRITABLE.sub("", str(row)), type="Metric")
    return written(root)


def with_problem(report, message):
    """Returns a JUnit report, which may be missing, with one more case: what stopped the run beside its cells."""
    root = ElementTree.parse(report).getroot() if report.is_file() else ElementTree.Element("testsuites", name="ferkit notebooks")
    counts = {"tests": "1", "failures": "0", "errors": "1", "skipped": "0", "time": "0"}
    suite = ElementTree.SubElement(root, "testsuite", {"name": "run", **counts})
    case = ElementTree.SubElement(suite, "testcase", classname="run", name="input", time="0")
    ElementTree.SubElement(case, "error", message=UNWRITABLE.sub("", message), type="InputProblem")
    return written(root)


def written(root):
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def annotation(result, text):
    """Returns GitHub's command that marks a failure at the line of the notebook file, whose text is given."""
    failure = result.failure
    quoted = json.dumps(failure.source_line, ensure_ascii=False)[1:-1]
    title = f"{result.name}, cell {failure.number}"
    return error_command(result.path, line_of(quoted, text), title, failure.summary)


def check_annotation(row, path, text):
    """Returns GitHub's command that marks a metric that is not as expected, in the file of expectations, whose text is given."""
    line = line_of(json.dumps(row.metric, ensure_ascii=False) + ":", text.partition(json.dumps(row.notebook) + ":")[2])
    above = text.partition(json.dumps(row.notebook) + ":")[0].count("\n")
    return error_command(path, line and line + above, row.notebook, str(row))


def line_of(quoted, text):
    """Returns the number, from 1, of the first line that holds a text; None if there is none."""
    return next((number for number, line in enumerate(text.splitlines(), 1) if quoted and quoted in line), None)


def error_command(path, line, title, message):
    escaped = lambda value: value.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    in_property = lambda value: escaped(value).replace(":", "%3A").replace(",", "%2C")
    place = f"file={in_property(path)}" + (f",line={line}" if line else "")
    return f"::error {place},title={in_property(title)}::{escaped(message)}"


PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Notebooks: {outcome}</title>
<style>
  :root {{ color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }}
  body {{ max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }}
  table {{ border-collapse: collapse; width: 100%; }}
  th, td {{ text-align: left; padding: 0.4rem 0.8rem 0.4rem 0; border-bottom: 1px solid #8884; vertical-align: top; }}
  .number {{ text-align: right; font-variant-numeric: tabular-nums; }}
  .failed {{ color: light-dark(#b00020, #ff8a80); font-weight: 600; }}
  pre {{ white-space: pre-wrap; overflow-wrap: anywhere; padding: 1rem; border: 1px solid #8884; }}
</style>
<h1>Notebooks: {outcome}</h1>
{parameters}
<table>
<tr><th>notebook</th><th>outcome</th><th class="number">cells</th><th class="number">time</th><th>files</th></tr>
{rows}
</table>
{checks}
{failures}
</html>
"""


def index_page(results, parameters, checked):
    """
    Returns a page that lists the notebooks of a run, with links to their pages.

    parameters -- lines that say which notebook took which value.
    checked -- the Comparisons of the run's metrics, if they were compared.
    """
    escape = html.escape
    rows = []
    for result in results:
        run = [cell for cell in result.cells if cell.outcome != "not run"]
        name = quote(result.name, safe="")  # no name is taken for an address
        has_page = bool(run) or not result.cells
        files = f'<a href="{name}.html">page</a> · <a href="{name}.ipynb">notebook</a>' if has_page else ""
        title = f'<a href="{name}.html">{escape(result.title)}</a>' if has_page else escape(result.title)
        rows.append(
            f'<tr><td>{title}</td><td class="{result.outcome.replace(" ", "-")}">{result.outcome}</td>'
            f'<td class="number">{len(run)} of {len(result.cells)}</td>'
            f'<td class="number">{result.seconds:.1f} s</td><td>{files}</td></tr>'
        )
    reasons = [result.problem or str(result.failure or "") for result in results]
    failures = [f"<pre>{escape(reason)}</pre>" for reason in reasons if reason]
    checks = ""
    if checked:
        lines = [
            f"<tr><td>{escape(row.notebook)}</td><td>{escape(row.metric)}</td>"
            f'<td class="number">{row.shown_expected}</td><td class="number">{row.shown_found}</td>'
            f'<td class="{"passed" if row.passed else "failed"}">{escape(row.verdict)}</td></tr>'
            for row in checked
        ]
        heading = "<tr><th>notebook</th><th>metric</th><th>expected</th><th>found</th><th></th></tr>"
        checks = f"<h2>Metrics</h2><table>{heading}{''.join(lines)}</table>"
    outcome = next((result.outcome for result in results if result.outcome != "passed"), "passed")
    if any(not row.passed for row in checked):
        outcome = "failed"
    listed = f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in parameters)}</ul>" if parameters else ""
    return PAGE.format(outcome=outcome, parameters=listed, rows="\n".join(rows), checks=checks, failures="\n".join(failures))
