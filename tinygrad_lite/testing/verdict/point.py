"""A rule on NumPy arrays, and a point at which it is checked: inputs, options, outputs as one vector."""

from __future__ import annotations

import inspect
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Vector = NDArray[np.float64]
EPS = float(np.finfo(np.float64).eps)
NUMBERS = ("wrong value", "non-finite gradient")  # kinds of failure with an analytic and a numeric value


class OutOfTime(Exception):
    """Raised by a call of the function when the time for an explanation is used up."""


class NoOutput(TypeError):
    """The function returned nothing that could be differentiated; the message says what."""


class Clock(threading.local):
    """The time after which explanations stop calling the function, in each thread; None while a verdict is computed."""

    deadline: float | None = None
    expired = False

    def start(self, seconds: float | None) -> None:
        """Allow ``seconds`` from now on; None removes the limit."""
        self.deadline = None if seconds is None else time.monotonic() + seconds
        self.expired = False

    def check(self) -> None:
        """Raise `OutOfTime` if the time is used up."""
        if self.deadline is not None and time.monotonic() > self.deadline:
            self.expired = True
            raise OutOfTime


CLOCK = Clock()


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
    strict: bool = False  # a function of Tensors, whose engine promises one gradient per input, of its dtype
    lenient: bool = False  # a layer from an assignment: habits of its author are notes, only numbers are judged


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
        self.flaws: list[Failure] = []  # broken rules of the contract that do not prevent other tests
        self.fragile = False  # backward changes what forward saved: every call needs a fresh forward
        self.outputs = self.compared = 0  # elements of the float outputs, and those that are finite
        self.nondet = 0.0  # largest difference between two calls that is allowed
        self.allowed = (0.0, 0.0)  # relative and absolute error that a user allows

    # ---------------------------------------------------------------- calls
    def call(self, arrays: Sequence[Array]) -> tuple[Outs, Any]:
        """Call forward on these arrays, without copies."""
        CLOCK.check()
        try:
            result = self.rule.forward(*arrays, **self.kw)
        except np.linalg.LinAlgError as e:  # a singular matrix, or one that is not positive definite
            self.refused = e
            raise
        if not isinstance(result, tuple) or len(result) != 2:
            got = f"a tuple of {len(result)}" if isinstance(result, tuple) else f"a {type(result).__name__}"
            raise TypeError(f"forward must return (out, saved), got {got}; check_layer accepts other forms")
        out, saved = result
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
        return [None if t is None else np.asarray(t) for t in self._arranged(grads)]

    def again(self, saved: Any) -> Any:
        """Return saved values for another call of backward: fresh ones if the rule changes them."""
        return self.fresh(self.given)[1] if self.fragile else saved

    def blame(self, failure: Failure) -> None:
        """Record a failure that is reported unless a test of the numbers fails."""
        failure.data["soft"] = True
        if failure.kind not in [f.kind for f in self.flaws]:
            self.flaws.append(failure)

    def _arranged(self, grads: Any) -> Sequence[Any]:
        """Return one gradient per input from what a hand-written rule returns: an array, a dict, floats only."""
        if self.rule.strict:
            return grads  # type: ignore[no-any-return]
        if isinstance(grads, dict):
            grads = self._by_name(grads)
        elif isinstance(grads, (np.ndarray, np.generic, float)) and len(self.fl) == 1:
            grads = (grads,)
        elif grads is None:
            grads = (None,) * len(self.given)
        found = list(grads)  # pyright: ignore[reportArgumentType]
        if len(found) == len(self.fl) != len(self.given):
            given = iter(found)
            return [next(given) if i in self.fl else None for i in range(len(self.given))]
        return found

    def _by_name(self, grads: dict[Any, Any]) -> list[Any]:
        names: Sequence[str] = self.rule.names
        if not names:
            names = list(inspect.signature(self.rule.forward).parameters)
        known = {bare(str(k)): t for k, t in grads.items()}
        if not any(n.lower() in known for n in names):
            return list(grads.values())
        return [known.get(n.lower()) for n in names[: len(self.given)]]

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


def bare(key: str) -> str:
    """Return the name of the input that a key such as dW, d_w or grad_w belongs to."""
    key = key.lower()
    for start in ("grad_", "d_", "grad", "d"):
        if key.startswith(start) and len(key) > len(start):
            return key.removeprefix(start)
    return key


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
