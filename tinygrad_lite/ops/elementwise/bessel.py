"""Bessel functions, the Airy function and classical polynomials: what ``torch.special`` has without a derivative."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.arguments import MOST
from tinygrad_lite.engine.op import op
from tinygrad_lite.engine.tensor import Array
from tinygrad_lite.errors import OptionError
from tinygrad_lite.ops.elementwise import bessel_values as values

DOC = """Return {text}. As in PyTorch, it has no derivative.

    >>> import tinygrad_lite as tl
    >>> tl.special.{name}(tl.tensor({of}){more})
    {shown}
"""


def _declared(forward: Callable[..., Any], name: str, text: str, of: str, more: str, shown: str) -> Any:
    forward.__name__ = forward.__qualname__ = name
    forward.__doc__ = DOC.format(text=text, name=name, of=of, more=more, shown=shown)
    return op(kind="elementwise", promote="float", public=False)(forward)


def _one(name: str, text: str, shown: str, value: Callable[[Any], Any]) -> Any:
    def forward(input: Array) -> Array:
        return value(input)

    return _declared(forward, name, text, "[0.5, 2.0]", "", shown)


# ------------------------------------------------------------------------------------------------ Bessel functions
FIRST, SECOND, THIRD = "the Bessel function of the first kind", "the Bessel function of the second kind", (
    "the modified Bessel function of the second kind"
)  # fmt: skip
bessel_j0 = _one("bessel_j0", f"{FIRST}, of order 0", "tensor([0.9385, 0.2239])", lambda x: values.bessel_j(0, x))
bessel_j1 = _one("bessel_j1", f"{FIRST}, of order 1", "tensor([0.2423, 0.5767])", lambda x: values.bessel_j(1, x))
bessel_y0 = _one("bessel_y0", f"{SECOND}, of order 0", "tensor([-0.4445,  0.5104])", lambda x: values.bessel_y(0, x))
bessel_y1 = _one("bessel_y1", f"{SECOND}, of order 1", "tensor([-1.4715, -0.1070])", lambda x: values.bessel_y(1, x))
modified_bessel_k0 = _one("modified_bessel_k0", f"{THIRD}, of order 0", "tensor([0.9244, 0.1139])",
                          lambda x: values.bessel_k(0, x))  # fmt: skip
modified_bessel_k1 = _one("modified_bessel_k1", f"{THIRD}, of order 1", "tensor([1.6564, 0.1399])",
                          lambda x: values.bessel_k(1, x))  # fmt: skip
scaled_modified_bessel_k0 = _one("scaled_modified_bessel_k0", f"``exp(input)`` times {THIRD}, of order 0",
                                 "tensor([1.5241, 0.8416])", lambda x: values.bessel_ke(0, x))  # fmt: skip
scaled_modified_bessel_k1 = _one("scaled_modified_bessel_k1", f"``exp(input)`` times {THIRD}, of order 1",
                                 "tensor([2.7310, 1.0335])", lambda x: values.bessel_ke(1, x))  # fmt: skip
spherical_bessel_j0 = _one("spherical_bessel_j0", "``sin(input) / input``, 1 at 0", "tensor([0.9589, 0.4546])",
                           lambda x: np.sin(x) / x if x.all() else np.where(x == 0, 1, np.sinc(x / np.pi)))  # fmt: skip
airy_ai = _one("airy_ai", "the Airy function Ai", "tensor([0.2317, 0.0349])", values.airy_ai)


# ------------------------------------------------------------------------------------------------ polynomials
def _polynomial(name: str, text: str, shown: str, first: Callable[[Any], Any], rest: Callable[..., Any]) -> Any:
    """Declare polynomials by the one of degree 1 and the recurrence ``rest(k, x, p[k], p[k - 1])``."""

    def forward(input: Array, n: Array) -> Array:
        x, degree = np.broadcast_arrays(input, np.where(np.isnan(n), -1, np.trunc(n)))
        highest = float(degree.max()) if degree.size else 0.0
        if highest > MOST:
            raise OptionError(f"{name}: n must be at most {MOST:,}, got {highest:.6g}")
        with np.errstate(all="ignore"):
            before, now = new.ones_like(x), first(x)
            y = np.where(degree < 0, 0, np.where(degree == 0, before, now))
            for k in range(1, int(highest)):
                before, now = now, rest(k, x, now, before)
                y = np.where(degree == k + 1, now, y)
        return y.astype(x.dtype)

    return _declared(forward, name, f"{text} of degree ``n``; 0 if ``n`` is negative", "[0.5, 2.0]", ", 3", shown)


def _twice(k: int, x: Any, p: Any, q: Any) -> Any:
    return 2 * x * p - q


def _shifted(k: int, x: Any, p: Any, q: Any) -> Any:
    return (4 * x - 2) * p - q


chebyshev_polynomial_t = _polynomial("chebyshev_polynomial_t", "the Chebyshev polynomial of the first kind",
                                     "tensor([-1., 26.])", lambda x: x, _twice)  # fmt: skip
chebyshev_polynomial_u = _polynomial("chebyshev_polynomial_u", "the Chebyshev polynomial of the second kind",
                                     "tensor([-1., 56.])", lambda x: 2 * x, _twice)  # fmt: skip
chebyshev_polynomial_v = _polynomial("chebyshev_polynomial_v", "the Chebyshev polynomial of the third kind",
                                     "tensor([-1., 41.])", lambda x: 2 * x - 1, _twice)  # fmt: skip
chebyshev_polynomial_w = _polynomial("chebyshev_polynomial_w", "the Chebyshev polynomial of the fourth kind",
                                     "tensor([-1., 71.])", lambda x: 2 * x + 1, _twice)  # fmt: skip
shifted_chebyshev_polynomial_t = _polynomial(
    "shifted_chebyshev_polynomial_t", "`chebyshev_polynomial_t` of ``2 * input - 1``", "tensor([-0., 99.])",
    lambda x: 2 * x - 1, _shifted)  # fmt: skip
shifted_chebyshev_polynomial_u = _polynomial(
    "shifted_chebyshev_polynomial_u", "`chebyshev_polynomial_u` of ``2 * input - 1``", "tensor([ -0., 204.])",
    lambda x: 4 * x - 2, _shifted)  # fmt: skip
shifted_chebyshev_polynomial_v = _polynomial(
    "shifted_chebyshev_polynomial_v", "`chebyshev_polynomial_v` of ``2 * input - 1``", "tensor([  1., 169.])",
    lambda x: 4 * x - 3, _shifted)  # fmt: skip
shifted_chebyshev_polynomial_w = _polynomial(
    "shifted_chebyshev_polynomial_w", "`chebyshev_polynomial_w` of ``2 * input - 1``", "tensor([ -1., 239.])",
    lambda x: 4 * x - 1, _shifted)  # fmt: skip
hermite_polynomial_h = _polynomial("hermite_polynomial_h", "the Hermite polynomial of the physicists",
                                   "tensor([-5., 40.])", lambda x: 2 * x,
                                   lambda k, x, p, q: 2 * x * p - 2 * k * q)  # fmt: skip
hermite_polynomial_he = _polynomial("hermite_polynomial_he", "the Hermite polynomial of the probabilists",
                                    "tensor([-1.3750,  2.0000])", lambda x: x,
                                    lambda k, x, p, q: x * p - k * q)  # fmt: skip
laguerre_polynomial_l = _polynomial("laguerre_polynomial_l", "the Laguerre polynomial",
                                    "tensor([-0.1458, -0.3333])", lambda x: 1 - x,
                                    lambda k, x, p, q: ((2 * k + 1 - x) * p - k * q) / (k + 1))  # fmt: skip
legendre_polynomial_p = _polynomial("legendre_polynomial_p", "the Legendre polynomial",
                                    "tensor([-0.4375, 17.0000])", lambda x: x,
                                    lambda k, x, p, q: ((2 * k + 1) * x * p - k * q) / (k + 1))  # fmt: skip
