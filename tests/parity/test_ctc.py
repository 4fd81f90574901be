"""The loss of a sequence without alignment, against PyTorch; its gradient against differences of itself."""

import itertools

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite.testing import gradcheck, gradgradcheck

torch = pytest.importorskip("torch")
F = tl.nn.functional

CASES = {
    "plain": ([[1, 2, 2, 3], [4, 4, 4, 1], [1, 0, 0, 0]], [9, 7, 5], [4, 3, 1], {}),
    "one axis": ([1, 2, 2, 3, 4, 4, 1], [9, 7, 5], [4, 2, 1], {}),
    "another blank": ([[0, 2, 2], [1, 4, 4], [1, 0, 0]], [9, 7, 8], [3, 3, 2], {"blank": 3}),
    "empty target": ([[1, 2], [3, 4], [0, 0]], [9, 9, 4], [2, 1, 0], {}),
    "no label at all": (np.zeros((3, 0), np.int64), [9, 4, 1], [0, 0, 0], {}),
    "impossible": ([[1, 1, 1], [2, 3, 4], [1, 2, 2]], [4, 3, 9], [3, 3, 3], {"zero_infinity": True}),
}


def numbers(*shape):
    return np.random.default_rng(0).standard_normal(shape)


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_values_and_gradients(name, reduction, dtype):
    targets, spoken, wanted, options = CASES[name]
    found = []
    for lib, f in ((tl, F), (torch, torch.nn.functional)):
        x = lib.tensor(numbers(9, 3, 5).astype(dtype), requires_grad=True)
        loss = f.ctc_loss(
            lib.log_softmax(x, -1), lib.tensor(np.asarray(targets)), lib.tensor(spoken), lib.tensor(wanted),
            reduction=reduction, **options,
        )  # fmt: skip
        (loss**2).sum().backward()
        found.append((loss, x.grad))
    for ours, theirs in zip(*found, strict=True):
        assert ours.shape == tuple(theirs.shape) and ours.dtype == dtype
        tolerance = 1e-9 if dtype == "float64" else 2e-4
        np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), rtol=tolerance, atol=tolerance)


def test_one_sequence_alone_and_the_layer():
    x = numbers(6, 4)
    for reduction in ("none", "mean", "sum"):
        ours = tl.nn.CTCLoss(blank=3, reduction=reduction)(tl.tensor(x).log_softmax(-1), tl.tensor([1, 1, 0]), [6], [3])
        theirs = torch.nn.CTCLoss(blank=3, reduction=reduction)(
            torch.tensor(x).log_softmax(-1), torch.tensor([1, 1, 0]), torch.tensor([6]), torch.tensor([3])
        )
        assert ours.shape == tuple(theirs.shape) and ours.item() == pytest.approx(theirs.item())
    assert repr(tl.nn.CTCLoss()) == repr(torch.nn.CTCLoss())


def test_it_is_the_sum_over_all_alignments():
    p = tl.tensor(numbers(5, 3)).softmax(-1)
    alignments = [
        path for path in itertools.product(range(3), repeat=5)
        if [k for k, _ in itertools.groupby(path) if k] == [1, 1, 2]  # repeats are one label, 0 is nothing
    ]  # fmt: skip
    expected = -np.log(sum(np.prod([p[t, k].item() for t, k in enumerate(path)]) for path in alignments))
    loss = F.ctc_loss(p.log(), tl.tensor([1, 1, 2]), [5], [3], reduction="sum")
    assert len(alignments) > 3 and expected == pytest.approx(loss.item())


@pytest.mark.parametrize("name", [n for n in CASES if n != "no label at all"])
def test_both_derivatives(name):
    targets, spoken, wanted, options = CASES[name]

    def loss(x):
        return F.ctc_loss(x, tl.tensor(targets), spoken, wanted, reduction="sum", **options)

    x = tl.tensor(numbers(9, 3, 5)).log_softmax(-1).requires_grad_()
    assert gradcheck(loss, x)
    assert gradgradcheck(loss, x)


def test_an_impossible_alignment_is_infinite_without_a_gradient():
    x = tl.tensor(numbers(2, 1, 3), requires_grad=True)
    loss = F.ctc_loss(x.log_softmax(-1), tl.tensor([[1, 1]]), [2], [2])
    assert loss.item() == np.inf
    loss.backward()
    assert not x.grad.array.any()


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"blank": 5}, "blank must be in label range"), ({"input_lengths": [9, 9]}, "of size 3"),
        ({"input_lengths": [10, 9, 9]}, "between 0 and 9"), ({"target_lengths": [5, 1, 1]}, "between 0 and 2"),
        ({"targets": tl.tensor([[1.0, 2.0]] * 3)}, "must be integers"), ({"reduction": "median"}, "reduction must be"),
        ({"targets": tl.tensor([[1, 7]] * 3)}, "target 7 is out of bounds for 5 classes"),
        ({"log_probs": tl.ones(3)}, "log_probs must be floats"), ({"targets": tl.tensor([1, 2, 3])}, "hold all labels"),
        ({"targets": tl.tensor([[1, 2]])}, r"targets must be \(3, S\)"),
    ],
)  # fmt: skip
def test_wrong_calls(change, text):
    right = {
        "log_probs": tl.tensor(numbers(9, 3, 5)).log_softmax(-1), "targets": tl.tensor([[1, 2]] * 3),
        "input_lengths": [9, 9, 9], "target_lengths": [2, 2, 2],
    }  # fmt: skip
    F.ctc_loss(**right)
    with pytest.raises((ValueError, TypeError), match=text):
        F.ctc_loss(**{**right, **change})
