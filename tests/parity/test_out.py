"""``out=``, other names of arguments and older positional forms, against PyTorch."""

from __future__ import annotations

import inspect
import warnings
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite.engine.keywords import OUT, WORDS
from tinygrad_lite.engine.op import PUBLIC

torch = pytest.importorskip("torch")
ONE = """abs absolute acos acosh arccos asin asinh atan atanh ceil cos cosh deg2rad digamma erf erfc erfinv exp exp2
expm1 fix floor frac lgamma log log10 log1p log2 logical_not logit neg negative rad2deg reciprocal round rsqrt sgn
sigmoid sign sin sinc sinh sqrt square tan tanh trunc isposinf isneginf"""
TWO = """add atan2 copysign div divide eq floor_divide fmax fmin fmod ge greater gt hypot le less logaddexp lt maximum
minimum mul multiply ne pow remainder sub subtract true_divide xlogy"""
UNARY = [n for n in ONE.split() if n in OUT and n in PUBLIC]
BINARY = [n for n in TWO.split() if n in OUT and n in PUBLIC]


def both(call: Any) -> None:
    """Run a call of T on both: equal numbers, dtypes and shapes of the results, or both raise."""
    answers: list[Any] = []
    for T in (torch, tl):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                out = call(T)
            answers.append([np.array(o.detach().numpy()) for o in (out if isinstance(out, (tuple, list)) else [out])])
        except Exception as error:
            answers.append(error)
    theirs, ours = answers
    if any(text in str(theirs) for text in ("Found dtype", "non-boolean outputs", "must be Tensor, not")):
        return  # a few kernels of PyTorch's cast no result or take no number; here all do
    if isinstance(theirs, Exception) or isinstance(ours, Exception):
        assert isinstance(theirs, Exception) and isinstance(ours, Exception), (theirs, ours)
        return
    for a, b in zip(theirs, ours, strict=True):
        assert a.dtype == b.dtype and a.shape == b.shape
        np.testing.assert_allclose(b, a, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", UNARY)
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "bool"])
@pytest.mark.parametrize("shape", [(3,), (0,), (2, 3)])
def test_one_operand(name: str, dtype: str, shape: tuple[int, ...]) -> None:
    def call(T: Any) -> Any:
        x = T.tensor([0.25, 0.5, 0.75])
        out = T.empty(shape, dtype=getattr(T, dtype))
        assert getattr(T, name)(x, out=out) is out
        return out

    both(call)


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("other", [2, 1.5, "tensor", "int"])
def test_two_operands(name: str, other: Any) -> None:
    def call(T: Any) -> Any:
        x = T.tensor([0.25, 0.5, 0.75])
        b = x * 3 if other == "tensor" else T.tensor([1, 2, 3]) if other == "int" else other
        out = T.zeros(3, dtype=T.float64)
        return getattr(T, name)(x, b, out=out), out

    both(call)


CALLS = {
    "max": lambda T: T.max(T.ones(2, 2), 0, out=(T.empty(2), T.empty(2, dtype=T.int64))),
    "one of two": lambda T: T.max(T.ones(2, 2), 0, out=(T.empty(2),)),
    "sort": lambda T: T.sort(T.tensor([2.0, 1.0]), out=(T.empty(2), T.empty(2, dtype=T.int64))),
    "topk": lambda T: T.topk(T.tensor([1.0, 3.0]), 1, out=(T.empty(1), T.empty(1, dtype=T.int64))),
    "stack": lambda T: T.stack([T.ones(2), T.zeros(2)], out=T.empty(2, 2)),
    "cat": lambda T: T.cat([T.ones(2), T.zeros(2)], out=T.empty(4)),
    "matmul": lambda T: T.matmul(T.ones(2, 2), T.ones(2, 2), out=T.empty(2, 2)),
    "sum": lambda T: T.sum(T.ones(2, 2), 1, out=T.empty(2)),
    "cumsum": lambda T: T.cumsum(T.ones(3), 0, out=T.empty(3)),
    "arange": lambda T: T.arange(3, out=T.empty(3, dtype=T.int64)),
    "zeros": lambda T: T.zeros(2, out=T.ones(2)),
    "slice": lambda T: (lambda x: (T.mul(T.ones(2), 5, out=x[1]), x)[1])(T.zeros(2, 2)),
    "alias of the input": lambda T: (lambda x: T.add(x, x, out=x))(T.ones(3)),
    "strided": lambda T: (lambda x: (T.neg(T.ones(2), out=x[::2]), x)[1])(T.zeros(4)),
    "requires grad": lambda T: T.mul(T.ones(2, requires_grad=True), 2, out=T.empty(2)),
    "out requires grad": lambda T: T.mul(T.ones(2), 2, out=T.empty(2, requires_grad=True)),
    "no grad": lambda T: (lambda x: _quietly(T, x))(T.ones(2, requires_grad=True)),
    "not a tensor": lambda T: T.mul(T.ones(2), 2, out=3),
    "no such out": lambda T: T.flip(T.ones(2), (0,), out=T.empty(2)),
    "integers for floats": lambda T: T.add(T.ones(2), T.ones(2), out=T.empty(2, dtype=T.int64)),
    "det by input": lambda T: T.det(input=T.eye(2)),
    "where": lambda T: T.where(condition=T.ones(2) > 0, input=T.ones(2), other=T.zeros(2)),
    "addmm": lambda T: T.addmm(2, T.ones(2, 2), 3, T.ones(2, 2), T.ones(2, 2)),
    "addmm, one number": lambda T: T.addmm(2, T.ones(2, 2), T.ones(2, 2), T.ones(2, 2)),
    "Tensor.addmm": lambda T: T.ones(2, 2).addmm(2, 3, T.ones(2, 2), T.ones(2, 2)),
    "addcmul": lambda T: T.addcmul(T.ones(2), 0.5, T.ones(2), T.ones(2)),
    "addcmul_": lambda T: T.ones(2).addcmul_(0.5, T.ones(2), T.ones(2)),
    "add with alpha": lambda T: T.add(T.ones(2), 3, T.ones(2)),
    "missing": lambda T: T.cumsum(T.ones(2)),
    "missing second": lambda T: T.mul(T.ones(2)),
    "twice": lambda T: T.sum(T.ones(2), 0, dim=0),
}


def _quietly(T: Any, x: Any) -> Any:
    with T.no_grad():
        return T.mul(x, 2, out=T.empty(2))


@pytest.mark.parametrize("case", CALLS)
def test_call(case: str) -> None:
    both(CALLS[case])


def test_a_write_into_out_is_seen_by_backward() -> None:
    x, w = tl.ones(2, requires_grad=True), tl.ones(2)
    y = x * w
    tl.add(w, w, out=w)
    with pytest.raises(RuntimeError, match="changed in place"):
        y.sum().backward()


def test_a_missing_argument_is_named() -> None:
    with pytest.raises(TypeError, match=r"cumsum\(\) missing required argument 'dim'"):
        tl.cumsum(tl.ones(2))


def _torch_words(function: Any) -> list[str] | None:
    """The argument names in the first line of a docstring of PyTorch's."""
    import re

    found = re.match(r"\s*[\w.]+\((.*?)\)\s*->", function.__doc__ or "", re.S)
    if found is None:
        return None
    words = [
        part.split("=")[0].strip().lstrip("*").split(":")[0]
        for part in re.sub(r"\([^()]*\)|\[[^\]]*\]", "", found[1]).split(",")
    ]
    return [w for w in words if w.isidentifier()]


IGNORED = {
    "out",
    "List",
    "layout",
    "pin_memory",
    "device",
    "requires_grad",
    "dtype",
    "generator",
    "memory_format",
    "args",
}


@pytest.mark.parametrize("name", sorted(n for n in PUBLIC if hasattr(torch, n) and not isinstance(PUBLIC[n], type)))
def test_the_argument_names_are_pytorchs(name: str) -> None:
    from tinygrad_lite.engine.keywords import name_of

    words = _torch_words(getattr(torch, name))
    if words is None:
        pytest.skip("no signature in PyTorch's docstring")
    parameters = inspect.signature(PUBLIC[name]).parameters
    if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return
    unknown = [w for w in words if w not in IGNORED and name_of(name, w, tuple(parameters)) is None]
    assert unknown == [], (words, list(parameters))


def test_the_list_of_words_is_used() -> None:
    for name, words in WORDS.items():
        parameters = inspect.signature(getattr(tl, name)).parameters
        assert set(words.values()) & set(parameters), name
