"""Functions and modules of Tensors: dicts, dataclasses, objects, buffers, None and text; each right and wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

import tinygrad_lite as tl
from tinygrad_lite import nn
from tinygrad_lite.nn import functional as F


class TensorCase(NamedTuple):
    """A function of Tensors: ``make(bad)`` returns it and its arguments; ``bad`` marks the value whose gradient is
    spoiled when the bug is planted."""

    name: str
    make: Callable[[Callable[[Any], Any]], tuple[Any, tuple[Any, ...]]]


TENSOR_CASES: list[TensorCase] = []


def tensor_case(make: Any) -> Any:
    """Register a function of Tensors under the name of the maker."""
    TENSOR_CASES.append(TensorCase(make.__name__, make))
    return make


def keep(t: Any) -> Any:
    """Leave the gradient as it is."""
    return t


def spoil(t: Any) -> Any:
    """Return the value of ``t`` with a gradient that is 1.5 times too large."""
    t = t * 1
    t.register_hook(lambda g: 1.5 * g)
    return t


def values(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).uniform(-2, 2, shape)


@dataclass
class Output:
    """A result with fields, as models of language have."""

    logits: Any
    hidden: Any
    note: str = "fine"


class Pair(NamedTuple):
    """A named tuple of results."""

    mean: Any
    spread: Any


class Scale:
    """An object with settings that a function takes."""

    def __init__(self, factor: float) -> None:
        self.factor = factor


@tensor_case
def dict_of_results(bad: Any) -> Any:
    return lambda x: {"sine": x.sin(), "square": bad(x * x)}, (values(2, 3),)


@tensor_case
def dict_beside_nan(bad: Any) -> Any:
    return lambda x: {"a": x * float("nan"), "b": bad(x.exp())}, (values(3),)


@tensor_case
def dataclass_of_results(bad: Any) -> Any:
    return lambda x, w: Output(bad(x @ w), x.tanh()), (values(2, 3), values(3, 2, seed=1))


@tensor_case
def named_tuple_of_results(bad: Any) -> Any:
    return lambda x: Pair(x.mean(0), bad(x.std(0))), (values(4, 2),)


@tensor_case
def nested_results(bad: Any) -> Any:
    return lambda x: {"all": [x.sin(), (bad(x.cos()), {"sum": x.sum()})]}, (values(3),)


@tensor_case
def object_as_argument(bad: Any) -> Any:
    return lambda x, setting: bad(x * setting.factor).tanh(), (values(2, 3), Scale(2.0))


@tensor_case
def text_and_flags(bad: Any) -> Any:
    def f(x: Any, y: Any, how: str, deep: bool, none: Any) -> Any:
        assert none is None and deep is True
        return F.mse_loss(bad(x), y, reduction=how)

    return f, (values(2, 3), values(2, 3, seed=1), "sum", True, None)


@tensor_case
def list_of_tensors(bad: Any) -> Any:
    return lambda xs: bad(xs[0]) * xs[1] + xs[1].exp(), ([values(3), values(3, seed=1)],)


@tensor_case
def dict_of_tensors(bad: Any) -> Any:
    return lambda p, x: x @ bad(p["w"]) + p["b"], ({"w": values(3, 2), "b": values(2, seed=1)}, values(4, 3, seed=2))


@tensor_case
def none_weight(bad: Any) -> Any:
    return lambda x, w, b: F.conv2d(x, bad(w), b), (values(1, 2, 4, 4), values(2, 2, 2, 2, seed=1), None)


@tensor_case
def masked_attention(bad: Any) -> Any:
    def f(q: Any, k: Any) -> Any:
        scores = bad(q @ k.transpose(-1, -2))
        mask = tl.ones(*scores.shape).triu(1).bool()
        return scores.masked_fill(mask, float("-inf"))

    return f, (values(3, 2), values(3, 2, seed=1))


@tensor_case
def masked_softmax_of_tensors(bad: Any) -> Any:
    def f(x: Any) -> Any:
        mask = tl.ones(*x.shape).triu(1).bool()
        return bad(x.masked_fill(mask, float("-inf")).softmax(-1))

    return f, (values(3, 3),)


@tensor_case
def log_at_zero(bad: Any) -> Any:
    return lambda x: bad(x.log()), (np.array([0.0, 1.0, 2.5]),)


@tensor_case
def exponential_overflow(bad: Any) -> Any:
    return lambda x: bad(x.exp()), (np.array([800.0, 1.0, -2.5]),)


@tensor_case
def integer_index(bad: Any) -> Any:
    return lambda w, i: bad(w[i]).sum(-1), (values(4, 3), np.array([0, 2, 2]))


@tensor_case
def top_values_and_places(bad: Any) -> Any:
    return lambda x: tuple(bad(part) if n == 0 else part for n, part in enumerate(x.topk(2, dim=-1))), (values(3, 4),)


@tensor_case
def batch_norm_module(bad: Any) -> Any:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm = nn.BatchNorm1d(3)

        def forward(self, x: Any) -> Any:
            return bad(self.norm(x)) * x

    return Net(), (values(5, 3),)


@tensor_case
def module_that_counts_calls(bad: Any) -> Any:
    class Counter(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("calls", tl.tensor(0))
            self.weight = nn.Parameter(tl.tensor([1.0, 2.0, 3.0]))

        def forward(self, x: Any) -> Any:
            self.calls += 1
            return x * bad(self.weight)

    return Counter(), (values(2, 3),)


@tensor_case
def module_with_a_moving_average(bad: Any) -> Any:
    class Average(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("mean", tl.zeros(3))

        def forward(self, x: Any) -> Any:
            with tl.no_grad():
                self.mean.mul_(0.9).add_(x.mean(0) * 0.1)
            return bad(x - x.mean(0))

    return Average(), (values(4, 3),)


@tensor_case
def module_with_a_dict(bad: Any) -> Any:
    class Heads(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Linear(3, 2), nn.Linear(3, 1)

        def forward(self, x: Any, deep: bool = True) -> Any:
            return {"first": self.first(x), "second": bad(self.second(x)), "deep": deep}

    return Heads(), (values(4, 3),)


@tensor_case
def keyword_namespace(bad: Any) -> Any:
    return lambda x, cfg: bad(x).clamp(cfg.low, cfg.high) * cfg.names["scale"], (
        values(3, 4),
        SimpleNamespace(low=-1.0, high=1.5, names={"scale": 3.0}),
    )


@tensor_case
def function_as_argument(bad: Any) -> Any:
    return lambda act, x, w: act(bad(x @ w)), (tl.tanh, values(2, 3), values(3, 2, seed=1))


@tensor_case
def only_a_part_depends(bad: Any) -> Any:
    return lambda x: (bad(x.sin()), tl.ones(2, dtype=tl.float64)), (values(3),)


@tensor_case
def in_place_on_a_copy(bad: Any) -> Any:
    def f(x: Any) -> Any:
        y = bad(x * 2)
        z = y.clone()
        z[0] = 0
        z.mul_(3)
        return z

    return f, (values(3, 2),)


@tensor_case
def single_precision_parameter(bad: Any) -> Any:
    layer = nn.Linear(3, 2)
    return lambda x: bad(layer(x.float())).double(), (values(2, 3),)


@tensor_case
def functional_parameters(bad: Any) -> Any:
    layer = nn.Linear(3, 2).double()
    return lambda x, w, b: bad(tl.func.functional_call(layer, {"weight": w, "bias": b}, (x,))), (
        values(2, 3),
        values(2, 3, seed=1),
        values(2, seed=2),
    )
