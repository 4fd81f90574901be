"""Calls that native loops take: one per op and kind of arguments, large enough for its route."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import tinygrad_lite as tl
from tinygrad_lite.native import routes

F = tl.nn.functional
Case = tuple[Callable[..., Any], list[Any]]


def numbers(*shape: int, seed: int = 0, scale: float = 2.0) -> Any:
    return (np.random.default_rng(seed).standard_normal(shape) * scale).astype(np.float32)


CLASSES = np.random.default_rng(3).integers(0, 65, 130)
MEAN, SPREAD = numbers(8, seed=8), numbers(8, seed=9) ** 2 + 0.1


def elementwise() -> dict[str, Case]:
    x = [numbers(5, 1 << 13)]
    plain = {
        "gelu": F.gelu, "gelu tanh": lambda x: F.gelu(x, approximate="tanh"),
        "sigmoid": tl.sigmoid, "tanh": tl.tanh, "exp": tl.exp, "relu": tl.relu, "silu": F.silu,
        "leaky_relu": F.leaky_relu, "leaky_relu 1.5": lambda x: F.leaky_relu(x, 1.5), "relu6": F.relu6,
        "hardtanh": lambda x: F.hardtanh(x, -0.5, 1.25), "softplus": F.softplus,
        "softplus 2": lambda x: F.softplus(x, 2.0, 3.0), "logsigmoid": F.logsigmoid, "mish": F.mish, "elu": F.elu,
        "elu 0.3": lambda x: F.elu(x, 0.3), "selu": F.selu, "celu": lambda x: F.celu(x, 2.0),
    }  # fmt: skip
    huge = {"sigmoid huge": tl.sigmoid, "tanh huge": tl.tanh}
    return {n: (f, x) for n, f in plain.items()} | {n: (f, [numbers(1 << 18)]) for n, f in huge.items()}


def normal(name: str, options: Any = ()) -> Callable[..., Any]:
    return lambda x, *parts: getattr(F, name)(x, *options, *parts)


def known(x: Any, *parts: Any) -> Any:
    return F.batch_norm(
        x, tl.tensor(MEAN[: x.shape[1]]).to(x.dtype), tl.tensor(SPREAD[: x.shape[1]]).to(x.dtype), *parts
    )


def batch(x: Any, w: Any = None, b: Any = None) -> Any:
    return F.batch_norm(x, None, None, w, b, True)


def group(x: Any, w: Any = None, b: Any = None) -> Any:
    return F.group_norm(x, 2, w, b)


def alone(x: Any) -> Any:
    return F.layer_norm(x, x.shape[1:])


def layer(x: Any, w: Any, b: Any = None) -> Any:
    return F.layer_norm(x, w.shape, w, b)


def rows() -> dict[str, Case]:
    c = [numbers(6, seed=1), numbers(6, seed=2)]
    x, flat = numbers(5, 6, 17, 19), numbers(130, 65)
    found: dict[str, Case] = {
        "softmax": (lambda x: tl.softmax(x, -1), [flat]), "softmax 1": (lambda x: tl.softmax(x, 1), [flat]),
        "log_softmax": (lambda x: tl.log_softmax(x, -1), [flat]),
        "cross_entropy": (lambda x: F.cross_entropy(x, tl.tensor(CLASSES)), [flat]),
        "cross_entropy of each": (lambda x: F.cross_entropy(x, tl.tensor(CLASSES), reduction="none"), [flat]),
        "layer_norm": (layer, [flat, numbers(65, seed=1), numbers(65, seed=2)]),
        "layer_norm of images": (layer, [numbers(9, 3, 17, 19), numbers(3, 17, 19, seed=1)]),
        "layer_norm alone": (alone, [flat]), "layer_norm far": (alone, [flat + 100]),
        "group_norm": (group, [x, *c]), "group_norm alone": (group, [x]), "group_norm far": (group, [x + 100, *c]),
        "batch_norm": (batch, [x, *c]), "batch_norm alone": (batch, [x]), "batch_norm far": (batch, [x + 100, *c]),
        "batch_norm of sequences": (batch, [numbers(9, 6, 170), *c]),
        "batch_norm known": (known, [x, *c]), "batch_norm known, alone": (known, [x]),
    }  # fmt: skip
    return found


def pooling() -> dict[str, Case]:
    x, found = numbers(3, 4, 31, 34), {}
    for kernel, stride, padding, ceil in (
        (2, 2, 0, False), (3, 2, 1, False), (3, 1, 1, False), (2, 2, 1, True), ((2, 3), (1, 2), (1, 0), True),
        (3, 3, 1, True), (5, 4, 2, True), (1, 2, 0, False), (7, 1, 3, False), (2, 3, 0, True), (2, 2, 0, True),
        (3, 3, 0, True), ((2, 3), (2, 3), 0, True), ((3, 1), (3, 1), 0, False), (3, 3, 0, False),
    ):  # fmt: skip
        args = kernel, stride, padding, 1, ceil
        found[f"max_pool2d {args}"] = (lambda x, args=args: F.max_pool2d(x, *args)), [x]
    found["max_pool1d"] = (lambda x: F.max_pool1d(x, 3, 2, 1)), [numbers(9, 3, 400)]
    found["max_pool2d of ties"] = (lambda x: F.max_pool2d(x, 3, 2, 1)), [np.round(x)]
    return found


def convolutions() -> dict[str, Case]:
    found: dict[str, Case] = {}
    for x, w, options in (
        ((3, 5, 20, 19), (7, 5, 3, 3), {"padding": 1}), ((3, 5, 20, 19), (16, 5, 3, 2), {"bias": False}),
        ((4, 4, 21, 18), (20, 4, 4, 4), {"stride": 2, "padding": 1}),
        ((3, 5, 20, 19), (4, 5, 3, 3), {"stride": (3, 2), "padding": (0, 1)}),
        ((3, 5, 20, 19), (4, 5, 3, 3), {"dilation": 2, "padding": 2}),
        ((3, 5, 20, 19), (4, 5, 2, 3), {"stride": 2, "dilation": (2, 3)}),
        ((3, 5, 20, 19), (3, 5, 1, 1), {"stride": 2}), ((3, 5, 20, 19), (4, 5, 2, 2), {"stride": 3, "padding": 1}),
        ((64, 3, 7, 9), (17, 3, 5, 5), {"padding": 4}), ((3, 5, 20, 19), (5, 1, 3, 3), {"padding": 1, "groups": 5}),
        ((3, 6, 21, 18), (6, 1, 4, 3), {"stride": (2, 3), "padding": 2, "groups": 6}),
        ((9, 4, 100), (4, 1, 7), {"padding": 6, "dilation": 2, "groups": 4, "bias": False}),
        ((3, 6, 20, 19), (12, 1, 3, 3), {"groups": 6}), ((3, 6, 20, 19), (4, 3, 3, 3), {"groups": 2}),
        ((5, 4, 300), (6, 4, 5), {"stride": 2, "padding": 2}), ((9, 6, 200), (34, 3, 5), {"padding": 2, "groups": 2}),
        ((7, 6, 25, 20), (10, 3, 4, 3), {"stride": (2, 3), "padding": 2, "groups": 2}),
    ):  # fmt: skip
        arrays = [numbers(*x), numbers(*w, seed=1), numbers(w[0], seed=2)][: 3 if options.pop("bias", True) else 2]
        f = F.conv2d if len(x) == 4 else F.conv1d
        found[f"conv {x} {w} {options}"] = (lambda *given, f=f, o=options: f(*given, **o)), arrays
    for x, w, options in (
        ((3, 5, 9, 8), (5, 16, 4, 4), {"stride": 2, "padding": 1}), ((3, 5, 20, 19), (5, 4, 2, 2), {"stride": 2}),
        ((3, 5, 20, 19), (5, 4, 3, 3), {"stride": 3, "padding": 2, "output_padding": 2}),
        ((3, 5, 20, 19), (5, 4, 3, 3), {"padding": 1}), ((3, 5, 200), (5, 4, 6), {"stride": 4, "padding": 3}),
        ((3, 6, 20, 19), (6, 2, 4, 4), {"stride": 2, "padding": 1, "groups": 3}),
    ):  # fmt: skip
        f = F.conv_transpose2d if len(x) == 4 else F.conv_transpose1d
        found[f"conv_transpose {x} {w} {options}"] = (
            lambda *given, f=f, o=options: f(*given, **o),
            [numbers(*x), numbers(*w, seed=1), numbers(w[1] * options.get("groups", 1), seed=2)]
        )  # fmt: skip
    return found


def recurrent() -> dict[str, Case]:
    found: dict[str, Case] = {}
    for name, gates, length, batch, n, reverse in (
        ("lstm", 4, 9, 5, 34, False), ("lstm", 4, 12, 7, 16, True), ("gru", 3, 9, 5, 34, False),
        ("gru", 3, 12, 9, 16, True), ("lstm", 4, 40, 1, 32, False), ("gru", 3, 40, 1, 40, True),
    ):  # fmt: skip
        arrays = [numbers(length, batch, gates * n), numbers(batch, n, seed=1)]
        if gates == 4:
            arrays.append(numbers(batch, n, seed=2))
        arrays += [numbers(gates * n, n, seed=3, scale=0.2), numbers(gates * n, seed=4)]

        def run(*given: Any, op: Any = tl.OPS[f"{name}_steps"], reverse: bool = reverse) -> Any:
            out = op.call(*given, reverse=reverse)
            return out[0] if op.name == "gru_steps" else np.concatenate(out[:2], axis=-1)

        found[f"{name} {length, batch, n} {reverse}"] = run, arrays
        found[f"{name} {length, batch, n} {reverse} alone"] = run, arrays[:-1]
    for batch, width, n in (33, 1, 17), (5, 40, 130):
        arrays = [numbers(batch, width), numbers(batch, n, seed=1), numbers(batch, n, seed=2)]
        arrays += [numbers(4 * n, k, seed=i, scale=0.2) for i, k in ((3, width), (4, n))]

        def step(*given: Any) -> Any:
            return np.concatenate(tl.OPS["lstm_cell"].call(*given)[:2], axis=-1)

        found[f"lstm_cell {batch, width, n} alone"] = step, arrays
        found[f"lstm_cell {batch, width, n}"] = step, [*arrays, *(numbers(4 * n, seed=i) for i in (5, 6))]
    return found


def linear() -> dict[str, Case]:
    """Weights packed, and inputs; whole panels, and parts of one; one chain of products, and several."""
    found: dict[str, Case] = {}
    for x, w, bias in (
        ((300, 70), (35, 70), True), ((5, 60, 45), (64, 45), False), ((17, 700), (150, 700), True),
        ((32, 512), (96, 512), True), ((30, 300), (410, 300), True), ((21, 300), (90, 300), False),
    ):  # fmt: skip
        arrays = [numbers(*x), numbers(*w, seed=1), numbers(w[0], seed=2)][: 3 if bias else 2]
        found[f"linear {x} {w} {bias}"] = F.linear, arrays
    for x, w in (((700, 300), (300, 5)), ((400, 310), (310, 17))):
        found[f"matmul {x} {w}"] = tl.matmul, [numbers(*x), numbers(*w, seed=1)]
    return found


def short() -> dict[str, Case]:
    """Arithmetic with last axes of one vector and of two, of parts of rows, broadcast along any axis."""

    def mixed(x: Any, t: Any) -> Any:
        left = (x - t[:, :-1]) / (t[:, 1:] * t[:, 1:] + 1.0)
        return left[..., 1:] * x + left[..., :-1] * left[0, :, :1] + t[:, 2:]

    return {
        "short rows": (mixed, [numbers(180, 60, 1), numbers(60, 9, seed=1)]),
        "short rows of two vectors": (mixed, [numbers(260, 40, 1), numbers(40, 22, seed=1)]),
        "short rows, two axes": (lambda x, y: x * y - x[:, :1], [numbers(10_500, 17), numbers(10_500, 1, seed=1)]),
    }


CASES = short() | recurrent() | linear() | elementwise() | rows() | pooling() | convolutions()
CHECKED = [name for name in CASES if not name.endswith("huge")]


def gradients(f: Callable[..., Any], arrays: list[Any], weights: Any = None) -> tuple[Any, list[Any]]:
    """Return the result of ``f`` and the gradients of its arguments; random gradients come in."""
    tensors = [tl.tensor(a, requires_grad=True) for a in arrays]
    y = f(*tensors)
    g = numbers(*y.shape, seed=7) if weights is None else weights
    return y.array, [t.array for t in tl.grad(y, tensors, tl.tensor(g.astype(y.dtype)))]


def both(name: str) -> tuple[Any, Any]:
    """Return result and gradients of a case, native and from NumPy."""
    f, arrays = CASES[name]
    native = gradients(f, arrays)
    routes.uninstall()
    try:
        return native, gradients(f, arrays)
    finally:
        routes.install()
