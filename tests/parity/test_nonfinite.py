"""NaN and infinities come out where they come out of PyTorch."""
# ruff: noqa: E501 - a table, one row per line

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl

torch = pytest.importorskip("torch")
ODD = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 1e30, -1e30, 2.5, -2.5, 1e-30])
UNARY = """neg abs sign square sqrt rsqrt reciprocal exp exp2 expm1 log log2 log10 log1p sin cos tan asin acos atan sinh cosh tanh
asinh acosh atanh sigmoid relu erf erfc erfinv lgamma i0 sinc deg2rad isnan isinf isfinite isposinf isneginf signbit floor ceil
trunc round nan_to_num logit logical_not frac""".split()
BINARY = """add sub mul div pow maximum minimum fmax fmin atan2 hypot copysign logaddexp xlogy eq ne lt le remainder fmod floor_divide
isclose logical_and""".split()
OTHERS: dict[str, Any] = {
    "sum": lambda lib, x: (lib.sum(x), lib.nansum(x), lib.prod(x), lib.mean(x), lib.nanmean(x)),
    "amax": lambda lib, x: (lib.amax(x), lib.amin(x), lib.max(x, 0), lib.min(x, 0), lib.argmax(x), lib.argmin(x)),
    "max without nan": lambda lib, x: (lib.max(x[1:], 0), lib.min(x[1:], 0), lib.aminmax(x[1:])),
    "cummax": lambda lib, x: (lib.cummax(x.flip(0), 0), lib.cummin(x.flip(0), 0), lib.cummax(x[1:], 0), lib.cummax(x, 0).values),
    "cumsum": lambda lib, x: (lib.cumsum(x, 0), lib.cumprod(x, 0)),
    "sort": lambda lib, x: (lib.sort(x, stable=True), lib.sort(x, stable=True, descending=True), lib.topk(x[:3], 2).values),
    "median": lambda lib, x: (lib.median(x), lib.nanmedian(x), lib.median(x[1:]), lib.kthvalue(x, 3).values),
    "quantile": lambda lib, x: (lib.quantile(x, 0.3), lib.nanquantile(x[3:], 0.3), lib.quantile(x[3:], 0.7)),
    "logsumexp": lambda lib, x: (lib.logsumexp(x, 0), lib.logsumexp(x[1:], 0), lib.logsumexp(x[2:5], 0), lib.logsumexp(x[2:3], 0)),
    "softmax": lambda lib, x: (lib.softmax(x[2:], 0), lib.log_softmax(x[2:6], 0)),
    "norm": lambda lib, x: (lib.norm(x[1:]), lib.norm(x[3:], 1), lib.norm(x, float("inf"))),
    "std": lambda lib, x: (lib.std(x[3:6]), lib.var(x)),
    "where": lambda lib, x: (lib.where(lib.isnan(x), 0.0, x), lib.clamp(x, -1, 1), x.masked_fill(lib.isnan(x), 3.0)),
    "all": lambda lib, x: (lib.all(x), lib.any(x), lib.count_nonzero(x), lib.nonzero(x), lib.unique(x[1:])),
    "logcumsumexp": lambda lib, x: (lib.logcumsumexp(x[2:7], 0), lib.logcumsumexp(x[3:6], 0)),
    "searchsorted": lambda lib, x: lib.searchsorted(lib.tensor([-1.0, 0.0, 2.0], dtype=x.dtype), x[1:]),
}  # fmt: skip


def leaves(result: Any) -> Any:
    if isinstance(result, tuple):
        for r in result:
            yield from leaves(r)
    else:
        yield result


def compare(call: Any, *arrays: Any) -> None:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        ours = list(leaves(call(tl, *[tl.tensor(a) for a in arrays])))
        theirs = list(leaves(call(torch, *[torch.from_numpy(a) for a in arrays])))
    for i, (o, t) in enumerate(zip(ours, theirs, strict=True)):
        rtol = 1e-5 if "float32" in str(t.dtype) else 1e-9
        np.testing.assert_allclose(o.array, t.numpy(), rtol=rtol, atol=1e-12, err_msg=f"result {i}")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", UNARY)
def test_unary(name: str, dtype: str) -> None:
    compare(lambda lib, x: getattr(lib, name)(x), ODD.astype(dtype))


@pytest.mark.parametrize("name", BINARY)
def test_binary(name: str) -> None:
    a, b = np.meshgrid(ODD, ODD)
    compare(lambda lib, x, y: getattr(lib, name)(x, y), a.copy(), b.copy())


@pytest.mark.parametrize("name", OTHERS)
def test_other(name: str) -> None:
    compare(OTHERS[name], ODD)


SLOPES: dict[str, Any] = {
    **{name: (lambda lib, x, name=name: getattr(lib, name)(x)) for name in "abs relu sqrt exp log tanh sigmoid square".split()},
    "threshold": lambda lib, x: lib.nn.functional.threshold(x, 0.1, 2.0),
    "pow": lambda lib, x: x ** lib.tensor([0.0, 1.0, 2.0] * 4, dtype=x.dtype),
    "clamp": lambda lib, x: x.clamp(-1, 1),
    "1-norm": lambda lib, x: lib.norm(x, 1),
    "logcumsumexp": lambda lib, x: lib.logcumsumexp(lib.stack([x[5], x[0], x[9]]), 0),
    "logcumsumexp of inf": lambda lib, x: lib.logcumsumexp(lib.stack([x[5], x[1], x[9]]), 0),
    "l1_loss": lambda lib, x: lib.nn.functional.l1_loss(x, x.detach().flip(0)),
    "smooth_l1_loss": lambda lib, x: lib.nn.functional.smooth_l1_loss(x, x.detach().flip(0)),
    "huber_loss": lambda lib, x: lib.nn.functional.huber_loss(x, x.detach().flip(0)),
    "sort": lambda lib, x: lib.sort(x, stable=True).values * lib.arange(12.0, dtype=x.dtype),
    "median": lambda lib, x: lib.nanmedian(x) + lib.median(x) + lib.kthvalue(x, 3).values,
}  # fmt: skip


@pytest.mark.parametrize("name", SLOPES)
def test_slope(name: str) -> None:
    def slope(lib: Any, x: Any) -> Any:
        x.requires_grad_()
        return lib.autograd.grad(SLOPES[name](lib, x).sum(), x)

    compare(slope, ODD)


@pytest.mark.parametrize("name", "silu softplus mish gelu logsigmoid elu selu sigmoid hardswish".split())
def test_float16_activation(name: str) -> None:
    """Computed in float32 and rounded once: float16 has neither the range nor the digits."""
    x = np.array([-6e4, -1e3, -30, -12, -9, -5, -1, -1e-3, 0, 1e-3, 0.5, 5, 12, 1e3, 6e4], np.float16)
    results: list[list[Any]] = []
    for lib in (torch, tl):
        t = lib.tensor(x).requires_grad_()
        y = getattr(lib.nn.functional, name)(t)
        results.append([y.detach().numpy(), lib.autograd.grad(y.sum(), t)[0].numpy()])
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(b, a, rtol=4e-3, atol=1e-6)


def test_a_number_beside_float16_is_not_rounded_first() -> None:
    for call in (lambda x: x * 70000, lambda x: x / 70000, lambda x: x * 1e-8 * 1e8, lambda x: x.clone().mul_(1e-6)):
        a, b = (call(lib.tensor([-0.5, 3.0, 6e4], dtype=lib.float16)) for lib in (torch, tl))
        np.testing.assert_array_equal(b.numpy(), a.numpy())
