"""Where a derivative does not exist: the choices, and exact zeros behind an untaken branch."""
# ruff: noqa: E501 - a table, one row per line

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl


def slope(f: Any, *at: Any) -> list[Any]:
    xs = [tl.tensor(np.asarray(a, np.float64), requires_grad=True) for a in at]
    f(*xs).sum().backward()
    return [x.grad.tolist() for x in xs if x.grad is not None]


CHOICES: list[tuple[str, Any, list[Any], list[Any]]] = [
    ("relu", lambda x: x.relu(), [0.0], [0.0]),
    ("abs", lambda x: x.abs(), [0.0], [0.0]),
    ("maximum", lambda x, y: tl.maximum(x, y), [1.0, 1.0], [0.5, 0.5]),
    ("minimum", lambda x, y: tl.minimum(x, y), [1.0, 1.0], [0.5, 0.5]),
    ("fmax", lambda x, y: tl.fmax(x, y), [1.0, 1.0], [1.0, 0.0]),
    ("amax", lambda x: x.amax(), [[2.0, 1.0, 2.0]], [[0.5, 0.0, 0.5]]),
    ("amin", lambda x: x.amin(0), [[1.0, 1.0, 2.0]], [[0.5, 0.5, 0.0]]),
    ("max", lambda x: x.max(), [[2.0, 1.0, 2.0]], [[0.5, 0.0, 0.5]]),
    ("max(dim)", lambda x: x.max(0).values, [[2.0, 1.0, 2.0]], [[1.0, 0.0, 0.0]]),
    ("min(dim)", lambda x: x.min(dim=0)[0], [[1.0, 1.0, 2.0]], [[1.0, 0.0, 0.0]]),
    ("cummax", lambda x: x.cummax(0).values, [[1.0, 1.0]], [[1.0, 1.0]]),
    ("clip", lambda x: x.clip(0.0, 1.0), [[0.0, 1.0, 2.0]], [[1.0, 1.0, 0.0]]),
    ("norm", lambda x: x.norm(), [[0.0, 0.0]], [[0.0, 0.0]]),
    ("norm 1", lambda x: x.norm(1), [[0.0, 2.0]], [[0.0, 1.0]]),
    ("norm 3", lambda x: x.norm(3), [[0.0, 0.0]], [[0.0, 0.0]]),
    ("std", lambda x: x.std(), [[3.0, 3.0]], [[0.0, 0.0]]),
    ("np.std", lambda x: np.std(x, axis=0), [[3.0, 3.0]], [[0.0, 0.0]]),
    ("hypot", lambda x, y: tl.hypot(x, y), [0.0, 0.0], [0.0, 0.0]),
    ("atan2", lambda x, y: tl.atan2(x, y), [0.0, 0.0], [0.0, 0.0]),
    ("cdist", lambda x, y: tl.cdist(x, y), [[[1.0, 2.0]], [[1.0, 2.0]]], [[[0.0, 0.0]], [[0.0, 0.0]]]),
    ("prod", lambda x: x.prod(), [[0.0, 2.0, 0.0]], [[0.0, 0.0, 0.0]]),
    ("prod one zero", lambda x: x.prod(), [[0.0, 2.0, 3.0]], [[6.0, 0.0, 0.0]]),
    ("cumprod", lambda x: x.cumprod(0), [[0.0, 2.0, 3.0]], [[9.0, 0.0, 0.0]]),
    ("pow 0", lambda x: x**0, [0.0], [0.0]),
    ("0 ** e", lambda x, e: x**e, [0.0, 2.0], [0.0, 0.0]),
    ("xlogy", lambda x, y: tl.xlogy(x, y), [0.0, 0.0], [0.0, 0.0]),
    ("copysign", lambda x: tl.copysign(x, -1.0), [0.0], [0.0]),
    ("nan_to_num", lambda x: x.nan_to_num(), [[np.nan, 1.0, np.inf]], [[0.0, 1.0, 0.0]]),
    ("round", lambda x: x.round() + x, [0.4], [1.0]),
]


@pytest.mark.parametrize(("f", "at", "expected"), [c[1:] for c in CHOICES], ids=[c[0] for c in CHOICES])
def test_choice(f: Any, at: list[Any], expected: list[Any]) -> None:
    assert slope(f, *at) == expected


SINGULAR: dict[str, tuple[Any, float]] = {
    "sqrt": (lambda x: x.sqrt(), 0.0),
    "rsqrt": (lambda x: x.rsqrt(), 0.0),
    "log": (lambda x: x.log(), 0.0),
    "log2": (lambda x: x.log2(), 0.0),
    "log10": (lambda x: x.log10(), 0.0),
    "log1p": (lambda x: x.log1p(), -1.0),
    "1/x": (lambda x: 1 / x, 0.0),
    "reciprocal": (lambda x: x.reciprocal(), 0.0),
    "x/x": (lambda x: x / x, 0.0),
    "pow": (lambda x: x**0.5, 0.0),
    "pow -1": (lambda x: x**-1.0, 0.0),
    "float_power": (lambda x: x.float_power(0.5), 0.0),
    "norm": (lambda x: (x * x).sum(-1, keepdim=True).sqrt() + 0 * x, 0.0),
    "linalg norm": (lambda x: x.norm(dim=-1, keepdim=True) + 0 * x, 0.0),
    "acos": (lambda x: x.acos(), 1.0),
    "asin": (lambda x: x.asin(), -1.0),
    "atanh": (lambda x: x.atanh(), 1.0),
    "acosh": (lambda x: x.acosh(), 1.0),
    "atan2": (lambda x: tl.atan2(x, x), 0.0),
    "std": (lambda x: x.std(-1, keepdim=True) + 0 * x, 0.0),
    "logit": (lambda x: x.logit(), 0.0),
    "erfinv": (lambda x: x.erfinv(), 1.0),
    "xlogy": (lambda x: tl.xlogy(x + 1, x), 0.0),
    "exp(1/x)": (lambda x: (1 / x).exp(), 0.0),
}
SINGULAR["cbrt"] = (np.cbrt, 0.0)
UNTAKEN: dict[str, Any] = {
    "where": lambda x, y: tl.where(x > 1e9, y, 0.0),
    "np.where": lambda x, y: np.where(x > 1e9, y, 0.0),
    "mask": lambda x, y: y[x > 1e9],
    "times zero": lambda x, y: y * 0.0,
    "masked_fill": lambda x, y: y.masked_fill(x < 1e9, 0.0),
    "maximum": lambda x, y: tl.maximum(y, tl.tensor(1e30, dtype=tl.float64)),
    "clip": lambda x, y: tl.minimum(y, tl.tensor(-1e30, dtype=tl.float64)).clip(-1e29, None),
}


@pytest.mark.filterwarnings("ignore:.*:RuntimeWarning")
@pytest.mark.parametrize("branch", UNTAKEN)
@pytest.mark.parametrize("name", SINGULAR)
def test_zero_gradient_stays_zero(name: str, branch: str) -> None:
    f, at = SINGULAR[name]
    x = tl.tensor(np.full((2, 2), at), requires_grad=True)
    y = f(x)
    if branch in ("maximum", "clip") and not np.isfinite(y.array).all():
        y = tl.where(y.isfinite(), y, 0.0)
    out = UNTAKEN[branch](x, y)
    (g,) = tl.grad(out.sum(), x, create_graph=True, allow_unused=True)
    assert g is None or g.tolist() == [[0.0, 0.0], [0.0, 0.0]]


def test_the_rule_can_be_switched_off() -> None:
    x = tl.tensor(0.0, requires_grad=True)
    with tl.zero_guard(False):
        (x.sqrt() * 0).backward()
    assert x.grad is not None and np.isnan(x.grad.item())
