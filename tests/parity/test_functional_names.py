"""Names of nn.functional that no layer has: pooling with indices, conv_tbc."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl

torch = pytest.importorskip("torch")
X = np.sin(np.arange(2 * 3 * 6 * 5 * 4.0) * 1.7)


@pytest.mark.parametrize("adaptive", [False, True])
@pytest.mark.parametrize("n", [1, 2, 3])
def test_pooling_with_indices(n: int, adaptive: bool) -> None:
    found = []
    for T in (torch, tl):
        x = T.tensor(X.reshape(2, 3, 6, 5, 4)[(slice(None), slice(None), *[slice(None)] * n, *[0] * (3 - n))].copy())
        x.requires_grad_()
        name = f"{'adaptive_' * adaptive}max_pool{n}d_with_indices"
        values, indices = getattr(T.nn.functional, name)(x, 2)
        (values * T.arange(float(values.numel()), dtype=T.float64).reshape(values.shape)).sum().backward()
        found.append([values.detach().numpy(), indices.numpy(), x.grad.numpy()])
    for theirs, ours in zip(*found, strict=True):
        np.testing.assert_array_equal(theirs, ours)


@pytest.mark.parametrize("pad", [0, 1, 2])
def test_conv_tbc(pad: int) -> None:
    found: list[Any] = []
    for T in (torch, tl):
        x, w, b = (T.tensor(X[: int(np.prod(s))].reshape(s)) for s in ((7, 2, 3), (3, 3, 4), (4,)))
        for t in (x, w, b):
            t.requires_grad_()
        y = T.nn.functional.conv_tbc(x, w, b, pad)
        (y * y).sum().backward()
        found.append([y.detach().numpy(), *[t.grad.numpy() for t in (x, w, b)]])
    for theirs, ours in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)
