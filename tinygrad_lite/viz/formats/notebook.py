"""A page inside a notebook cell, isolated from the notebook."""

from __future__ import annotations

from tinygrad_lite.viz.formats.svg import escape


def framed(page: str, height: int = 520) -> str:
    """Return ``page`` in a sandboxed frame that may only run its own script."""
    source = "\n".join(escape(line) for line in page.split("\n"))
    return (
        f'<iframe srcdoc="{source}" sandbox="allow-scripts" '
        f'style="width:100%;height:{height}px;border:1px solid #8884" title="computation graph"></iframe>'
    )
