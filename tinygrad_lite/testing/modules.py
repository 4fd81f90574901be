"""Gradient checks of modules: inputs and every parameter, in training and in evaluation mode."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_lite.engine.arguments import named
from tinygrad_lite.engine.samples import Arr, Ints
from tinygrad_lite.testing.functions import array_of, flat, leaves, pulled, values
from tinygrad_lite.testing.programs import behind_compiled, notes_of
from tinygrad_lite.testing.report import GradReport, finish
from tinygrad_lite.testing.search.engines import run
from tinygrad_lite.testing.search.one_example import Trial
from tinygrad_lite.testing.search.samplers import sampler_of, with_g
from tinygrad_lite.testing.search.source import Source
from tinygrad_lite.testing.state import placed
from tinygrad_lite.testing.verdict.point import Array, Rule


@named
def check_module(
    module: Any,
    *args: Arr | Ints,
    loss: Callable[..., Any] | None = None,
    modes: Sequence[str] = ("train", "eval"),
    examples: int = 10,
    order: int = 2,
    kinks: str = "report",
    engine: str = "builtin",
    seed: int = 0,
    raise_exception: bool = True,
) -> GradReport:
    """Check the gradients of a module for its inputs and every parameter, on searched inputs and weights.

    ``args`` describe the inputs. ``loss`` maps the module's output to the tensor to differentiate (by default all
    outputs). Every call starts from the same buffers and the same random seed and runs in float64. The module is
    restored afterwards.

    >>> import tinygrad_lite as tl
    >>> print(tl.testing.check_module(tl.nn.Linear(3, 2), tl.testing.Arr("n 3"), examples=5))
    check_module(Linear): ok, 5 points checked
    """
    module = behind_compiled(module, "check_module")
    rule = ModuleRule(module, len(args), loss)
    sampler = rule.sampler(sampler_of(args))
    was_training = bool(getattr(module, "training", False))
    name = rule.name
    report = GradReport(f"check_module({name})", examples=examples)
    try:
        for mode in modes:
            if mode not in ("train", "eval"):
                raise ValueError(f"check_module: modes must be 'train' or 'eval', got {mode!r}")
            module.train(mode == "train")
            title = f"check_module({name}), {mode} mode"
            for level, made in ((1, rule.first()), (2, rule.second()))[:order]:
                drawn = sampler if level == 1 else with_g(sampler, rule.first())
                called = title if level == 1 else f"{title}, order 2"
                found = run(Trial(made, drawn, kinks), examples, seed, called, name, engine)
                report.inconclusive += found.inconclusive
                report.notes += [t for t in found.notes if t not in report.notes][:3]
                if not found.ok:
                    found.reproduction = ""  # a call on arrays cannot set the weights, which are part of the point
                    return finish(found, raise_exception)
    finally:
        module.train(was_training)
    report.notes += notes_of(module)
    return report


class ModuleRule:
    """A module as a function of its inputs and parameters."""

    def __init__(self, module: Any, count: int, loss: Callable[..., Any] | None = None) -> None:
        self.module, self.count, self.loss = module, count, loss
        self.name = type(getattr(module, "written", module)).__name__
        trained = [(name, p) for name, p in module.named_parameters() if p.requires_grad]
        self.names, self.parameters = [name for name, _ in trained], [p for _, p in trained]

    def sampler(self, inputs: Any) -> Any:
        """Return a sampler of inputs and weights; the first example keeps the weights of the module."""

        def sample(src: Source) -> tuple[list[Array], dict[str, Any]]:
            arrays, kw = inputs(src)
            for p in self.parameters:
                drawn = src.floats(p.array.shape)
                usual = src.sizes == "usual" and src.mode == "normal"
                arrays.append(np.array(p.array, np.float64) if usual else drawn)
            return arrays, {**kw, "_inputs": len(arrays)}

        return sample

    def call(self, arrays: Sequence[Array]) -> tuple[Any, list[Any]]:
        """Return the output for these inputs and parameters, and the input Tensors."""
        count = len(arrays) - len(self.parameters)
        inputs = leaves(arrays[:count])
        with placed(self.module, self.parameters, arrays[count:]):
            out = self.module(*inputs)
            out = self.loss(out) if self.loss is not None else out
        return out, inputs

    def labels(self, inputs: int) -> tuple[str, ...]:
        """Return the names of inputs and parameters for reports."""
        return (*(f"x{i}" if inputs > 1 else "x" for i in range(inputs)), *self.names)

    def first(self) -> Rule:
        """Return the rule of the first order."""

        def forward(*arrays: Array, **kw: Any) -> tuple[Any, Any]:
            out, inputs = self.call(arrays)
            return values(out), (out, inputs, arrays)

        def backward(g: Any, saved: Any) -> list[Array | None]:
            out, inputs, arrays = saved
            with placed(self.module, self.parameters, arrays[len(inputs) :]):
                grads = pulled(out, [*inputs, *self.parameters], g)
            return [None if t is None else t.array for t in grads]

        return Rule(forward, backward, self.name, names=self.labels(self.count), strict=True)

    def second(self) -> Rule:
        """Return the rule of the second order: the pullback as a function of inputs, parameters and g."""

        def forward(*arrays: Array, _inputs: int, **kw: Any) -> tuple[Any, Any]:
            out, inputs = self.call(arrays[:_inputs])
            gs = leaves(arrays[_inputs:])
            with placed(self.module, self.parameters, arrays[len(inputs) : _inputs]):
                parts = flat(out)
                given = iter(gs)
                seeds = [next(given) if array_of(o).dtype.kind == "f" else None for o in parts]
                first = pulled(parts, [*inputs, *self.parameters], seeds, create_graph=True)
            grads = tuple(t for t in first if t is not None)
            return values(grads), (grads, inputs, gs, arrays[len(inputs) : _inputs])

        def backward(h: Any, saved: Any) -> list[Array | None]:
            grads, inputs, gs, weights = saved
            with placed(self.module, self.parameters, weights):
                second = pulled(grads, [*inputs, *self.parameters, *gs], h)
            return [None if t is None else t.array for t in second]

        name = f"pullback of {self.name}"
        return Rule(forward, backward, name, names=(*self.labels(self.count), "g"), strict=True)
