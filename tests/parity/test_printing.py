"""Tensors are printed as PyTorch prints them."""
# ruff: noqa: E501 - a table, one row per line

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl

torch = pytest.importorskip("torch")
RNG = np.random.default_rng(0)
SHOWN: list[Any] = [
    1.0, 2.5, 3, True, [], [1.0, 2.0], [1.5, 2.0], [1, -20, 300], [True, False], [1e10, 1.0], [1e-5, 1.0], [1000.5, 0.1], [123456.0, 1.0],
    [np.nan, 1.0], [np.inf, -np.inf, 1.5], [np.nan], [0.0, -0.0], [[1.0, 2.0], [3.25, 4.0]], np.zeros((2, 0), np.float32), np.zeros((0, 3), np.float32),
    np.arange(24.0, dtype=np.float32).reshape(2, 3, 4), np.arange(24).reshape(2, 2, 3, 2), RNG.normal(size=(3, 30)).astype(np.float32),
    RNG.normal(size=(40, 40)).astype(np.float32), np.arange(2000), RNG.normal(size=(2000,)).astype(np.float32), np.ones((3, 500, 3), np.float32),
    np.arange(30, dtype=np.float32), np.array([1.5], np.float64), np.array([1], np.int32), np.array(7, np.int8), np.zeros((0,), np.int64),
    np.arange(1001).reshape(7, 143) * 1000, (RNG.normal(size=(4, 4)) * 1e6).astype(np.float32), np.array([[1.0]], np.float16),
    np.array([[0.001, 0.01]], np.float32), np.array([99999.0, 100000000.0], np.float32), np.array([1e8 + 8], np.float32), np.array([0.0, 1e-9], np.float32),
]  # fmt: skip


def like_ours(text: str) -> str:
    """PyTorch's words where ours differ: dtypes are NumPy's, steps are named by the op."""
    return text.replace("torch.", "")


@pytest.mark.parametrize("data", SHOWN, ids=range(len(SHOWN)))
def test_repr(data: Any) -> None:
    mine = tl.tensor(data)
    hers = torch.tensor(data)
    # PyTorch breaks the line by the length of its longer dtype names
    assert re.sub(r",\s+dtype", ", dtype", repr(mine)) == re.sub(r",\s+dtype", ", dtype", like_ours(repr(hers)))


def test_notes() -> None:
    x = tl.tensor([1.0, 2.0], requires_grad=True)
    assert repr(x) == repr(torch.tensor([1.0, 2.0], requires_grad=True))
    assert repr(x * 2) == "tensor([2., 4.], grad_fn=<mul>)"
    assert str(x.detach()) == "tensor([1., 2.])" and f"{x.sum().detach():.2f}" == "3.00"


def test_options() -> None:
    data = RNG.normal(size=(4, 20)).astype(np.float32)
    for options in (
        {"precision": 2},
        {"edgeitems": 1, "threshold": 5},
        {"linewidth": 40},
        {"sci_mode": True},
        {"profile": "short"},
        {"profile": "full"},
    ):
        try:
            tl.set_printoptions(**options)  # type: ignore[arg-type]
            torch.set_printoptions(**options)
            assert repr(tl.tensor(data)) == repr(torch.tensor(data)), options
        finally:
            tl.set_printoptions(profile="default")
            torch.set_printoptions(profile="default")
    with pytest.raises(ValueError, match="profile"):
        tl.set_printoptions(profile="long")
