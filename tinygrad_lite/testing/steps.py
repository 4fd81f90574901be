"""Check compiled training steps: the program against the step as written, its gradients against differences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from tinygrad_lite.compiled import Compiled, compile
from tinygrad_lite.compiled.reach import Reach
from tinygrad_lite.compiled.verify import Snapshot, equal, kept, values
from tinygrad_lite.engine.arguments import named
from tinygrad_lite.engine.arrays import get_default_dtype, set_default_dtype
from tinygrad_lite.engine.tensor import Tensor, make
from tinygrad_lite.testing.functions import flat, name_of
from tinygrad_lite.testing.report import GradReport, finish
from tinygrad_lite.testing.search.engines import run
from tinygrad_lite.testing.search.one_example import Trial, quiet
from tinygrad_lite.testing.search.samplers import Spec, sampler_of
from tinygrad_lite.testing.search.source import Source
from tinygrad_lite.testing.verdict.point import Array, Failure, Rule


@named
def check_step(
    step: Any,
    *args: Spec,
    gradients: bool = True,
    examples: int = 10,
    kinks: str = "report",
    seed: int = 0,
    raise_exception: bool = True,
) -> GradReport:
    """Check a training step (zero_grad, forward, backward, update) that is, or is to be, compiled.

    The arguments of the step and the values of its parameters are searched as in `check_op`, in float64. At every
    point the program must give what the step as written gives, bit for bit: results, ``.grad``, parameters, buffers,
    states of optimizers, random numbers. If the step returns a scalar tensor, every ``p.grad`` is also compared with
    finite differences of it; ``gradients=False`` leaves that out, for steps that clip, scale or accumulate gradients.
    Afterwards everything is as it was. A step that cannot become a program is checked as written, with a note.

    >>> import tinygrad_lite as tl
    >>> from tinygrad_lite.testing import Arr
    >>> w = tl.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = tl.optim.SGD([w], lr=0.25, momentum=0.9)
    >>> def step(x):
    ...     optimizer.zero_grad()
    ...     loss = (w * x).tanh().sum()
    ...     loss.backward()
    ...     optimizer.step()
    ...     return loss
    >>> print(check_step(tl.compile(step), Arr("n 2", min=1), examples=5))
    check_step(step): ok, 5 points checked
      programs for 4 shapes gave the numbers of the step as written
    """
    rule = StepRule(step, len(args))
    title = f"check_step({name_of(rule.written)})"
    with rule.in_float64():
        sampler = rule.sampler(sampler_of(args))
        rule.begin(sampler(Source.example(seed, 0))[0])
        if gradients and rule.scalar(sampler, seed):
            made = Rule(rule.forward, rule.backward, name_of(rule.written), rule.places, rule.labels, strict=True)
            report = run(
                Trial(made, sampler, kinks, contract=False), examples, seed, title, name_of(rule.written), "builtin"
            )
            report.reproduction = ""  # a call on arrays cannot set the parameters
        else:
            report = rule.compared(sampler, examples, seed, title)
    report.notes += rule.notes()
    return finish(report, raise_exception)


class StepRule:
    """A step as a function of its arguments and parameters, whose result is the loss."""

    def __init__(self, step: Any, count: int) -> None:
        self.written = step._function if isinstance(step, Compiled) else step
        self.count = count
        reach = Reach(self.written)
        self.optimizers = [o for _, o in reach.optimizers]
        self.tensors = list({id(t): t for _, t in reach.tensors}.values())
        named = [(name, t) for name, t in reach.tensors if t.requires_grad and t.array.dtype.kind == "f"]
        self.parameters = list({id(t): t for _, t in named}.values())
        first = {id(t): name for name, t in reversed(named)}
        for name, module in sorted(reach.modules, key=lambda m: -len(m[0])):
            for path, p in module.named_parameters(name):
                first[id(p)] = path
        self.names = [first[id(t)] for t in self.parameters]
        self.places = tuple(range(count, count + len(self.parameters)))
        self.labels = (*(f"argument {i}" for i in range(count)), *self.names)
        self.programs: dict[Any, Any] = {}
        self.refused: list[str] = []
        self.fresh = True
        if not self.parameters:
            raise TypeError(f"check_step: {name_of(self.written)} reaches no parameter; check_op takes functions")

    @contextmanager
    def in_float64(self) -> Iterator[None]:
        """Run the block with parameters, buffers and states in float64; restore everything afterwards."""
        everything = [*self.tensors, *self.states()]
        before = Snapshot([t.array for t in everything], everything, self.optimizers)
        arrays, default = [t.array for t in everything], get_default_dtype()
        for t in everything:
            t._grad = None
            t.array = np.array(t.array, np.float64 if t.array.dtype.kind == "f" else None)
        set_default_dtype(np.float64)
        self.start = self.snapshot()
        try:
            with quiet():
                yield
        finally:
            set_default_dtype(default)
            for t, a in zip(everything, arrays, strict=True):
                t.array = a
            before.restore()

    def states(self) -> list[Tensor]:
        """Return the tensors in the states of the optimizers."""
        found = [v for o in self.optimizers for s in o.state.values() for v in s.values()]
        return [v for v in found if isinstance(v, Tensor)]

    def snapshot(self) -> Snapshot:
        """Return everything that the step may change, as it is now."""
        everything = [*self.tensors, *self.states()]
        return Snapshot([t.array for t in everything], everything, self.optimizers)

    def begin(self, arrays: Sequence[Array]) -> None:
        """Let every check start where the optimizers have taken one step, so that they have their states."""
        self.called(self.written, arrays)
        for t in self.tensors:
            t._grad = None
        self.start = self.snapshot()

    def sampler(self, inputs: Any) -> Any:
        """Return a sampler of arguments and parameters; the first example keeps the parameters of the step."""

        def sample(src: Source) -> tuple[list[Array], dict[str, Any]]:
            arrays, kw = inputs(src)
            self.fresh = True
            usual = src.sizes == "usual" and src.mode == "normal"
            self.start.restore()
            for p in self.parameters:
                drawn = src.floats(p.array.shape)
                arrays.append(p.array.copy() if usual else drawn)
            return arrays, kw

        return sample

    # ------------------------------------------------------------------------------------ running
    def called(self, function: Any, arrays: Sequence[Array]) -> Any:
        """Call the step, or its program, from the same state with these arguments and parameters."""
        self.start.restore()
        for p, a in zip(self.parameters, arrays[self.count :], strict=True):
            p.array[...] = a
        return function(*(make(np.array(a)) for a in arrays[: self.count]))

    def program(self, arrays: Sequence[Array]) -> Any:
        """Return the step compiled for arguments of these shapes, or None if it cannot become a program."""
        key = tuple((a.shape, a.dtype) for a in arrays[: self.count])
        if key not in self.programs:
            made = compile(self.written, fullgraph=True, backend="numpy")
            try:
                for _ in range(3):  # as written, recorded, the program
                    self.called(made, arrays)
            except RuntimeError as error:
                if not str(error).startswith("compile: "):
                    raise
                self.refused.append(str(error).rpartition(" cannot become a program: ")[2])
            self.programs[key] = made if made.source else None
        return self.programs.get(key)

    def ran(self, arrays: Sequence[Array]) -> Any:
        """Return the result of the step; raise ``Failure`` if its program does not give the same numbers."""
        program = self.program(arrays)
        if program is not None and not self.fresh:
            return self.called(program, arrays)
        self.fresh = False  # points beside this one, for the differences, need no comparison
        out = self.called(self.written, arrays)
        if program is None:
            return out
        wanted, state, grads = kept(values(out)), kept(self.start.outcome()), self.grads()
        got = self.called(program, arrays)
        if not equal(values(got), wanted):
            raise Failure("program differs from the step", "another result")
        if not equal(self.start.outcome(), state):
            for name, a, b in zip(self.names, grads, self.grads(), strict=True):
                if not np.array_equal(a, b, equal_nan=True):
                    raise Failure("program differs from the step", f"another gradient of {name}")
            raise Failure("program differs from the step", "other parameters, buffers or states after it")
        return got

    def grads(self) -> list[Array]:
        """Return the gradients that a run has left."""
        return [np.zeros_like(p.array) if p._grad is None else p._grad.array.copy() for p in self.parameters]

    # ------------------------------------------------------------------------------------ judging
    def scalar(self, sampler: Any, seed: int) -> bool:
        """Whether the step returns one scalar tensor first, which its gradients may belong to."""
        outs = flat(self.called(self.written, sampler(Source.example(seed, 0))[0]))
        self.loss = next((i for i, t in enumerate(outs) if isinstance(t, Tensor) and not t.shape), -1)
        return self.loss >= 0

    def forward(self, *arrays: Array, **kw: Any) -> tuple[Any, Any]:
        """Return the loss, and the gradients for `backward`."""
        out = flat(self.ran(arrays))[self.loss]
        return np.array(out.array), self.grads()

    def backward(self, g: Any, grads: Any) -> list[Array | None]:
        """Return the gradients of the step times g; none for its arguments."""
        return [*[None] * self.count, *[grad * g for grad in grads]]

    def compared(self, sampler: Any, examples: int, seed: int, title: str) -> GradReport:
        """Compare the program with the step as written at searched points."""
        report = GradReport(title, examples=examples)
        for n in range(examples):
            arrays, _ = sampler(Source.example(seed, n))
            try:
                self.ran(arrays)
            except Failure as e:
                report.ok, report.kind, report.detail, report.smallest = False, e.kind, e.text, tuple(arrays)
                break
        report.notes.append("no gradient compared with differences")
        return report

    def notes(self) -> list[str]:
        """Return what the report says of the programs."""
        made = len(self.programs) - len(self.refused)
        done = [f"programs for {made} shape{'s' * (made != 1)} gave the numbers of the step as written"] * (made > 0)
        return [*done, *(f"checked as written: {why}" for why in dict.fromkeys(self.refused))]
