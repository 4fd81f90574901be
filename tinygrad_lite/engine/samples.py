"""Descriptions of valid calls of an op: plain data beside its declaration.

Only the standard library is imported here, and no input is drawn, so that these records cost the engine nothing.
``tinygrad_lite.testing`` turns them into searched inputs and into Hypothesis strategies.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any

from tinygrad_lite.engine.arguments import named_constructor

Shape = tuple[int, ...]
Choices = Sequence[Any] | Callable[..., Sequence[Any]]
Domain = tuple[float, float] | type[bool] | str


def named(shape: str) -> None:
    """Raise unless the axes of ``shape`` are names, numbers or ``...``, separated by spaces."""
    if not all(axis == "..." or axis.isalnum() or axis.isidentifier() for axis in shape.lstrip("~").split()):
        raise ValueError(f"the axes of an array are names or numbers with spaces between ('n k'), got {shape!r}")


@named_constructor
@dataclass(frozen=True)
class Arr:
    """One array argument: its axes by name and the open or closed range its values come from.

    Shapes: ``"n k"`` has two axes, the same name means the same size everywhere, a number is that size, ``"... n"``
    has any batch axes in front, ``""`` is 0-d. A leading ``~`` makes the array broadcastable against the others that
    use the same names (axes become 1 or leading axes fall away).

    >>> Arr("~... n", lo=0.0).axes
    ('...', 'n')
    """

    shape: str = "..."
    lo: float = -inf
    hi: float = inf
    dtype: str = "float"  # "float", "float32", ... or "bool"
    min: int = 0  # smallest size of each of its axes
    optional: bool = False  # may be absent (None)

    def __post_init__(self) -> None:
        named(self.shape)

    @property
    def axes(self) -> tuple[str, ...]:
        """Names of the axes, first to last."""
        return tuple(self.shape.lstrip("~").split())

    @property
    def broadcasts(self) -> bool:
        """Whether the shape may be a broadcastable part of the named one."""
        return self.shape.startswith("~")


@named_constructor
@dataclass(frozen=True)
class Ints:
    """One integer argument: indices from 0 up to ``below``, a number or the name of an axis; gets no gradient.

    >>> Ints("b", below="n").axes
    ('b',)
    """

    shape: str = "..."
    below: str | int = 2
    negative: bool = False  # also indices counted from the end
    optional: bool = False

    def __post_init__(self) -> None:
        named(self.shape)

    @property
    def axes(self) -> tuple[str, ...]:
        """Names of the axes, first to last."""
        return tuple(self.shape.lstrip("~").split())

    @property
    def broadcasts(self) -> bool:
        """Whether the shape may be a broadcastable part of the named one."""
        return self.shape.startswith("~")


@named_constructor
@dataclass(frozen=True, eq=False)
class Samples:
    """The calls an op accepts, in one line beside the op.

    ``signature`` is written as NumPy writes it for gufuncs: ``"()->()"`` any shape, ``"(),()->()"`` any shapes that
    broadcast together, ``"(n,k),(k,m)->(n,m)"`` shared sizes, ``"(...,n)->(...)"`` batch axes, ``"(o)?"`` an argument
    that may be None. What stands behind ``->`` is for readers.

    ``lo`` and ``hi`` bound every argument, ``domain`` single ones by name or position: a pair ``(lo, hi)``, ``bool``,
    or the name of an axis (indices into it). ``sizes`` bounds axes by name, ``min`` all of them. ``options`` gives the
    choices of each keyword, the usual one first; choices that depend on the shapes are a function of them
    (``options={"dim": dims}``), and so may be a single choice.

    ``args`` replaces the signature by explicit specs, ``draw(src) -> (arrays, options)`` replaces everything.
    ``call(op, *arrays, **options)`` says how to call an op whose arguments are not just arrays
    (``call=lambda op, *arrays, **kw: op(arrays, **kw)``).

    >>> Samples("(n,k),(k,m)->(n,m)", domain={"b": (0, 1)}).specs(("a", "b"))[1]
    Arr(shape='k m', lo=0, hi=1, dtype='float', min=0, optional=False)
    """

    signature: str = ""
    args: Sequence[Arr | Ints] | None = None
    lo: float = -inf
    hi: float = inf
    domain: Mapping[str | int, Domain] = field(default_factory=dict)
    options: Mapping[str, Choices] = field(default_factory=dict)
    sizes: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    min: int = 0  # smallest size of every axis
    draw: Callable[[Any], tuple[Sequence[Any], dict[str, Any]]] | None = None
    call: Callable[..., Any] | None = None
    order: int = 2  # highest derivative that is checked
    kinks: str = "strict"  # "strict", "report" or "skip"

    def specs(self, names: Sequence[str] = ()) -> tuple[Arr | Ints, ...]:
        """One spec per array argument; ``names`` are the op's parameter names, for ``domain``."""
        if self.args is not None:
            return tuple(self.args)
        groups = parse(self.signature)
        unknown = [k for k in self.domain if k not in names and not (isinstance(k, int) and 0 <= k < len(groups))]
        if unknown and names:
            raise ValueError(f"samples: domain names {unknown}, the arguments are {list(names)}")
        several = sum(axes == () for axes, _ in groups) > 1
        out: list[Arr | Ints] = []
        for i, (axes, optional) in enumerate(groups):
            shape = " ".join(axes) if axes else "~..." if several else "..."
            domain = self.domain.get(i, self.domain.get(names[i]) if i < len(names) else None)
            if isinstance(domain, str):
                out.append(Ints(shape, below=domain, optional=optional))
            elif domain is bool:
                out.append(Arr(shape, dtype="bool", min=self.min, optional=optional))
            else:
                lo, hi = domain if isinstance(domain, tuple) else (self.lo, self.hi)
                out.append(Arr(shape, lo=lo, hi=hi, min=self.min, optional=optional))
        return tuple(out)


def parse(signature: str) -> list[tuple[tuple[str, ...], bool]]:
    """Axes and optionality of each argument on the left of ``->``.

    >>> parse("(...,n),(n)?->(...)")
    [(('...', 'n'), False), (('n',), True)]
    """
    left = re.sub(r"\s*,\s*", ",", signature.split("->")[0].strip())
    if not re.fullmatch(r"(\([\w.,]*\)\??)(,\([\w.,]*\)\??)*", left):
        raise ValueError(f'samples: signature must look like "(n,k),(k,m)->(n,m)", got {signature!r}')
    return [(tuple(a for a in m[1].split(",") if a), bool(m[2])) for m in re.finditer(r"\(([\w.,]*)\)(\??)", left)]


def dims(*shapes: Shape) -> tuple[int, ...]:
    """Every valid ``dim`` of the first array, counted from either end, the last axis first.

    >>> dims((2, 3))
    (-1, 0, 1, -2)
    """
    n = len(shapes[0])
    return (-1, *range(n), *range(-2, -n - 1, -1)) if n else (-1, 0)
