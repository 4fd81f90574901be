"""The public checks: `gradcheck` and `gradgradcheck` at given inputs, `check_op` on searched ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tinygrad_lite.engine.op import OPS, PUBLIC
from tinygrad_lite.engine.samples import Arr, Choices, Ints, Samples
from tinygrad_lite.engine.tensor import Tensor
from tinygrad_lite.testing.functions import name_of, names_of, pullback_of, rule_of
from tinygrad_lite.testing.report import GradReport, finish
from tinygrad_lite.testing.search.describe import describe
from tinygrad_lite.testing.search.engines import run
from tinygrad_lite.testing.search.one_example import Trial, quiet
from tinygrad_lite.testing.search.samplers import sampler_of, sampler_of_samples, with_g
from tinygrad_lite.testing.search.source import Sampler
from tinygrad_lite.testing.verdict.numeric import RTOL, learn
from tinygrad_lite.testing.verdict.point import Array, Failure, Point, Profile, Rule

KINKS = ("strict", "report", "skip")


def gradcheck(
    fn: Any,
    *inputs: Any,
    kwargs: dict[str, Any] | None = None,
    wrt: Sequence[int] | None = None,
    order: int = 1,
    kinks: str = "report",
    rtol: float = RTOL,
    contract: bool = True,
    seed: int = 0,
    raise_exception: bool = True,
) -> GradReport:
    r"""Check the gradient of ``fn`` at the given inputs against finite differences.

    Compares :math:`v^\top J d` from the backward pass with differences along random directions d, whose error is
    estimated. ``fn`` is a function of Tensors, a module, an op, a class with ``apply``, or a pair
    ``(forward, backward)`` on NumPy arrays. Float inputs are converted to float64; ``wrt`` selects some of them by
    position. ``order=2`` also checks the gradient of the gradient. ``kinks`` says what happens where the function has
    no derivative and the gradient is not between the one-sided slopes: "report" adds a note, "strict" fails, "skip"
    checks at a point next to the kink. ``contract`` also tests what needs no differences: shape, dtype, linearity in g,
    no state, no in-place writes.

    Raises `GradcheckError` with the report; with ``raise_exception=False`` returns the report.

    >>> import numpy as np, tinygrad_lite as tl
    >>> gradcheck(tl.tanh, np.array([0.5, -1.0])).ok
    True
    """
    _known(kinks)
    arrays = [_array(fn, i, a) for i, a in enumerate(inputs)]
    places = None if wrt is None else [_place(w, len(arrays)) for w in wrt]
    title = f"gradcheck({name_of(fn)})"
    rule = rule_of(fn, places, len(arrays))
    report = _at(rule, arrays, kwargs or {}, title, name_of(fn), kinks, rtol, contract, seed)
    if report.ok and order > 1:
        if isinstance(fn, tuple):
            raise TypeError(
                "gradcheck: order=2 needs a function of Tensors; check a pair's backward as a rule of its own"
            )
        report = _second(fn, rule, arrays, None, kwargs or {}, places, kinks, rtol, contract, seed, f"{title}, order 2")
    if report.ok:
        report.notes.append("options, shapes and special values not searched (check_op does)")
    return finish(report, raise_exception)


def gradgradcheck(
    fn: Any,
    *inputs: Any,
    grad_outputs: Any = None,
    kwargs: dict[str, Any] | None = None,
    wrt: Sequence[int] | None = None,
    kinks: str = "report",
    rtol: float = RTOL,
    contract: bool = True,
    seed: int = 0,
    raise_exception: bool = True,
) -> GradReport:
    r"""Check the gradient of the gradient: the pullback :math:`(x, g) \mapsto g^\top J(x)` as a function of both.

    ``grad_outputs``: the g to check at, one array or one per output (random by default). The other arguments are those
    of `gradcheck`.

    >>> import numpy as np, tinygrad_lite as tl
    >>> gradgradcheck(tl.tanh, np.array([0.5, -1.0])).ok
    True
    """
    _known(kinks)
    if isinstance(fn, tuple):
        raise TypeError(
            "gradgradcheck: order=2 needs a function of Tensors; check a pair's backward as a rule of its own"
        )
    arrays = [_array(fn, i, a) for i, a in enumerate(inputs)]
    places = None if wrt is None else [_place(w, len(arrays)) for w in wrt]
    rule = rule_of(fn, places, len(arrays))
    title = f"gradgradcheck({name_of(fn)})"
    report = _second(fn, rule, arrays, grad_outputs, kwargs or {}, places, kinks, rtol, contract, seed, title)
    return finish(report, raise_exception)


def check_op(
    op: Any,
    *args: Arr | Ints,
    options: Mapping[str, Choices] | None = None,
    examples: int = 30,
    kinks: str | None = None,
    order: int | None = None,
    engine: str = "builtin",
    seed: int = 0,
    raise_exception: bool = True,
) -> GradReport:
    """Check an op, or any function, on searched inputs: sizes, options, ties, zeros, domain ends, magnitudes.

    ``args`` describe the arrays (`Arr`, `Ints`) and ``options`` the choices for each keyword; a registered op has its
    own ``samples``. With ``engine="hypothesis"`` Hypothesis draws and shrinks the inputs. ``order=2`` (the default for
    functions of Tensors) also checks the pullback as a function of inputs and g.

    >>> import tinygrad_lite as tl
    >>> print(check_op(tl.tanh, examples=10))
    check_op(tanh): ok, 10 points checked
    """
    if not args:
        op = behind(op)
    sampler, samples = sampler_for(op, args, options)
    kinks = kinks or (samples.kinks if samples else "strict")
    _known(kinks)
    pair = isinstance(op, tuple)
    highest = order if order is not None else samples.order if samples else 1 if pair else 2
    call = samples.call if samples else None
    title = f"check_op({name_of(op)})"
    rule = rule_of(op, None, len(args), call)
    report = run(Trial(rule, sampler, kinks), examples, seed, title, name_of(op), engine)
    if report.ok and highest > 1:
        if pair:
            raise TypeError(
                "check_op: order=2 needs a function of Tensors; check a pair's backward as a rule of its own"
            )
        second = pullback_of(op, None, 0, (*rule.names, "g") if rule.names else (), call)
        trial = Trial(second, with_g(sampler, rule), kinks)
        found = run(trial, examples, seed, f"{title}, order 2", name_of(op), engine)
        if not found.ok:
            report = found
        report.inconclusive += found.inconclusive if found is not report else 0
    return finish(report, raise_exception)


def behind(function: Any) -> Any:
    """Return the registered op that a public function of the same name wraps; without one, the function."""
    name = getattr(function, "__name__", "")
    known = not hasattr(function, "op") and PUBLIC.get(name) is function and name in OPS
    return OPS[name].call if known else function


def sampler_for(
    op: Any, args: Sequence[Arr | Ints], options: Mapping[str, Choices] | None
) -> tuple[Sampler, Samples | None]:
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


# ------------------------------------------------------------------------------------------------ one point
def _at(
    rule: Rule,
    arrays: list[Array],
    kw: dict[str, Any],
    title: str,
    name: str,
    kinks: str,
    rtol: float,
    contract: bool,
    seed: int,
    inputs: int | None = None,
) -> GradReport:
    report = GradReport(title, examples=1)
    trial = Trial(rule, None, kinks, rtol, contract, Profile())
    p = Point(rule, arrays, kw, seed, trial.profile, kinks)
    if not p.fl:
        raise TypeError(
            f"{title}: no floating-point input to differentiate, got {', '.join(map(p.label, range(len(arrays))))}"
        )
    if not sum(p.x[i].size for i in p.fl):
        report.notes.append("all inputs are empty: only shapes were checked")
    with quiet():
        try:
            learn(Point(rule, arrays, kw, seed), trial.profile)
        except Exception:  # the contract tests report what is wrong
            pass
        try:
            trial.judge(p, True, True)
        except Failure as e:
            describe(report, e, name, inputs=inputs)
            return report
    report.inconclusive, report.notes = p.unclear, [*report.notes, *p.warnings[:3]]
    return report


def _second(
    fn: Any,
    rule: Rule,
    arrays: list[Array],
    grad_outputs: Any,
    kw: dict[str, Any],
    places: list[int] | None,
    kinks: str,
    rtol: float,
    contract: bool,
    seed: int,
    title: str,
) -> GradReport:
    out, _ = rule.forward(*[np.array(a, np.float64) if a.dtype.kind == "f" else a for a in arrays], **kw)
    outs = [np.asarray(o) for o in (out if isinstance(out, tuple) else (out,))]
    floats = [o for o in outs if o.dtype.kind == "f"]
    if grad_outputs is None:
        rng = np.random.default_rng(seed)
        gs = [rng.standard_normal(o.shape) for o in floats]
    else:
        several = isinstance(grad_outputs, (tuple, list))
        gs = [_array(fn, len(arrays) + i, a) for i, a in enumerate(grad_outputs if several else [grad_outputs])]
        if [g.shape for g in gs] != [o.shape for o in floats]:
            raise ValueError(
                f"{title}: grad_outputs {[g.shape for g in gs]}, the outputs are {[o.shape for o in floats]}"
            )
    n = len(arrays)
    second = pullback_of(fn, places, n, (*rule.names[:n], "g") if rule.names else ())
    if places is not None:
        second = Rule(second.forward, second.backward, second.name, (*places, *range(n, n + len(gs))), second.names)
    return _at(second, arrays + gs, kw, title, name_of(fn), kinks, rtol, contract, seed, n)


def _array(fn: Any, i: int, value: Any) -> Array:
    array = value.array if isinstance(value, Tensor) else np.asarray(value)
    if array.dtype.kind not in "biuf":
        fix = "check the real and the imaginary part separately" if array.dtype.kind == "c" else "pass numbers"
        raise TypeError(f"gradcheck({name_of(fn)}): input {i} has dtype {array.dtype}; {fix}")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ValueError(
            f"gradcheck({name_of(fn)}): input {i} {array.shape} holds NaN or infinity; no derivative exists there"
        )
    return array.astype(np.float64) if array.dtype.kind == "f" and array.dtype != np.float64 else np.array(array)


def _place(w: int, count: int) -> int:
    if not -count <= w < count:
        raise IndexError(f"gradcheck: wrt={w}, but there are {count} inputs")
    return w % count


def _known(kinks: str) -> None:
    if kinks not in KINKS:
        raise ValueError(f"kinks must be 'strict', 'report' or 'skip', got {kinks!r}")
