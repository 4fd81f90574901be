"""Write a graph in every format: SVG, HTML, text, JSON, DOT, Mermaid, PNG, PDF, networkx.

Importing this room fills the table `FORMATS`: a new format is one file here and one line below.
"""

from tinygrad_lite.viz.formats.dot import to_dot, to_graphviz
from tinygrad_lite.viz.formats.html import to_html
from tinygrad_lite.viz.formats.json import from_json, to_json
from tinygrad_lite.viz.formats.mermaid import to_mermaid
from tinygrad_lite.viz.formats.networkx import to_networkx
from tinygrad_lite.viz.formats.raster import to_pdf, to_png
from tinygrad_lite.viz.formats.svg import to_svg
from tinygrad_lite.viz.formats.text import to_text
from tinygrad_lite.viz.model import FORMATS, Format

FORMATS.update(
    svg=Format(to_svg, (".svg",)),
    html=Format(to_html, (".html", ".htm")),
    json=Format(to_json, (".json",), from_json),
    text=Format(to_text, (".txt",)),
    dot=Format(to_dot, (".dot", ".gv")),
    mermaid=Format(to_mermaid, (".mmd", ".mermaid")),
    png=Format(to_png, (".png",)),
    pdf=Format(to_pdf, (".pdf",)),
    networkx=Format(to_networkx),
    graphviz=Format(to_graphviz),
)
