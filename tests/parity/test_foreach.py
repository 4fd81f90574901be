"""``_foreach_*``: each function and each form of its arguments, against PyTorch's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite.optim.foreach import NAMES

OURS: Any = tl  # these names are in no stub
torch = pytest.importorskip("torch")
RNG = np.random.default_rng(0)
A = [RNG.uniform(0.1, 0.9, (2, 3)).astype("f"), RNG.uniform(0.1, 0.9, 4).astype("f")]
B, C = [a / 2 for a in A], [a + 0.5 for a in A]


def calls(T: Any, name: str) -> list[tuple[tuple[Any, ...], dict[str, Any]]]:
    a, b, c = ([T.tensor(x) for x in values] for values in (A, B, C))
    verb = name[9:].rstrip("_")
    half, both = T.tensor(0.5), [0.5, 2.0]
    if verb in ("add", "sub", "mul", "div"):
        forms: list[Any] = [(b,), (2,), (both,), ({"scalar": 2},), ({"scalars": both},)]
        forms += [(b, {"alpha": 3})] if verb in ("add", "sub") else [(half,)]
        forms += [(half, {"alpha": 3})] if verb == "add" else []
    elif verb in ("addcmul", "addcdiv"):
        forms = [(b, c), (b, c, {"value": 0.5}), (b, c, 0.5), (b, c, both), (b, c, T.tensor(both))]
        forms += [(b, c, {"scalars": both})]
    elif verb in ("clamp_min", "clamp_max", "maximum", "minimum", "pow"):
        forms = [(b,), (0.4,), (both,)]
    else:
        forms = {"lerp": [(b, c), (b, 0.3), (b, {"weight": 0.3}), (b, both)], "copy": [(b,)], "powsum": [(2,)],
                 "norm": [(), (1,), ({"ord": float("inf")},)], "mm": [()]}.get(verb, [()])  # fmt: skip
    out = []
    for form in forms:
        words = form[-1] if form and isinstance(form[-1], dict) else {}
        first = [x.clone() for x in a]
        args = (first, *(form[:-1] if words else form))
        out.append((([a[0]], [b[0].T]) if verb == "mm" else args, words))
    return [*out, ((2.0, a), {})] if name == "_foreach_pow" else out


def test_all_names_are_here() -> None:
    assert not {n for n in dir(torch) if n.startswith("_foreach_")} - set(NAMES)
    assert not hasattr(tl, "_foreach_zero") and not hasattr(tl, "_foreach_wrong")


@pytest.mark.parametrize("name", NAMES)
def test_foreach(name: str) -> None:
    if not hasattr(torch, name):
        pytest.skip("not in this PyTorch")
    for ours, theirs in zip(calls(tl, name), calls(torch, name), strict=True):
        results = []
        for T, (args, words) in ((tl, ours), (torch, theirs)):
            out = getattr(T, name)(*args, **words)
            results.append([x.numpy() for x in (args[0] if name.endswith("_") else out)])
        for x, y in zip(*results, strict=True):
            assert x.dtype == y.dtype
            np.testing.assert_allclose(x, y, rtol=1e-5)


@pytest.mark.parametrize("bad", [[], 3, [1.0]])
def test_what_is_no_list_of_tensors(bad: Any) -> None:
    for T in (OURS, torch):
        with pytest.raises((RuntimeError, TypeError, ValueError)):
            T._foreach_add_(bad, 1)


def test_a_misfit_changes_nothing() -> None:
    a = [tl.zeros(2), tl.zeros(2)]
    for other in ([tl.ones(2)], [tl.ones(2), tl.ones(3)], [tl.ones(2), tl.ones(2, 2)]):
        with pytest.raises((ValueError, RuntimeError), match="_foreach_add_"):
            OURS._foreach_add_(a, other)
        assert not any(x.any() for x in a)


def test_gradients_pass() -> None:
    x = tl.ones(2, requires_grad=True)
    a, b = OURS._foreach_mul([x, x], [2.0, 3.0])
    (a + b).sum().backward()
    assert x.grad is not None and x.grad.tolist() == [5, 5]
