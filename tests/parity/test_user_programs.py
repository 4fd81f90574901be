"""Short programs that PyTorch users write: each gives the same answer, or fails in the same family, in both libraries."""
# ruff: noqa: E501 - a table, one program a line

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl

torch = pytest.importorskip("torch")
from tests.parity.programs.lockstep import families  # noqa: E402

inf, nan = float("inf"), float("nan")


def slopes(T: Any, call: Callable[[Any], Any], seen: list[Any]) -> None:
    x = T.ones(3, requires_grad=True)
    y = x * 2
    y.register_hook(lambda g: seen.append(str(g.dtype)))
    call(y).sum().backward()


def widened(T: Any) -> Any:
    """Gradients of what ``dtype=`` made wider come back in the dtype of the operand."""
    seen: list[Any] = []
    for name in ("sum", "mean", "prod", "nansum"):
        slopes(T, lambda y, name=name: getattr(T, name)(y, dtype=T.float64), seen)
    for name in ("cumsum", "cumprod", "softmax", "log_softmax"):
        slopes(T, lambda y, name=name: getattr(T, name)(y, 0, dtype=T.float64), seen)
    slopes(T, lambda y: T.linalg.vector_norm(y, dtype=T.float64), seen)
    return seen


def through(T: Any, select: Callable[[Any], Any]) -> Any:
    """The gradient of a selection when NaN arrives: what was not selected stays 0."""
    x = T.tensor([3.0, 1.0, 2.0], requires_grad=True)
    select(x).backward(T.tensor(nan))
    return x.grad


def by_keyword(T: Any) -> Any:
    class Scaled(T.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any, by: Any = 1, plus: Any = 0) -> Any:
            ctx.by = by
            return x * by + plus

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * ctx.by, None, None

    x = T.ones(1, requires_grad=True)
    y = Scaled.apply(x, plus=2, by=3)
    y.backward()
    return y, x.grad


def named_twice(T: Any, kind: str, answer: bool) -> Any:
    """A registered name that is a property, too: what was registered counts as long as the property cannot answer."""

    class Twice(T.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            part = {"buffer": T.ones(1), "parameter": T.nn.Parameter(T.ones(1)), "module": T.nn.Linear(1, 1)}[kind]
            getattr(self, "add_module" if kind == "module" else f"register_{kind}")("beta", part)

        @property
        def beta(self) -> Any:
            return 5 if answer else self.tau * 2

    m = Twice()
    seen = [type(m.beta).__name__, sorted(m.state_dict())]
    m.register_buffer("tau", T.ones(1))
    return [*seen, m.beta]


def into(T: Any, name: str, *arguments: Any) -> Any:
    F, y = T.nn.functional, T.ones(3)
    out = y.new_empty(0)
    return getattr(F, name)(*arguments, out=out) is out, out


def reduced(T: Any) -> Any:
    """A subclass's own ``__reduce_ex__`` unpacks the two values of its parent's and adds to them."""

    class Noted(T.Tensor):  # type: ignore[misc, name-defined]
        def __reduce_ex__(self, protocol: Any) -> Any:
            build, parts = super().__reduce_ex__(protocol)
            return lambda *p: (build(*p), "added"), parts

    t = T.ones(2).as_subclass(Noted)
    t.note = [1]
    copied, added = copy.copy(t)
    return added, copied.note is t.note, copied.tolist(), len(T.nn.Parameter(T.ones(1)).__reduce_ex__(2))


PROGRAMS: dict[str, Callable[[Any], Any]] = {
    "gradients of dtype=": widened,
    "max of a NaN gradient": lambda T: (through(T, lambda x: x.max()), through(T, lambda x: x.min())),
    "matmul of a number": lambda T: T.tensor(1.0).matmul(T.ones(2, 2)),
    "number minus mask": lambda T: 1 - T.tensor([True]),
    "mask minus floats": lambda T: T.tensor([True]) - T.ones(1),
    "loss of floats and a mask": lambda T: T.nn.functional.smooth_l1_loss(T.ones(2), T.tensor([True, False])),
    "integers to negative 0-d": lambda T: (2 ** T.tensor(-3), T.tensor([2, 1]) ** T.tensor(-1)),
    "integers to a negative number": lambda T: T.tensor([2]) ** -1,
    "index_select negative": lambda T: T.ones(2).index_select(0, T.tensor([-1])),
    "index_add negative": lambda T: T.ones(2).index_add(0, T.tensor([-1]), T.ones(1)),
    "index_copy negative": lambda T: T.ones(2).index_copy(0, T.tensor([-1]), T.ones(1)),
    "index_fill negative": lambda T: T.ones(2).index_fill(0, T.tensor([-1]), 3.0),
    "repeats alone": lambda T: T.repeat_interleave(T.tensor([2, 0, 1])),
    "gather of nothing is no view": lambda T: T.zeros(0, 2, requires_grad=True).gather(0, T.zeros(0, 2).long()).mul_(2),
    "small integers wrap late": lambda T: (T.ones(1).add(T.tensor([200], dtype=T.uint8), alpha=2), T.ones(1).addcmul(T.tensor([200], dtype=T.uint8), T.tensor([200], dtype=T.uint8)), T.rsub(T.tensor([200], dtype=T.uint8), T.ones(1), alpha=2)),
    "bytes as another dtype": lambda T: (T.ones(2).view(T.int32), T.ones(2).view(dtype=T.uint8).shape, (lambda x: (x.view(T.int32).zero_(), x)[1])(T.ones(2)), T.zeros(4, dtype=T.uint8).view(T.float32), str(T.ones(2).view(T.float32).dtype)),
    "bytes of a number": lambda T: T.ones(()).view(T.float64),
    "mean of scattered int32": lambda T: T.tensor([2, 4], dtype=T.int32).scatter_reduce(0, T.tensor([0, 0]), T.tensor([1, 3], dtype=T.int32), "mean"),
    "kl_div over no samples": lambda T: T.nn.functional.kl_div(T.zeros(0), T.zeros(3, 0), log_target=True, reduction="batchmean"),
    "a Function by keyword": by_keyword,
    "a hook that returns a number": lambda T: (lambda x: (x.register_hook(lambda g: 3), x.backward()))(T.tensor(1.0, requires_grad=True)),
    "NaN gradient of ignored targets": lambda T: (lambda x: (T.nn.functional.nll_loss(x, T.tensor([-100, 1]), reduction="none").backward(T.tensor([nan, 1.0])), x.grad)[1])(T.zeros(2, 2, requires_grad=True)),
    "mean of scattered, NaN left out": lambda T: T.tensor([nan, 2.0]).scatter_reduce(0, T.tensor([0, 0]), T.tensor([1.0, 3.0]), "mean", include_self=False),
    "attributes of layers": lambda T: (T.nn.Conv2d(1, 2, 3).output_padding, T.nn.GRU(1, 2).mode, T.nn.RNN(1, 2, nonlinearity="relu").mode, T.nn.Upsample(2).name, T.nn.PReLU().reset_parameters()),
    "Rprop of a NaN gradient": lambda T: (lambda p: (setattr(p, "grad", T.tensor([nan, 1.0])), T.optim.Rprop([p]).step(), p.detach())[2])(T.nn.Parameter(T.ones(2))),
    "where of bytes": lambda T: (lambda m, x: (T.where(m, x, -x), x.where(m, -x), T.where(m, 1.0, 0.0)))(T.tensor([1, 0], dtype=T.uint8), T.ones(2)),
    "where of other numbers": lambda T: T.where(T.tensor([1, 0], dtype=T.int8), 1.0, 0.0),
    "broadcast_to keeps a length": lambda T: (T.broadcast_to(T.ones(2), (3, -1)), T.ones(2).broadcast_to(2, 3, -1), T.ones(1).broadcast_to((-1,))),
    "broadcast_to of a new length": lambda T: T.ones(2).broadcast_to(-1, 2),
    **{f"{kind} named as a property{' that answers' * answer}": lambda T, k=kind, a=answer: named_twice(T, k, a) for kind in ("buffer", "parameter", "module") for answer in (False, True)},
    **{f"{name} into out": lambda T, n=name: into(T, n, T.tensor([0.0, 40.0])) for name in ("gelu", "logsigmoid", "softplus", "softshrink")},
    "normalize into out": lambda T: into(T, "normalize", T.ones(2, 3)),
    "linear into out": lambda T: into(T, "linear", T.ones(2, 3), T.ones(1, 3)),
    "pooling into out": lambda T: (into(T, "avg_pool2d", T.ones(1, 4, 4), 2), into(T, "avg_pool3d", T.ones(1, 2, 2, 2), 2)),
    "a subclass's own copy": reduced,
    "parameters in a list": lambda T: repr(T.nn.ParameterList([T.nn.Parameter(T.ones(2)), T.nn.Parameter(T.ones(1))])),
}  # fmt: skip


def plain(answer: Any) -> Any:
    if hasattr(answer, "detach"):
        return str(answer.dtype), answer.detach().numpy().tolist()
    return [plain(a) for a in answer] if isinstance(answer, (list, tuple)) else answer


@pytest.mark.parametrize("name", PROGRAMS)
def test_program(name: str) -> None:
    def ask(T: Any) -> Any:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            try:
                return plain(PROGRAMS[name](T))
            except Exception as error:
                return error

    theirs, ours = ask(torch), ask(tl)
    if isinstance(theirs, Exception) and isinstance(ours, Exception):
        assert families(theirs) & families(ours)
    else:
        np.testing.assert_equal(ours, theirs)
