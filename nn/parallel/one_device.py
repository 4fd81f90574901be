"""The parts of `DataParallel` by PyTorch's names: there is one device, so nothing is divided."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tinygrad_lite.engine.arguments import named
from tinygrad_lite.ops.shape.joining import cat

__all__ = ["gather", "parallel_apply", "replicate", "scatter"]


def replicate(network: Any, devices: Any, detach: bool = False) -> list[Any]:
    """Return the network once: there is one device.

    >>> import tinygrad_lite as tl
    >>> len(tl.nn.parallel.replicate(tl.nn.Linear(2, 1), ["cpu"]))
    1

    >>> import tinygrad_lite as tl
    >>> tl.nn.parallel.scatter(tl.ones(2), ["cpu"])
    [tensor([1., 1.])]
    """
    return [network]


def scatter(inputs: Any, target_gpus: Any = None, dim: int = 0) -> list[Any]:
    """Return the inputs in one part."""
    return [inputs]


@named
def parallel_apply(modules: Sequence[Any], inputs: Sequence[Any], kwargs_tup: Any = None, devices: Any = None) -> Any:
    """Return what each module makes of its inputs.

    >>> parallel_apply([sum], [([1, 2],)])
    [3]
    """
    words = kwargs_tup or [{}] * len(modules)
    return [
        m(*(x if isinstance(x, tuple | list) else (x,)), **w) for m, x, w in zip(modules, inputs, words, strict=True)
    ]


@named
def gather(outputs: Sequence[Any], target_device: Any = None, dim: int = 0) -> Any:
    """Join the outputs of several modules along an axis.

    >>> import tinygrad_lite as tl
    >>> tl.nn.parallel.gather([tl.zeros(1), tl.ones(2)], "cpu")
    tensor([0., 1., 1.])
    """
    return outputs[0] if len(outputs) == 1 else cat(list(outputs), dim)
