"""Writes an executed notebook as one page of HTML that loads and runs nothing, and follows the reader's theme."""

import functools
import re

from jinja2 import DictLoader
from nbconvert.exporters import HTMLExporter
from nbconvert.filters import ansi2html

# nbconvert's page without the scripts that it fetches; images are described by the text beside them in the bundle. Prose, outputs
# and names of classes may hold scripts, forms and addresses: the policy lets a browser run and load none of them.
TEMPLATE = """
{%- extends 'index.html.j2' -%}
{% block html_head_js %}
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; form-action 'none'; base-uri 'none'">
{% endblock %}
{% block jupyter_widgets %}{% endblock %}
{% block html_head_js_mathjax %}{% endblock %}
{% block html_head_js_mermaidjs %}{% endblock %}
{% block notebook_css %}
{{ super() }}
{{ resources.include_css("static/theme-dark.css")
   | replace('<style', '<style media="(prefers-color-scheme: dark)"') }}
{% endblock %}
{% block extra_css %}
<style>
  :root { color-scheme: light dark; }
  main { max-width: 1100px; margin: 0 auto; }
  .jp-RenderedSVG img, .jp-RenderedImage img { max-width: 100%; height: auto; }
</style>
{% endblock %}
{% block data_svg %}
<div class="jp-RenderedSVG jp-OutputArea-output" data-mime-type="image/svg+xml">
<img alt="{{ output.data.get('text/plain', '') | escape_html }}"
 src="data:image/svg+xml;base64,{{ output.data['image/svg+xml'] | text_base64 | escape_html }}">
</div>
{% endblock %}
"""

# Of the forms that an output has, the first that a page can show: charts as SVG, which stays sharp.
PREFERRED = ["text/html", "text/markdown", "image/svg+xml", "image/png", "image/jpeg", "text/plain"]

# What a terminal takes for colours: one or more codes, of which a few have parameters.
COLORS = re.compile("\x1b\\[([\\d;]*)m")
CODE = re.compile(r"[34]8;(?:5;\d+|2;\d+;\d+;\d+)|\d+|^$")
# What a code changes, by its first number.
CHANGED = {
    **dict.fromkeys((1, 5, 21, 22), "weight"),
    **dict.fromkeys((4, 24), "line"),
    **dict.fromkeys((7, 27), "order"),
    **dict.fromkeys((*range(30, 40), *range(90, 98)), "color"),
    **dict.fromkeys((*range(40, 50), *range(100, 108)), "ground"),
}
# Characters that ansi2html gets at once. It copies all that follows at each code: of a long text, billions of characters.
BLOCK = 10_000


def colored(text):
    """Returns ansi2html of a text, which is computed block by block. Each begins with the colours in which the last one ended."""
    page, block, colors = [], "", {}
    for part in [*re.split("(?=\x1b\\[)", COLORS.sub(complete, text)), None]:
        if part is not None and (block == "" or len(block) + len(part) <= BLOCK):
            block += part
            continue
        page.append(ansi2html("".join(colors.values()) + block))
        for codes in COLORS.findall(block):
            change(colors, codes)
        block = part
    return "".join(page)


def complete(found):
    """Returns colours without codes that lack their parameters, at which ansi2html fails."""
    codes = [code for code in CODE.findall(found.group(1)) if code not in ("38", "48")]
    return f"\x1b[{';'.join(codes)}m" if codes else ""


def change(colors, codes):
    """Notes what codes change: `colors` holds the last code of each kind since all were reset."""
    for code in CODE.findall(codes):
        changed = CHANGED.get(int(code.split(";")[0] or 0))
        if changed:
            colors[changed] = f"\x1b[{code}m"
        elif code in ("", "0"):
            colors.clear()


@functools.cache
def exporter():
    """Returns what makes pages. Its templates take as long to read as a page to make."""
    made = HTMLExporter(
        extra_loaders=[DictLoader({"ferkit.html.j2": TEMPLATE})],
        template_file="ferkit.html.j2",
        embed_images=True,
    )
    made.register_filter("ansi2html", colored)
    made.config.NbConvertBase.display_data_priority = PREFERRED
    return made


def render_page(notebook, name, folder):
    """
    HTML text.

    folder -- Where relative images of the prose are found.
    """
    text, _ = exporter().from_notebook_node(notebook, {"metadata": {"name": name, "path": str(folder)}})
    head, body, rest = text.partition("<body")
    return head + body + re.sub("<(?=meta)", "&lt;", rest, flags=re.IGNORECASE)  # one could lead to another page
