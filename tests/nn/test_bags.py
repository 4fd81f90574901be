"""Bags of rows: what PyTorch does not define, or does otherwise than it says."""

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite import nn
from tinygrad_lite.testing import gradgradcheck

F = nn.functional


def test_gradients_by_frequency_are_divided_by_the_number_of_uses():
    weight = tl.ones(5, 2, requires_grad=True)
    F.embedding_bag(tl.tensor([[1, 4], [1, 1]]), weight, mode="sum", scale_grad_by_freq=True).sum().backward()
    assert weight.grad.tolist() == [[0, 0], [1, 1], [0, 0], [0, 0], [1, 1]]


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
@pytest.mark.parametrize("padding", [None, 2])
def test_both_derivatives(mode, padding):
    weight = tl.tensor(np.random.default_rng(0).standard_normal((4, 3)), requires_grad=True)
    index, offsets = tl.tensor([0, 2, 2, 3, 1, 0]), tl.tensor([0, 2, 2, 5])

    def bags(weight):
        return F.embedding_bag(index, weight, offsets, mode=mode, padding_idx=padding) ** 3

    assert gradgradcheck(bags, weight)


def test_derivatives_of_the_weights_of_a_sum():
    rng = np.random.default_rng(0)
    table, scale = (tl.tensor(rng.standard_normal(s), requires_grad=True) for s in ((4, 3), (2, 2)))
    index = tl.tensor([[0, 2], [2, 2]])
    assert gradgradcheck(lambda w, s: F.embedding_bag(index, w, mode="sum", per_sample_weights=s) ** 2, table, scale)


def test_an_empty_bag_is_zero_and_ties_go_to_the_first():
    weight = tl.tensor([[1.0, 5.0], [1.0, 2.0]], requires_grad=True)
    y = F.embedding_bag(tl.tensor([1, 0, 0]), weight, tl.tensor([0, 0, 3]), mode="max")
    assert y.tolist() == [[0, 0], [1, 5], [0, 0]]
    y.sum().backward()
    assert weight.grad.tolist() == [[0, 1], [1, 0]]


def test_a_table_that_was_trained_elsewhere():
    table = tl.tensor([[1.0, 2.0], [3.0, 4.0]])
    layer = nn.EmbeddingBag.from_pretrained(table, mode="mean")
    assert layer(tl.tensor([[0, 1]])).tolist() == [[2, 3]] and not layer.weight.requires_grad
    with pytest.raises(AssertionError, match="2-dimensional"):
        nn.EmbeddingBag.from_pretrained(table[0])
    with pytest.raises(AssertionError):
        nn.EmbeddingBag(3, 2, padding_idx=3)
