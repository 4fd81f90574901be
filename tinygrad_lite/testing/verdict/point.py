"""A rule on NumPy arrays, and a point at which it is checked: inputs, options, outputs as one vector."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Vector = NDArray[np.float64]
EPS = float(np.finfo(np.float64).eps)
NUMBERS = ("wrong value", "non-finite gradient")  # kinds of failure with an analytic and a numeric value


class Failure(Exception):
    """A gradient rule is wrong; ``kind`` says in which way, ``data`` holds the numbers."""

    def __init__(self, kind: str, text: str = "", **data: Any) -> None:
        super().__init__(f"{kind}: {text}" if text else kind)
        self.kind, self.text, self.data = kind, text, data


@dataclass(frozen=True)
class Rule:
    """A function and the rule that pulls a gradient back through it, on NumPy arrays.

    ``forward(*arrays, **options)`` returns ``(out, saved)``; ``out`` is an array or a tuple of arrays.
    ``backward(g, saved)`` returns one gradient per array, None for integer arrays; ``g`` is a tuple if ``out`` is.
    """

    forward: Callable[..., tuple[Any, Any]]
    backward: Callable[[Any, Any], Sequence[Any]]
    name: str = "rule"
    wrt: tuple[int, ...] | None = None  # None: every float array
    names: tuple[str, ...] = ()  # names of the arrays in reports


@dataclass
class Profile:
    """Precision and scale of a function at ordinary inputs, for points that do not show them (zeros, saturation)."""

    eps: float = EPS  # precision in which outputs are computed, whatever their dtype
    typical: float = 0.0  # size of an ordinary slope


@dataclass
class Outs:
    """The outputs of one call; ``several`` is true for a tuple, also of one array."""

    arrays: list[Array]
    several: bool = False

    @property
    def finite(self) -> bool:
        """Whether every float output is finite."""
        return all(bool(np.isfinite(a).all()) for a in self.arrays if a.dtype.kind == "f")


@dataclass
class Point:
    """A rule, the arrays and options it is called with, and a random generator for directions."""

    rule: Rule
    given: list[Array]
    kw: dict[str, Any]
    seed: int  # for cotangents and directions
    profile: Profile = field(default_factory=Profile)
    kinks: str = "strict"

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)
        self.fl = [
            i for i, a in enumerate(self.given) if a.dtype.kind == "f" and (self.rule.wrt is None or i in self.rule.wrt)
        ]
        self.x: list[Array] = [np.array(a, np.float64) if a.dtype.kind == "f" else np.array(a) for a in self.given]
        self.unclear = 0
        self.warnings: list[str] = []
        self.refused: Exception | None = None  # what forward raised at values outside its domain

    # ---------------------------------------------------------------- calls
    def call(self, arrays: Sequence[Array]) -> tuple[Outs, Any]:
        """Call forward on these arrays, without copies."""
        try:
            out, saved = self.rule.forward(*arrays, **self.kw)
        except np.linalg.LinAlgError as e:  # a singular matrix, or one that is not positive definite
            self.refused = e
            raise
        if isinstance(out, (tuple, list)):
            return Outs([np.asarray(o) for o in out], True), saved
        return Outs([np.asarray(out)]), saved

    def fresh(self, arrays: Sequence[Array]) -> tuple[Outs, Any]:
        """Call forward on copies."""
        return self.call([np.array(a) for a in arrays])

    def pull(self, g: Outs, saved: Any) -> list[Array | None]:
        """Call backward; g is None for integer outputs."""
        gs = [a if a.dtype.kind == "f" else None for a in g.arrays]
        grads = self.rule.backward(tuple(gs) if g.several else gs[0], saved)
        return [None if t is None else np.asarray(t) for t in grads]

    def out(self, arrays: Sequence[Array]) -> Vector:
        """Return all float outputs as one float64 vector."""
        return flatten(self.fresh(arrays)[0])

    def vjp(self, arrays: Sequence[Array], v: Vector) -> list[Vector]:
        """Return the gradients of ``v . outputs`` for the float inputs, as float64."""
        outs, saved = self.fresh(arrays)
        grads = self.pull(unflatten(v, outs), saved)
        return [np.asarray(grads[i], np.float64) for i in self.fl]

    def moved(self, parts: Sequence[Array]) -> list[Array]:
        """Return the inputs with the float ones replaced."""
        arrays = list(self.x)
        for i, a in zip(self.fl, parts, strict=True):
            arrays[i] = np.asarray(a)
        return arrays

    # ---------------------------------------------------------------- scales
    def scales(self) -> list[Vector]:
        """Return the scale of each element: its magnitude, at least a tenth of the array's median; 1 for all zeros."""
        out = []
        for i in self.fl:
            a = np.abs(self.x[i])
            nz = a[a > 0]
            out.append(np.maximum(a, _median(nz) * 0.1 if nz.size else 1.0))
        return out

    def label(self, i: int) -> str:
        """Return the name of input ``i`` in reports."""
        a = self.given[i]
        shape = ",".join(map(str, a.shape))
        name = f"{self.rule.names[i]}: " if i < len(self.rule.names) else ""
        return f"input {i} ({name}{a.dtype}[{shape}])"


def _median(a: Vector) -> float:
    s = np.sort(a)  # np.median takes five times as long on few numbers
    n = s.size
    return float(s[n // 2] + s[(n - 1) // 2]) / 2


def flatten(outs: Outs) -> Vector:
    """Concatenate the float outputs into one float64 vector."""
    parts = [np.asarray(a, np.float64).ravel() for a in outs.arrays if a.dtype.kind == "f"]
    return parts[0] if len(parts) == 1 else np.concatenate(parts) if parts else np.zeros(0)


def unflatten(v: Vector, like: Outs) -> Outs:
    """Split a vector into the shapes of the outputs; copies, so that rules cannot write into it."""
    arrays, at = [], 0
    for a in like.arrays:
        if a.dtype.kind == "f":
            arrays.append(np.array(v[at : at + a.size]).reshape(a.shape))
            at += a.size
        else:
            arrays.append(a)
    return Outs(arrays, like.several)


def float32_values(arrays: Sequence[Array]) -> bool:
    """Whether all values fit float32, with enough long mantissas to rule out coincidence."""
    values = np.concatenate([np.ravel(a) for a in arrays])
    values = values[np.isfinite(values)]
    mantissa = np.frexp(values)[0] * 2.0**24  # an integer if 24 bits are enough
    unround = mantissa != np.round(mantissa / 2**12) * 2**12
    return int(unround.sum()) >= 3 and bool((mantissa == np.round(mantissa)).all())


def close(a: Array | None, b: Array | None, rtol: float = 1e-9) -> bool:
    """Whether arrays agree up to ``rtol`` of the largest element, with non-finite values in the same places."""
    if a is None or b is None:
        return a is b
    if a.shape != b.shape:
        return False
    fin = np.isfinite(a)
    if not np.array_equal(fin, np.isfinite(b)):
        return False
    a, b = a[fin], b[fin]
    top = max(np.abs(a).max(initial=0), np.abs(b).max(initial=0))
    least = 1e3 * float(np.finfo(a.dtype).tiny) if rtol and a.dtype.kind == "f" else 0.0  # subnormals round coarsely
    return bool((np.abs(a - b) <= rtol * top + least).all())
