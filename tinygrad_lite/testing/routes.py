"""Other ways to the same gradient: forward mode, batches of g, outputs without a g."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_lite.engine.grad import grad
from tinygrad_lite.engine.tensor import Tensor, make
from tinygrad_lite.func.transforms import jvp
from tinygrad_lite.testing.functions import array_of, flat, leaves, pulled
from tinygrad_lite.testing.verdict.point import Array, Failure

Places = Sequence[int] | None


def _outputs(out: Any) -> list[Any]:
    return [o for o in flat(out) if array_of(o).dtype.kind == "f"]


def _floats(arrays: Sequence[Array], places: Places) -> list[int]:
    return [i for i, a in enumerate(arrays) if a.dtype.kind == "f" and (places is None or i in places)]


def forward_mode(
    run: Callable[..., Any], arrays: Sequence[Array], places: Places, atol: float, rtol: float, seed: int
) -> None:
    """Raise ``Failure`` if `jvp` and the backward pass disagree: v . (J d) against (v J) . d."""
    rng, fl = np.random.default_rng(seed), _floats(arrays, places)
    tensors = leaves(arrays, set(fl))
    out = run(*tensors)
    outs = _outputs(out)
    vs = [rng.standard_normal(o.shape) * np.isfinite(array_of(o)) for o in outs]
    given = iter(vs)
    seeds = [next(given) if array_of(o).dtype.kind == "f" else None for o in flat(out)]
    grads = pulled(out, tensors, seeds)

    def of_floats(*parts: Any) -> Any:
        whole: list[Any] = [make(np.asarray(a)) for a in arrays]
        for i, t in zip(fl, parts, strict=True):
            whole[i] = t
        return tuple(o if isinstance(o, Tensor) else make(array_of(o)) for o in _outputs(run(*whole)))

    for i in fl:
        ds = [rng.standard_normal(arrays[k].shape) * (k == i) for k in fl]
        try:
            _, slopes = jvp(of_floats, tuple(make(arrays[k].copy()) for k in fl), tuple(map(make, ds)))
        except Exception as e:
            raise Failure("forward mode raises", f"{type(e).__name__}: {e}", error=e) from e
        terms = [(v * s.array)[v != 0] for v, s in zip(vs, slopes, strict=True)]
        forward = float(sum(t.sum() for t in terms))
        g = grads[i]
        products = g.array * ds[fl.index(i)] if g is not None else np.zeros(1)
        backward = float(products[np.isfinite(products)].sum())
        size = float(sum(np.abs(t).sum() for t in terms)) + float(np.abs(products[np.isfinite(products)]).sum())
        if np.isfinite(forward) and not abs(forward - backward) <= atol + max(rtol, 1e-10) * size:
            text = f"input {i}: along a random direction jvp gives {forward:.10g}, the backward pass {backward:.10g}"
            raise Failure("forward mode differs from backward", text, input=i)


def batched(
    run: Callable[..., Any], arrays: Sequence[Array], places: Places, atol: float, rtol: float, seed: int
) -> None:
    """Raise ``Failure`` if a batch of g at once gives other gradients than one g after the other."""
    rng, fl = np.random.default_rng(seed), _floats(arrays, places)
    tensors = leaves(arrays, set(fl))
    outs = [o for o in _outputs(run(*tensors)) if isinstance(o, Tensor) and o.requires_grad]
    wanted = [tensors[i] for i in fl]
    gs = [rng.standard_normal((2, *o.shape)) for o in outs]
    if not outs:
        return

    def grads(parts: Sequence[Array], several: bool) -> Any:
        return grad(
            outs, wanted, [make(a) for a in parts], retain_graph=True, allow_unused=True, is_grads_batched=several
        )

    try:
        together = grads(gs, True)
    except Exception as e:
        raise Failure("a batch of gradients raises", f"{type(e).__name__}: {e}", error=e) from e
    for k in range(2):
        for i, one, all_ in zip(fl, grads([g[k] for g in gs], False), together, strict=True):
            if one is not None and not np.allclose(one.array, all_.array[k], rtol, atol, equal_nan=True):
                raise Failure("a batch of gradients differs from one after the other", f"input {i}", input=i)


def undefined(
    run: Callable[..., Any], arrays: Sequence[Array], places: Places, atol: float, rtol: float, seed: int
) -> None:
    """Raise ``Failure`` if an output without a g gives other gradients than one whose g is zero."""
    rng, fl = np.random.default_rng(seed), _floats(arrays, places)
    tensors = leaves(arrays, set(fl))
    out = run(*tensors)
    parts = flat(out)
    count = sum(array_of(o).dtype.kind == "f" for o in parts)
    if count < 2:
        return
    for k, left_out in enumerate(parts):
        if array_of(left_out).dtype.kind != "f":
            continue
        gs = [rng.standard_normal(o.shape) if array_of(o).dtype.kind == "f" else None for o in parts]
        gs[k] = np.zeros(left_out.shape)
        zero = pulled(out, tensors, gs)
        gs[k] = None
        try:
            none = pulled(out, tensors, gs)
        except Exception as e:
            text = f"output {k} without a gradient: {type(e).__name__}: {e}"
            raise Failure("backward raises for an undefined gradient", text, error=e) from e
        for i in fl:
            a, b = zero[i], none[i]
            if a is not None and b is not None and not np.allclose(a.array, b.array, rtol, atol, equal_nan=True):
                raise Failure("an undefined gradient is not treated as zero", f"output {k}, input {i}", input=i)
