"""Which ops have a native implementation, and from which size on: the only place where they are registered.

A call of a kernel costs 3 us and more. So what takes NumPy 15 calls and more pays (1.3 times as fast at least) from 256
elements, formulas of some steps from 1,024 or 4,096, single ufuncs and choices from 16,384 or 32,768, and what NumPy
does in two or three passes where these miss the cache. The sizes count elements of the first argument.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from tinygrad_lite.engine.divert import UPDATES, divert
from tinygrad_lite.ops.elementwise.short_rows import FAST
from tinygrad_lite.ops.threads import CREWED

LITTLE, SHORT, MANY, SOME, FEW, HUGE = 1 << 8, 1 << 10, 1 << 12, 1 << 14, 1 << 15, 1 << 18

TABLE: tuple[tuple[str, str, str, int], ...] = (
    ("gelu_exact", "forward", "elementwise.gelu", LITTLE),
    ("gelu_exact", "input: g input", "elementwise.gelu_slope", LITTLE),
    ("gelu_tanh", "forward", "elementwise.gelu_tanh", SHORT),
    ("gelu_tanh", "input: g input", "elementwise.gelu_tanh_slope", LITTLE),
    ("sigmoid", "forward", "elementwise.sigmoid", MANY),
    ("sigmoid", "input: g y", "elementwise.sigmoid_slope", HUGE),
    ("tanh", "forward", "elementwise.tanh", SOME),
    ("tanh", "input: g y", "elementwise.tanh_slope", HUGE),
    ("exp", "forward", "elementwise.exp", FEW),
    ("relu", "forward", "elementwise.relu", FEW),
    ("relu", "input: g y", "elementwise.relu_slope", SOME),
    ("leaky_relu", "input: g input negative_slope", "elementwise.leaky_slope", FEW),
    ("hardtanh", "input: g input min_val max_val", "elementwise.between", SOME),
    ("silu", "forward", "elementwise.silu", MANY),
    ("silu", "input: g input", "elementwise.silu_slope", MANY),
    ("softplus", "forward", "elementwise.softplus", SHORT),
    ("softplus", "input: g input beta threshold", "elementwise.softplus_slope", MANY),
    ("logsigmoid", "forward", "elementwise.logsigmoid", MANY),
    ("logsigmoid", "input: g input", "elementwise.logsigmoid_slope", MANY),
    ("mish", "forward", "elementwise.mish", LITTLE),
    ("mish", "input: g input", "elementwise.mish_slope", LITTLE),
    ("elu", "forward", "elementwise.elu", SHORT),
    ("elu", "input: g y input alpha scale input_scale", "elementwise.elu_slope", SOME),
    ("softmax", "forward", "rows.softmax", SHORT),
    ("softmax", "input: g y dim", "rows.softmax_slope", MANY),
    ("log_softmax", "forward", "rows.log_softmax", SHORT),
    ("log_softmax", "input: g y dim", "rows.log_softmax_slope", MANY),
    ("cross_entropy_index", "forward", "rows.cross_entropy", SHORT),
    ("linear", "forward", "products.linear", MANY // 4),
    ("matmul", "forward", "products.narrow", FEW),
    ("normalise", "forward", "rows.normalise", LITTLE),
    ("normalise", "together: g input weight axes eps center", "rows.normalise_back", LITTLE),
    ("normalise", "together: g input weight axes eps center", "channels.normalise_groups_back", MANY),
    ("normalise_batch", "forward", "channels.normalise_batch", MANY),
    ("normalise_batch", "together: g y1 y2 input weight axes eps", "channels.normalise_batch_back", MANY),
    ("normalise_known", "forward", "channels.normalise_known", MANY),
    ("window_max", "forward", "pooling.window_max", SHORT),
    ("to_largest", "forward", "pooling.to_largest", MANY // 4),
    ("conv", "forward", "convolution.conv", MANY // 2),
    ("conv_input", "forward", "convolution.conv_input", MANY // 2),
    ("conv_weight", "forward", "convolution.conv_weight", MANY // 2),
    ("lstm_steps", "forward", "recurrent.lstm", MANY),
    ("lstm_steps", "together: g y0 y1 y2 hidden cell weight project reverse", "recurrent.lstm_back", MANY // 4),
    ("lstm_cell", "forward", "recurrent.lstm_cell", 1),
    ("lstm_cell", "together: g y1 y2 input hidden cell w_ih w_hh b_ih", "recurrent.lstm_cell_back", 1),
    ("gru_steps", "forward", "recurrent.gru", MANY),
    ("gru_steps", "together: g y0 y1 hidden weight reverse", "recurrent.gru_back", MANY // 4),
)
"""Op, place (see `engine.divert.divert`), function, and the least number of elements."""
STEPS = {"Adam.update": "updates.adam_update", "SGD.update": "updates.sgd_update"}
"""Method of an optimiser, and the function in front of it."""
PRODUCT = 1 << 23
"""Multiplications from which several threads share a product: some 80 us of work."""
ARITHMETIC, ROWS, LARGE = "arithmetic.applied", 1 << 11, 1 << 16
"""The function in front of arithmetic; the rows from which it pays where these are short, as to find out how operands
lie takes as long as NumPy with some thousands; and the elements from which several threads pay."""
broken: list[str] = []
"""Why llvmlite cannot be used here, if it cannot."""
_undo: list[Callable[[], None]] = []


def _late(path: str) -> Callable[..., Any]:
    """Return the function at this path in the room, imported at its first call."""
    module, name = path.split(".")
    known: list[Callable[..., Any]] = []

    def call(*given: Any) -> Any:
        if not known:
            known.append(getattr(import_module(f"tinygrad_lite.native.{module}"), name))
        return known[0](*given)

    call.__name__, call.__module__ = path.replace(".", "_"), f"tinygrad_lite.native.{module}"
    return call


def install() -> None:
    """Divert everything in the tables."""
    if not _undo:
        _undo.extend([divert(name, place, _late(path), least) for name, place, path, least in TABLE])
        UPDATES.update({name: _late(path) for name, path in STEPS.items()})
        if sys.platform == "linux" and os.uname().machine == "x86_64":  # as `crew.possible` says
            CREWED.append((PRODUCT, _late("blas.product")))
        FAST.append((ROWS, LARGE, _late(ARITHMETIC)))


def uninstall() -> None:
    """Undo all diversions, the last one first."""
    UPDATES.clear()
    CREWED.clear()
    FAST.clear()
    while _undo:
        _undo.pop()()


def in_use() -> bool:
    """Return whether the diversions are in place."""
    return bool(_undo)


@cache
def found() -> bool:
    """Return whether llvmlite is installed; it is not imported."""
    try:
        return find_spec("llvmlite") is not None
    except (ImportError, ValueError):
        return False
