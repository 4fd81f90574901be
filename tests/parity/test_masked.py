"""``masked``, ``segment_reduce``, ``cond`` and ``while_loop`` against PyTorch."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl

torch = pytest.importorskip("torch")

BOTH = (torch, tl)
RNG = np.random.default_rng(3)
X = RNG.standard_normal((3, 4))
MASK = RNG.random((3, 4)) > 0.4
MASK[1] = False
ALONG = ("argmax", "argmin", "cumprod", "cumsum", "log_softmax", "median", "normalize", "softmax", "softmin")
OVER = ("amax", "amin", "logsumexp", "mean", "norm", "prod", "std", "sum", "var")


def outcome(T: Any, name: str, mask: Any, args: Any, words: Any, values: Any = X) -> tuple[Any, Any]:
    """Return the result, and the gradient of its finite part where PyTorch has one."""
    x = T.tensor(values, requires_grad=values.dtype.kind == "f")
    words = {k: getattr(T, v) if k == "dtype" else v for k, v in words.items()}
    words |= {} if mask is None else {"mask": T.tensor(mask)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        y = getattr(T.masked, name)(x, *((2.0,) if name.startswith("norm") else ()), *args, **words)
        if y.requires_grad and y.isfinite().any():
            y[y.isfinite()].pow(2).sum().backward()
    return y, x.grad


def agree(name: str, mask: Any, args: Any = (), values: Any = X, **words: Any) -> None:
    (y, g), (z, h) = (outcome(T, name, mask, args, words, values) for T in BOTH)
    assert (tuple(y.shape), str(y.dtype)) == (z.shape, str(z.dtype)), (args, words)
    exact = 1e-9 if values.dtype == np.float64 else 2e-6
    np.testing.assert_allclose(z.detach().numpy(), y.detach().numpy(), rtol=exact, err_msg=f"{name} {args} {words}")
    if g is not None and h is not None:
        kept = np.isfinite(g.numpy())  # what is left out gets NaN there in places, and 0 here
        np.testing.assert_allclose(h.numpy()[kept], g.numpy()[kept], rtol=10 * exact, atol=1e-8)


@pytest.mark.parametrize("name", ALONG)
def test_along_an_axis(name: str) -> None:
    for mask in (MASK, None, MASK[0]):
        for dim in (0, 1, -1):
            agree(name, mask, (dim,))
            if name != "median":  # PyTorch's ignores it
                agree(name, mask, (dim,), X.astype("float32"), dtype="float64")


@pytest.mark.parametrize("name", OVER)
def test_over_axes(name: str) -> None:
    for mask in (MASK, None, MASK[:, :1]):
        for args in ((), (0,), (-1,), ((0, 1),), (None,)):
            for words in ({}, {"keepdim": True}):
                agree(name, mask, args, **words)
            agree(name, mask, args, X.astype("float32"), dtype="float64")
            if name in ("var", "std"):
                agree(name, mask, args, unbiased=False)
                agree(name, mask, args, correction=2)


@pytest.mark.parametrize("name", ["amax", "amin", "prod", "sum", "argmax", "cumsum"])
def test_whole_numbers(name: str) -> None:
    agree(name, MASK, (1,), values=np.arange(12, dtype=np.int32).reshape(3, 4))


def test_the_rest_of_masked() -> None:
    a, b, left, right = X[0], X[2], MASK[0], MASK[2]
    theirs, ours = (
        T.masked.logaddexp(*map(T.tensor, (a, b)), input_mask=T.tensor(left), other_mask=T.tensor(right)) for T in BOTH
    )
    np.testing.assert_allclose(ours.numpy(), theirs.numpy())
    assert not tl.masked.is_masked_tensor(tl.ones(1))
    with pytest.raises(TypeError, match="mask must be a bool tensor"):
        tl.masked.sum(tl.ones(2), mask=tl.ones(2))
    with pytest.raises(NotImplementedError, match="mask="):
        tl.masked.masked_tensor(tl.ones(1), tl.ones(1).bool())


SEGMENTS: list[Any] = [
    ((6,), {"lengths": [3, 0, 2, 1]}), ((6,), {"offsets": [0, 3, 3, 6]}), ((6, 2), {"lengths": [1, 5]}),
    ((2, 3), {"lengths": [[1, 2], [3, 0]], "axis": 1}), ((2, 3, 2), {"offsets": [[0, 1, 3], [0, 0, 3]], "axis": 1}),
    ((6,), {"lengths": [2, 1], "unsafe": True}), ((6,), {"offsets": [1, 3]}),
]  # fmt: skip


@pytest.mark.parametrize("reduce", ["sum", "mean", "max", "min", "prod"])
def test_segments(reduce: str) -> None:
    for shape, words in SEGMENTS:
        for initial in (None, 0.25):
            found = []
            for T in BOTH:
                x = T.tensor(np.random.default_rng(0).integers(-3, 3, shape).astype("float32"), requires_grad=True)
                given = {k: T.tensor(v) if isinstance(v, list) else v for k, v in words.items()}
                y = T.segment_reduce(x, reduce, initial=initial, **given)
                y[y.isfinite()].sum().backward()
                found.append((y.detach().numpy(), x.grad.numpy()))
            for theirs, ours in zip(*found, strict=True):
                np.testing.assert_allclose(ours, theirs, rtol=1e-6, err_msg=f"{shape} {words} {initial}")


@pytest.mark.parametrize("words", [
    {}, {"lengths": [3, 1]}, {"lengths": [7], "unsafe": True}, {"lengths": [[6]]}, {"lengths": [7, -1]},
    {"lengths": [6], "axis": 1}, {"reduce": "median", "lengths": [6]}, {"lengths": [6], "offsets": [0, 6]},
])  # fmt: skip
def test_segments_that_do_not_fit(words: dict[str, Any]) -> None:
    given = {k: tl.tensor(v) if isinstance(v, list) else v for k, v in words.items()}
    with pytest.raises((ValueError, RuntimeError), match="segment_reduce"):
        tl.segment_reduce(tl.ones(6), **{"reduce": "sum", **given})


def test_control_flow() -> None:
    for T in BOTH:
        for pred in (True, 0, T.tensor(False), T.tensor([True])):
            x = T.tensor([1.0, 2.0], requires_grad=True)
            y = T.cond(pred, lambda x: x * 3, lambda x: x * 5, (x,))
            y.sum().backward()
            assert x.grad.tolist() == [3.0 if pred else 5.0] * 2
        with pytest.raises(RuntimeError):
            T.cond(T.ones(2) > 0, lambda: 1, lambda: 2)
    i, x = tl.while_loop(lambda i, x: i < 3, lambda i, x: (i + 1, x * 2), (tl.tensor(0), tl.ones(2)))
    assert (i.item(), x.tolist()) == (3, [8.0, 8.0])  # PyTorch's needs a compiler
    with pytest.raises(ValueError, match="body_fn"):
        tl.while_loop(lambda i, x: True, lambda i, x: i, (1, 2))
