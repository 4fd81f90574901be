"""Derivatives by finite differences with an estimated error, and comparisons of arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from tinygrad_lite.engine.arguments import named
from tinygrad_lite.engine.tensor import Tensor, make
from tinygrad_lite.testing.arguments import Arguments
from tinygrad_lite.testing.functions import name_of, values
from tinygrad_lite.testing.search.one_example import quiet
from tinygrad_lite.testing.verdict.differences import Scan, plateau
from tinygrad_lite.testing.verdict.point import Array, Outs, Point, Rule, Vector, flatten


class Estimated(NamedTuple):
    """A derivative by finite differences and its estimated error, of the same shape."""

    value: Array
    error: Array


@named
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
        made = [make(a) if isinstance(t, Tensor) else a for t, a in zip(args.tensors, arrays, strict=True)]
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


@named
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
