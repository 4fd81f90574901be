"""Derivatives by finite differences with an estimated error, and comparisons of arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from tinygrad_lite.engine.tensor import Tensor
from tinygrad_lite.testing.arguments import Arguments
from tinygrad_lite.testing.functions import name_of, values
from tinygrad_lite.testing.search.one_example import quiet
from tinygrad_lite.testing.verdict.differences import Scan, plateau
from tinygrad_lite.testing.verdict.point import Array, Outs, Point, Rule, Vector, flatten


class Estimated(NamedTuple):
    """A derivative by finite differences and its estimated error, of the same shape."""

    value: Array
    error: Array


def numeric_jacobian(f: Callable[..., Any], *inputs: Any, wrt: int = 0) -> Estimated:
    """Return the Jacobian of ``f`` for one input by finite differences, with the estimated error of each entry.

    ``f`` is a function of Tensors or arrays with one output; the result has the shape of the output, then that of the
    input. An entry that cannot be estimated is NaN, with an infinite error.

    >>> import numpy as np
    >>> J, error = numeric_jacobian(np.sin, np.array([0.0, 1.0]))
    >>> bool(np.allclose(J, np.diag(np.cos([0.0, 1.0])), atol=1e-9)), bool((error < 1e-8).all())
    (True, True)
    """
    args = Arguments(name_of(f), inputs)
    places = args.wrt([wrt]) or []
    if len(places) != 1 or args.arrays[places[0]].dtype.kind != "f":
        raise TypeError(
            f"numeric_jacobian: input {wrt} must be one floating-point array, got {type(inputs[wrt]).__name__}"
        )

    def forward(*arrays: Array) -> tuple[Any, Any]:
        made = [Tensor(a) if isinstance(t, Tensor) else a for t, a in zip(args.tensors, arrays, strict=True)]
        return values(f(*args.rebuild(made)), name_of(f)), None

    p = Point(Rule(forward, lambda g, saved: [], wrt=tuple(places)), args.arrays, {}, 0)
    with quiet():
        outs = p.fresh(p.x)[0]
        if len([a for a in outs.arrays if a.dtype.kind == "f"]) != 1:
            raise TypeError(f"numeric_jacobian: {name_of(f)} must return one floating-point output")
        size, x = flatten(outs).size, p.x[places[0]]
        value, error = np.full((size, x.size), np.nan), np.full((size, x.size), np.inf)
        for k in range(x.size):
            _column(p, k, value, error)
    return Estimated(value.reshape(*_shape(outs), *x.shape), error.reshape(*_shape(outs), *x.shape))


def numeric_gradient(f: Callable[..., Any], *inputs: Any, wrt: int = 0) -> Estimated:
    """Return the gradient of the sum of ``f``'s output for one input, with its estimated error.

    >>> import numpy as np
    >>> numeric_gradient(lambda x: (x**3).sum(), np.array([1.0, 2.0])).value.round(6)
    array([ 3., 12.])
    """
    J = numeric_jacobian(f, *inputs, wrt=wrt)
    axes = tuple(range(J.value.ndim - np.ndim(inputs[wrt].array if isinstance(inputs[wrt], Tensor) else inputs[wrt])))
    return Estimated(J.value.sum(axes), J.error.sum(axes))


def _shape(outs: Outs) -> tuple[int, ...]:
    return next(a.shape for a in outs.arrays if a.dtype.kind == "f")


def _column(p: Point, k: int, value: Vector, error: Vector) -> None:
    d = [np.zeros(p.x[i].shape) for i in p.fl]
    step = float(p.scales()[0].flat[k])
    d[0].flat[k] = step
    scan = Scan(p, d, np.ones(len(value)))
    for o in range(len(value)):
        v = np.zeros(len(value))
        v[o] = 1.0
        s = scan.again(v)  # the outputs are computed once
        found = plateau(s.rows([np.zeros(q.shape) for q in d]), "central")
        if found:
            best = min(found)
            value[o, k], error[o, k] = best.value / step, best.error / step


def assert_close(
    actual: Any,
    expected: Any,
    *,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = False,
    check_dtype: bool = True,
    msg: str | Callable[[str], str] | None = None,
) -> None:
    """Raise ``AssertionError`` unless two tensors agree in shape, dtype and values.

    The default tolerances depend on the dtype: 1.3e-6 and 1e-5 for float32, 1e-7 and 1e-7 for float64, 1e-3 and 1e-5
    for float16, equality for integers. Lists, tuples and dicts are compared item by item. The message names the number
    of different elements and the largest differences.

    >>> import tinygrad_lite as tl
    >>> assert_close(tl.tensor([1.0, 2.0]), tl.tensor([1.0, 2.0 + 1e-7]))
    """
    if (rtol is None) != (atol is None):
        raise ValueError(f"rtol and atol must both be given or both be None, got rtol={rtol}, atol={atol}")
    options = {"rtol": rtol, "atol": atol, "equal_nan": equal_nan, "check_dtype": check_dtype}
    text = _difference(actual, expected, "", options)
    if text:
        raise AssertionError(msg(text) if callable(msg) else msg or text)


TOLERANCES = {"float16": (1e-3, 1e-5), "float32": (1.3e-6, 1e-5), "float64": (1e-7, 1e-7)}


def _difference(a: Any, b: Any, where: str, o: dict[str, Any]) -> str:
    if isinstance(a, dict) and isinstance(b, dict):
        if a.keys() != b.keys():
            return f"The keys of the mappings do not match: {sorted(map(str, a))} and {sorted(map(str, b))}{where}"
        return next(
            (t for k in a if (t := _difference(a[k], b[k], f"{where}\nThe failure occurred for item [{k!r}]", o))), ""
        )
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        if len(a) != len(b):
            return f"The length of the sequences mismatch: {len(a)} != {len(b)}{where}"
        both = enumerate(zip(a, b, strict=True))
        return next(
            (t for k, (x, y) in both if (t := _difference(x, y, f"{where}\nThe failure occurred for item [{k}]", o))),
            "",
        )
    x, y = (np.asarray(t.array if isinstance(t, Tensor) else t) for t in (a, b))
    if x.shape != y.shape:
        return f"The values for attribute 'shape' do not match: {x.shape} != {y.shape}.{where}"
    tensors = isinstance(a, (Tensor, np.ndarray)) and isinstance(b, (Tensor, np.ndarray))
    if o["check_dtype"] and tensors and x.dtype != y.dtype:
        return f"The values for attribute 'dtype' do not match: {x.dtype} != {y.dtype}.{where}"
    rtol, atol = o["rtol"], o["atol"]
    if rtol is None:
        pairs = [TOLERANCES.get(t.dtype.name, (0.0, 0.0)) for t in (x, y)]
        rtol, atol = (max(p[k] for p in pairs) for k in (0, 1))
    with np.errstate(all="ignore"):
        same = np.isclose(x, y, rtol, atol, equal_nan=o["equal_nan"])
        if same.all():
            return ""
        gap = np.abs(np.asarray(x, np.float64) - np.asarray(y, np.float64))
        ratio = gap / np.abs(np.asarray(y, np.float64))
    if x.ndim == 0:
        return (
            f"Scalars are not close!\n\nExpected {y.item()} but got {x.item()}.\nAbsolute difference: {gap.item()} "
            f"(up to {atol} allowed)\nRelative difference: {ratio.item()} (up to {rtol} allowed){where}"
        )
    bad, total = int((~same).sum()), x.size
    lines = [f"Tensor-likes are not {'close' if rtol or atol else 'equal'}!", ""]
    lines.append(f"Mismatched elements: {bad} / {total} ({100 * bad / total:.1f}%)")
    for name, values_, limit in (("absolute", gap, atol), ("relative", ratio, rtol)):
        at = np.unravel_index(int(np.argmax(np.where(same, -1.0, np.nan_to_num(values_, nan=np.inf)))), x.shape)
        index = tuple(int(i) for i in at)
        lines.append(f"Greatest {name} difference: {values_[at]} at index {index} (up to {limit} allowed)")
    return "\n".join(lines) + where
