"""Which memory layouts are tried on a call, and how the layout of a result is compared with PyTorch's."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import tinygrad_lite as tl
from tests.parity.compare import leaves, outcome


def reversed_axes(a: Any) -> Any:
    """Return ``a`` in Fortran order."""
    return np.asfortranarray(a)


def swapped(a: Any, i: int, j: int) -> Any:
    """Return ``a`` with axes ``i`` and ``j`` exchanged in memory."""
    return np.ascontiguousarray(a.swapaxes(i, j)).swapaxes(i, j)


def every_second(a: Any, axis: int) -> Any:
    """Return ``a`` as every second element along ``axis`` of a larger array."""
    wide = np.repeat(a, 2, axis)
    return wide[(slice(None),) * (axis % a.ndim) + (slice(None, None, 2),)]


def cropped(a: Any) -> Any:
    """Return ``a`` as the part of a larger array without its last columns."""
    wide = np.zeros((*a.shape[:-1], a.shape[-1] + 2), a.dtype)
    wide[..., : a.shape[-1]] = a
    return wide[..., : a.shape[-1]]


def expanded(a: Any, axis: int) -> Any:
    """Return the first part of ``a`` along ``axis``, repeated with stride 0."""
    part = a[(slice(None),) * (axis % a.ndim) + (slice(0, 1),)].copy()
    return np.broadcast_to(part, a.shape)


LAYOUTS: dict[str, Callable[[Any], Any]] = {
    "Fortran": reversed_axes,
    "last two axes swapped": lambda a: swapped(a, -1, -2),
    "first two axes swapped": lambda a: swapped(a, 0, 1),
    "channels last": lambda a: np.moveaxis(np.ascontiguousarray(np.moveaxis(a, 1, -1)), -1, 1),
    "every second column": lambda a: every_second(a, -1),
    "every second row": lambda a: every_second(a, 0),
    "cropped": cropped,
    "transposed and cropped": lambda a: cropped(np.ascontiguousarray(a.swapaxes(-1, -2))).swapaxes(-1, -2),
    "expanded rows": lambda a: expanded(a, 0),
    "expanded columns": lambda a: expanded(a, -1),
}


def laid(arrays: Any) -> Iterator[tuple[str, list[Any]]]:
    """Yield the arrays in C order and in every layout of `LAYOUTS`: all of them, the first, and all but the first."""
    plain = [np.array(a, order="C") for a in arrays]
    yield "C", plain
    seen = {tuple(a.strides for a in plain)}
    for name, layout in LAYOUTS.items():
        changed = [layout(a) if a.ndim > 1 and a.size else a for a in plain]
        for which, mixed in (
            ("", changed),
            (", the first", [*changed[:1], *plain[1:]]),
            (", all but the first", [*plain[:1], *changed[1:]]),
        ):
            key = tuple(a.strides for a in mixed)
            if key not in seen:
                seen.add(key)
                yield name + which, mixed


def strides_of(t: Any) -> tuple[int | None, ...]:
    """Return the strides in elements by which ``.view`` decides: None for an axis of length 1."""
    return tuple(None if n == 1 else s for n, s in zip(t.shape, t.stride(), strict=True))


def ours_of(a: Any, grad: bool = False) -> Any:
    t = tl.tensor(0.0)
    t.array = a
    return t.requires_grad_() if grad and a.dtype.kind == "f" else t


def theirs_of(torch: Any, a: Any, grad: bool = False) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        t = torch.from_numpy(a)
    return t.requires_grad_() if grad and a.dtype.kind == "f" else t


def channels_last(t: Any) -> bool:
    """Return whether the channels of a tensor (N, C, *) or (N, C, L) are its fastest axis, without gaps."""
    step = 1
    for axis in (1, *range(t.ndim - 1, 1, -1), 0) if t.ndim > 2 else ():
        if t.shape[axis] != 1 and t.stride(axis) != step:
            return False
        step *= t.shape[axis]
    return t.ndim > 2


OF_LAYOUT = ("view size is not compatible", "is not laid out")
"""What errors about a memory layout say, in either library; other errors are the business of other suites."""


def different(torch: Any, call: Callable[..., Any], arrays: list[Any], shown: str, windows: bool) -> Iterator[str]:
    """Yield how the layouts of the results of one call differ; nothing if they agree.

    With ``windows`` a contiguous result may stand against one of PyTorch's with the channels last.
    """
    hers, mine = [theirs_of(torch, a) for a in arrays], [ours_of(a) for a in arrays]
    theirs, wrong = outcome(call, torch, *hers)
    ours, failed = outcome(call, tl, *mine)
    if wrong is not None or failed is not None:
        if (wrong is None or failed is None) and any(w in f"{wrong} {failed}" for w in OF_LAYOUT):
            yield f"{shown}: ours raises {failed!r}, PyTorch {wrong!r}"
        return
    for i, (t, o) in enumerate(zip(leaves(theirs), leaves(ours), strict=True)):
        if not hasattr(t, "stride") or not isinstance(o, tl.Tensor) or not t.numel():
            continue
        if tuple(t.shape) != tuple(o.shape):  # what is drawn at random
            continue
        if strides_of(t) != strides_of(o) and not (windows and o.is_contiguous() and channels_last(t)):
            yield f"{shown}: result {i} {tuple(t.shape)} has strides {o.stride()}, PyTorch {t.stride()}"
        a_view = any(t.untyped_storage().data_ptr() == x.untyped_storage().data_ptr() for x in hers)
        shares = any(np.may_share_memory(o.array, x) for x in arrays)
        if a_view != shares:
            yield f"{shown}: result {i} {tuple(t.shape)} is {'a copy' if a_view else 'a view'}, unlike PyTorch's"


def gradients(torch: Any, call: Callable[..., Any], arrays: list[Any], shown: str) -> Iterator[str | None]:
    """Yield for the ``.grad`` of each input of one call how its layout differs, None if it does not."""
    hers, mine = [theirs_of(torch, a, True) for a in arrays], [ours_of(a, True) for a in arrays]
    for lib, inputs in ((torch, hers), (tl, mine)):
        result, wrong = outcome(call, lib, *inputs)
        found = [] if wrong else [x for x in leaves(result) if getattr(x, "requires_grad", False)]
        if found:
            outcome(lambda _, found=found: sum((x * x).sum() for x in found).backward(), lib)
    for i, (t, o) in enumerate(zip(hers, mine, strict=True)):
        if t.grad is not None and o.grad is not None and t.numel():
            same = strides_of(t.grad) == strides_of(o.grad)
            yield None if same else f"{shown}: .grad of input {i} has {o.grad.stride()}, PyTorch {t.grad.stride()}"
