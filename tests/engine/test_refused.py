"""Arguments that NumPy takes and means something else by: None, arrays as flags, one-tuples, huge numbers, loops."""

from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl

F = tl.nn.functional


# ------------------------------------------------------------------------------------------------ what ends in objects
def needed(op: Any) -> list[str]:
    return [] if op.sequence else [n for n in op.arrays if n not in op.defaults]


@pytest.mark.parametrize("name", sorted(n for n, op in tl.OPS.items() if needed(op)))
def test_no_operand_is_none(name):
    """NumPy would compute with an array of objects, or compare with None."""
    op = tl.OPS[name]
    for wrong in needed(op):
        given = [None if p == wrong else tl.ones(2, 2) if p in op.arrays else op.defaults.get(p) for p in op.params]
        for as_array in (False, True):
            with pytest.raises(TypeError, match=f"{wrong} must be"):
                op.call(*(g.numpy() if as_array and isinstance(g, tl.Tensor) else g for g in given))


def test_comparison_with_none_is_a_comparison_of_objects():
    assert (tl.ones(2) == None) is False and (tl.ones(2) != None) is True  # noqa: E711


X, MANY = tl.ones(3, requires_grad=True), np.array([True, False])
LOOP: list = [1]
LOOP.append(LOOP)


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        (lambda: (X * 2).sum().backward(create_graph=MANY), TypeError),
        (lambda: tl.autograd.Variable(X, MANY), TypeError),
        (lambda: tl.vision.ops.stochastic_depth(X, 1.0, "row", MANY), TypeError),
        (lambda: tl.op(kind=MANY), ValueError),
        (lambda: tl.sym_not(MANY), ValueError),
        (lambda: tl.finfo("\ud800"), TypeError),
        (lambda: tl.testing.assert_allclose([[1], [2, 3]], 1), ValueError),
        (lambda: tl.optim.Optimizer([X], {"a": 1}).step(), TypeError),
        (lambda: tl.testing.Source(3, salt=LOOP), TypeError),
        (lambda: tl.cat([X, X], dim=None), TypeError),
        (lambda: tl.cat([X, X], dim=-(2**31)), IndexError),
        *[(lambda f=f: f(X, (0,)), TypeError) for f in (tl.cumsum, tl.cumprod, tl.logcumsumexp, tl.cummax, tl.cummin)],
    ],
)
def test_fails_at_the_call(call, kind):
    """Not in NumPy's words, not in the backward pass, and not with the process."""
    with pytest.raises(kind, match=r"^\w+: "):
        call()


def test_an_integer_beyond_int64_beside_floats():
    tl.fmax(X, 2**64 - 1).sum().backward()
    assert tl.fmin(X, 2**64 - 1).tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    "call",
    [
        lambda: F.gumbel_softmax(tl.ones(()), dim=1),
        lambda: F.dropout(tl.ones(3), p=tl.tensor(0.5, requires_grad=True)),
        lambda: F.dropout2d(tl.ones(2, 3, 1, 1), p=tl.full((1,), 0.5)),
        lambda: tl.multinomial(tl.ones(3), float("nan")),
        lambda: tl.testing.make_tensor(2, dtype=tl.int64, requires_grad=True),
    ],
)
def test_nothing_is_drawn_for_a_call_that_fails(call):
    before = repr(tl.get_rng_state())
    with pytest.raises((TypeError, ValueError, IndexError)):
        call()
    assert repr(tl.get_rng_state()) == before
