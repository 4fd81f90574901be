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
    # PyTorch's sign forgets a NaN; here, as in NumPy, it stays one
    compare(lambda lib, x: getattr(lib, name)(x), (ODD[1:] if name == "sign" else ODD).astype(dtype))


def test_sign_keeps_nan() -> None:
    assert tl.sign(tl.tensor([np.nan, -2.0])).isnan().tolist() == [True, False]


@pytest.mark.parametrize("name", BINARY)
def test_binary(name: str) -> None:
    a, b = np.meshgrid(ODD, ODD)
    compare(lambda lib, x, y: getattr(lib, name)(x, y), a.copy(), b.copy())


@pytest.mark.parametrize("name", OTHERS)
def test_other(name: str) -> None:
    compare(OTHERS[name], ODD)
