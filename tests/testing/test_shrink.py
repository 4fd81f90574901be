"""Failing inputs are shrunk to few elements, whatever the first one looked like."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.testing.seeds import SEEDS
from tinygrad_lite.testing import Source, check_rule


def shapes(forward: Any, backward: Any, sampler: Any, seed: int) -> list[tuple[int, ...]]:
    report = check_rule(forward, backward, sampler, seed=seed)
    assert report.kind == "wrong value"
    return [a.shape for a in report.smallest]


def matrix(src: Source) -> Any:
    return (src.floats((src.size(3), src.size(4))),), {}


@pytest.mark.parametrize("seed", SEEDS)
def test_the_one_value_that_matters_is_kept(seed: int) -> None:
    def forward(x):
        return np.where(x > 2.0, 2.0, x), x

    def backward(g, x):
        return (g * (x < 3.0),)  # wrong between 2 and 3 only

    assert shapes(forward, backward, matrix, seed) == [(1, 1)]


@pytest.mark.parametrize("seed", SEEDS)
def test_several_axes_get_shorter_together(seed: int) -> None:
    def forward(x):
        return x.transpose(2, 0, 1), x

    def backward(g, x):  # of the right shape where all lengths are equal only
        return (g.transpose(2, 0, 1) if len(set(g.shape)) == 1 else g.transpose(1, 2, 0),)

    def sampler(src):
        return (src.floats(tuple(src.size(3) for _ in range(3))),), {}

    assert shapes(forward, backward, sampler, seed) == [(2, 2, 2)]


@pytest.mark.parametrize("seed", SEEDS)
def test_an_axis_is_as_long_as_it_must_be(seed: int) -> None:
    def forward(x):
        return np.roll(x, 1, -1), x

    def backward(g, x):  # its own inverse on two elements
        return (np.roll(g, 1, -1),)

    assert shapes(forward, backward, matrix, seed) == [(1, 3)]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_failure_that_needs_a_size_and_an_option(seed: int) -> None:
    def forward(x, w, scale=1.0):
        return x @ w * scale, (x, w, scale)

    def backward(g, saved):
        x, w, scale = saved
        return g @ w.T * scale, (x * (2.0 if scale > 1 and w.shape[1] > 1 else 1.0)).T @ g * scale

    def sampler(src):
        n, k, m = src.size(3), src.size(4), src.size(2)
        return (src.floats((n, k)), src.floats((k, m))), {"scale": src.choice([1.0, 0.5, 3.0])}

    assert shapes(forward, backward, sampler, seed) == [(1, 1), (1, 2)]
    assert check_rule(forward, backward, sampler, seed=seed).options == {"scale": 3.0}
