"""A whole page inside a notebook cell, shut off from the notebook around it."""

from __future__ import annotations

from tinygrad_lite.viz.formats.svg import escape


def framed(page: str, height: int = 520) -> str:
    """Return ``page`` in a frame that may run its own script and nothing else."""
    source = "\n".join(escape(line) for line in page.split("\n"))
    return (
        f'<iframe srcdoc="{source}" sandbox="allow-scripts" '
        f'style="width:100%;height:{height}px;border:1px solid #8884" title="computation graph"></iframe>'
    )
