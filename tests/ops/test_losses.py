"""What all losses share: the mean of an empty batch is NaN, the sum is zero, and reductions are checked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite.nn import functional as F

PAIRS = {
    "mse_loss": F.mse_loss,
    "l1_loss": F.l1_loss,
    "smooth_l1_loss": F.smooth_l1_loss,
    "huber_loss": F.huber_loss,
    "poisson_nll_loss": F.poisson_nll_loss,
    "binary_cross_entropy": F.binary_cross_entropy,
    "binary_cross_entropy_with_logits": F.binary_cross_entropy_with_logits,
    "kl_div": F.kl_div,
    "soft_margin_loss": F.soft_margin_loss,
    "hinge_embedding_loss": F.hinge_embedding_loss,
}


@pytest.mark.parametrize("make", [tl.zeros, np.zeros])
@pytest.mark.parametrize("name", PAIRS)
def test_an_empty_batch(name: str, make: Any) -> None:
    x, t = make((0, 3)), make((0, 3))
    assert np.isnan(float(PAIRS[name](x, t)))
    assert float(PAIRS[name](x, t, reduction="sum")) == 0
    assert tuple(PAIRS[name](x, t, reduction="none").shape) == (0, 3)


@pytest.mark.parametrize("name", PAIRS)
def test_an_unknown_reduction(name: str) -> None:
    x = tl.full((2, 3), 0.5)
    with pytest.raises(ValueError, match=f"{name}: reduction must be one of mean, sum, none.*'median'"):
        PAIRS[name](x, x, reduction="median")


@pytest.mark.parametrize("name", PAIRS)
def test_reductions_belong_together(name: str) -> None:
    rng = np.random.default_rng(0)
    x, t = rng.uniform(0.1, 0.9, (2, 4, 3))
    each = PAIRS[name](tl.tensor(x), tl.tensor(t), reduction="none").numpy()
    assert float(PAIRS[name](tl.tensor(x), tl.tensor(t), reduction="sum")) == pytest.approx(each.sum())
    assert float(PAIRS[name](tl.tensor(x), tl.tensor(t))) == pytest.approx(each.mean())
    # plain arrays in, plain arrays out
    assert PAIRS[name](x, t) == pytest.approx(each.mean())
    assert not isinstance(PAIRS[name](x, t), tl.Tensor)
