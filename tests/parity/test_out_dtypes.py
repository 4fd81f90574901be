"""``out=`` of every dtype for every function that takes it: the same numbers as PyTorch writes, or both raise."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite.engine.keywords import OUT

torch = pytest.importorskip("torch")
torch.set_num_threads(1)

DTYPES = ("float32", "float64", "float16", "int64", "int32", "uint8", "bool")
FORMS = """
v; A; v, v; A, A; v, 0; A, A, A; v, v, v; A, w, w; w, A, w; B, B, B; A, B, B; B, B; [v, v]; A, 0, T.tensor([[0, 1]])
v, 0, i; v, 0, i, v; v, 0, i, v, 'sum'; v, 0, i, v, 'prod'; v, 0, i, v, 'amax'; v, .5; v, .5, 0; v, 1, 2; v, 2; 2, v
v, i; v > 1, v, v; v, v > 1; v, w, 0; v, 1, 0, 1; v, 2, 0, 1, 1; A, 2, 0, 1.; 3,; 1, 5, 3; (2,), 1; (2,); A, 'fro'
A, 'nuc'; A, p; A, p, A; A, 2; 1, v; v, 4, 0, 4; 0., 1., (2,); 5, (2,); v.abs(), v[:1]; (2,), None
"""
LAX = "a number that is no tensor decides the dtype of the result in PyTorch; here any higher kind is converted to"
DELIBERATE = {
    "chain_matmul": "PyTorch converts a single matrix, which is no product",
    "cholesky": "the older torch.cholesky converts, and so does linalg.cholesky here",
    "clamp": LAX, "clamp_max": LAX, "clamp_min": LAX, "clip": LAX, "diff": LAX, "ldexp": LAX,
    "lu": "whole numbers for the pivots' dtype",
    "pow": "PyTorch fills out with 1 for the powers of 1, whatever its dtype",
    **dict.fromkeys("arange cumprod cumsum linspace logspace range randint randperm nansum".split(),
                    "numbers are written as truth values, too, or never"),
}  # fmt: skip
"""Functions for which the two differ for some dtype."""

RANDOM = {"bernoulli", "multinomial", "normal", "rand", "randint", "randn", "randperm", "empty"}


def arguments(form: str, T: Any, dtype: str) -> Any:
    """Return the positional arguments that a form describes."""
    d = getattr(T, dtype)
    A = T.tensor([[2, 1], [1, 3]]).to(d)
    names = {"T": T, "A": A, "B": A[None], "v": T.tensor([1, 3, 2]).to(d), "w": T.tensor([1, 2]).to(d)}
    names.update(i=T.tensor([0, 1, 1]), p=T.tensor([2, 2], dtype=T.int32))
    found = eval(f"[{form}]", names)
    return [a for a in found if a is not None]


def parts(answer: Any) -> tuple[Any, ...]:
    return tuple(answer) if isinstance(answer, (tuple, list)) else (answer,)


def written(function: Any, form: str, T: Any, dtype: str, dtypes: list[str], shapes: list[Any], one: bool) -> Any:
    """Return what a function writes into zeros of these dtypes and shapes, None if it raises."""
    outs = tuple(T.zeros(s, dtype=getattr(T, d)) for s, d in zip(shapes, dtypes, strict=True))
    try:
        function(*arguments(form, T, dtype), out=outs[0] if one else outs)
    except (TypeError, ValueError, RuntimeError, IndexError):
        return None
    return [np.array(o) for o in outs]


def cases(theirs: Any, ours: Any) -> Iterator[tuple[str, str, Any]]:
    """Yield the forms and dtypes that both functions take, with PyTorch's answer."""
    for dtype in ("float32", "int64"):
        for form in FORMS.replace("\n", ";").split(";"):
            try:
                answer = theirs(*arguments(form, torch, dtype))
                ours(*arguments(form, tl, dtype))
            except Exception:
                continue
            if all(isinstance(part, torch.Tensor) for part in parts(answer)):
                yield form, dtype, answer


def close(a: Any, b: Any) -> bool:
    return a.shape == b.shape and np.allclose(a, b, 1e-2, 1e-3, equal_nan=True)


def difference(name: str, theirs: Any, ours: Any) -> Iterator[str]:
    """Yield where a function and PyTorch's disagree about a dtype of ``out``."""
    for form, dtype, answer in cases(theirs, ours):
        outs = parts(answer)
        natural, shapes = [str(o.dtype)[6:] for o in outs], [tuple(o.shape) for o in outs]
        for place in range(len(outs)):
            for other in (natural[place], *DTYPES):
                chosen = [*natural[:place], other, *natural[place + 1 :]]
                one = isinstance(answer, torch.Tensor)
                a, b = (written(f, form, T, dtype, chosen, shapes, one) for T, f in ((torch, theirs), (tl, ours)))
                text = f"{name}({form}) of {dtype} into {chosen}: PyTorch {a}, here {b}"
                if a is None and other == natural[place]:
                    break  # this form has no out
                if (a is None) != (b is None):
                    yield text
                elif a is not None and name.rpartition(".")[2] not in RANDOM:
                    if not all(map(close, a, b)):
                        yield text


@pytest.mark.parametrize("name", sorted(OUT))
def test_out_of_every_dtype(name: str) -> None:
    found, rooms = [], [("", torch, tl), ("linalg", torch.linalg, tl.linalg), ("special", torch.special, tl.special)]
    rooms += [("nn.functional", torch.nn.functional, tl.nn.functional)]
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for room, theirs, ours in rooms:
            if hasattr(theirs, name) and hasattr(ours, name):
                found += list(difference(f"{room}.{name}", getattr(theirs, name), getattr(ours, name)))
    if name in DELIBERATE:
        assert found, f"{name} agrees: it needs no exception"
    else:
        assert not found, f"{len(found)} differ:\n" + "\n".join(found[:5])
