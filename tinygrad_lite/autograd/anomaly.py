"""Anomaly detection: find the first value or gradient that is not finite, and report where it arose."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from tinygrad_lite.engine.arguments import named_constructor
from tinygrad_lite.engine.arrays import hush, unhush
from tinygrad_lite.engine.backward import pull
from tinygrad_lite.engine.mode import MODE, Observer, enter, leave, restore, switch
from tinygrad_lite.engine.node import Node
from tinygrad_lite.engine.source import line_of, user_frame
from tinygrad_lite.engine.tensor import Tensor
from tinygrad_lite.errors import GradientError


class Finder(Observer):
    """Raise at the first op or gradient rule whose result is not finite although all its operands are."""

    def __init__(self, check_nan: bool = True) -> None:
        self.check_nan = check_nan
        self.stack: list[str] = []
        self.names: dict[int, str] = {}
        self.paths: WeakKeyDictionary[Node, str] = WeakKeyDictionary()

    # -------------------------------------------------------------------------------- observing modules
    def enter(self, module: Any, args: Any) -> None:
        """Remember the module that is about to run."""
        if not self.stack:
            self.names = {id(m): name for name, m in module.named_modules()}
        name = self.names.get(id(module), "")
        self.stack.append(f"{name} ({type(module).__name__})" if name else type(module).__name__)

    def leave(self, module: Any, output: Any) -> None:
        """Forget the module that has returned."""
        self.stack.pop()

    # -------------------------------------------------------------------------------- observing ops and gradients
    def after(self, op: Any, args: Any, out: Any, frame: Any) -> None:
        """Check the result of an op."""
        outs = out if isinstance(out, tuple) else (out,)
        for t in outs:
            if isinstance(t, Tensor) and t.node is not None and self.stack:
                node = t.node.inputs[0] if t.node.op.is_pick else t.node
                self.paths[node] = self.stack[-1]
        if not self.check_nan or inside_backward(frame):
            return
        for i, t in enumerate(outs):
            bad = worst(getattr(t, "raw", t))
            if bad is None or bad[0] in trouble(args):
                continue
            kind, index, value = bad
            pairs = zip(op.params, args, strict=False)
            given = ", ".join([said(name, a, t, index) for name, a in pairs if a is not None])
            which = f" (output {i})" if len(outs) > 1 else ""
            user = user_frame(frame)
            raise self.error(
                f"{op.name}: the result{which} is {value} at {index} of {shape_of(t)}, where it was given {given}",
                self.stack[-1] if self.stack else "", line_of((user.f_code, user.f_lasti)),
            )  # fmt: skip

    def pulled(self, node: Any, position: int, g: Any, gp: Any) -> None:
        """Check the gradient that a rule returned."""
        if not self.check_nan:
            return
        bad = worst(getattr(gp, "raw", gp))
        if bad is None or bad[0] in trouble(g if isinstance(g, tuple) else (g,)):
            return
        kind, index, value = bad
        names = getattr(node.op, "params", ())
        arrays = getattr(node.op, "arrays", names)
        name = arrays[position] if position < len(arrays) else f"input {position}"
        saved = [
            said(word, v, gp, index)
            for word, v in zip(node.op.saved_names, node.saved or (), strict=False)
            if isinstance(v, np.ndarray) and v.shape == shape_of(gp)
        ]
        given = said("g", g, gp, index) if not isinstance(g, tuple) else ""
        raise self.error(
            f"backward of {node.op.name}: the gradient of '{name}' is {value} at {index} of {shape_of(gp)}"
            + (f", where {', '.join(p for p in (given, *saved) if p)}" if given or saved else ""),
            self.paths.get(node, ""), node.line,
        )  # fmt: skip

    @staticmethod
    def error(what: str, module: str, line: str) -> GradientError:
        """Return the error with the module and the line of the program."""
        return GradientError(what + (f"\n  in module  {module}" if module else "") + f"\n  called at  {line}")


def inside_backward(frame: Any) -> bool:
    """Return whether ``frame`` runs inside a recorded backward pass, whose rules are checked in `Finder.pulled`."""
    while frame is not None:
        if frame.f_code is pull.__code__:
            return True
        frame = frame.f_back
    return False


def shape_of(t: Any) -> tuple[int, ...]:
    """Return the shape of a tensor or array."""
    return tuple(np.shape(getattr(t, "raw", t)))


def worst(array: Any) -> tuple[str, tuple[int, ...], float] | None:
    """Return ("nan" or "inf", index, value) of the first element that is not finite, NaN before infinity."""
    if not isinstance(array, np.ndarray) or array.dtype.kind != "f" or np.isfinite(array).all():
        return None
    for kind, wrong in (("nan", np.isnan(array)), ("inf", np.isinf(array))):
        if wrong.any():
            index = tuple(int(i) for i in np.unravel_index(int(np.argmax(wrong)), array.shape))
            return kind, index, float(array[index])
    return None


def numbers(args: Any) -> Iterator[Any]:
    """Yield every array and number among the arguments of an op."""
    for a in args if isinstance(args, Iterable) else (args,):
        if isinstance(a, (list, tuple)):
            yield from numbers(a)
        elif isinstance(a, (Tensor, np.ndarray, float, np.floating)):
            yield np.asarray(getattr(a, "raw", a))


def trouble(args: Any) -> set[str]:
    """Return the non-finite results that ``args`` explain: a NaN explains "nan" and "inf", an infinity "inf"."""
    found: set[str] = set()
    for array in numbers(args):
        bad = worst(array)
        if bad is not None:
            found |= {"nan", "inf"} if bad[0] == "nan" or np.isnan(array).any() else {"inf"}
    return found


def said(name: str, a: Any, like: Any, index: tuple[int, ...]) -> str:
    """Return ``name = value`` for an argument at ``index`` of the result, or its shape if it does not broadcast."""
    array = getattr(a, "raw", a)
    if isinstance(array, np.ndarray):
        if array.size and array.shape != shape_of(like):
            try:
                array = np.broadcast_to(array, shape_of(like))
            except ValueError:
                return f"{name} {tuple(array.shape)}"
        return f"{name} = {array[index]!r}" if array.dtype.kind == "b" else f"{name} = {array[index]:.8g}"
    return f"{name} = {a!r}"


class detect_anomaly(switch):  # noqa: N801 - PyTorch's name
    """Raise GradientError at the first value or gradient that is not finite.

    The error names the op, the module, the line of the program and the index. An op with an operand that is not finite
    already (a mask filled with -inf) is not reported.

    >>> import tinygrad_lite as tl
    >>> x = tl.tensor([1.0, -1.0], requires_grad=True)
    >>> with tl.autograd.detect_anomaly():
    ...     tl.log(x)
    Traceback (most recent call last):
    tinygrad_lite.errors.GradientError: log: the result is nan at (1,) of (2,), where it was given input = -1
      called at ...
    """

    def __init__(self, check_nan: bool = True) -> None:
        super().__init__()
        self.check_nan = check_nan
        self.quiet: list[Any] = []

    def __enter__(self) -> None:
        mode = MODE.get()
        inside = mode.but(observers=(*_others(mode), Finder(self.check_nan)), outer=mode)
        self.quiet.append(hush())  # the error replaces NumPy's warning
        enter(inside)

    def __exit__(self, kind: Any = None, error: Any = None, trace: Any = None) -> None:
        try:
            leave()
        except MemoryError:
            leave()
        unhush(self.quiet.pop())

    def __call__(self, function: Any) -> Any:
        """Decorate a function."""
        check = self.check_nan

        def inside(*args: Any, **kwargs: Any) -> Any:
            with detect_anomaly(check):
                return function(*args, **kwargs)

        return inside


@named_constructor
class set_detect_anomaly(switch):  # noqa: N801 - PyTorch's name
    """Switch `detect_anomaly` on or off, at once or for a ``with`` block.

    >>> import tinygrad_lite as tl
    >>> with tl.autograd.set_detect_anomaly(True):
    ...     on = tl.autograd.is_anomaly_enabled()
    ...
    >>> on, tl.autograd.is_anomaly_enabled()
    (True, False)
    """

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        super().__init__()
        self.before = MODE.get()
        finder = (Finder(check_nan),) if mode else ()
        MODE.set(self.before.but(observers=(*_others(self.before), *finder)))

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any = None, error: Any = None, trace: Any = None) -> None:
        restore(self.before)


def is_anomaly_enabled() -> bool:
    """Return whether `detect_anomaly` is on.

    >>> import tinygrad_lite as tl
    >>> tl.is_anomaly_check_nan_enabled()
    False
    """
    return any(isinstance(o, Finder) for o in MODE.get().observers)


def _others(mode: Any) -> tuple[Any, ...]:
    return tuple(o for o in mode.observers if not isinstance(o, Finder))
