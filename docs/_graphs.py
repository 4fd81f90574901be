"""The pictures on the page "Seeing graphs", made by the library while the documentation is built."""

from __future__ import annotations

from pathlib import Path


def draw_all(out: Path) -> None:
    """Write every picture into ``out``."""
    out.mkdir(parents=True, exist_ok=True)
