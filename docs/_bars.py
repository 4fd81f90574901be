"""The bars of speed on the front page and in the README, read off the table of small steps in ``performance.md``.

``python docs/_bars.py`` writes those of the README anew.
"""

from __future__ import annotations

import re
from pathlib import Path

HERE = Path(__file__).parent
ROW = "xor:"
NAMES = {"JAX jit": "JAX, compiled", "NumPy by hand": "NumPy, written by hand"}
README = ("JAX, compiled", "tinygrad_lite", "PyTorch", "MyGrad", "autograd")
BLOCKS = " ▏▎▍▌▋▊▉█"
PLACE = re.compile(r"(?<=```text\n)  JAX, compiled.*?(?=  ```)", re.DOTALL)


def measured() -> dict[str, int]:
    """Return microseconds of one training step by library, fastest first; one thread."""
    lines = (HERE / "performance.md").read_text(encoding="utf-8").splitlines()
    row = next(i for i, line in enumerate(lines) if line.startswith(f"| {ROW}"))
    head = next(line for line in reversed(lines[:row]) if line.startswith("| one step"))
    cells = zip(*([c.strip() for c in line.strip("|").split("|")] for line in (head, lines[row])), strict=True)
    found = {NAMES.get(name, name): re.match(r"[\d,.]+", cell) for name, cell in list(cells)[3:]}
    times = {name: round(float(cell[0].replace(",", ""))) for name, cell in found.items() if cell}
    return dict(sorted(times.items(), key=lambda item: item[1]))


def html() -> str:
    """Return the bars of the front page."""
    times = measured()
    lines = ["```{raw} html", '<div class="bars">']
    for name, time in times.items():
        ours = " class=ours" * (name == "tinygrad_lite")
        width = round(100 * time / max(times.values()))
        lines.append(f'<span>{name}</span><div><b{ours} style="width:{width}%"></b>{time}</div>')
    return "\n".join([*lines, "</div>", "```", ""])


def text() -> str:
    """Return the bars of the README, a block for ten microseconds."""
    times = measured()
    lines = []
    for name in sorted(README, key=lambda name: times[name]):
        eighths = round(times[name] * 0.8)
        bar = "█" * (eighths // 8) + BLOCKS[eighths % 8].strip()
        lines.append(f"  {name:<15}{times[name]:>5} us  {bar}\n")
    return "".join(lines)


if __name__ == "__main__":
    readme = HERE.parent / "README.md"
    readme.write_text(PLACE.sub(lambda _: text(), readme.read_text(encoding="utf-8")), encoding="utf-8")
