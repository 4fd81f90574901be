"""Changing tensors in place: values, gradients, views, and errors that name op and lines."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite.engine.methods import Methods
from tinygrad_lite.engine.op import IN_PLACE, PUBLIC

ARGS: dict[str, tuple[Any, ...]] = {
    "clamp": (0.2, 0.6), "clip": (0.2, 0.6), "hardtanh": (0.2, 0.6), "clamp_min": (0.3,), "clamp_max": (0.3,),
    "threshold": (0.5, 7.0), "lerp": (tl.tensor([0.1, 0.2, 0.9], dtype=tl.float64), 0.3),
    "masked_fill": (tl.tensor([True, False, True]), 2.0), "addcmul": (0.5, 2.0), "addcdiv": (0.5, 2.0),
    "cumsum": (0,), "cumprod": (0,), "pow": (1.5,), "float_power": (1.5,),
}  # fmt: skip
TWO = set(
    """
add sub subtract mul multiply div divide true_divide floor_divide remainder fmod atan2 arctan2 hypot copysign heaviside
xlogy eq ne lt le gt ge greater greater_equal less less_equal not_equal nextafter logical_and logical_or logical_xor
ldexp
""".split()
)
LATER = set(
    """
addbmm addmm addmv addr baddbmm index_add index_copy index_fill index_put index_reduce masked_scatter put scatter
scatter_add scatter_reduce bitwise_and bitwise_or bitwise_xor bitwise_not bitwise_left_shift bitwise_right_shift gcd lcm
mvlgamma polygamma renorm rrelu igamma igammac
""".split()
)
"""Functions of matrices, indices and whole numbers, and two without a derivative by the tensor that is written to."""


def form(name: str) -> tuple[Any, ...]:
    return ARGS[name] if name in ARGS else (tl.tensor([0.7, 0.4, 0.3], dtype=tl.float64),) if name in TWO else ()


TABLE = [name for name in IN_PLACE if IN_PLACE[name][1] is True and name not in LATER]


@pytest.mark.parametrize("name", TABLE)
def test_every_form_is_its_function(name: str) -> None:
    start = np.array([[0.25, 0.5, 0.75], [0.35, 0.9, 0.1]])
    if name in ("acosh", "arccosh"):
        start = start + 1
    results = []
    for in_place in (False, True):
        x = tl.tensor(start, requires_grad=True)
        y = x * 1.0
        out = PUBLIC[name + "_"](y, *form(name)) if in_place else PUBLIC[name](y, *form(name))
        if in_place:
            assert out is y
        if out.dtype != y.dtype:  # a comparison: in place it stays a float
            out = out.to(y.dtype)
        loss = (out * tl.tensor(np.arange(1.0, 7.0).reshape(2, 3))).sum()
        if loss.requires_grad:
            loss.backward()
        results.append((out.detach().numpy(), np.zeros((2, 3)) if x.grad is None else x.grad.numpy()))
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_every_declared_form_is_there() -> None:
    assert len(IN_PLACE) > 100
    missing = [name for name, (_, _, method) in IN_PLACE.items() if method and not hasattr(Methods, name + "_")]
    assert not missing


@pytest.mark.parametrize("word", ["add", "sub", "mul", "truediv", "floordiv", "mod", "pow"])
def test_augmented_assignment_stays_in_the_memory(word: str) -> None:
    x = tl.tensor([1.0, 2.0], requires_grad=True)
    y = x * 2
    before, array = y, y.array
    y = getattr(y, f"__i{word}__")(3.0)
    assert y is before and y.array is array
    expected = getattr(np.array([2.0, 4.0]), f"__{word}__")(3.0)
    np.testing.assert_allclose(y.detach().numpy(), expected)


def test_matmul_in_place() -> None:
    a = tl.eye(2) * 2
    a @= tl.ones(2, 2)
    assert a.tolist() == [[2.0, 2.0], [2.0, 2.0]]


def lines(text: str) -> list[str]:
    return re.findall(rf"{re.escape(__file__)}:\d+: (.*)", text)


def test_the_error_names_the_op_and_both_lines() -> None:
    x = tl.ones(2, 3, requires_grad=True)
    h = x * 2
    y = h.tanh()  # saved here
    y.add_(1)  # changed here
    with pytest.raises(RuntimeError) as caught:
        y.sum().backward()
    assert str(caught.value).startswith("tanh: backward needs its result (2, 3) as it was")
    assert lines(str(caught.value)) == ["y = h.tanh()  # saved here", "y.add_(1)  # changed here"]
    z = h * h  # product
    h[0] = 0.0  # write
    with pytest.raises(RuntimeError) as caught:
        z.sum().backward()
    assert lines(str(caught.value)) == ["z = h * h  # product", "h[0] = 0.0  # write"]


def test_lines_are_the_user_s_also_through_layers_and_views() -> None:
    layer = tl.nn.Linear(2, 2)
    x = tl.ones(1, 2)
    y = layer(x)  # the call
    with tl.no_grad():
        layer.weight.T[0].zero_()  # the change
    z = layer(x)
    x.requires_grad_()
    layer(x).sum().backward()  # no gradient goes through the old weight
    y.sum().backward()  # nor does y need it, its x had no gradient
    y = layer(x)  # the call
    with tl.no_grad():
        layer.weight.T[0].zero_()  # the change
    with pytest.raises(RuntimeError, match="'weight'") as caught:
        y.sum().backward()
    assert lines(str(caught.value)) == ["y = layer(x)  # the call", "layer.weight.T[0].zero_()  # the change"]
    z.sum().backward()


def test_a_change_from_outside_can_be_reported() -> None:
    w = tl.ones(2, requires_grad=True)
    y = w * w
    w.array += 1
    w.changed()
    assert w._version == 1
    with pytest.raises(RuntimeError, match="changed in place"):
        y.sum().backward()


def test_values_that_no_rule_needs_may_change() -> None:
    x, mask = tl.ones(3, requires_grad=True), tl.tensor([1.0, 0.0, 2.0])
    h = x * 1
    y = h * mask  # needs the mask only
    h.add_(5)
    (y.sum() + h.sum()).backward()
    assert x.grad.tolist() == [2.0, 1.0, 3.0]


def test_views_and_their_base_see_each_other() -> None:
    x = tl.tensor(np.arange(6.0).reshape(2, 3), requires_grad=True)
    base = x * 1
    row, column, flat = base[1], base.T[0], base.reshape(-1)
    row.mul_(10)
    assert (
        base.tolist()[1] == [30.0, 40.0, 50.0]
        and column.tolist() == [0.0, 30.0]
        and flat.tolist()[3:] == [30.0, 40.0, 50.0]
    )
    base[0, 0] = 7.0
    for t in (row, column, flat, base):
        assert t.requires_grad
    (flat * flat).sum().backward(retain_graph=True)
    np.testing.assert_allclose(x.grad.numpy(), [[0, 2, 4], [600, 800, 1000]])
    x.grad = None
    (column.sum() + row[0]).backward()
    np.testing.assert_allclose(x.grad.numpy(), [[0, 0, 0], [20, 0, 0]])


def test_views_of_untracked_tensors_become_tracked() -> None:
    buffer = tl.zeros(4)
    view = buffer[1:3]
    w = tl.tensor(5.0, requires_grad=True)
    buffer[2] = w * w
    assert view.requires_grad and view.grad_fn is not None
    view.sum().backward()
    assert w.grad.item() == 10.0


def test_views_of_views_and_several_outputs() -> None:
    x = tl.tensor(np.arange(8.0), requires_grad=True)
    base = x * 1
    parts = base.reshape(2, 4).tensor_split(2, 1)
    inner = parts[0][1]
    inner.copy_(tl.tensor([1.0, 1.0]))
    assert base.tolist() == [0, 1, 2, 3, 1, 1, 6, 7]
    base.sum().backward()
    assert x.grad.tolist() == [1, 1, 1, 1, 0, 0, 1, 1]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda x: x.add_(1), "add_: a leaf that requires gradients"),
        (lambda x: x[0].mul_(2), "mul_: a view of a leaf"),
        (lambda x: x.__setitem__(0, 1.0), "setitem: a leaf"),
        (lambda x: x.zero_(), "zero_: a leaf"),
        (lambda x: x.__iadd__(1), "add_: a leaf"),
        (lambda x: (x * 1).add_(tl.ones(2, 2, 3)), r"add_: .*\(2, 2, 3\).*does not fit"),
        (
            lambda x: (x * 1).__setitem__(0, tl.ones(7)),
            r"setitem: the value \(7,\) float32 does not fit the place \(3,\)",
        ),
        (lambda x: (x * 1).__setitem__(9, 1.0), "setitem: index 9 is out of bounds"),
        (lambda x: tl.ones(2, 3).expand(2, 2, 3).add_(1), "add_: .*read-only"),
        (
            lambda x: tl.tensor([1, 2]).add_(0.5),
            "add_: result type float32 can't be cast to the dtype of the tensor, int64",
        ),
        (lambda x: tl.tensor([True]).add_(1), "can't be cast"),
        (lambda x: (x * 1).fill_(tl.ones(2)), "fill_: expected a number"),
    ],
)
def test_wrong_changes(change: Any, text: str) -> None:
    x = tl.ones(2, 3, requires_grad=True)
    before = x.tolist()
    with pytest.raises((RuntimeError, IndexError), match=text):
        change(x)
    assert x.tolist() == before


def test_parameters_are_updated_under_no_grad() -> None:
    w = tl.ones(3, requires_grad=True)
    (w * w).sum().backward()
    with tl.no_grad():
        w -= 0.1 * w.grad
        w[0] = 5.0
    np.testing.assert_allclose(w.detach().numpy(), [5.0, 0.8, 0.8], rtol=1e-6)
    assert w.is_leaf and w.requires_grad
    w.grad = None
    (w * w).sum().backward()
    np.testing.assert_allclose(w.grad.numpy(), [10.0, 1.6, 1.6], rtol=1e-6)


@pytest.mark.parametrize(
    "index",
    [
        0, -1, slice(1, None), (slice(None), 1), (Ellipsis, 0), None, (0, None, slice(None)), [0, 1], np.array([1, 0]),
        (np.array([0, 1]), np.array([2, 0])), np.array([[True, False, True], [False, True, False]]),
        (slice(None), [2, 0]), (1, 2), tl.tensor([1]), (np.array([True, False]), 1),
    ],
)  # fmt: skip
def test_writing_by_every_kind_of_index(index: Any) -> None:
    rng = np.random.default_rng(0)
    a = rng.normal(size=(2, 3))
    plain = index.array if isinstance(index, tl.Tensor) else index
    v = rng.normal(size=np.shape(a[plain]))
    assert tl.autograd.functional  # the room opens

    def f(a: Any, v: Any) -> Any:
        x = a * 1
        x[index] = v
        return x * x

    from tinygrad_lite.testing.check import gradcheck

    expected = a.copy()
    expected[plain] = v
    np.testing.assert_allclose(f(tl.tensor(a), tl.tensor(v)).numpy(), expected**2)
    gradcheck(f, a, v)


def test_an_element_written_twice_keeps_the_last_value_and_its_gradient() -> None:
    v = tl.tensor([1.0, 2.0, 3.0], requires_grad=True)
    x = tl.zeros(2)
    x[np.array([0, 0, 1])] = v
    assert x.tolist() == [2.0, 3.0]
    (x * tl.tensor([10.0, 100.0])).sum().backward()
    assert v.grad.tolist() == [0.0, 10.0, 100.0]


def test_values_are_broadcast_and_cast() -> None:
    v = tl.tensor([[[2.0]]], dtype=tl.float64, requires_grad=True)
    x = tl.zeros(2, 3)
    x[:, 1:] = v
    assert x.dtype == tl.float32
    x.sum().backward()
    assert v.grad.tolist() == [[[4.0]]] and v.grad.dtype == tl.float64
    n = tl.zeros(2, dtype=tl.int64)
    n[0] = 1.9
    assert n.tolist() == [1, 0]
    x[0] = [1.0, 2.0, 3.0]
    assert x.tolist()[0] == [1.0, 2.0, 3.0]


def test_shapes_changed_in_place() -> None:
    x = tl.tensor(np.arange(6.0).reshape(2, 3), requires_grad=True)
    y = x * 1
    view = y[0]
    y.transpose_(0, 1).unsqueeze_(0)
    assert y.shape == (1, 3, 2)
    y[0, 0] = 5.0
    assert view.tolist() == [5.0, 1.0, 2.0]
    (y * y).sum().backward(retain_graph=True)
    assert x.grad.tolist() == [[0, 2, 4], [0, 8, 10]]
    x.grad = None
    (view * view).sum().backward()
    assert x.grad.tolist() == [[0, 2, 4], [0, 0, 0]]


def test_fill_diagonal() -> None:
    x = tl.zeros(3, 3)
    assert x.fill_diagonal_(2.0).tolist() == np.diag([2.0] * 3).tolist()
    tall = np.zeros((7, 3))
    np.fill_diagonal(tall, 4.0, wrap=True)
    assert tl.zeros(7, 3).fill_diagonal_(4.0, wrap=True).tolist() == tall.tolist()


def test_dead_views_are_swept_out() -> None:
    x = tl.zeros(4)
    for i in range(1000):
        x[i % 4]
    assert len(x.base) < 40


def test_a_view_made_without_recording_stays_apart() -> None:
    x = tl.tensor([1.0, 2.0], requires_grad=True)
    y = x * 1
    with tl.no_grad():
        v = y[0]
    y[0] = 5.0
    assert v.item() == 5.0 and not v.requires_grad
    with pytest.raises(RuntimeError, match="made as a view while gradients were off"):
        v.mul_(2)
    with tl.no_grad():
        v.mul_(2)
    assert y[0].item() == 10.0
