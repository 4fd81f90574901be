"""The gradient of an embedding, added up in rounds or in runs, against np.add.at in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite.ops.indexing.embedding import add_rows

RNG = np.random.default_rng(0)
INDICES: dict[str, Any] = {
    "each once": (RNG.permutation(50), 50),
    "few repeats": (RNG.integers(0, 60, 90), 60),
    "many repeats": (RNG.integers(0, 5, 1000), 5),
    "one row only": (np.full(37, 3), 8),
    "one row often, the others once": (np.concatenate([np.arange(200), np.full(150, 7)]), 200),
    "nine rows often, the others once": (np.concatenate([np.arange(400), np.repeat(np.arange(9) * 11, 30)]), 400),
    "three of each": (np.tile(np.arange(40), 3), 40),
    "four of each": (np.tile(np.arange(40), 4), 40),
    "rows beyond 65,536": (RNG.integers(0, 70_000, 500), 70_000),
    "the last of 65,536 rows": (np.array([65_535, 0, 65_535, 1]), 65_536),
    "the last of 65,537 rows": (np.array([65_536, 0, 65_536, 1]), 65_537),
    "a single one": (np.array([2]), 4),
    "none": (np.zeros(0, np.int64), 4),
    "two axes": (RNG.integers(0, 30, (6, 7)), 30),
}


def expected(values: Any, index: Any, count: int) -> Any:
    out = np.zeros((count, values.shape[-1]))
    np.add.at(out, index.reshape(-1), values.reshape(-1, values.shape[-1]).astype(np.float64))
    return out


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", INDICES)
def test_rows_are_added_up(name: str, dtype: Any) -> None:
    index, count = INDICES[name]
    for d in (1, 3):
        values = RNG.standard_normal((*index.shape, d)).astype(dtype)
        found = add_rows(values, index, count)
        assert found.dtype == dtype
        tolerance = 1e-5 if dtype is np.float32 else 1e-12
        np.testing.assert_allclose(found, expected(values, index, count), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("kind", [np.int8, np.int32, np.int64, np.uint16])
def test_every_dtype_of_index(kind: Any) -> None:
    index = RNG.integers(0, 20, 70).astype(kind)
    values = RNG.standard_normal((70, 2))
    np.testing.assert_allclose(add_rows(values, index, 20), expected(values, index, 20))


@pytest.mark.parametrize("name", INDICES)
def test_gradient_of_embedding(name: str) -> None:
    index, count = INDICES[name]
    weight = tl.tensor(RNG.standard_normal((count, 3)), requires_grad=True)
    g = RNG.standard_normal((*index.shape, 3))
    tl.nn.functional.embedding(tl.tensor(index), weight).backward(tl.tensor(g))
    np.testing.assert_allclose(weight.grad.numpy(), expected(g, index, count), atol=1e-12)


def test_memory_that_is_not_contiguous_and_stays_as_it_is() -> None:
    index, count = INDICES["few repeats"]
    wide = RNG.standard_normal((2 * len(index), 6))
    values, at = wide[::-2, 1::2], np.repeat(index, 2)[::2]
    before = values.copy(), at.copy()
    np.testing.assert_allclose(add_rows(values, at, count), expected(values, at, count), atol=1e-12)
    np.testing.assert_array_equal(values, before[0])
    np.testing.assert_array_equal(at, before[1])
