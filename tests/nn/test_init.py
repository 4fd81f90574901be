"""Starting values: the distributions, and that every layer begins as PyTorch's does."""

import math

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite import nn
from tinygrad_lite.nn import init


@pytest.fixture(autouse=True)
def seed():
    tl.manual_seed(1)


def check(values, low, high, std, mean=0.0):
    a = values.detach().array
    assert low - 1e-6 <= a.min() and a.max() <= high + 1e-6
    assert a.std() == pytest.approx(std, rel=0.05) and abs(a.mean() - mean) < 0.05 * max(std, 1e-3) + 1e-3


def test_distributions():
    w = tl.empty(200, 300)
    assert init.uniform_(w, -1, 3) is w
    check(w, -1, 3, 4 / math.sqrt(12), 1)
    init.normal_(w, 2.0, 0.5)
    check(w, -np.inf, np.inf, 0.5, 2)
    init.trunc_normal_(w, std=2.0, a=-1.0, b=1.0)
    check(w, -1, 1, 0.56)
    init.xavier_uniform_(w, gain=2.0)
    check(w, -2 * math.sqrt(6 / 500), 2 * math.sqrt(6 / 500), 2 * math.sqrt(2 / 500))
    init.xavier_normal_(w)
    check(w, -1, 1, math.sqrt(2 / 500))
    init.kaiming_uniform_(w, nonlinearity="relu")
    check(w, -math.sqrt(6 / 300), math.sqrt(6 / 300), math.sqrt(2 / 300))
    init.kaiming_normal_(w, mode="fan_out", nonlinearity="relu")
    check(w, -1, 1, math.sqrt(2 / 200))
    init.orthogonal_(w, gain=3.0)
    np.testing.assert_allclose(w.array @ w.array.T, 9 * np.eye(200), atol=1e-3)
    init.sparse_(w, 0.25, std=0.1)
    assert ((w.array == 0).sum(0) == 50).all()


def test_plain_fillings():
    w = tl.empty(2, 3)
    assert init.constant_(w, 2.5).tolist() == [[2.5] * 3] * 2
    assert init.ones_(w).tolist() == [[1] * 3] * 2 and init.zeros_(w).tolist() == [[0] * 3] * 2
    assert init.eye_(w).tolist() == [[1, 0, 0], [0, 1, 0]]
    k = init.dirac_(tl.empty(4, 2, 3), groups=2)
    assert k.array[0, 0].tolist() == [0, 1, 0] and k.array[3, 1].tolist() == [0, 1, 0] and k.array.sum() == 4
    assert init.zeros_(nn.Linear(2, 2).weight.data).tolist() == [[0, 0], [0, 0]], "through .data, in place"


def test_in_place_and_seeded():
    layer = nn.Linear(3, 3)
    p = layer.weight
    memory = p.array
    tl.manual_seed(5)
    init.normal_(p)
    first = p.array.copy()
    tl.manual_seed(5)
    init.normal_(p)
    assert np.array_equal(p.array, first) and p.array is memory and p.requires_grad and p.grad is None
    g = tl.Generator().manual_seed(3)
    a = init.normal_(tl.empty(3), generator=g).array.copy()
    assert np.array_equal(init.normal_(tl.empty(3), generator=g.manual_seed(3)).array, a)


def test_gains():
    assert init.calculate_gain("relu") == math.sqrt(2) and init.calculate_gain("tanh") == 5 / 3
    assert init.calculate_gain("leaky_relu", 2.0) == math.sqrt(2 / 5) and init.calculate_gain("conv2d") == 1
    assert init.calculate_gain("selu") == 0.75


@pytest.mark.parametrize(
    "call",
    [
        lambda: init.xavier_uniform_(tl.empty(3)), lambda: init.eye_(tl.empty(3)), lambda: init.dirac_(tl.empty(3, 3)),
        lambda: init.orthogonal_(tl.empty(3)), lambda: init.calculate_gain("cosine"),
        lambda: init.sparse_(tl.empty(3), 0.1),
        lambda: init.kaiming_uniform_(tl.empty(3, 3), mode="fan"), lambda: init.calculate_gain("leaky_relu", "x"),
    ],
)  # fmt: skip
def test_wrong_calls(call):
    with pytest.raises(ValueError):
        call()


BOUNDS = [
    (lambda: nn.Linear(400, 100), "weight", 1 / 20), (lambda: nn.Linear(400, 1000), "bias", 1 / 20),
    (lambda: nn.Conv2d(16, 50, 5), "weight", 1 / 20), (lambda: nn.Conv2d(32, 500, 5, groups=2), "bias", 1 / 20),
    (lambda: nn.ConvTranspose2d(50, 16, 5), "weight", 1 / 20), (lambda: nn.Bilinear(400, 20, 20), "weight", 1 / 20),
    (lambda: nn.LSTM(30, 100), "weight_ih_l0", 1 / 10), (lambda: nn.GRUCell(30, 100), "weight_hh", 1 / 10),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(BOUNDS)))
def test_layers_start_uniform(number):
    make, name, bound = BOUNDS[number]
    layer = make()
    check(getattr(layer, name), -bound, bound, bound / math.sqrt(3))
    assert getattr(layer, name).array.max() > 0.9 * bound
    before = getattr(layer, name).array.copy()
    layer.reset_parameters()
    assert not np.array_equal(getattr(layer, name).array, before)
    check(getattr(layer, name), -bound, bound, bound / math.sqrt(3))


def test_layers_that_start_differently():
    check(nn.Embedding(100, 100).weight, -6, 6, 1)
    assert not nn.Embedding(4, 3, padding_idx=2).weight.array[2].any()
    a = nn.MultiheadAttention(100, 2)
    check(a.in_proj_weight, -math.sqrt(6 / 400), math.sqrt(6 / 400), math.sqrt(2 / 400))
    assert not a.in_proj_bias.array.any() and not a.out_proj.bias.array.any()
    b = nn.BatchNorm2d(3)
    assert b.weight.tolist() == [1] * 3 and b.bias.tolist() == [0] * 3 and b.running_var.tolist() == [1] * 3
    assert nn.PReLU().weight.tolist() == [0.25]
