"""Arguments that used to crash NumPy, to loop without end, or to raise an error of another kind."""

import math

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite import datasets, nn
from tinygrad_lite.errors import describe

F = nn.functional
ITSELF = []
ITSELF.append(ITSELF)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: tl.zeros(2, np.float32), "float32"),
        (lambda: tl.zeros(np.ndarray), "whole numbers.*ndarray"),
        (lambda: nn.Linear(3, np.float32), "out_features must be an integer.*float32"),
        (lambda: tl.ones(2) + np.ndarray, "ndarray"),
        (lambda: tl.ones(6).view(4, 2), "^view: cannot reshape 6"),
        (lambda: tl.ones(6).view(-1, -1), "^view: "),
        (lambda: F.cross_entropy(tl.ones(3, 3), [0, 1, 2]), "^cross_entropy: target must be a tensor"),
        (lambda: tl.tensor_split(tl.ones(3), 2**62), "too many"),
        (lambda: datasets.make_blobs(random_state=ITSELF), "whole numbers"),
        (lambda: datasets.make_xor(seed=[1, [2]]), "whole numbers"),
        (lambda: tl.manual_seed(ITSELF), "seed"),
    ],
)
def test_errors_that_name_the_argument(call, words):
    with pytest.raises((TypeError, ValueError), match=words):
        call()


@pytest.mark.parametrize("offset", [-(2**31), 2**31, 2**40, -(2**40), -(2**63), 2**63, 2**80])
def test_diagonals_far_outside(offset):
    x = tl.ones(2, 3).requires_grad_()
    assert tl.diagonal(x, offset).shape == tl.diag(x, offset).shape == (0,)
    assert tl.diagonal_scatter(x, tl.zeros(0), offset).tolist() == x.tolist()
    assert np.trace(x, offset).item() == 0
    keeps, loses = (tl.tril, tl.triu) if offset > 0 else (tl.triu, tl.tril)
    assert keeps(x, offset).tolist() == x.tolist() and not loses(x, offset).any()
    (tl.diagonal(x, offset).sum() + keeps(x, offset).sum()).backward()
    assert x.grad.tolist() == [[1.0] * 3] * 2


def test_counts_of_loops():
    assert tl.diff(tl.ones(3), 2**40).shape == (0,)
    with pytest.raises(TypeError):
        tl.diff(tl.ones(3), 1.5)
    assert tl.polygamma(200, tl.tensor([1.0])).tolist() == [-math.inf]
    assert tl.polygamma(3, tl.tensor([1.0])).item() == pytest.approx(math.pi**4 / 15)


def test_a_number_as_a_rate():
    assert tl.poisson(tl.tensor(0.0)).item() == 0 and tl.poisson(tl.tensor(0.5)).dtype == tl.float32


def test_norms_of_any_order():
    """The numbers are PyTorch's."""
    parts = [tl.tensor([1.0, -2.0]), tl.zeros(2)]
    expected = {0: 1.0, -math.inf: 0.0, -1: 0.0, 1: 3.0, math.inf: 2.0}
    assert {p: nn.utils.get_total_norm(parts, p).item() for p in expected} == expected


def test_classes_are_described():
    assert describe(np.float32) == "<class 'numpy.float32'>" and "ndarray" in describe([np.ndarray])
