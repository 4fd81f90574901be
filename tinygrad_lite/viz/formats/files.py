"""Saving a graph in the form that the suffix of a file names."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from tinygrad_lite.viz.model import Graph

TEXTS: dict[str, Callable[[Graph], str]] = {
    ".svg": Graph.to_svg, ".html": Graph.to_html, ".htm": Graph.to_html, ".json": Graph.to_json, ".txt": Graph.to_text,
    ".dot": Graph.to_dot, ".gv": Graph.to_dot, ".mmd": Graph.to_mermaid, ".mermaid": Graph.to_mermaid,
}  # fmt: skip
IMAGES: dict[str, Callable[[Graph], bytes]] = {".png": Graph.to_png, ".pdf": Graph.to_pdf}


def save(graph: Graph, path: Path) -> Path:
    """Write ``graph`` to ``path``; a file that was there is replaced at once, or not at all."""
    suffix = path.suffix.lower()
    if suffix in TEXTS:
        data = TEXTS[suffix](graph).encode()
    elif suffix in IMAGES:
        data = IMAGES[suffix](graph)
    else:
        known = ", ".join([*TEXTS, *IMAGES])
        raise ValueError(f"save: '{path.name}' does not end in a known picture format; known: {known}")
    write(path, data)
    return path


def write(path: Path, data: bytes) -> None:
    """Put ``data`` into ``path`` by way of a temporary file beside it."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(temporary, 0o666 & ~mask)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
