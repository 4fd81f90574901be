"""The backward pass: writes made while it runs, what it frees, and rules that return no gradient."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
from tests.autograd.registry_calls import OPS, calls, outputs
from tinygrad_lite import op
from tinygrad_lite.errors import GradientError


def leaf(*values: float) -> Any:
    return tl.tensor(values, dtype=tl.float64, requires_grad=True)


# ------------------------------------------------------------------------------------------ writes during the pass
def overwritten(a: Any) -> Callable[[Any], None]:
    def hook(g: Any) -> None:
        with tl.no_grad():
            a.mul_(100.0)

    return hook


@pytest.mark.parametrize("create", [False, True])
@pytest.mark.parametrize("where", ["the node that saved it", "a later node"])
def test_a_hook_that_changes_a_saved_value_is_an_error(where: str, create: bool) -> None:
    x = leaf(2.0, 3.0)
    a = x * 1
    y = a * a
    z = y + 1
    (y if where == "the node that saved it" else z).register_hook(overwritten(a))
    with pytest.raises(
        GradientError, match=r"mul: backward needs 'other' .* changed in place\n.*\n.*a\.mul_\(100\.0\)"
    ):
        z.sum().backward(create_graph=create)
    assert x.grad is None


def test_a_write_through_a_view_or_an_optimiser_counts_too() -> None:
    for write in (lambda a: a[:1].zero_(), lambda a: a.changed()):
        x = leaf(2.0, 3.0)
        a = x * 1
        z = (a * a).exp()

        def hook(g: Any, a: Any = a, write: Any = write) -> None:
            with tl.no_grad():
                write(a)

        z.register_hook(hook)
        with pytest.raises(GradientError, match="changed in place"):
            z.sum().backward()


def test_a_hook_may_change_what_no_rule_uses_any_more() -> None:
    x = leaf(2.0, 3.0)
    a = x * 1
    y = a * a
    a.register_hook(overwritten(a))  # the rules of mul have run
    (y + a).sum().backward()
    assert x.grad.tolist() == [5.0, 7.0] and a.tolist() == [200.0, 300.0]


# ------------------------------------------------------------------------------------------ freeing
def twice(name: str) -> Iterator[tuple[Any, list[Any]]]:
    """Yield (the op's own node as a root, leaves) of a few calls."""
    for call, arrays, options in calls(name, 2):
        leaves = [tl.tensor(a, requires_grad=True) if a.dtype.kind == "f" else tl.tensor(a) for a in arrays]
        found = [o for o in outputs(call(*leaves, **options)) if o.grad_fn is not None and o.numel()]
        if found and found[0].grad_fn.op is tl.OPS[name]:  # one result, made by nothing but the op
            yield found[0], [t for t in leaves if t.requires_grad]


def keeps_arrays(name: str) -> bool:
    """Return whether a rule asks for an array: an operand, also one without a gradient (a condition), or a result."""
    one = tl.OPS[name]
    return any(word in ("y", "y0", "y1", "y2") or word in one.arrays for word in one.saved_names)


DECIDED_BY_OPTIONS = {"getitem", "overwrite"}
"""Ops that keep an array only for some indices; the tests after these two have both cases."""


@pytest.mark.parametrize("name", sorted({n for n in OPS if not keeps_arrays(n)} - DECIDED_BY_OPTIONS))
def test_a_second_pass_works_where_nothing_of_the_graph_was_saved(name: str) -> None:
    """As in PyTorch: sums, shapes and additions need no ``retain_graph``."""
    for y, leaves in twice(name):
        g = tl.ones_like(y)
        if all(t.grad_fn is None for t in leaves):
            y.backward(g)
            once = [None if t.grad is None else t.grad.numpy().copy() for t in leaves]
            y.backward(g)
            for t, first in zip(leaves, once, strict=True):
                if first is not None:
                    np.testing.assert_allclose(t.grad.numpy(), 2 * first)


@pytest.mark.parametrize("name", sorted({n for n in OPS if keeps_arrays(n)} - DECIDED_BY_OPTIONS))
def test_a_second_pass_is_an_error_where_a_saved_array_was_freed(name: str) -> None:
    for y, _ in twice(name):
        g = tl.ones_like(y)
        y.backward(g)
        assert y.grad_fn.saved is None
        with pytest.raises(GradientError, match="retain_graph=True"):
            y.backward(g)


@pytest.mark.parametrize(("key", "freed"), [(0, False), (slice(1), False), ([0, 1], True), (np.array([0, 1]), True)])
def test_an_index_of_numbers_is_not_freed_and_an_index_of_arrays_is(key: Any, freed: bool) -> None:
    y = leaf(2.0, 3.0)[key].sum()
    y.backward()
    if freed:
        with pytest.raises(GradientError, match="retain_graph=True"):
            y.backward()
    else:
        y.backward()


@pytest.mark.parametrize(("key", "freed"), [(0, True), ([0, 1], True), (slice(None), False)])
def test_a_write_to_a_part_is_freed_and_a_write_to_all_is_not(key: Any, freed: bool) -> None:
    y = leaf(2.0, 3.0) + 0
    y[key] = leaf(5.0).sum()
    total = y.sum()
    total.backward()
    if freed:
        with pytest.raises(GradientError, match="retain_graph=True"):
            total.backward()
    else:
        total.backward()


def test_both_kinds_are_common() -> None:
    kinds = [keeps_arrays(name) for name in OPS]
    assert sum(kinds) > 60 and len(kinds) - sum(kinds) > 25
    assert sum(1 for name in OPS for _ in twice(name)) > 150


# ------------------------------------------------------------------------------------------ rules without gradient
@pytest.fixture
def registered() -> Iterator[None]:
    before = dict(tl.OPS)
    yield
    for name in set(tl.OPS) - set(before):
        del tl.OPS[name]


@pytest.mark.parametrize("create", [False, True])
def test_a_rule_may_return_no_gradient(registered: None, create: bool) -> None:
    @op(a=lambda g, b: g * b, b=lambda g: None, kind="elementwise", public=False)
    def scaled_by_constant(a, b):
        return a * b

    a, b = leaf(1.0, 2.0), leaf(3.0, 4.0)
    scaled_by_constant(a, b * 2).sum().backward(create_graph=create)
    assert a.grad.tolist() == [6.0, 8.0] and b.grad is None
    out = scaled_by_constant(a, b).sum()
    with pytest.raises(GradientError, match="does not depend on input 1"):
        tl.grad(out, [a, b], create_graph=create, retain_graph=True)
    ga, gb = tl.grad(out, [a, b], create_graph=create, allow_unused=True)
    assert ga.tolist() == [3.0, 4.0] and gb is None


@pytest.mark.parametrize("create", [False, True])
def test_one_rule_for_all_operands_may_leave_some_out(registered: None, create: bool) -> None:
    @op(together=lambda g, b: (g * b, None), kind="elementwise", public=False)
    def scaled_together(a, b):
        return a * b

    a, b = leaf(1.0, 2.0), leaf(3.0, 4.0)
    (scaled_together(a, b) + b).sum().backward(create_graph=create)
    assert a.grad.tolist() == [3.0, 4.0] and b.grad.tolist() == [1.0, 1.0]


def test_no_gradient_is_not_a_gradient_of_zeros(registered: None) -> None:
    """Hooks, observers and ``.grad`` see nothing where a rule returned None."""

    @op(x=lambda g: None, kind="elementwise", public=False)
    def stopped(x):
        return x + 0

    x, seen = leaf(1.0), []
    middle = x * 2
    middle.register_hook(seen.append)
    middle.retain_grad()
    stopped(middle).sum().backward()
    assert seen == [] and middle.grad is None and x.grad is None
