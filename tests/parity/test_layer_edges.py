"""Layers and functions at their edges, each as in PyTorch: empty batches, large windows, negative padding, masks.

Value, first and second gradient are compared, or both libraries raise. Left out is what PyTorch reads from memory that
it has not written (circular padding by more than is kept, the gradient of a window that lies outside of the image).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from tests.parity.outcomes import agree

torch = pytest.importorskip("torch")
torch.set_num_threads(1)

Script = Callable[[Any], Any]
SIZES = (5, 4, 3)


def ramp(T: Any, *shape: int) -> Any:
    """Return 0, 1/7, 2/7 ... in this shape; it requires a gradient."""
    return (T.arange(float(np.prod(shape))).reshape(shape) / 7).requires_grad_()


def first_and_second(T: Any, function: Callable[..., Any], *inputs: Any, orders: int = 2) -> Any:
    """Return the results of a function and the gradients of their squares, up to ``orders``."""
    answer = function(*inputs)
    results = answer if isinstance(answer, tuple) else (answer,)
    out, now = [list(results)], [r for r in results if r is not None and r.is_floating_point()]
    for order in range(orders):
        total = sum((r * r).sum() for r in now)
        if not getattr(total, "requires_grad", False):
            break
        grads = T.autograd.grad(total, inputs, create_graph=order + 1 < orders, allow_unused=True)
        out.append(list(grads))
        now = [g for g in grads if g is not None]
    return out


def layer(make: Callable[[Any], Any], shape: tuple[int, ...], training: bool = True) -> Script:
    def script(T: Any) -> Any:
        m, x = make(T.nn).train(training), ramp(T, *shape)
        y = m(x)
        if y.requires_grad:
            y.sum().backward()
        return y, x.grad, [p.grad for p in m.parameters()], list(m.buffers())

    return script


def function(name: str, *shapes: tuple[int, ...], orders: int = 2, **options: Any) -> Script:
    return lambda T: first_and_second(
        T, lambda *xs: getattr(T.nn.functional, name)(*xs, **options), *(ramp(T, *s) for s in shapes), orders=orders
    )


# ------------------------------------------------------------------------------------------------ the cases by kind
def dropouts() -> Iterator[tuple[str, Script]]:
    shapes = ((), (2,), (2, 3), (2, 3, 4), (2, 3, 4, 5), (2, 3, 2, 2, 2), (0, 3, 2, 2))
    for kind, p, shape, training in itertools.product(
        ("Dropout", "AlphaDropout", "FeatureAlphaDropout", "Dropout1d", "Dropout2d", "Dropout3d"), (0.0, 1.0), shapes,
        (True, False),
    ):  # fmt: skip
        yield f"{kind}({p}) {shape} {training}", layer(lambda nn, k=kind, p=p: getattr(nn, k)(p), shape, training)


def normalisations() -> Iterator[tuple[str, Script]]:
    for training, track in itertools.product((True, False), repeat=2):
        for shape in ((0, 3), (0, 3, 4), (2, 3, 0), (1, 3), (1, 3, 1)):
            make = lambda nn, t=track: nn.BatchNorm1d(3, track_running_stats=t)  # noqa: E731
            yield f"BatchNorm1d {shape} {track} {training}", layer(make, shape, training)
        for shape in ((2, 3, 0), (2, 3, 1), (3, 4), (3, 1)):
            make = lambda nn, t=track: nn.InstanceNorm1d(3, affine=True, track_running_stats=t)  # noqa: E731
            yield f"InstanceNorm1d {shape} {track} {training}", layer(make, shape, training)
    for shape in ((0, 4), (0, 4, 2), (1, 4), (0, 4, 2, 2), (4,)):
        yield f"GroupNorm {shape}", layer(lambda nn: nn.GroupNorm(2, 4), shape)
    for shape in ((0, 3), (2, 0, 3), (3,)):
        yield f"LayerNorm {shape}", layer(lambda nn: nn.LayerNorm(3), shape)
    for shape in ((0, 3, 2), (0, 3, 2, 2), (2, 3, 0), (1, 1, 1), (2, 0, 3)):
        yield f"LocalResponseNorm {shape}", layer(lambda nn: nn.LocalResponseNorm(2), shape)


def pools() -> Iterator[tuple[str, Script]]:
    for d, kind in itertools.product((1, 2, 3), ("MaxPool", "AvgPool", "AdaptiveMaxPool", "AdaptiveAvgPool")):
        for shape in ((0, 2, *SIZES[:d]), (2, *SIZES[:d])):
            yield f"{kind}{d}d {shape}", layer(lambda nn, n=f"{kind}{d}d": getattr(nn, n)(2), shape)
    for n, k, s, p, ceil in itertools.product((1, 2, 3, 5), (2, 3, 4), (1, 2, 3, 5), (0, 1), (True, False)):
        if p * 2 <= k:
            given = {"kernel_size": k, "stride": s, "padding": p, "ceil_mode": ceil}
            for d, shape in ((1, (1, 1, n)), (2, (1, 1, n, 4))):
                orders = 2 if n >= k else 0
                yield f"max {shape} {given}", function(f"max_pool{d}d", shape, orders=orders, **given)
                yield f"avg {shape} {given}", function(f"avg_pool{d}d", shape, **given)
                yield f"avg {shape} {given} -", function(f"avg_pool{d}d", shape, count_include_pad=False, **given)


def unpools() -> Iterator[tuple[str, Script]]:
    for d in (1, 2, 3):
        for shape in ((0, 2, *SIZES[:d]), (2, 2, *(4, 4, 2)[:d]), (2, *(4, 4, 2)[:d]), (2, 2, *SIZES[:d])):

            def script(T: Any, d: int = d, shape: tuple[int, ...] = shape) -> Any:
                y, where = getattr(T.nn, f"MaxPool{d}d")(2, return_indices=True)(ramp(T, *shape))
                return getattr(T.nn, f"MaxUnpool{d}d")(2)(y, where), where

            yield f"MaxUnpool{d}d {shape}", script


def transposed() -> Iterator[tuple[str, Script]]:
    for d, s, p, extra, dilation in itertools.product((1, 2, 3), (1, 2, 3), (0, 1), (0, 1, 2, 3), (1, 2, 4)):
        given = {"stride": s, "padding": p, "output_padding": extra, "dilation": dilation}
        shapes = (1, 2, *(3, 2, 2)[:d]), (2, 1, *(2, 2, 1)[:d])
        yield f"{d} {given}", function(f"conv_transpose{d}d", *shapes, orders=2 if d < 3 else 1, **given)


def paddings() -> Iterator[tuple[str, Script]]:
    for mode in ("constant", "reflect", "replicate", "circular"):
        for a, b in itertools.product((-3, -2, -1, 0, 1, 2, 3, 5), repeat=2):
            if mode != "circular" or max(a, b) <= 4 + min(a, 0) + min(b, 0) or max(a, b) > 4:
                yield f"{mode} {a} {b}", function("pad", (1, 2, 4), pad=(a, b), mode=mode)
        for sides in ((-1, 1, 1, -1), (1, -1, 2, 1), (-1, -1, -1, -1), (0, 0, -2, 1), (2, 2, -1, 0)):
            yield f"{mode} {sides}", function("pad", (1, 2, 3, 4), pad=sides, mode=mode)


def resizings() -> Iterator[tuple[str, Script]]:
    shapes = {"linear": (1, 2, 3), "trilinear": (1, 1, 2, 3, 2)}
    for mode in ("nearest", "nearest-exact", "area", "linear", "bilinear", "bicubic", "trilinear"):
        shape = shapes.get(mode, (1, 2, 3, 4))
        for size, corners in itertools.product((5, 2, 1), (None, True, False)):
            given = {"size": size, "mode": mode, "align_corners": corners}
            yield f"interpolate {given}", function("interpolate", shape, **given)
        yield f"interpolate {mode}, empty", function("interpolate", (0, *shape[1:]), scale_factor=2.0, mode=mode)
    for corners, (shape, size) in itertools.product(
        (True, False, None), (((2, 2, 3), (2, 1, 3, 2)), ((1, 3, 4), (1, 1, 2, 3, 2)), ((0, 2, 3), (0, 1, 3, 2)))
    ):
        yield f"affine_grid {size} {corners}", function("affine_grid", shape, size=size, align_corners=corners)


def sequences() -> Iterator[tuple[str, Script]]:
    for dtype in ("int64", "int32", "bool", "float64", "float16"):

        def script(T: Any, dtype: str = dtype) -> Any:
            R, kind = T.nn.utils.rnn, getattr(T, dtype)
            parts = [T.tensor([1, 2, 3]).to(kind), T.tensor([1]).to(kind)]
            packed = R.pack_sequence(parts)
            y, lengths = R.pad_packed_sequence(packed)
            return packed.data, y, lengths, R.unpack_sequence(packed), R.pad_sequence(parts, True, padding_value=1)

        yield dtype, script


def attention(T: Any, **options: Any) -> Any:
    m = T.nn.MultiheadAttention(4, 2, **options)
    with T.no_grad():
        for i, p in enumerate(m.parameters()):
            p.copy_(T.sin(T.arange(float(p.numel())) + i).reshape(p.shape))
    return m.eval()


def attentions() -> Iterator[tuple[str, Script]]:
    kinds: tuple[dict[str, Any], ...] = (
        {}, {"bias": False}, {"add_bias_kv": True}, {"add_zero_attn": True}, {"batch_first": True},
        {"kdim": 3, "vdim": 5}, {"add_bias_kv": True, "add_zero_attn": True, "bias": False},
    )  # fmt: skip
    for options, (length, source, n), need in itertools.product(
        kinds, ((3, 2, 2), (0, 2, 1), (1, 1, 1)), (True, False)
    ):
        widths = 4, options.get("kdim", 4), options.get("vdim", 4)
        lengths = length, source, source
        shapes = [(n, k, w) if options.get("batch_first") else (k, n, w) for k, w in zip(lengths, widths, strict=True)]
        yield (
            f"{options} {shapes} {need}",
            lambda T, o=options, s=shapes, need=need: first_and_second(
                T, lambda *xs: attention(T, **o)(*xs, need_weights=need), *(ramp(T, *x) for x in s), orders=1
            ),
        )
    for name, padding, causal in itertools.product(MASKS, PADDINGS, (False, True)):

        def script(T: Any, name: str = name, padding: str = padding, causal: bool = causal) -> Any:
            mask, hidden = MASKS[name](T), PADDINGS[padding](T)
            x = [ramp(T, n, 2, 4) for n in (3, 2, 2)]
            return list(attention(T)(*x, attn_mask=mask, key_padding_mask=hidden, is_causal=causal))

        if (name, padding) != ("none", "int"):  # both raise, for different reasons
            yield f"mask {name}, {padding}, {causal}", script
    for shapes in (
        [(3, 2, 5), (2, 2, 4), (2, 2, 4)], [(3, 2, 4), (2, 3, 4), (2, 3, 4)], [(3, 2, 4), (2, 2, 4), (3, 2, 4)],
        [(4,), (4,), (4,)], [(3, 4), (2, 2, 4), (2, 2, 4)], [(3, 2, 4), (2, 4), (2, 4)], 
        [(3, 2, 4), (2, 2, 5), (2, 2, 4)],
    ):  # fmt: skip
        yield f"wrong {shapes}", lambda T, s=shapes: list(attention(T)(*(ramp(T, *x) for x in s)))


MASKS: dict[str, Script] = {
    "none": lambda T: None,
    "bool": lambda T: T.tensor([[False, True], [False, True], [False, False]]),
    "float": lambda T: T.tensor([[0.0, -9.0], [0.0, 1.0], [0.0, float("-inf")]]),
    "of each head": lambda T: T.zeros(4, 3, 2) + 1,
    "of a wrong size": lambda T: T.zeros(2, 2),
    "of wrong axes": lambda T: T.zeros(2, 3, 2),
    "int": lambda T: T.zeros(3, 2, dtype=T.int64),
}
PADDINGS: dict[str, Script] = {
    "none": lambda T: None,
    "bool": lambda T: T.tensor([[False, True], [False, False]]),
    "float": lambda T: T.tensor([[0.0, -1.0], [0.0, 0.0]]),
    "of a wrong size": lambda T: T.zeros(2, 3),
    "int": lambda T: T.zeros(2, 2, dtype=T.int64),
}
SIZES_OF_ATTENTION = ((3, 2, 2), (0, 2, 1), (1, 1, 1))
KINDS = (dropouts, normalisations, pools, unpools, transposed, paddings, resizings, sequences, attentions)
LEAST = {"sequences": 5, "unpools": 12}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_edges(kind: Callable[[], Iterator[tuple[str, Script]]]) -> None:
    cases = dict(kind())
    assert len(cases) >= LEAST.get(kind.__name__, 30)
    for name, script in cases.items():
        agree(script, torch, name, warned=False)
