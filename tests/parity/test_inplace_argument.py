"""``inplace=True`` of every function and layer that takes it: written, returned and differentiated as in PyTorch."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl

torch = pytest.importorskip("torch")
torch.set_num_threads(1)

MORE: dict[str, tuple[Any, ...]] = {"threshold": (0.3, -1.5), "Threshold": (0.3, -1.5)}
"""Arguments that have no default."""
SHAPES = {f"{name}{n}d": (2, 3, 4, 2, 3)[: n + 2] for name in ("dropout", "Dropout") for n in (1, 2, 3)}
"""Shapes of the inputs where (2, 3, 4) does not do."""
RANDOM = ("dropout", "rrelu", "Dropout", "RReLU")


def takes_inplace(call: Any) -> bool:
    try:
        return "inplace" in inspect.signature(call).parameters
    except (TypeError, ValueError):
        return False


FUNCTIONS = sorted(
    n for n, f in vars(torch.nn.functional).items()
    if callable(f) and n[0] != "_" and takes_inplace(f) and "input" in inspect.signature(f).parameters
)  # fmt: skip
LAYERS = sorted(n for n, k in vars(torch.nn).items() if isinstance(k, type) and takes_inplace(k))


def random(name: str) -> bool:
    return any(part in name for part in RANDOM)


def function_of(lib: Any, name: str) -> Callable[[Any], Any]:
    """Return the function, or the layer, of the library, with ``inplace=True``; random ones in evaluation."""
    words: dict[str, Any] = {"inplace": True}
    if name in LAYERS:
        layer = getattr(lib.nn, name)(*MORE.get(name, ()), **words)
        return layer.eval() if random(name) else layer  # type: ignore[no-any-return]
    if random(name):
        words["training"] = False
    return lambda x: getattr(lib.nn.functional, name)(x, *MORE.get(name, ()), **words)


def tensor(lib: Any, array: Any, tracked: bool = True) -> Any:
    made = lib.tensor(array) if lib is tl else torch.from_numpy(array.copy())
    return made.requires_grad_() if tracked else made


def numbers(t: Any) -> Any:
    return None if t is None else t.detach().numpy().copy()


def outcome(lib: Any, name: str, array: Any, how: str) -> list[Any]:
    """Return what the call did: whether it returned its input, values, gradients; or that it raised."""
    call, x = function_of(lib, name), tensor(lib, array, how != "untracked")
    weight = tensor(lib, np.cos(np.arange(array.size)).reshape(array.shape), False)
    if how == "leaf":
        try:
            return ["done", call(x) is x, numbers(x)]
        except RuntimeError:
            return ["raises"]
    if how == "untracked":
        return [call(x) is x, numbers(x)]
    inner = x * 1
    if how == "view":
        view = inner[..., 1:]
        result = call(view)
        (inner * weight).sum().backward()
        return [result is view, numbers(inner), numbers(view), numbers(x.grad), inner._version > 0]
    result = call(inner)
    (result * weight + inner).sum().backward()
    return [result is inner, numbers(inner), numbers(x.grad), inner._version > 0]


def agree(ours: Any, theirs: Any) -> bool:
    if isinstance(theirs, np.ndarray):
        return np.allclose(ours, theirs, 1e-6, 1e-9)
    return bool(ours == theirs)


@pytest.mark.parametrize("how", ["inner", "view", "leaf", "untracked"])
@pytest.mark.parametrize("name", [*FUNCTIONS, *LAYERS])
def test_like_pytorch(name: str, how: str) -> None:
    if not hasattr(tl.nn, name) and not hasattr(tl.nn.functional, name):
        pytest.skip("no such function here")
    shape = SHAPES.get(name, (2, 3, 4))
    array = np.random.default_rng(3).uniform(-4, 7, shape)
    theirs, ours = (outcome(lib, name, array, how) for lib in (torch, tl))
    assert len(ours) == len(theirs)
    assert all(agree(a, b) for a, b in zip(ours, theirs, strict=True)), f"ours {ours}, PyTorch {theirs}"


def test_the_lists_hold_what_they_should() -> None:
    assert {"relu", "leaky_relu", "dropout", "alpha_dropout", "hardswish", "rrelu", "celu"} <= set(FUNCTIONS)
    assert {"ReLU", "Dropout2d", "SELU", "Threshold", "RReLU", "FeatureAlphaDropout"} <= set(LAYERS)


@pytest.mark.parametrize("name", [n for n in [*FUNCTIONS, *LAYERS] if random(n)])
def test_random_ones_write_too(name: str) -> None:
    """In training the result, its gradient and the input have the same zeros and factors as out of place."""
    found = []
    for inplace in (False, True):
        tl.manual_seed(4)
        x = tensor(tl, np.random.default_rng(3).uniform(1, 2, SHAPES.get(name, (2, 3, 4))))
        inner = x * 1
        if name in LAYERS:
            result = getattr(tl.nn, name)(inplace=inplace)(inner)
        else:
            result = getattr(tl.nn.functional, name)(inner, training=True, inplace=inplace)
        assert (result is inner) == inplace
        result.sum().backward()
        found.append((numbers(result), numbers(x.grad)))
    np.testing.assert_array_equal(found[0][0], found[1][0])
    np.testing.assert_array_equal(found[0][1], found[1][1])


@pytest.mark.parametrize("name", [n for n in FUNCTIONS if "dropout" in n])
@pytest.mark.parametrize("p", [0.0, 1.0])
def test_dropout_of_nothing_and_of_everything(name: str, p: float) -> None:
    found = []
    for lib in (torch, tl):
        x = tensor(lib, np.random.default_rng(3).uniform(1, 2, SHAPES.get(name, (2, 3, 4))))
        inner = x * 1
        result = getattr(lib.nn.functional, name)(inner, p, True, True)
        result.sum().backward()
        found.append([result is inner, numbers(inner), numbers(x.grad)])
    assert all(agree(a, b) for a, b in zip(found[1], found[0], strict=True)), f"ours {found[1]}, PyTorch {found[0]}"


@pytest.mark.parametrize("lib", [tl, torch], ids=["ours", "theirs"])
def test_a_negative_slope_in_place_has_no_gradient(lib: Any) -> None:
    F = lib.nn.functional
    for call in (lambda x: F.leaky_relu(x, -0.5, inplace=True), lambda x: F.leaky_relu_(x, -0.5),
                 lambda x: F.elu(x, -1.0, inplace=True), lambda x: F.celu(x, -1.0, inplace=True),
                 lambda x: F.rrelu(x, -0.5, -0.1, inplace=True)):  # fmt: skip
        x = lib.tensor([-1.0, 2.0], requires_grad=True)
        y = call(x * 1)
        assert y[1].item() == 2
        with pytest.raises(RuntimeError, match="negative slope"):
            y.sum().backward()
    x = lib.tensor([-1.0, 2.0], requires_grad=True)
    F.leaky_relu(x * 1, 0.0, inplace=True).sum().backward()
    F.leaky_relu(x * 1, -0.5).sum().backward()
    assert x.grad.tolist() == [-0.5, 2]
