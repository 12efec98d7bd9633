"""Writes an executed notebook as one page of HTML that loads and runs nothing, and follows the reader's theme."""

import re

from jinja2 import DictLoader
from nbconvert.exporters import HTMLExporter

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


def render_page(notebook, name, folder):
    """
    HTML text.

    folder -- Where relative images of the prose are found.
    """
    exporter = HTMLExporter(
        extra_loaders=[DictLoader({"ferkit.html.j2": TEMPLATE})],
        template_file="ferkit.html.j2",
        embed_images=True,
    )
    exporter.config.NbConvertBase.display_data_priority = PREFERRED
    text, _ = exporter.from_notebook_node(notebook, {"metadata": {"name": name, "path": str(folder)}})
    head, body, rest = text.partition("<body")
    return head + body + re.sub("<(?=meta)", "&lt;", rest, flags=re.IGNORECASE)  # one could lead to another page
