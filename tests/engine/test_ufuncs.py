"""Ops that are one ufunc: small arrays go straight to it, and it computes what the forward does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite.engine.call import SMALL

NAMES = [name for name, op in tl.OPS.items() if op.ufunc is not None]
VALUES = np.array([-np.inf, -2.5, -0.0, 0.0, 1e-30, 0.75, 3.0, np.inf, np.nan])


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int64"])
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_ufunc_is_the_forward(name: str, dtype: str) -> None:
    op = tl.OPS[name]
    assert op.ufunc is not None and op.ufunc.nin == len(op.params)
    values = (VALUES if dtype.startswith("f") else np.array([-3, 0, 1, 7])).astype(dtype)
    given = [values] if op.ufunc.nin == 1 else list(np.meshgrid(values, values))
    expected, found = op.forward(*given), op.ufunc(*given)
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("name", NAMES)
def test_only_large_arrays_take_the_forward(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    op = tl.OPS[name]
    names: dict[str, Any] = op.call.__globals__
    small, large = tl.ones(SMALL, requires_grad=True), tl.ones(SMALL + 1, requires_grad=True)
    op.call(*[small] * len(op.params))  # compiled at its first call
    plain, calls = names["forward"], []
    monkeypatch.setitem(names, "forward", lambda *given: calls.append(given) or plain(*given))
    op.call(*[small] * len(op.params)).sum().backward()
    assert not calls
    op.call(*[large] * len(op.params)).sum().backward()
    assert len(calls) == 1
