"""Averages of a model's weights over its training: `AveragedModel`, `update_bn`.

Source: Izmailov, Podoprikhin, Garipov, Vetrov, Wilson, Averaging weights leads to wider optima, 2018.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.mode import no_grad
from tinygrad_lite.engine.tensor import make
from tinygrad_lite.nn.module import Module
from tinygrad_lite.nn.normalisation import _BatchNorm
from tinygrad_lite.optim.swa_utils import get_swa_avg_fn

__all__ = ["AveragedModel", "update_bn"]


class AveragedModel(Module):
    """A copy of a model whose parameters are the average of those that ``update_parameters`` was called with.

    ``avg_fn(average, new, count)`` or, for lists, ``multi_avg_fn`` chooses the average, by default that of all. With
    ``use_buffers`` buffers are averaged too, otherwise copied.

    >>> import tinygrad_lite as tl
    >>> average = tl.optim.swa_utils.AveragedModel(tl.nn.Linear(2, 1))
    >>> average.update_parameters(tl.nn.Linear(2, 1))
    >>> average.n_averaged
    tensor(1)
    """

    n_averaged: Any

    def __init__(
        self, model: Any, device: Any = None, avg_fn: Callable[..., Any] | None = None,
        multi_avg_fn: Callable[..., Any] | None = None, use_buffers: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise AssertionError("Only one of avg_fn and multi_avg_fn should be provided")
        self.module = copy.deepcopy(model)
        if device is not None:
            self.module.to(device)
        self.register_buffer("n_averaged", make(new.zeros((), np.int64)))
        self.avg_fn, self.multi_avg_fn, self.use_buffers = avg_fn, multi_avg_fn, use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Return what the averaged model returns."""
        return self.module(*args, **kwargs)

    def update_parameters(self, model: Any) -> None:
        """Take the parameters of ``model`` into the average; the first ones are copied."""
        mine, theirs = list(self.module.parameters()), list(model.parameters())
        if self.use_buffers:
            mine, theirs = [*mine, *self.module.buffers()], [*theirs, *model.buffers()]
        old, given = [t.detach() for t in mine], [t.detach() for t in theirs]
        with no_grad():
            if int(self.n_averaged) == 0:
                _copy(old, given)
            elif self.multi_avg_fn is not None:
                for kind in sorted({str(t.dtype) for t in old}):
                    chosen = [i for i, t in enumerate(old) if str(t.dtype) == kind]
                    self.multi_avg_fn([old[i] for i in chosen], [given[i] for i in chosen], self.n_averaged)
            else:
                average = self.avg_fn or get_swa_avg_fn()
                _copy(old, [average(a, b, self.n_averaged) for a, b in zip(old, given, strict=True)])
            if not self.use_buffers:
                _copy(self.module.buffers(), model.buffers())
            self.n_averaged += 1


def _copy(to: Iterable[Any], values: Iterable[Any]) -> None:
    for old, value in zip(to, values, strict=True):
        old.detach().copy_(value.detach())


def update_bn(loader: Iterable[Any], model: Any, device: Any = None) -> None:
    """Compute the running statistics of the BatchNorm layers of ``model`` anew, in one pass over ``loader``.

    A batch is a tensor, or a list or tuple that begins with one.

    >>> import tinygrad_lite as tl
    >>> model = tl.nn.BatchNorm1d(2)
    >>> tl.optim.swa_utils.update_bn([tl.tensor([[1.0, 2.0], [3.0, 6.0]])], model)
    >>> model.running_mean
    tensor([2., 4.])
    """
    momenta = {m: m.momentum for m in model.modules() if isinstance(m, _BatchNorm)}
    if not momenta:
        return
    was_training = model.training
    model.train()
    for layer in momenta:
        layer.reset_running_stats()
        layer.momentum = None  # the plain average of all batches
    with no_grad():
        for batch in loader:
            model(batch[0] if isinstance(batch, (list, tuple)) else batch)
    for layer, momentum in momenta.items():
        layer.momentum = momentum
    model.train(was_training)
