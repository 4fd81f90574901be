"""Backward hooks of modules: the gradients of one call's outputs and inputs, collected for the hooks."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

from tinygrad_lite.autograd.function import Function
from tinygrad_lite.engine import new
from tinygrad_lite.engine.mode import MODE
from tinygrad_lite.engine.tensor import Tensor, make

Hook = Callable[..., Any]


class BackwardHookFunction(Function):
    """The identity on several tensors; ``hook`` sees their gradients and may replace them.

    A missing gradient is None, or ``zeros``.
    """

    @staticmethod
    def forward(ctx: Any, hook: Hook, zeros: bool, *tensors: Any) -> Any:
        """Return the tensors."""
        ctx.hook = hook
        ctx.set_materialize_grads(zeros)
        ctx.mark_non_differentiable(*(t for t in tensors if not t.tracked))
        return tensors

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        """Return the gradients after the hook."""
        answer = ctx.hook(grads)
        return (None, None, *(grads if answer is None else answer))


class BackwardHook:
    """The backward hooks of one call of a module.

    The inputs and the outputs pass through one node each. The node of the outputs runs first: it keeps the gradients
    that arrive, after the pre-hooks. The node of the inputs then calls the hooks. A gradient that reaches the inputs
    on another way, as in a double backward pass, calls no hook.
    """

    def __init__(
        self, module: Any, hooks: Sequence[Callable[..., Any]], pre_hooks: Sequence[Callable[..., Any]]
    ) -> None:
        self.module, self.hooks, self.pre_hooks = module, hooks, pre_hooks
        self.grad_outputs: tuple[Any, ...] | None = None
        self.n_inputs = self.n_outputs = 0
        self.input_places: list[int] | None = None
        self.output_places: list[int] | None = None

    def setup_input_hook(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the arguments, passed through the node that calls the hooks."""
        self.n_inputs = len(args)
        args, self.input_places = self._passed(args, self._at_inputs, True)
        return args

    def setup_output_hook(self, output: Any) -> Any:
        """Return the output, passed through the node that keeps its gradient."""
        if not isinstance(output, (Tensor, tuple)):
            warnings.warn(
                "For backward hooks to be called, module output should be a Tensor or a tuple of Tensors but received "
                f"{type(output)}",
                stacklevel=2,
            )
        several = output if isinstance(output, tuple) else (output,)
        self.n_outputs = len(several)
        several, self.output_places = self._passed(several, self._at_outputs, False)
        return several if isinstance(output, tuple) else several[0]

    def _passed(self, values: tuple[Any, ...], hook: Hook, zeros: bool) -> tuple[Any, list[int] | None]:
        places = [i for i, value in enumerate(values) if isinstance(value, Tensor)]
        if not (MODE.get().grad and any(values[i].tracked for i in places)):
            return values, None
        out = list(values)
        for i, t in zip(places, BackwardHookFunction.apply(hook, zeros, *(values[i] for i in places)), strict=True):
            out[i] = t
        return tuple(out) if type(values) is tuple else type(values)(*out), places

    def _at_outputs(self, grads: tuple[Any, ...]) -> Any:
        places = self.output_places or []
        given = _spread(places, grads, self.n_outputs)
        for pre_hook in self.pre_hooks:
            answer = pre_hook(self.module, given)
            if answer is not None:
                given = _as_many(answer, given, "Backward pre hook returned an invalid number of grad_output")
        # a gradient that a pre-hook removed counts as zeros
        kept = [(grads[k], given[i]) for k, i in enumerate(places)]
        answer = tuple(make(new.zeros_like(old.array)) if now is None and old is not None else now for old, now in kept)
        self.grad_outputs = given
        if self.input_places is None:
            warnings.warn(
                "Full backward hook is firing when gradients are computed with respect to module outputs since no "
                "inputs require gradients.",
                stacklevel=5,
            )
            for hook in self.hooks:
                said = hook(self.module, (None,) * self.n_inputs, given)
                if said is not None and not (isinstance(said, tuple) and all(part is None for part in said)):
                    raise RuntimeError(
                        "Backward hook for Modules where no input requires gradient should always return None or None "
                        "for all gradients."
                    )
            self.grad_outputs = None
        return answer

    def _at_inputs(self, grads: tuple[Any, ...]) -> Any:
        if self.grad_outputs is None:
            return None
        places = self.input_places or []
        given = _spread(places, grads, self.n_inputs)
        for hook in self.hooks:
            answer = hook(self.module, given, self.grad_outputs)
            if answer is not None:
                given = _as_many(answer, given, "Backward hook returned an invalid number of grad_input")
        self.grad_outputs = None
        return tuple(given[i] for i in places)


def _spread(places: list[int], grads: tuple[Any, ...], n: int) -> tuple[Any, ...]:
    out = [None] * n
    for i, g in zip(places, grads, strict=True):
        out[i] = g
    return tuple(out)


def _as_many(answer: Any, given: tuple[Any, ...], wrong: str) -> tuple[Any, ...]:
    if len(answer) != len(given):
        raise RuntimeError(f"{wrong}, got {len(answer)}, but expected {len(given)}")
    return answer  # type: ignore[no-any-return]
