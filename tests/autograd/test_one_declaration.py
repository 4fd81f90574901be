"""An op declared in one place is a function, a method, an in-place form, NumPy's spelling and a row of the checks."""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
from tests import stubs
from tinygrad_lite._tools.cli import main
from tinygrad_lite.engine import functional as names_of_functional
from tinygrad_lite.engine.methods import Methods
from tinygrad_lite.engine.op import IN_PLACE, PUBLIC
from tinygrad_lite.engine.samples import Samples
from tinygrad_lite.engine.tensor import UFUNCS


@pytest.fixture
def toy() -> Iterator[Any]:
    @tl.op(
        x=lambda g, x, power: g * power * x ** (power - 1), kind="activation", label="x³", promote="float",
        numpy=np.spacing, samples=Samples("()->()", options={"power": (3, 2)}),
    )  # fmt: skip
    def toy_cube(x, power: int = 3):  # type: ignore[no-untyped-def]
        """Return ``x ** power``."""
        return x**power

    yield toy_cube
    del tl.OPS["toy_cube"], UFUNCS[np.spacing], IN_PLACE["toy_cube"]
    for name in ("toy_cube", "toy_cube_"):
        del PUBLIC[name]
        delattr(Methods, name)
        delattr(names_of_functional, name)
        vars(tl).pop(name, None)


def test_it_appears_everywhere(toy: Any) -> None:
    x = tl.tensor([1.0, 2.0], requires_grad=True)
    assert tl.toy_cube(x).tolist() == x.toy_cube().tolist() == np.spacing(x).tolist() == [1.0, 8.0]
    assert "toy_cube" in dir(tl) and tl.OPS["toy_cube"].label == "x³"
    x.toy_cube().sum().backward()
    assert x.grad.tolist() == [3.0, 12.0]
    assert tl.func.hessian(lambda x: x.toy_cube().sum())(tl.tensor([2.0])).tolist() == [[12.0]]
    assert tl.func.vmap(toy)(tl.tensor([[1.0], [2.0]])).tolist() == [[1.0], [8.0]]
    assert isinstance(toy(np.array([2.0])), np.ndarray), "plain arrays stay plain"


def test_it_has_an_in_place_form(toy: Any) -> None:
    x = tl.tensor([1.0, 2.0], requires_grad=True)
    y = x * 1.0
    array = y.array
    assert y.toy_cube_() is y and y.array is array and y.tolist() == [1.0, 8.0]
    y.sum().backward()
    assert x.grad.tolist() == [3.0, 12.0]
    assert tl.toy_cube_(tl.tensor([3.0]), power=2).tolist() == [9.0]
    assert str(inspect.signature(tl.Tensor.toy_cube_)) == "(x, power: 'int' = 3)"


def test_it_is_a_function_of_the_layers(toy: Any) -> None:
    from tinygrad_lite.nn import functional as F

    assert F.toy_cube is toy and F.toy_cube_(tl.tensor([2.0])).tolist() == [8.0]
    assert {"toy_cube", "toy_cube_"} <= set(dir(F))
    with pytest.raises(AttributeError, match="has no attribute 'toy_cub'"):
        F.toy_cub  # noqa: B018 - not declared


def test_it_is_in_the_stubs(toy: Any) -> None:
    texts = {path.stem: text for path, text in stubs.stubs().items()}
    for method in ("toy_cube", "toy_cube_"):
        assert f"def {method}(self, power: builtins.int = ...) -> " in texts["methods"]
        assert f"def {method}(x: Any, power: builtins.int = ...) -> " in texts["functional"]
        assert f"def {method}(x: Any, power: builtins.int = ...) -> " in texts["__init__"]


def test_it_has_a_parity_row(toy: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    from tests.parity import from_samples

    monkeypatch.setattr(torch, "toy_cube", lambda x, power=3: x**power, raising=False)
    assert "toy_cube" in from_samples.derived(torch)
    calls, comparisons = from_samples.compare("toy_cube", torch)
    assert calls == 12 and comparisons > calls
    monkeypatch.setattr(torch, "toy_cube", lambda x, power=3: x.detach() ** power + 0 * x, raising=False)
    with pytest.raises(AssertionError, match="first gradient of input 0"):
        from_samples.compare("toy_cube", torch)


def test_its_source_can_be_read(toy: Any) -> None:
    source = tl.OPS["toy_cube"].source
    assert "def toy_cube(x=MISSING, power=defaults['power'], **_words):" in source
    assert "_y = forward(x_, power)" in source
    assert compile(source, "toy", "exec")


def test_names_declared_absent_are_absent() -> None:
    @tl.op(x=lambda g: g, kind="activation", inplace=False, functional=False)
    def toy_plain(x):  # type: ignore[no-untyped-def]
        return x

    try:
        assert not hasattr(Methods, "toy_plain_") and not hasattr(tl.nn.functional, "toy_plain")
    finally:
        del tl.OPS["toy_plain"], PUBLIC["toy_plain"]
        delattr(Methods, "toy_plain")


def test_the_gradient_check_finds_it(toy: Any) -> None:
    from tinygrad_lite.testing import check_op

    assert check_op(toy, examples=10).ok
    assert main(["gradcheck", "toy_cube"]) == 0


def test_a_wrong_rule_of_it_is_found_by_name(toy: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tl.OPS["toy_cube"], "rules", ((0, lambda g, saved: g * 2 * saved[0] ** 2),))
    assert main(["gradcheck", "toy_cube"]) == 1


def test_it_is_drawn(toy: Any) -> None:
    from tinygrad_lite.viz import draw

    x = tl.tensor([1.0, 2.0], requires_grad=True)
    for graph in (draw(x.toy_cube().sum()), draw(lambda x: toy(x).sum(), x)):
        (node,) = [n for n in graph.nodes if n.op == "toy_cube"]
        assert (node.label, tuple(node.shape)) == ("x³", (2,))
        assert "x³" in graph.to_svg() and "toy_cube" in graph.to_text()


def test_argument_names_of_the_engine_are_refused() -> None:
    with pytest.raises(TypeError, match="'forward' is used by the engine"):

        @tl.op(forward=lambda g: g, public=False)
        def clash(forward):  # type: ignore[no-untyped-def]
            return forward


def test_argument_names_may_be_anything_else() -> None:
    @tl.op(y=lambda g, y: g, t=lambda g, node: g * node, public=False)
    def names(y, t, mode: str = "a", node: int = 2, frame: int = 0, found: bool = False, code: int = 1):  # type: ignore[no-untyped-def]
        assert (mode, frame, found, code) == ("a", 0, False, 1)
        return y + t * node

    y, t = tl.tensor(1.0, requires_grad=True), tl.tensor(2.0, requires_grad=True)
    names(y, t).backward()
    assert y.grad.item() == 1.0 and t.grad.item() == 2.0


def test_filling_with_random_numbers() -> None:
    x = tl.zeros(1000)
    tl.manual_seed(0)
    first = x.uniform_(2.0, 3.0).tolist()
    assert 2 <= min(first) and max(first) < 3
    tl.manual_seed(0)
    assert x.uniform_(2.0, 3.0).tolist() == first
    assert abs(x.normal_(5.0, 0.1).mean().item() - 5) < 0.05
    assert set(x.bernoulli_(0.25).tolist()) == {0.0, 1.0} and 0.1 < x.mean().item() < 0.4
    drawn = x.exponential_(2.0)
    assert abs(drawn.mean().item() - 0.5) < 0.1 and abs((drawn > 0.5).float().mean().item() - math.exp(-1)) < 0.06
    assert set(tl.zeros(100, dtype=tl.int64).random_(3).tolist()) == {0, 1, 2}
    with pytest.raises(RuntimeError, match="leaf"):
        tl.ones(2, requires_grad=True).uniform_()
    w = tl.ones(2, requires_grad=True)
    with tl.no_grad():
        w.normal_()
    assert w.is_leaf and w.requires_grad
    y = tl.ones(2, requires_grad=True) * 2
    assert y.uniform_().requires_grad
