"""Sequences of different lengths, packed, through recurrent layers: as PyTorch packs and computes them."""

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite.testing import gradgradcheck

torch = pytest.importorskip("torch")

LENGTHS = [[4, 3, 3, 1], [2, 4, 1, 3], [3, 3, 3, 3], [1, 5, 5, 2]]


def numbers(*shape):
    return np.random.default_rng(sum(shape)).standard_normal(shape)


def rnn(lib):
    return lib.nn.utils.rnn


def same(ours, theirs, what=""):
    assert ours.shape == tuple(theirs.shape), what
    np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), rtol=1e-9, atol=1e-11, err_msg=what)


def both(ours, theirs):
    for field in ("data", "batch_sizes", "sorted_indices", "unsorted_indices"):
        a, b = getattr(ours, field), getattr(theirs, field)
        assert (a is None) == (b is None), field
        if a is not None:
            same(a, b, field)


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("lengths", LENGTHS)
@pytest.mark.parametrize("rest", [(), (2,), (2, 3)])
def test_packing_and_unpacking(batch_first, lengths, rest):
    x = numbers(*((4, 5) if batch_first else (5, 4)), *rest)
    pairs = []
    for lib in (tl, torch):
        t = lib.tensor(x, requires_grad=True)
        packed = rnn(lib).pack_padded_sequence(t, lib.tensor(lengths), batch_first, enforce_sorted=False)
        padded, sizes = rnn(lib).pad_packed_sequence(packed, batch_first, -7.0, total_length=6)
        (padded**3).sum().backward()
        pairs.append((packed, padded, sizes, t.grad))
    both(pairs[0][0], pairs[1][0])
    for ours, theirs in zip(pairs[0][1:], pairs[1][1:], strict=True):
        same(ours, theirs)


def test_lists_of_sequences():
    found = []
    for lib in (tl, torch):
        sequences = [lib.tensor(numbers(n, 2)) for n in (2, 4, 3)]
        packed = rnn(lib).pack_sequence(sequences, enforce_sorted=False)
        found.append((packed, rnn(lib).unpack_sequence(packed)))
    both(found[0][0], found[1][0])
    for ours, theirs in zip(found[0][1], found[1][1], strict=True):
        same(ours, theirs)


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
@pytest.mark.parametrize("lengths", LENGTHS)
@pytest.mark.parametrize(
    "options", [{}, {"bidirectional": True, "num_layers": 2}, {"bidirectional": True, "batch_first": True}]
)
@pytest.mark.parametrize("begun", [False, True])
def test_recurrent_layers(kind, lengths, options, begun):
    torch.manual_seed(0)
    theirs = getattr(torch.nn, kind)(3, 4, **options).double()
    ours = getattr(tl.nn, kind)(3, 4, **options).double()
    ours.load_state_dict({k: tl.tensor(v.numpy()) for k, v in theirs.state_dict().items()})
    rows = options.get("num_layers", 1) * (2 if options.get("bidirectional") else 1)
    results = []
    for lib, layer in ((tl, ours), (torch, theirs)):
        x = lib.tensor(numbers(5, 4, 3), requires_grad=True)
        h = lib.tensor(numbers(rows, 4, 4), requires_grad=True)
        given = (None if not begun else (h, h * 2) if kind == "LSTM" else h,)
        packed = rnn(lib).pack_padded_sequence(x, lengths, enforce_sorted=False)
        y, last = layer(packed, *given)
        last = last if isinstance(last, tuple) else (last,)
        ((y.data**2).sum() + sum((s**3).sum() for s in last)).backward()
        grads = [x.grad, *([h.grad] if begun else []), *(p.grad for p in layer.parameters())]
        results.append((y, [*last, *grads]))
    both(results[0][0], results[1][0])
    for i, (a, b) in enumerate(zip(results[0][1], results[1][1], strict=True)):
        same(a, b, f"{kind} {i}")


def test_both_derivatives():
    layer = tl.nn.GRU(2, 2, bidirectional=True).double()

    def run(x):
        packed = rnn(tl).pack_padded_sequence(x, [1, 3, 2], enforce_sorted=False)
        return rnn(tl).pad_packed_sequence(layer(packed)[0])[0]

    assert gradgradcheck(run, tl.tensor(numbers(3, 3, 2), requires_grad=True))


def test_no_sequence_is_longer_than_the_input():
    with pytest.raises(RuntimeError, match=r"lengths must be 1\.\.5 as the input \(5, 4, 3\)"):
        rnn(tl).pack_padded_sequence(tl.ones(5, 4, 3), [9, 3, 2, 1])


def test_padding_has_no_influence():
    tl.manual_seed(0)
    layer = tl.nn.LSTM(2, 3, bidirectional=True)
    x = tl.tensor(numbers(4, 2, 2), dtype=tl.float32)
    filled = x.clone()
    filled[2:, 1] = 1e6
    a, b = (layer(rnn(tl).pack_padded_sequence(v, [4, 2])) for v in (x, filled))
    assert (a[0].data == b[0].data).all() and (a[1][0] == b[1][0]).all()
    alone, (h, _) = layer(x[:2, 1:])
    np.testing.assert_allclose(
        rnn(tl).pad_packed_sequence(a[0])[0][:2, 1:].detach(), alone.detach(), rtol=1e-6, atol=1e-7
    )
    np.testing.assert_allclose(a[1][0][:, 1:].detach(), h.detach(), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda lib, x: rnn(lib).pack_padded_sequence(x, [1, 2, 3, 4]),
        lambda lib, x: rnn(lib).pack_padded_sequence(x, [4, 3, 2]),
        lambda lib, x: rnn(lib).pack_padded_sequence(x, [4, 3, 2, 0]),
        lambda lib, x: rnn(lib).pad_packed_sequence(rnn(lib).pack_padded_sequence(x, [4, 3, 2, 1]), total_length=3),
        lambda lib, x: lib.nn.LSTM(2, 3)(rnn(lib).pack_padded_sequence(x, [4, 3, 2, 1])),
        lambda lib, x: lib.nn.LSTM(3, 3)(rnn(lib).pack_padded_sequence(x, [4, 3, 2, 1]), (x, x)),
    ],
)
def test_wrong_calls(wrong):
    for lib in (tl, torch):
        with pytest.raises((RuntimeError, ValueError)):
            wrong(lib, lib.ones(5, 4, 3))
