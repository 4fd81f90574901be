"""Equations of two operands are matrix products, and give what NumPy's `einsum` gives."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite.ops.linalg import einsum


@pytest.mark.parametrize("seed", range(60))
def test_random_equations_of_two_operands(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sizes = dict(zip("abcde", rng.integers(0 if seed % 9 == 0 else 1, 5, 5), strict=True))
    words = ["".join(rng.permutation(list("abcde"))[: rng.integers(0, 5)]) for _ in range(2)]
    known = sorted(set("".join(words)))
    out = "".join(rng.permutation(known)[: rng.integers(0, len(known) + 1)])
    shapes = [[1 if seed % 5 == 0 and rng.random() < 0.3 else sizes[c] for c in word] for word in words]
    arrays = [rng.standard_normal(shape) for shape in shapes]
    equation = f"{','.join(words)}->{out}"
    y = tl.einsum(equation, *map(tl.tensor, arrays))
    expected = np.einsum(equation, *arrays)
    np.testing.assert_allclose(y.numpy(), expected, rtol=1e-12, atol=1e-12, err_msg=f"{equation} {shapes}")
    assert y.is_contiguous()


def test_equations_that_are_no_matrix_product_are_left_to_numpy() -> None:
    rng = np.random.default_rng(0)
    a, b, one = rng.standard_normal((3, 4)), rng.standard_normal((4, 5)), rng.standard_normal((1, 5))
    assert einsum._contracted("ij,jk->ik", a, b) is not None
    assert einsum._contracted("ij,ij->i", a, a) is None, "scalar products"
    assert einsum._contracted("ij,jk->ik", a, one) is None, "an axis of one element is repeated"
