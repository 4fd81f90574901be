"""Formulas as MathML, which browsers draw by themselves: the pages need no script and no network."""

from __future__ import annotations

from html import escape
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert


def drawn(text: str, display: str) -> str:
    """Return a formula as MathML, its source as title for who wants to copy it."""
    found: str = convert(text, display=display)
    return found.replace("<math ", f'<math title="{escape(text, quote=True)}" ', 1)


def inline(writer: Any, node: Any) -> None:
    writer.body.append(drawn(node.astext(), "inline"))
    raise nodes.SkipNode


def block(writer: Any, node: Any) -> None:
    for part in filter(None, node.astext().strip().split("\n\n")):  # empty lines part formulas
        writer.body.append(f'<div class="formula">{drawn(part.strip(), "block")}</div>')
    raise nodes.SkipNode


def setup(app: Any) -> dict[str, Any]:
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
