"""Hooks, retained gradients, and who owns the memory of a gradient."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl


def leaf(*values: float) -> Any:
    return tl.tensor(list(values), dtype=tl.float64, requires_grad=True)


def test_hooks_run_in_order_and_each_sees_what_the_last_returned() -> None:
    x, seen = leaf(1.0), []
    y = x * 2
    y.register_hook(lambda g: seen.append(g.item()) or g * 10)
    y.register_hook(lambda g: seen.append(g.item()))
    x.register_hook(lambda g: g + 1)
    (y * 3).sum().backward()
    assert seen == [3.0, 30.0] and x.grad.item() == 61.0


def test_a_retained_gradient_is_what_comes_out_of_all_hooks_also_later_ones() -> None:
    x = leaf(1.0)
    y = x * 2
    y.retain_grad()
    y.register_hook(lambda g: g * 10)
    assert y.retains_grad
    (y * 3).sum().backward(retain_graph=True)
    (y * 3).sum().backward()
    assert y.grad.item() == 60.0 and x.grad.item() == 120.0


def test_retaining_survives_a_change_in_place() -> None:
    x = leaf(1.0, 2.0)
    y = x * 2
    y.retain_grad()
    y.mul_(3)
    (y * y).sum().backward()
    np.testing.assert_array_equal(y.grad.array, 2 * y.array)


def test_removing_a_hook() -> None:
    x = leaf(1.0)
    handle = x.register_hook(lambda g: g * 100)
    handle.remove()
    handle.remove()
    x.sum().backward()
    assert x.grad.item() == 1.0


def test_a_hook_may_keep_or_return_its_gradient() -> None:
    x, kept, constant = leaf(1.0, 2.0), [], tl.tensor([5.0, 5.0], dtype=tl.float64)
    x.register_hook(kept.append)
    for _ in range(2):
        (x * 3).sum().backward()
    assert [k.tolist() for k in kept] == [[3.0, 3.0]] * 2 and x.grad.tolist() == [6.0, 6.0]
    y = leaf(1.0, 2.0)
    y.register_hook(lambda g: constant)
    for _ in range(2):
        y.sum().backward()
    assert constant.tolist() == [5.0, 5.0] and y.grad.tolist() == [10.0, 10.0]
    z, changed = leaf(1.0, 2.0), leaf(1.0, 2.0)
    w = changed + z
    w.register_hook(lambda g: (g.zero_(), None)[1])
    (w + z).sum().backward()
    assert z.grad.tolist() == [1.0, 1.0] and changed.grad.tolist() == [0.0, 0.0], "only its copy is changed"


def test_gradients_never_share_memory() -> None:
    a, b = leaf(1.0, 2.0), leaf(3.0, 4.0)
    (a + b).sum().backward()
    (a + b).backward(tl.ones(2, dtype=tl.float64))
    a.grad.zero_()
    assert b.grad.tolist() == [2.0, 2.0]
    a, b = leaf(1.0, 2.0), leaf(3.0, 4.0)
    y = a + b
    y.retain_grad()
    y.backward(tl.ones(2, dtype=tl.float64))
    arrays = [t.grad.array for t in (a, b, y)]
    assert not any(np.shares_memory(p, q) for i, p in enumerate(arrays) for q in arrays[:i])
    assert all(array.flags.writeable for array in arrays)
    c, seed = leaf(1.0, 2.0), tl.ones(2, dtype=tl.float64)
    c.backward(seed)
    c.backward(seed)
    assert seed.tolist() == [1.0, 1.0] and c.grad.tolist() == [2.0, 2.0]
    (g1,) = tl.grad(c * 1, c, seed)
    g1.zero_()
    assert seed.tolist() == [1.0, 1.0]


@pytest.mark.parametrize(("answer", "error"), [(tl.ones(3), "shape"), (1.0, "expected a tensor")])
def test_a_hook_that_returns_the_wrong_thing(answer: Any, error: str) -> None:
    x = leaf(1.0, 2.0)
    x.register_hook(lambda g: answer)
    with pytest.raises(RuntimeError, match=error):
        x.sum().backward()
    assert x.grad is None


def test_after_accumulation() -> None:
    x, seen = leaf(1.0), []
    handle = x.register_post_accumulate_grad_hook(lambda t: seen.append(t.grad.item()))
    x.sum().backward()
    x.sum().backward()
    handle.remove()
    x.sum().backward()
    assert seen == [1.0, 2.0]
    with pytest.raises(RuntimeError, match="leaf"):
        (x * 2).register_post_accumulate_grad_hook(print)


def test_no_hook_without_a_gradient() -> None:
    with pytest.raises(RuntimeError, match="does not require"):
        tl.ones(2).register_hook(print)
    with pytest.raises(RuntimeError, match="does not require"):
        tl.ones(2).retain_grad()


def test_inputs_of_backward_may_be_computed_tensors() -> None:
    x = leaf(2.0)
    y = x * 3
    (y * y).sum().backward(inputs=[y])
    assert y.grad.item() == 12.0 and x.grad is None


def test_unused_inputs() -> None:
    x, z = leaf(1.0, 2.0), leaf(3.0)
    with pytest.raises(RuntimeError, match=r"does not depend on input 1 \(1,\) float64; allow_unused"):
        tl.grad(x.sum(), [x, z])
    assert tl.grad(x.sum(), [x, z], allow_unused=True)[1] is None
    assert tl.grad(x.sum(), [x, z], materialize_grads=True)[1].tolist() == [0.0]
    with pytest.raises(ValueError, match="materialize_grads"):
        tl.grad(x.sum(), [x, z], allow_unused=False, materialize_grads=True)


def test_several_outputs_with_and_without_weights() -> None:
    x = leaf(1.0, 2.0)
    tl.autograd.backward([x.sum(), x * x], [None, tl.tensor([1.0, 10.0])])
    assert x.grad.tolist() == [3.0, 41.0]
    (g,) = tl.grad([x.sum(), (x * x).sum()], x)
    assert g.tolist() == [3.0, 5.0]
    with pytest.raises(RuntimeError, match="2 tensors but 1"):
        tl.autograd.backward([x.sum(), x.sum()], [tl.ones(())])


def test_a_leaf_that_got_other_memory_keeps_its_old_value_in_the_graph() -> None:
    x = leaf(3.0)
    y = (x * x * x).sum()
    x.data = tl.tensor([100.0], dtype=tl.float64)
    (g,) = tl.grad(y, x, create_graph=True)
    (h,) = tl.grad(g, x)
    assert g.item() == 27.0 and h.item() == 18.0


def test_gradients_saved_by_a_step_are_not_changed_behind_its_back() -> None:
    x, w = leaf(1.0), leaf(5.0)
    (x * 2).sum().backward()
    y = (x.grad * w).sum()
    (x * 2).sum().backward()  # adds to x.grad in place
    with pytest.raises(RuntimeError, match="changed in place"):
        y.backward()


def test_a_hook_that_returns_no_tensor_is_an_error_with_its_kind() -> None:
    x = tl.ones(2, requires_grad=True)
    x.register_hook(lambda g: g.numpy() * 2)
    with pytest.raises(TypeError, match=r"hook: expected a tensor of shape \(2,\) or None, got ndarray \(2,\) float32"):
        x.sum().backward()


def tenfold(p: Any) -> None:
    p.grad.mul_(10)


def stepped(p: Any) -> None:
    p.data.sub_(p.grad.data)


def net_with_marks(order: list[str]) -> tuple[Any, Any]:
    """Return three parameters of which two are used twice, and the end of a chain that notes each step back."""
    ps = {name: leaf(1.0, 2.0) for name in "abc"}

    def mark(y: Any, name: str) -> Any:
        y.register_hook(lambda g: order.append(name))
        return y

    x = tl.tensor([1.0, -1.0], dtype=tl.float64)
    y = mark(x * ps["a"], "first")
    y = mark(y * ps["b"] + ps["b"], "second")
    y = mark(y * ps["c"] * ps["a"], "third")
    return ps, y.sum()


def test_hooks_of_a_leaf_run_as_soon_as_its_gradient_is_complete() -> None:
    order: list[str] = []
    ps, y = net_with_marks(order)
    for name, p in ps.items():
        p.register_hook(lambda g, name=name: order.append(f"{name} hook"))
        p.register_post_accumulate_grad_hook(lambda q, name=name: order.append(name if q is ps[name] else "?"))
    y.backward()
    assert order == ["third", "c hook", "c", "second", "b hook", "b", "first", "a hook", "a"]


def test_early_gradients_are_those_of_a_pass_without_hooks_and_have_memory_of_their_own() -> None:
    plain, y = net_with_marks([])
    y.backward()
    ps, y = net_with_marks([])
    for p in ps.values():
        p.register_post_accumulate_grad_hook(tenfold)
    y.backward()
    for name, p in ps.items():
        np.testing.assert_array_equal(p.grad.array, 10 * plain[name].grad.array)
    a, b = leaf(1.0), leaf(2.0)
    a.register_post_accumulate_grad_hook(tenfold)  # one array is the gradient of both
    ((a + b) * 1.0).sum().backward()
    assert (a.grad.item(), b.grad.item()) == (10.0, 1.0)


def test_a_step_inside_the_pass_changes_no_gradient_that_is_still_to_come() -> None:
    def after(step: bool) -> list[list[float]]:
        tl.manual_seed(0)
        layers = [tl.nn.Linear(3, 3) for _ in range(3)]
        ps = [p for layer in layers for p in layer.parameters()]
        for p in ps if step else ():
            p.register_post_accumulate_grad_hook(stepped)
        y = tl.ones(2, 3)
        for layer in layers:
            y = layer(y).tanh()
        y.sum().backward()
        return [(p.data if step else p.data - p.grad).tolist() for p in ps]

    assert after(True) == after(False)


def test_early_hooks_with_create_graph_inputs_and_after_removal() -> None:
    x, w, seen = leaf(1.0), leaf(3.0), []
    handle = w.register_post_accumulate_grad_hook(lambda q: seen.append(q.grad.requires_grad))
    ((x * w).tanh() * w).sum().backward(create_graph=True)
    assert seen == [True]
    (slope,) = tl.grad(w.grad.sum(), w)
    t = np.tanh(3.0)
    np.testing.assert_allclose(slope.array, [2 * (1 - t * t) - 3 * 2 * t * (1 - t * t)])
    w.grad = x.grad = None
    (x * w).sum().backward(inputs=[w])
    assert len(seen) == 2 and x.grad is None and w.grad.item() == 1.0
    handle.remove()
    (x * w).sum().backward()
    assert len(seen) == 2 and w.grad.item() == 2.0
