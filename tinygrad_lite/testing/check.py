"""The public checks: `gradcheck` and `gradgradcheck` at given inputs, `check_op` on searched ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tinygrad_lite.engine.arguments import named
from tinygrad_lite.engine.op import OPS, PUBLIC
from tinygrad_lite.engine.samples import Choices, Samples
from tinygrad_lite.engine.tensor import Tensor
from tinygrad_lite.testing import routes
from tinygrad_lite.testing.arguments import Arguments, as_array
from tinygrad_lite.testing.functions import callable_of, in_float64, name_of, names_of, pullback_of, rule_of
from tinygrad_lite.testing.programs import behind_compiled, notes_of
from tinygrad_lite.testing.report import GradReport, finish, source_of
from tinygrad_lite.testing.search.describe import describe
from tinygrad_lite.testing.search.engines import run
from tinygrad_lite.testing.search.one_example import Trial, quiet
from tinygrad_lite.testing.search.samplers import Spec, sampler_of, sampler_of_samples, with_g
from tinygrad_lite.testing.search.source import Sampler, examples as points
from tinygrad_lite.testing.verdict.numeric import RTOL, learn
from tinygrad_lite.testing.verdict.point import Array, Failure, Point, Profile

KINKS = ("strict", "report", "skip")


@named
def gradcheck(
    fn: Any,
    *inputs: Any,
    kwargs: dict[str, Any] | None = None,
    wrt: Sequence[int] | None = None,
    order: int = 1,
    kinks: str = "report",
    eps: float | None = None,
    atol: float = 0.0,
    rtol: float = RTOL,
    contract: bool = True,
    seed: int = 0,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = False,
    check_grad_dtypes: bool = True,
    check_batched_grad: bool = False,
    check_forward_ad: bool = False,
    fast_mode: bool = False,
    masked: bool = False,
) -> GradReport:
    r"""Check the gradient of ``fn`` at the given inputs against finite differences.

    Compares :math:`v^\top J d` from the backward pass with differences along random directions d, whose error is
    estimated. ``fn`` is a function of Tensors, a module, an op, a class with ``apply``, or a pair
    ``(forward, backward)`` on NumPy arrays. Float inputs are converted to float64, also inside lists, tuples and dicts;
    None, text, flags and objects are passed on. ``wrt`` selects inputs by position. ``order=2`` also checks the
    gradient of the gradient. ``kinks`` says what happens where the function has no derivative and the gradient is not
    between the one-sided slopes: "report" adds a note, "strict" fails, "skip" checks at a point next to the kink.
    ``contract`` also tests shape, dtype, linearity in g, and that rules keep no state and write nothing in place.
    Outputs that are infinite or NaN are not compared, and the report says so; if none is left, the check fails.

    ``atol`` and ``rtol`` allow an error in every derivative, ``nondet_tol`` a difference between two calls. The other
    keywords are those of `tinygrad_lite.autograd.gradcheck`. ``eps``, ``fast_mode`` and ``masked`` change nothing:
    step sizes are searched, directions are always random, and there are no sparse tensors.
    Raises `GradcheckError` with the report; with ``raise_exception=False`` returns the report.

    >>> import numpy as np, tinygrad_lite as tl
    >>> gradcheck(tl.tanh, np.array([0.5, -1.0])).ok
    True
    """
    _known(kinks)
    fn = in_float64(behind_compiled(fn, "gradcheck"))
    c = Call(fn, inputs, kwargs or {}, wrt, f"gradcheck({name_of(fn)})")
    trial = Trial(c.rule, None, kinks, rtol, contract, atol, nondet_tol)
    report = c.judged(trial, c.args.arrays, c.title, seed)
    if report.ok and order > 1:
        report = c.second(None, trial, seed, f"{c.title}, order 2")
    if report.ok and not isinstance(fn, tuple):
        for wanted, route in (
            (check_forward_ad, routes.forward_mode),
            (check_batched_grad, routes.batched),
            (check_undefined_grad, routes.undefined),
        ):
            if wanted and report.ok:
                c.by_route(report, route, max(atol, 1e-10), max(rtol, RTOL), seed)
    if report.ok:
        report.notes.append("options, shapes and special values not searched (check_op does)")
    report.notes += notes_of(fn)
    return finish(report, raise_exception)


@named
def gradgradcheck(
    fn: Any,
    *inputs: Any,
    grad_outputs: Any = None,
    kwargs: dict[str, Any] | None = None,
    wrt: Sequence[int] | None = None,
    kinks: str = "report",
    eps: float | None = None,
    atol: float = 0.0,
    rtol: float = RTOL,
    contract: bool = True,
    seed: int = 0,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
) -> GradReport:
    r"""Check the gradient of the gradient: the pullback :math:`(x, g) \mapsto g^\top J(x)` as a function of both.

    ``grad_outputs``: the g to check at, one array or one per output (random by default). The other arguments are those
    of `gradcheck`.

    >>> import numpy as np, tinygrad_lite as tl
    >>> gradgradcheck(tl.tanh, np.array([0.5, -1.0])).ok
    True
    """
    _known(kinks)
    fn = behind_compiled(fn, "gradgradcheck")
    c = Call(fn, inputs, kwargs or {}, wrt, f"gradgradcheck({name_of(fn)})")
    trial = Trial(c.rule, None, kinks, rtol, contract, atol, nondet_tol)
    return finish(c.second(grad_outputs, trial, seed, c.title), raise_exception)


@named
def check_op(
    op: Any,
    *args: Spec,
    options: Mapping[str, Choices] | None = None,
    examples: int = 30,
    kinks: str | None = None,
    order: int | None = None,
    engine: str = "builtin",
    wrt: Sequence[int] | None = None,
    contract: bool = True,
    forward: bool = False,
    seed: int = 0,
    raise_exception: bool = True,
) -> GradReport:
    """Check an op, or any function, on searched inputs: sizes, options, ties, zeros, domain ends, magnitudes.

    ``args`` describe the arrays (`Arr`, `Ints`, or an array as an example) and ``options`` the choices for each
    keyword; a registered op has its own ``samples``. With ``engine="hypothesis"`` Hypothesis draws and
    shrinks the inputs. ``order=2`` (the default for functions of Tensors) also checks the pullback as a function of
    inputs and g. ``wrt`` selects inputs by position,
    ``contract=False`` compares numbers only, ``forward=True`` also compares `func.jvp` with the backward pass.

    >>> import tinygrad_lite as tl
    >>> print(check_op(tl.tanh, examples=10))
    check_op(tanh): ok, 10 points checked
    """
    op = in_float64(behind_compiled(op, "check_op"))
    if not args:
        op = behind(op)
    sampler, samples = sampler_for(op, args, options)
    kinks = kinks or (samples.kinks if samples else "strict")
    _known(kinks)
    pair = isinstance(op, tuple)
    highest = order if order is not None else samples.order if samples else 1 if pair else 2
    call = samples.call if samples else None
    title = f"check_op({name_of(op)})"
    rule = rule_of(op, wrt, len(args), call)
    report = run(Trial(rule, sampler, kinks, contract=contract), examples, seed, title, name_of(op), engine)
    if report.ok and highest > 1:
        if pair:
            raise TypeError(
                "check_op: order=2 needs a function of Tensors; check a pair's backward as a rule of its own"
            )
        second = pullback_of(op, wrt, 0, (*rule.names, "g") if rule.names else (), call)
        trial = Trial(second, with_g(sampler, rule), kinks, contract=contract)
        found = run(trial, examples, seed, f"{title}, order 2", name_of(op), engine)
        if not found.ok:
            report = found
        report.inconclusive += found.inconclusive if found is not report else 0
    if report.ok and forward:
        if pair:
            raise TypeError("check_op: forward=True needs a function of Tensors, got a pair of NumPy functions")
        _forward_too(report, callable_of(op, call), sampler, wrt, examples, seed)
    report.notes += notes_of(op)
    return finish(report, raise_exception)


def _forward_too(
    report: GradReport, run: Any, sampler: Sampler, wrt: Sequence[int] | None, examples: int, seed: int
) -> None:
    """Compare forward mode with the backward pass at the points of the search."""
    for _, src in points(seed, examples):
        arrays, kw = sampler(src)
        wide = [np.asarray(a, np.float64) if np.asarray(a).dtype.kind == "f" else np.asarray(a) for a in arrays]
        try:
            with quiet():
                routes.forward_mode(lambda *t, kw=kw: run(*t, **kw), wide, wrt, 1e-10, RTOL, src.seed)
        except Failure as e:
            report.ok, report.kind, report.detail, report.smallest = False, e.kind, e.text, tuple(wide)
            report.options = kw
            return
    report.notes.append("forward mode agrees")


def behind(function: Any) -> Any:
    """Return the registered op that a public function of the same name wraps; without one, the function."""
    name = getattr(function, "__name__", "")
    known = not hasattr(function, "op") and PUBLIC.get(name) is function and name in OPS
    return OPS[name].call if known else function


def sampler_for(op: Any, args: Sequence[Spec], options: Mapping[str, Choices] | None) -> tuple[Sampler, Samples | None]:
    """Make the sampler from explicit specs, or from the samples that the op was registered with."""
    if args:
        return sampler_of(args, options), None
    if isinstance(op, str):
        raise TypeError(f"check_op: expected a function, got {op!r}; pass the op itself")
    samples = getattr(getattr(op, "op", op), "samples", None)
    if not isinstance(samples, Samples):
        raise ValueError(f"check_op: {name_of(op)} has no samples; describe its arguments with Arr(...)")
    drawn = sampler_of_samples(samples, names_of(op, 0))
    if not options:
        return drawn, samples

    def replaced(src: Any) -> Any:
        arrays, kw = drawn(src)
        return arrays, {**kw, **{k: src.choice(list(v)) for k, v in options.items() if not callable(v)}}

    return replaced, samples


class Call:
    """A function and the arguments at which it is checked."""

    def __init__(
        self, fn: Any, inputs: Sequence[Any], kw: dict[str, Any], wrt: Sequence[int] | None, title: str
    ) -> None:
        self.fn, self.kw, self.title, self.name = fn, kw, title, name_of(fn)
        pair = isinstance(fn, tuple)
        self.args = Arguments(self.name, inputs, names_of(fn, len(inputs)), numbers=pair)
        self.places = self.args.wrt(wrt)
        count = len(self.args.arrays)
        self.call: Any = None
        if not self.args.plain and pair:
            self.fn = _pair_of(fn, self.args)
        elif not self.args.plain:
            target = callable_of(in_float64(fn))
            self.call = lambda _, *tensors, **kw: target(*self.args.rebuild(tensors), **kw)
        self.rule = rule_of(self.fn, self.places, count, self.call)
        if not self.args.plain:
            self.rule = replace(self.rule, name=self.name, names=tuple(self.args.names))

    def judged(self, trial: Trial, arrays: list[Array], title: str, seed: int, inputs: int | None = None) -> GradReport:
        """Run all tests of this point and return the report."""
        report = GradReport(title, examples=1)
        p = Point(trial.rule, arrays, self.kw, seed, trial.profile, trial.kinks)
        if not p.fl:
            got = ", ".join(map(p.label, range(len(arrays)))) or "no array"
            raise TypeError(f"{title}: no floating-point input to differentiate, got {got}")
        if not sum(p.x[i].size for i in p.fl):
            report.notes.append("all inputs are empty: only shapes were checked")
        with quiet():
            try:
                learn(Point(trial.rule, arrays, self.kw, seed), trial.profile)
            except Exception:  # the contract tests report what is wrong
                pass
            try:
                trial.judge(p, True, True)
            except Failure as e:
                describe(report, e, self.name, inputs=inputs)
                if not self.args.plain:
                    report.reproduction = self.source(seed)
                return report
        report.inconclusive, report.notes = p.unclear, [*report.notes, *dict.fromkeys(p.warnings)][:4]
        report.count([p])
        return report

    def second(self, grad_outputs: Any, trial: Trial, seed: int, title: str) -> GradReport:
        """Check the pullback at these inputs and g."""
        if isinstance(self.fn, tuple):
            raise TypeError(
                f"{title}: order=2 needs a function of Tensors; check a pair's backward as a rule of its own"
            )
        arrays, rule = self.args.arrays, self.rule
        out, _ = rule.forward(*map(np.array, arrays), **self.kw)
        outs = [np.asarray(o) for o in (out if isinstance(out, tuple) else (out,))]
        floats = [o for o in outs if o.dtype.kind == "f"]
        if grad_outputs is None:
            rng = np.random.default_rng(seed)
            gs = [np.asarray(rng.standard_normal(o.shape)) for o in floats]
        else:
            several = isinstance(grad_outputs, (tuple, list))
            given = grad_outputs if several else [grad_outputs]
            gs = [as_array(self.name, len(arrays) + i, a) for i, a in enumerate(given)]
            if [g.shape for g in gs] != [o.shape for o in floats]:
                raise ValueError(
                    f"{title}: grad_outputs {[g.shape for g in gs]}, the outputs are {[o.shape for o in floats]}"
                )
        n = len(arrays)
        second = pullback_of(self.fn, self.places, n, (*rule.names[:n], "g") if rule.names else (), self.call)
        if self.places is not None:
            second = replace(second, wrt=(*self.places, *range(n, n + len(gs))))
        return self.judged(replace(trial, rule=second, profile=Profile()), arrays + gs, title, seed, n)

    def by_route(self, report: GradReport, route: Any, atol: float, rtol: float, seed: int) -> None:
        """Compare the gradients with those of another way to compute them."""
        run = callable_of(in_float64(self.fn), self.call)
        try:
            with quiet():
                route(lambda *t: run(*t, **self.kw), self.args.arrays, self.places, atol, rtol, seed)
        except Failure as e:
            report.ok, report.kind, report.detail = False, e.kind, e.text

    def source(self, seed: int) -> str:
        """Return a call that repeats this check."""
        values = [source_of_value(v) for v in self.args.values]
        options = f", kwargs={self.kw!r}" if self.kw else ""
        return f"{self.title.partition('(')[0]}({self.name}, {', '.join(values)}{options}, seed={seed})"


def source_of_value(value: Any) -> str:
    """Return an expression for one argument: small arrays in full, objects by their repr."""
    array = value.array if isinstance(value, Tensor) else value
    if isinstance(array, np.ndarray):
        return source_of(np.asarray(array, np.float64) if array.dtype.kind == "f" else array)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k!r}: {source_of_value(v)}" for k, v in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        inner = ", ".join(map(source_of_value, value))
        return f"[{inner}]" if isinstance(value, list) else f"({inner}{',' * (len(value) == 1)})"
    return getattr(value, "__name__", None) or repr(value)


def _pair_of(pair: Any, args: Arguments) -> tuple[Any, Any]:
    """Return a pair that takes the arrays alone; its backward may return a gradient for every argument."""
    forward, backward = pair

    def run(*arrays: Array, **kw: Any) -> Any:
        return forward(*args.rebuild(arrays), **kw)

    def pull(g: Any, saved: Any) -> Any:
        grads = backward(g, saved)
        if isinstance(grads, (tuple, list)) and len(grads) == len(args.values) != len(args.arrays):
            kept = [t for t, own in zip(grads, args.places, strict=True) if own]
            return tuple(kept)
        return grads

    return run, pull


def _known(kinks: str) -> None:
    if kinks not in KINKS:
        raise ValueError(f"kinks must be 'strict', 'report' or 'skip', got {kinks!r}")
