"""How the tutorials show graphs: a page takes HTML, a `Graph` offers SVG."""

from __future__ import annotations

from typing import Any

from tinygrad_lite.viz import Graph


def html(graph: Graph) -> str:
    """Return the picture in a box that scrolls where it is wider than the page."""
    return f'<div class="wide">{graph.on_page().to_svg()}</div>'


def prepare(gallery_conf: dict[str, Any], fname: str) -> None:
    """Called before each tutorial, in its process."""
    Graph._repr_html_ = html  # type: ignore[attr-defined]
