"""SciPy's optimisers over tensors and modules, with exact gradients and products with the Hessian."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.arguments import named
from tinygrad_lite.engine.grad import grad
from tinygrad_lite.engine.mode import enable_grad
from tinygrad_lite.engine.tensor import Tensor, make
from tinygrad_lite.engine.versions import bump
from tinygrad_lite.errors import ArgumentError, GradientError, ShapeError, describe, require

PRODUCTS = ("newton-cg", "trust-ncg", "trust-krylov", "trust-constr")
"""Methods that ask for the product of the Hessian with a vector."""
VALUES = ("nelder-mead", "powell", "cobyla", "cobyqa")
"""Methods that use no gradient."""


class Flat:
    """The tensors as one float64 vector, and the loss as a function of it."""

    def __init__(self, loss: Callable[[], Any], params: Any) -> None:
        if hasattr(params, "parameters"):
            params = [p for p in params.parameters() if p.requires_grad]
        self.params = [params] if isinstance(params, Tensor) else list(params)
        for p in self.params:
            if not isinstance(p, Tensor) or not p.requires_grad or p.node is not None or not p.array.flags.writeable:
                raise ArgumentError(
                    f"scipy_minimize: expected a module or leaf tensors with requires_grad=True, got {describe(p)}"
                )
        if not self.params:
            raise ArgumentError("scipy_minimize: no parameter to change")
        self.loss = loss
        self.ends = np.cumsum([p.array.size for p in self.params])[:-1]
        self.slopes: Sequence[Any] | None = None
        """The gradients at the position ``at`` with their graph, once a product with the Hessian was asked for."""
        self.at: Any = None

    def read(self) -> Any:
        """Return the values of the tensors."""
        return np.concatenate([new.asarray(p.array, np.float64).reshape(-1) for p in self.params])

    def write(self, x: Any) -> None:
        """Give the tensors the values of ``x``."""
        self.slopes = None
        for p, part in zip(self.params, np.split(x, self.ends), strict=True):
            np.copyto(p.array, part.reshape(p.array.shape), casting="unsafe")
            bump(p.array)

    def run(self) -> Any:
        """Return the loss as a tensor."""
        with enable_grad():
            out = self.loss()
        if not isinstance(out, Tensor) or out.array.size != 1:
            raise ShapeError(f"scipy_minimize: the loss must be a tensor of one element, got {describe(out)}")
        if not out.requires_grad:
            raise GradientError("scipy_minimize: the loss does not depend on any parameter")
        return out.reshape(())

    def value(self, x: Any) -> float:
        """Return the loss at ``x``."""
        self.write(x)
        return float(self.run())

    def value_and_grad(self, x: Any) -> tuple[float, Any]:
        """Return the loss and its gradient at ``x``."""
        self.write(x)
        out = self.run()
        found = grad(out, self.params, materialize_grads=True)
        return float(out), joined(found)

    def product(self, x: Any, v: Any) -> Any:
        """Return the product of the Hessian at ``x`` with ``v``: the gradient of the product of gradient and ``v``."""
        if self.slopes is None or not np.array_equal(x, self.at):
            self.write(x)
            self.at = new.array(x)
            self.slopes = grad(self.run(), self.params, create_graph=True, materialize_grads=True)
        parts = np.split(v, self.ends)
        starts = [
            make(part.reshape(p.array.shape).astype(p.array.dtype)) for p, part in zip(self.params, parts, strict=True)
        ]
        pairs = [(g, s) for g, s in zip(self.slopes, starts, strict=True) if g.requires_grad]
        if not pairs:
            return new.zeros_like(x)
        outs, seeds = zip(*pairs, strict=True)
        return joined(grad(outs, self.params, seeds, retain_graph=True, materialize_grads=True))


def joined(tensors: Sequence[Any]) -> Any:
    """Return tensors as one float64 vector."""
    return np.concatenate([new.asarray(t.array, np.float64).reshape(-1) for t in tensors])


@named
def scipy_minimize(loss: Callable[[], Any], params: Any, method: str = "L-BFGS-B", **words: Any) -> Any:
    r"""Change ``params`` in place until ``loss()`` is smallest, by `scipy.optimize.minimize`; returns its result.

    ``params`` is a module or tensors; ``loss`` takes nothing and returns a tensor of one element, the same for the same
    values (no dropout, no new batch). SciPy gets exact gradients, and :math:`Hv` for the methods that use it
    (``Newton-CG``, ``trust-ncg``, ``trust-krylov``, ``trust-constr``). The other arguments are SciPy's: ``tol``,
    ``options``, ``callback``, ``constraints``, and ``bounds``, also one pair of numbers for all elements.
    No ``.grad`` is changed. SciPy works in float64: with float32 parameters it cannot get closer than their rounding.
    After an error the parameters are as before. Needs the extra ``scipy``.

    >>> import tinygrad_lite as tl
    >>> x = tl.tensor([-1.0, 2.0], dtype=tl.float64, requires_grad=True)
    >>> result = scipy_minimize(lambda: (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2, [x], "Newton-CG")
    >>> result.success, [round(v, 3) for v in x.tolist()]
    (True, [1.0, 1.0])
    """
    if not callable(loss):
        raise ArgumentError(f"scipy_minimize: loss must be a function without arguments, got {describe(loss)}")
    if method is not None and not isinstance(method, str) and not callable(method):
        raise ArgumentError(f"scipy_minimize: method must be the name of one of SciPy's, got {describe(method)}")
    flat, name = Flat(loss, params), str(method).lower()
    optimize = require("scipy.optimize", "scipy")
    start = flat.read()
    bounds = words.get("bounds")
    if isinstance(bounds, tuple) and len(bounds) == 2 and all(b is None or np.isscalar(b) for b in bounds):
        words["bounds"] = [bounds] * len(start)
    if name in PRODUCTS and not {"hess", "hessp"} & words.keys():
        words["hessp"] = flat.product
    gradients = name not in VALUES
    try:
        result = optimize.minimize(
            flat.value_and_grad if gradients else flat.value, start, method=method, jac=gradients or None, **words
        )
    except BaseException:
        flat.write(start)
        raise
    flat.write(result.x)
    return result
