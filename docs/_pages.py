"""The pages that are read off the library itself when the documentation is built; none of them is in git."""

from __future__ import annotations

import inspect
import re
from importlib import import_module
from pathlib import Path
from types import ModuleType

ROOMS = (
    ("tinygrad_lite", "Tensors, making them, modes"),
    ("tinygrad_lite.nn", "Layers, losses, containers"),
    ("tinygrad_lite.nn.functional", "The functions behind the layers"),
    ("tinygrad_lite.nn.init", "Initial values"),
    ("tinygrad_lite.nn.utils", "Clipping, flattening, reparametrising"),
    ("tinygrad_lite.optim", "Optimisers"),
    ("tinygrad_lite.optim.lr_scheduler", "Learning rate schedules"),
    ("tinygrad_lite.utils.data", "Data sets, samplers, loaders"),
    ("tinygrad_lite.datasets", "Data to learn from"),
    ("tinygrad_lite.vision", "Images: the names of torchvision"),
    ("tinygrad_lite.vision.datasets", "Data sets of images"),
    ("tinygrad_lite.vision.transforms", "Transforms of images"),
    ("tinygrad_lite.vision.transforms.functional", "The functions behind the transforms"),
    ("tinygrad_lite.vision.transforms.v2", "The second version of the transforms"),
    ("tinygrad_lite.vision.utils", "Grids of images"),
    ("tinygrad_lite.vision.io", "Image files"),
    ("tinygrad_lite.models", "Estimators and networks"),
    ("tinygrad_lite.training", "Trainer, callbacks, metrics"),
    ("tinygrad_lite.serialization", "Files"),
    ("tinygrad_lite.testing", "Gradient checks"),
    ("tinygrad_lite.viz", "Pictures of graphs"),
    ("tinygrad_lite.profiler", "Profiles"),
    ("tinygrad_lite.autograd", "Functions of one's own, Jacobians, anomalies"),
    ("tinygrad_lite.func", "Transformations of functions"),
    ("tinygrad_lite.linalg", "Linear algebra"),
    ("tinygrad_lite.special", "Special functions"),
    ("tinygrad_lite.distributions", "Probability distributions"),
    ("tinygrad_lite.distributions.transforms", "Transforms of distributions"),
    ("tinygrad_lite.distributions.constraints", "Constraints on values"),
    ("tinygrad_lite.errors", "What is raised"),
)
OPERATIONS = """# Operations

The {count} public functions, read off the registry when this page was built; each name leads to its arguments.
*Method*: a Tensor has it too. *NumPy*: the functions of NumPy that it answers for. *Order*: the highest derivative
that the gradient checks cover; 0 for what carries no gradient.

{tables}
"""
COVERAGE = """# NumPy on tensors

These functions of NumPy accept tensors, and are recorded like any other operation:

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
    for room in ("amp", "backends", "cuda", "jit", "multiprocessing"):
        import_module(f"tinygrad_lite.{room}")
    from tinygrad_lite.engine.no_effect import NO_EFFECT

    rows = "".join(f"| `{name}` | {why} |\n" for name, why in sorted(NO_EFFECT.items()))
    return f"| name | why |\n| --- | --- |\n{rows}"


def write(here: Path) -> None:
    """Write every generated page below ``here``."""
    SEEN.clear()
    save(here / "operations.md", operations())
    save(here / "no_effect.md", no_effect())
    save(here / "numpy_coverage.md", coverage())
    save(here / "api" / "functions.rst", functions())
    for name, about in ROOMS:
        save(here / "api" / f"{name}.rst", room(name, about))
    from _graphs import draw_all

    draw_all(here / "_static" / "graphs")


def save(path: Path, text: str) -> None:
    """Write a file unless it says the same already: Sphinx reads again what is newer."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def heading(title: str) -> list[str]:
    return [title, "=" * len(title), ""]


def operations() -> str:
    """Return the page of all functions, one table per kind; what is composed of others comes last."""
    from tinygrad_lite._tools.catalogue import entries

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
    from tinygrad_lite._tools.catalogue import numpy_markdown

    head, line, *rows = numpy_markdown().splitlines()
    rows = [re.sub(r"`(\w+)` \|$", lambda m: f"{linked(m[1])} |", row) for row in rows]
    return COVERAGE.format(table="\n".join([head, line, *rows]), count=len(rows))


def is_plain(name: str) -> bool:
    """Whether the module has the function; float, int, ... are dtypes there, as in PyTorch, and only methods."""
    import tinygrad_lite
    from tinygrad_lite.engine.op import PUBLIC

    return getattr(tinygrad_lite, name, None) is PUBLIC[name]


def functions() -> str:
    """Return the page of all operations, with their signatures."""
    from tinygrad_lite._tools.catalogue import entries
    from tinygrad_lite.engine.op import PUBLIC

    lines = [*heading("Operations of tinygrad_lite"), ".. currentmodule:: tinygrad_lite", ""]
    for entry in entries():
        plain = is_plain(entry.name)
        place = "function:: tinygrad_lite." if plain else "method:: tinygrad_lite.Tensor."
        SEEN[id(PUBLIC[entry.name])] = ("func:`tinygrad_lite." if plain else "meth:`tinygrad_lite.Tensor.") + entry.name
        lines += [f".. auto{place}{entry.name}", ""]
    return "\n".join(lines)


SEEN: dict[int, str] = {}
"""Where each object is described: every one is described once."""


def room(name: str, about: str) -> str:
    """Return the page of one module: what it says of itself, then every public name in it."""
    module = import_module(name)
    lines = [
        *heading(name),
        *([] if module.__doc__ else [f"{about}.", ""]),
        f".. automodule:: {name}",
        "   :no-members:",
        "",
    ]
    elsewhere = []
    for public in names(module):
        thing = getattr(module, public)
        if id(thing) in SEEN:
            elsewhere.append(f":{SEEN[id(thing)]}`")
            continue
        kind = "class" if inspect.isclass(thing) else "function"
        SEEN[id(thing)] = f"{'class' if kind == 'class' else 'func'}:`{name}.{public}"
        lines += [f".. auto{kind}:: {name}.{public}", *(members(thing) if kind == "class" else []), ""]
    if elsewhere:
        lines += ["Also here: " + ", ".join(elsewhere) + ".", ""]
    return "\n".join(lines)


def members(cls: type) -> list[str]:
    """Return the option that lists the documented methods a class has of its own; ops of Tensor stand elsewhere."""
    from tinygrad_lite._tools.catalogue import entries

    hidden = {e.name for e in entries()} | {"forward", "extra_repr", "function"}
    own = [n for n, v in vars(cls).items() if n[0] != "_" and n not in hidden and getattr(v, "__doc__", None)]
    own = [n for n in own if callable(getattr(cls, n, None)) or isinstance(vars(cls)[n], property)]
    return [f"   :members: {', '.join(own)}"] if own else []


def names(module: ModuleType) -> list[str]:
    """Return the public names that belong to this library, in alphabetical order."""
    from tinygrad_lite._tools.catalogue import entries

    known = {e.name for e in entries()} if module.__name__ == "tinygrad_lite" else set()
    listed = getattr(module, "__all__", None) or [n for n in vars(module) if n[0] != "_"]
    found = []
    for name in listed:
        thing = getattr(module, name, None)
        ours = str(getattr(thing, "__module__", "") or "").startswith("tinygrad_lite")
        if ours and callable(thing) and name not in known and not isinstance(thing, ModuleType) and thing.__doc__:
            found.append(name)
    return sorted(set(found))
