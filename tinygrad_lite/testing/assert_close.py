"""``torch.testing.assert_close``: equal within the tolerance of the dtype, with a message that says where not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from numbers import Number
from typing import Any

import numpy as np

from tinygrad_lite.engine.arguments import named
from tinygrad_lite.engine.tensor import Tensor, make, to_array

TOLERANCES = {"float16": (1e-3, 1e-5), "float32": (1.3e-6, 1e-5), "float64": (1e-7, 1e-7)}
"""Relative and absolute tolerance by dtype; 0 for integers and bool."""


@named
def assert_close(
    actual: Any, expected: Any, *, allow_subclasses: bool = True, rtol: float | None = None, atol: float | None = None,
    equal_nan: bool = False, check_device: bool = True, check_dtype: bool = True, check_layout: bool = True,
    check_stride: bool = False, msg: str | Callable[[str], str] | None = None,
) -> None:  # fmt: skip
    """Raise AssertionError unless ``actual`` and ``expected`` are close: ``|a - e| <= atol + rtol * |e|``.

    Tensors, numbers, and nested sequences and mappings of them. Shapes and (unless ``check_dtype=False``) dtypes must
    be equal. The tolerances follow from the dtype unless both are given.

    >>> import tinygrad_lite as tl
    >>> assert_close(tl.tensor([1.0]), tl.tensor([1.0 + 1e-7]))
    >>> assert_close(tl.tensor([1.0]), tl.tensor([1.5]))
    Traceback (most recent call last):
    AssertionError: Tensor-likes are not close!
    ...
    """
    if (rtol is None) != (atol is None):
        raise ValueError(
            f"rtol and atol must both be specified or both be unspecified, but got rtol={rtol} and atol={atol}"
        )
    options = dict(rtol=rtol, atol=atol, equal_nan=equal_nan, check_dtype=check_dtype, check_stride=check_stride)
    fault = _fault(actual, expected, "", options)
    if fault:
        raise AssertionError(msg(fault) if callable(msg) else msg or fault)


def _fault(actual: Any, expected: Any, path: str, options: dict[str, Any]) -> str | None:
    where = f"\n\nThe failure occurred for item {path}" if path else ""
    if isinstance(actual, Mapping) and isinstance(expected, Mapping):
        if set(actual) != set(expected):
            sides = [sorted(set(a) - set(b), key=str) for a, b in ((expected, actual), (actual, expected))]
            missing, more = (
                f"\n{w} keys in the actual mapping: {k}" for w, k in zip(("Missing", "Additional"), sides, strict=True)
            )
            return f"The keys of the mappings do not match:{missing}{more}{where}"
        pairs = [(actual[key], expected[key], f"{path}[{key!r}]") for key in actual]
        return next((fault for a, e, p in pairs if (fault := _fault(a, e, p, options))), None)
    if _sequence(actual) and _sequence(expected):
        if len(actual) != len(expected):
            return f"The length of the sequences mismatch: {len(actual)} != {len(expected)}{where}"
        pairs = [(a, e, f"{path}[{i}]") for i, (a, e) in enumerate(zip(actual, expected, strict=True))]
        return next((fault for a, e, p in pairs if (fault := _fault(a, e, p, options))), None)
    if actual is None or expected is None:
        return None if actual is expected else f"None mismatch: {actual} is not {expected}{where}"
    tensors = [isinstance(v, (Tensor, np.ndarray)) for v in (actual, expected)]
    if (
        tensors[0] != tensors[1]
        or not tensors[0]
        and not all(isinstance(v, (Number, np.generic)) for v in (actual, expected))
    ):
        kinds = f"{type(actual)} and {type(expected)}"
        raise TypeError(f"No comparison pair was able to handle inputs of type {kinds}.{where}")
    fault = _values(actual, expected, tensors[0], options)
    return None if fault is None else fault + where


def _sequence(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _values(actual: Any, expected: Any, tensors: bool, options: dict[str, Any]) -> str | None:
    """Return what is wrong with two tensors or numbers, or None."""
    a, e = (np.asarray(getattr(v, "array", v)) for v in (actual, expected))
    if tensors and a.shape != e.shape:
        return f"The values for attribute 'shape' do not match: {a.shape} != {e.shape}."
    if tensors and options["check_dtype"] and a.dtype != e.dtype:
        return f"The values for attribute 'dtype' do not match: torch.{a.dtype} != torch.{e.dtype}."
    if tensors and options["check_stride"] and a.strides != e.strides:
        return f"The values for attribute 'stride()' do not match: {actual.stride()} != {expected.stride()}."
    rtol, atol = options["rtol"], options["atol"]
    if rtol is None:
        known = [TOLERANCES.get(v.dtype.name, (0.0, 0.0)) for v in (a, e)]
        rtol, atol = max(k[0] for k in known), max(k[1] for k in known)
    word = "close" if rtol or atol else "equal"
    whole: Any = float if "f" in (a.dtype.kind, e.dtype.kind) else int
    limits = [f" (up to {v} allowed)" if rtol or atol else "" for v in (atol, rtol)]
    with np.errstate(all="ignore"):
        kind = np.result_type(a, e, np.float32) if a.dtype.kind == "f" else np.float64
        given, wanted = a.astype(kind), e.astype(kind)
        off = np.abs(given - wanted)
        close = (a == e) | (np.isfinite(off) & (off <= atol + rtol * np.abs(wanted)))
        if options["equal_nan"]:
            close |= np.isnan(given) & np.isnan(wanted)
        if close.all():
            return None
        if not a.ndim:
            apart = (whole(off.item()), (off / np.abs(wanted)).item())
            found = [
                f"{n} difference: {number}{t}"
                for n, number, t in zip(("Absolute", "Relative"), apart, limits, strict=True)
            ]
            return "\n".join([f"Scalars are not {word}!\n", f"Expected {e.item()} but got {a.item()}.", *found])
        wrong = int((~close).sum())
        off = np.where(close, 0, np.where(np.isnan(off), np.inf, off))
        relative = np.where(close, 0, off / np.abs(wanted))
        first, second = (
            np.unravel_index(int(np.argmax(v)), v.shape) for v in (off, np.nan_to_num(relative, nan=np.inf))
        )
    return (
        f"Tensor-likes are not {word}!\n\n"
        f"Mismatched elements: {wrong} / {close.size} ({wrong / close.size:.1%})\n"
        f"Greatest absolute difference: {whole(off[first])} at index {tuple(map(int, first))}{limits[0]}\n"
        f"Greatest relative difference: {relative[second]} at index {tuple(map(int, second))}{limits[1]}"
    )


def assert_allclose(actual: Any, expected: Any, rtol: float | None = None, atol: float | None = None,
                    equal_nan: bool = True, msg: Any = "") -> None:  # fmt: skip
    """Raise AssertionError unless both are close: the older form of `assert_close`, which does not compare dtypes.

    >>> import tinygrad_lite as tl
    >>> tl.testing.assert_allclose(tl.tensor([1.0]), tl.tensor([1.0 + 1e-7], dtype=tl.float64))
    """
    actual, expected = (
        v if isinstance(v, Tensor) else make(to_array(v, name="assert_allclose")) for v in (actual, expected)
    )
    if rtol is None and atol is None:
        rtol, atol = TOLERANCES.get(np.result_type(actual.dtype, expected.dtype).name, (0.0, 0.0))
    assert_close(actual, expected, rtol=rtol, atol=atol, equal_nan=equal_nan, check_dtype=False,
                 msg=None if isinstance(msg, str) and not msg else msg)  # fmt: skip
