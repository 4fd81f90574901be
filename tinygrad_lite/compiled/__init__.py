"""Whole training steps as programs of NumPy calls: `compile`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinygrad_lite.compiled.module import OptimizedModule as OptimizedModule
from tinygrad_lite.compiled.step import Compiled as Compiled
from tinygrad_lite.errors import require
from tinygrad_lite.nn.module import Module

__all__ = ["Compiled", "OptimizedModule", "compile"]

MODES = (None, "default", "reduce-overhead", "max-autotune", "max-autotune-no-cudagraphs")


def compile(
    model: Callable[..., Any] | None = None, *, fullgraph: bool = False, dynamic: bool | None = None,
    backend: Any = None, mode: str | None = None, options: dict[str, Any] | None = None, disable: bool = False,
) -> Any:  # fmt: skip
    """Return ``model``, a module or a function of tensors, with its runs recorded and replayed as programs of NumPy.

    Best is a whole training step: zero_grad, forward, backward and the optimiser's step. Of a module or any other
    function the forward and the backward pass become programs, and the result takes part in the graph. The first call
    runs as written, the second is recorded, later ones run the program: bit for bit the same numbers. What cannot be
    recorded runs as written, with one warning; with ``fullgraph`` that is an error.

    ``backend="native"`` (extra ``compile``) makes machine code of loops and small products: equal to rounding, without
    NumPy's warnings. ``"numpy"`` never does, ``"eager"`` changes nothing. None, or PyTorch's "inductor", is "numpy" for
    the first 200 runs of a program and "native" from then on, where `backends.native` is enabled and llvmlite works.
    ``dynamic``, ``mode`` and ``options`` are accepted for PyTorch's sake: there is one program per shape. ``disable``
    returns ``model`` unchanged. Can be used as a decorator.

    >>> import tinygrad_lite as tl
    >>> w = tl.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = tl.optim.SGD([w], lr=0.25)
    >>> def step():
    ...     optimizer.zero_grad()
    ...     loss = (w * w).sum()
    ...     loss.backward()
    ...     optimizer.step()
    ...     return loss
    >>> step = compile(step)
    >>> [step().item() for _ in range(3)]
    [5.0, 1.25, 0.3125]
    >>> net = compile(tl.nn.Sequential(tl.nn.Linear(2, 3), tl.nn.ReLU()))
    >>> for _ in range(3):
    ...     net(tl.ones(4, 2)).sum().backward()
    """
    if backend == "native":
        require("llvmlite", extra="compile")
    if not callable(backend) and backend not in (None, "numpy", "native", "inductor", "eager", "aot_eager"):
        raise ValueError(f"compile: backend must be 'numpy', 'native' or 'eager', got {backend!r}")
    if mode not in MODES:
        raise ValueError(f"compile: mode must be one of {', '.join(map(repr, MODES[1:]))}, got {mode!r}")
    if mode is not None and options is not None:
        raise RuntimeError("compile: either mode or options can be given, not both")
    if model is None:
        return lambda f: compile(
            f, fullgraph=fullgraph, dynamic=dynamic, backend=backend, mode=mode, options=options, disable=disable
        )
    if not callable(model):
        raise TypeError(f"compile: expected a function or module, got {type(model).__name__}")
    if disable or callable(backend) or backend in ("eager", "aot_eager"):
        return model
    native = None if backend in (None, "inductor") else backend == "native"
    return (
        OptimizedModule(model, fullgraph, native) if isinstance(model, Module) else Compiled(model, fullgraph, native)
    )
