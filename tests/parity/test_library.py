"""Operators of one's own: the same program under both libraries."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite.viz import draw

torch = pytest.importorskip("torch")


def declared(T: Any, name: str) -> Any:
    def sine(x: Any, k: float = 1.0, *, twice: bool = False) -> Any:
        assert not T.is_grad_enabled()
        return T.from_numpy(np.sin(x.detach().numpy()) * k * (2 if twice else 1))

    sine.__annotations__ = {"x": T.Tensor, "k": float, "twice": bool, "return": T.Tensor}
    return T.library.custom_op(f"tests::{name}", sine, mutates_args=())


@pytest.mark.parametrize("T", [tl, torch], ids=["ours", "theirs"])
def test_an_operator_and_its_gradient(T: Any) -> None:
    sine = declared(T, "sine")
    x: Any = T.tensor([0.0, 1.0], requires_grad=True)
    y = sine(x)
    with pytest.raises(RuntimeError, match="register_autograd"):
        y.sum().backward()

    def setup_context(ctx: Any, inputs: Any, output: Any, keyword_only_inputs: Any) -> None:
        assert keyword_only_inputs == {"twice": False} and len(inputs) == 2
        ctx.save_for_backward(inputs[0])
        ctx.k = inputs[1]

    sine.register_autograd(lambda ctx, g: (g * ctx.saved_tensors[0].cos() * ctx.k, None), setup_context=setup_context)
    assert sine.register_fake(shape := lambda x, k=1.0, *, twice=False: T.empty_like(x)) is shape
    for op in (sine, T.ops.tests.sine, T.ops.tests.sine.default):
        x.grad = None
        op(x, 2.0).sum().backward()
        assert x.grad is not None and x.grad.tolist() == pytest.approx([2, 2 * np.cos(1)])
        g = T.autograd.grad(op(x, k=3.0).sum(), x, create_graph=True)[0]
        assert T.autograd.grad(g.sum(), x)[0].tolist() == pytest.approx([0, -3 * np.sin(1)])
    assert repr(sine) == "<CustomOpDef(tests::sine)>"
    with pytest.raises((RuntimeError, TypeError)):
        sine(1.0)
    with pytest.raises((RuntimeError, TypeError)):
        sine(x, 1.0, 2.0, 3.0)


@pytest.mark.parametrize("T", [tl, torch], ids=["ours", "theirs"])
def test_kinds_of_operators(T: Any) -> None:
    def add_to(x: Any, y: Any) -> None:
        x.add_(y)

    add_to.__annotations__ = {"x": T.Tensor, "y": T.Tensor, "return": None}
    add = T.library.custom_op("tests::add_to", add_to, mutates_args={"x"})
    a: Any = T.ones(2)
    result: Any = add(a, a * 2)
    assert result is None and a.tolist() == [3, 3] and a._version > 0

    def two(x: Any) -> Any:
        return x.clone(), x + 1

    two.__annotations__ = {"x": T.Tensor, "return": tuple[T.Tensor, T.Tensor]}
    op = T.library.custom_op("tests::two", two, mutates_args=())
    T.library.register_autograd("tests::two", lambda ctx, a, b: a + 2 * b)
    x = T.ones(2, requires_grad=True)
    u, v = op(x)
    (u + v).sum().backward()
    assert x.grad.tolist() == [3, 3]

    def same(x: Any) -> Any:
        return x

    same.__annotations__ = {"x": T.Tensor, "return": T.Tensor}
    with pytest.raises((RuntimeError, TypeError)):
        T.library.custom_op("tests::same", same, mutates_args=())(x)
    with pytest.raises(ValueError):
        T.library.custom_op("noname", same, mutates_args=())
    with pytest.raises(ValueError):
        T.library.custom_op("tests::bare", lambda x: x, mutates_args=())


@pytest.mark.parametrize("T", [tl, torch], ids=["ours", "theirs"])
def test_the_older_form(T: Any) -> None:
    space = T.library.Library("tests_older", "DEF")
    assert space.define("half(Tensor x) -> Tensor") == "half"
    with pytest.raises((NotImplementedError, RuntimeError)):
        T.ops.tests_older.half(T.ones(2))
    space.impl("half", lambda x: x / 2, "CPU")
    T.library.define("tests_older::twice", "(Tensor x) -> Tensor")
    T.library.impl("tests_older::twice", "cpu", lambda x: x * 2)
    assert T.ops.tests_older.twice(T.ops.tests_older.half(T.ones(2))).tolist() == [1, 1]


def test_pictures_vmap_and_unknown_names() -> None:
    sine = declared(tl, "seen")
    assert "seen" in draw(lambda x: sine(x), tl.ones(2, requires_grad=True)).to_text()
    assert tl.vmap(sine)(tl.ones(3, 2)).shape == (3, 2)
    with pytest.raises(TypeError, match="no operator 'tests::nothing'"):
        tl.library.register_autograd("tests::nothing", lambda ctx, g: g)
