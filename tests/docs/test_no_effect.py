"""The table of what changes nothing has every such name of the code, whatever was imported before."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
WRITTEN = re.compile(r'(?:NO_EFFECT\[|ignored\(\s*)"([\w.]+)"')


def test_the_table_is_complete() -> None:
    program = "import sys; sys.path.insert(0, 'docs'); import _pages; print(_pages.no_effect())"
    table = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    sources = [p for top in ("tinygrad_lite", "nn") for p in (ROOT / top).rglob("*.py")]
    names = {name for path in sources for name in WRITTEN.findall(path.read_text("utf-8"))}
    assert len(names) > 40 and [name for name in sorted(names) if f"| `{name}` |" not in table] == []
