"""The pages that are read off the library itself when the documentation is built; none of them is in git."""

from __future__ import annotations

import re
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import tinygrad_lite

OPERATIONS = """# Operations

The {count} public functions, read off the registry when this page was built; each name leads to its arguments.
*Method*: a Tensor has it too. *NumPy*: the functions of NumPy that it answers for. *Order*: the highest derivative
that the gradient checks cover; 0 for functions without a gradient. (tinygrad_lite is not related to tinygrad.)

{tables}
"""
COVERAGE = """# NumPy on tensors

These functions of NumPy accept tensors, and are recorded like any other operation. (tinygrad_lite
is not related to tinygrad.)

```python
>>> import numpy as np, tinygrad_lite as tl
>>> x = tl.tensor([1.0, 2.0], requires_grad=True)
>>> np.sum(np.exp(x)).backward()
>>> x.grad
tensor([2.7183, 7.3891])
```

Every other function of NumPy or SciPy runs on the arrays of tensors that require no gradients, and returns arrays
(`np.save(file, t)`, `np.fft.fft(t)`, `scipy.special.expit(t)`). If one requires gradients, a `TypeError` names the
function, so that no gradient is lost without a word:

```python
>>> try:
...     np.partition(x, 1)
... except TypeError as error:
...     print(error)
numpy.partition is not supported for tensors; use .detach().numpy() where no gradient is needed
```

If you do want an array, say so: `x.detach().numpy()`.

{count} functions are answered; a dash stands for what is answered in this spelling only:

{table}
"""


MATH = re.compile(r":math:`([^`]+)`")


def no_effect() -> str:
    """Return the table of what is accepted and changes nothing, read off the code."""
    from tinygrad_lite.engine.no_effect import NO_EFFECT

    for found in walk_packages(tinygrad_lite.__path__, "tinygrad_lite."):
        if not found.name.endswith("__main__") and ".recipes" not in found.name:
            with suppress(ImportError):  # of an extra that is not installed
                import_module(found.name)

    rows = "".join(f"| `{name}` | {why} |\n" for name, why in sorted(NO_EFFECT.items()))
    return f"| name | why |\n| --- | --- |\n{rows}"


def onnx_ops() -> str:
    """Return the table of what becomes of every op in an ONNX file, read off its rules."""
    import tinygrad_lite.special  # noqa: F401  registers ops
    from tinygrad_lite.engine.op import OPS
    from tinygrad_lite.onnx.rules import how

    found = {name: how(name) for name in sorted(OPS)}
    reasons = dict.fromkeys(why for kind, why in found.values() if kind == "refused")
    one = ", ".join(f"`{n}` ({why})" for n, (kind, why) in found.items() if kind == "exported")
    several = ", ".join(f"`{n}`" for n, (kind, _) in found.items() if kind == "composed")
    rows = "".join(
        f"| {', '.join(f'`{n}`' for n, said in found.items() if said == ('refused', why))} | {why} |\n"
        for why in reasons
    )
    counts = {kind: sum(said[0] == kind for said in found.values()) for kind in ("exported", "composed", "refused")}
    return (
        f"**One operator** ({counts['exported']} ops): {one}.\n\n"
        f"**Several operators** ({counts['composed']}): {several}.\n\n"
        f"**Refused** ({counts['refused']}):\n\n| ops | why |\n| --- | --- |\n{rows}"
    )


def write(here: Path) -> None:
    """Write every generated page below ``here``."""
    save(here / "operations.md", operations())
    save(here / "no_effect.md", no_effect())
    save(here / "onnx_ops.md", onnx_ops())
    save(here / "numpy_coverage.md", coverage())
    import _api
    import _bars
    from _graphs import draw_all

    save(here / "bars.md", _bars.html())
    draw_all(here / "_static" / "graphs")
    _api.draw_shapes(here / "_static" / "graphs")
    _api.write(here, save)


def save(path: Path, text: str) -> None:
    """Write a file unless it says the same already: Sphinx reads again what is newer."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def operations() -> str:
    """Return the page of all functions, one table per kind; what is composed of others comes last."""
    from _catalogue import entries

    found = entries()
    kinds = sorted({e.kind for e in found}, key=lambda kind: (kind == "composition", kind))
    lines = []
    for kind in kinds:
        lines += [f"## {kind.capitalize()}", ""]
        if kind == "composition":
            lines += ["Made of other operations; their derivatives are those of the parts.", ""]
        lines += ["| function | what it does | method | NumPy | order |", "| --- | --- | --- | --- | --- |"]
        for e in (e for e in found if e.kind == kind):
            spelled = ", ".join(f"`{n}`" for n in e.numpy)
            about = MATH.sub(r"$\1$", e.summary).replace("|", "\\|")
            about = about if "`" in about else about.replace("*", "\\*")
            cells = (linked(e.name), about, "yes" if e.method else "", spelled, "" if e.order is None else str(e.order))
            lines.append(f"| {' | '.join(cells)} |")
        lines.append("")
    return OPERATIONS.format(count=len(found), tables="\n".join(lines))


def linked(name: str) -> str:
    """Return a function's name as a link to its description, a dash if it has none."""
    from tinygrad_lite.engine.op import PUBLIC

    if name not in PUBLIC or name.endswith("_"):
        return "–"
    role, place = ("func", "") if is_plain(name) else ("meth", "Tensor.")
    return f"{{py:{role}}}`{name} <tinygrad_lite.{place}{name}>`"


def coverage() -> str:
    """Return the page of the NumPy functions that tensors answer."""
    from _catalogue import numpy_markdown

    head, line, *rows = numpy_markdown().splitlines()
    rows = [re.sub(r"`(\w+)` \|$", lambda m: f"{linked(m[1])} |", row) for row in rows]
    return COVERAGE.format(table="\n".join([head, line, *rows]), count=len(rows))


def is_plain(name: str) -> bool:
    """Whether the module has the function; float, int, ... are dtypes there, as in PyTorch, and only methods."""
    import tinygrad_lite
    from tinygrad_lite.engine.op import PUBLIC

    return getattr(tinygrad_lite, name, None) is PUBLIC[name]
