"""The same planted bugs and correct functions judged by other gradient checkers; those not installed are left out."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.testing.cases.record import Case
from tinygrad_lite.testing.search.hypothesis_engine import HypothesisSource
from tinygrad_lite.testing.search.source import Source

Functions = tuple[Callable[..., Any], Callable[..., Any]]
POINTS = 20


def ordinary(case: Case, seed: int, count: int) -> list[tuple[list[Any], dict[str, Any]]]:
    """The first example of a search, or ``count`` of them, with finite outputs."""
    calls = []
    for n in range(count):
        arrays, kw = case.sampler(Source.example(seed, n))
        calls.append(([np.asarray(a) for a in arrays], kw))
    return calls


def torch_accepts(functions: Functions, arrays: list[Any], kw: dict[str, Any]) -> bool:
    """`torch.autograd.gradcheck` on a Function that calls the pair, with its own tolerances."""
    import torch

    forward, backward = functions

    class Pair(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *tensors: Any) -> Any:
            out, ctx.saved = forward(*[t.detach().numpy().copy() for t in tensors], **kw)
            several = isinstance(out, tuple)
            ctx.several = several
            outs = [torch.from_numpy(np.array(o)) for o in (out if several else (out,))]
            ctx.mark_non_differentiable(*[o for o in outs if not o.is_floating_point()])
            return tuple(outs) if several else outs[0]

        @staticmethod
        def backward(ctx: Any, *gs: Any) -> Any:
            arrays = [g.detach().numpy().copy() if g.is_floating_point() else None for g in gs]
            grads = backward(tuple(arrays) if ctx.several else arrays[0], ctx.saved)
            return tuple(None if t is None else torch.from_numpy(np.array(t)) for t in grads)

    tensors = [torch.from_numpy(np.array(a)) for a in arrays]
    for t in tensors:
        t.requires_grad_(t.is_floating_point())
    try:
        return bool(torch.autograd.gradcheck(Pair.apply, tensors, raise_exception=False))
    except Exception:
        return False


def jax_accepts(functions: Functions, arrays: list[Any], kw: dict[str, Any]) -> bool:
    """`jax.test_util.check_grads` on a custom_vjp that calls the pair, with its own tolerances."""
    import jax
    from jax.test_util import check_grads

    jax.config.update("jax_enable_x64", True)
    forward, backward = functions
    floats = [i for i, a in enumerate(arrays) if a.dtype.kind == "f"]

    def whole(parts: tuple[Any, ...]) -> list[Any]:
        full = [np.array(a) for a in arrays]
        for i, p in zip(floats, parts, strict=True):
            full[i] = np.array(p)
        return full

    def run(*parts: Any) -> tuple[Any, ...]:
        out, _ = forward(*whole(parts), **kw)
        outs = out if isinstance(out, tuple) else (out,)
        return tuple(np.asarray(o) for o in outs if np.asarray(o).dtype.kind == "f")

    def pull(parts: tuple[Any, ...], g: tuple[Any, ...]) -> tuple[Any, ...]:
        out, saved = forward(*whole(parts), **kw)
        several = isinstance(out, tuple)
        given = iter(np.array(t) for t in g)
        gs = [next(given) if np.asarray(o).dtype.kind == "f" else None for o in (out if several else (out,))]
        grads = backward(tuple(gs) if several else gs[0], saved)
        return tuple(np.asarray(grads[i], arrays[i].dtype) for i in floats)

    def shapes(values: Any) -> Any:
        return tuple(jax.ShapeDtypeStruct(np.shape(v), np.asarray(v).dtype) for v in values)

    inputs = tuple(arrays[i] for i in floats)
    result = shapes(run(*inputs))

    @jax.custom_vjp
    def f(*parts: Any) -> Any:
        return jax.pure_callback(run, result, *parts)

    f.defvjp(
        lambda *parts: (f(*parts), parts),
        lambda parts, g: jax.pure_callback(lambda p, h: pull(p, h), shapes(inputs), parts, tuple(g)),
    )
    try:
        check_grads(f, inputs, order=1, modes=["rev"])
    except Exception:
        return False
    return True


def central_accepts(functions: Functions, arrays: list[Any], kw: dict[str, Any]) -> bool:
    """Element by element central differences with constant step and tolerances."""
    forward, backward = functions
    floats = [i for i, a in enumerate(arrays) if a.dtype.kind == "f"]
    if any(arrays[i].dtype != np.float64 for i in floats):
        return True

    def outputs(values: list[Any]) -> Any:
        out, saved = forward(*[np.array(a) for a in values], **kw)
        several = isinstance(out, tuple)
        outs = [np.asarray(o) for o in (out if several else (out,))]
        return outs, saved, several

    try:
        outs, saved, several = outputs(arrays)
        rng = np.random.default_rng(0)
        gs = [rng.standard_normal(o.shape) if o.dtype.kind == "f" else None for o in outs]
        grads = backward(tuple(gs) if several else gs[0], saved)

        def value(values: list[Any]) -> float:
            return sum(float((g * o).sum()) for g, o in zip(gs, outputs(values)[0], strict=True) if g is not None)

        for i in floats:
            if np.shape(grads[i]) != arrays[i].shape:
                return False
            for k in range(arrays[i].size):
                slopes = []
                for sign in (1, -1):
                    moved = [np.array(a) for a in arrays]
                    moved[i].flat[k] += sign * 1e-6
                    slopes.append(value(moved))
                numeric = (slopes[0] - slopes[1]) / 2e-6
                if not np.isclose(np.asarray(grads[i]).flat[k], numeric, rtol=1e-4, atol=1e-5, equal_nan=True):
                    return False
    except Exception:
        return False
    return True


def by_hypothesis(case: Case, functions: Functions, seed: int) -> bool:
    """Whether Hypothesis finds nothing against central differences in 60 inputs."""
    import hypothesis
    from hypothesis import strategies as st

    def judge(draw: Any) -> None:
        arrays, kw = case.sampler(HypothesisSource(draw))
        assert central_accepts(functions, [np.asarray(a) for a in arrays], kw)

    settings = hypothesis.settings(
        max_examples=60,
        deadline=None,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=(hypothesis.Phase.generate,),
    )
    test = hypothesis.seed(seed)(settings(hypothesis.given(st.data())(lambda data: judge(data.draw))))
    try:
        test()
    except Exception:
        return False
    return True


def checkers() -> dict[str, Callable[[Case, Functions, int], bool]]:
    """Every checker that is installed: does it accept the pair?"""

    def at(accepts: Callable[..., bool], count: int) -> Callable[[Case, Functions, int], bool]:
        return lambda case, functions, seed: all(accepts(functions, *call) for call in ordinary(case, seed, count))

    found: dict[str, Callable[[Case, Functions, int], bool]] = {}
    if importlib.util.find_spec("torch"):
        found["torch.autograd.gradcheck, one ordinary input"] = at(torch_accepts, 1)
        found[f"torch.autograd.gradcheck, {POINTS} searched inputs"] = at(torch_accepts, POINTS)
    if importlib.util.find_spec("jax"):
        found["jax check_grads, one ordinary input"] = at(jax_accepts, 1)
        found[f"jax check_grads, {POINTS} searched inputs"] = at(jax_accepts, POINTS)
    found["Hypothesis + central differences"] = by_hypothesis
    return found


def compare(cases: list[Case], seed: int = 0) -> list[str]:
    """One table row per checker: bugs found, correct functions rejected."""
    rows = []
    for name, accepts in checkers().items():
        found = alarms = bugs = 0
        for case in cases:
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                alarms += not accepts(case, (case.forward, case.backward), seed)
                for bug in case.bugs:
                    bugs += 1
                    found += not accepts(case, case.planted(bug), seed)
        rows.append(f"| {name} | {100 * found / bugs:.0f} % | {100 * alarms / len(cases):.0f} % |")
    return rows
