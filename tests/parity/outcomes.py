"""The outcome of the same short script in both libraries, in a form that can be compared."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

import tinygrad_lite as tl

FAMILIES: tuple[tuple[str, tuple[type[Exception], ...]], ...] = (
    ("missing", (AttributeError, ImportError)), ("type", (TypeError,)), ("lookup", (LookupError,)),
    ("false", (AssertionError,)), ("value", (ValueError, RuntimeError, ArithmeticError)),
)  # fmt: skip


def plain(answer: Any) -> Any:
    """Return the answer with tensors as (shape, dtype, values), and names of classes and dtypes as text."""
    if hasattr(answer, "detach") or isinstance(answer, (np.ndarray, np.generic)):
        array = np.array(answer.detach().numpy() if hasattr(answer, "detach") else answer)
        return "tensor", tuple(array.shape), str(array.dtype), array.astype(float).tolist()
    if isinstance(answer, Mapping):
        return [(key if isinstance(key, (str, int)) else str(key), plain(part)) for key, part in answer.items()]
    if isinstance(answer, (tuple, list)):
        return [plain(part) for part in answer]
    if answer is None or isinstance(answer, (bool, int, float, str)):
        return answer
    return answer.__name__ if isinstance(answer, type) else str(answer).removeprefix("torch.")


def outcome(script: Callable[[Any], Any], lib: Any) -> tuple[Any, str]:
    """Return what the script returns, or the families of its exception with the text; warnings by category."""
    with warnings.catch_warnings(record=True) as seen, np.errstate(all="ignore"):
        warnings.simplefilter("always")
        try:
            answer: Any = plain(script(lib))
            text = repr(answer)
        except Exception as error:
            answer = {name for name, kinds in FAMILIES if isinstance(error, kinds)}
            text = f"raises {error!r}"
    told = sorted({w.category.__name__ for w in seen if issubclass(w.category, (UserWarning, FutureWarning))})
    return (answer, told), text


def difference(ours: Any, theirs: Any, place: str = "result") -> str | None:
    """Return where two answers first differ, and how; None if they are equal."""
    if isinstance(ours, (list, tuple)) and isinstance(theirs, (list, tuple)) and len(ours) == len(theirs):
        parts = (difference(a, b, f"{place}[{i}]") for i, (a, b) in enumerate(zip(ours, theirs, strict=True)))
        return next((part for part in parts if part is not None), None)
    if type(ours) is type(theirs) is float and np.isclose(ours, theirs, 1e-4, 5e-5, equal_nan=True):
        return None
    return None if ours == theirs else f"{place}: ours {ours!r}, PyTorch {theirs!r}"


def agree(script: Callable[[Any], Any], torch: Any, what: str, warned: bool = True) -> None:
    """Assert that the script has the same outcome in both libraries."""
    (ours, our_warnings), our_text = outcome(script, tl)
    (theirs, their_warnings), their_text = outcome(script, torch)
    if isinstance(ours, set) and isinstance(theirs, set):
        assert ours & theirs, f"{what}: ours {our_text}, PyTorch {their_text}"
    elif isinstance(ours, set) or isinstance(theirs, set):
        raise AssertionError(f"{what}: ours {our_text}, PyTorch {their_text}")
    else:
        found = difference(ours, theirs)
        assert found is None, f"{what}: {found}"
    if warned:
        assert our_warnings == their_warnings, f"{what}: ours warns {our_warnings}, PyTorch {their_warnings}"
