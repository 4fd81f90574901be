"""The parity rows that nobody writes: each op with samples is called as they say, in both libraries.

An op that PyTorch has under the same name, in the package or in ``nn.functional``, gets its row from its declaration.
`BY_HAND` are those whose samples do not fit PyTorch's function; they have rows in the tables of this folder.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import tinygrad_lite as tl
from tests.parity.compare import Methods, Row, array_of, one, outcome
from tinygrad_lite.engine.op import IN_PLACE, PUBLIC
from tinygrad_lite.testing.check import sampler_for
from tinygrad_lite.testing.search.source import Source

CALLS = 6
DTYPES = ("float32", "float64")
LEAST = 3
"""Calls of the `CALLS` that PyTorch has to accept: it refuses a few that are valid here (``dim=None`` of `prod`)."""

BY_HAND = {
    "cholesky": "its samples compute a positive definite matrix from tensors of ours",
    "det": "its samples compute a regular matrix from tensors of ours",
    "slogdet": "its samples compute a regular matrix from tensors of ours",
    "qr": "the samples are of the op, which has other arguments than the function",
    "svd": "the samples are of the op, which has other arguments than the function",
    "broadcast_to": "the samples are of the op, which has other arguments than the function",
    "elu": "the samples are of the op, which has other arguments than the function",
    "split": "the samples are of the op, which has other arguments than the function",
    "einsum": "the equation is the first argument of the function",
    "polygamma": "the order is the first argument of the function",
    "clip": "PyTorch's own backward fails for bounds that broadcast",
}
"""Ops with samples that another row or suite compares, and why."""
FIRST_ONLY = {
    "copysign": "PyTorch's second gradient is NaN at 0",
    "sinc": "PyTorch's second gradient is NaN at 0",
    "pow": "PyTorch's second gradient loses half of its digits in float32",
}
"""Ops whose first gradients alone are compared, and why."""


def home(name: str, torch: Any) -> Any:
    """Return the module of PyTorch that has the function, or None."""
    return next((m for m in (torch, torch.nn.functional) if callable(getattr(m, name, None))), None)


def derived(torch: Any) -> list[str]:
    """Return the ops whose row follows from their declaration."""
    return sorted(
        name
        for name, op in tl.OPS.items()
        if name in PUBLIC and op.samples is not None and name not in BY_HAND and home(name, torch) is not None
    )


def row_of(name: str) -> Row:
    """Return the row of an op: how it is called in either library."""
    how = tl.OPS[name].samples.call  # type: ignore[union-attr]

    def call(lib: Any, *tensors: Any, **options: Any) -> Any:
        function = getattr(lib if hasattr(lib, name) else lib.nn.functional, name)
        return how(function, *tensors, **options) if how else function(*tensors, **options)

    return Row(name, call, second=name not in FIRST_ONLY)


def drawn(name: str) -> list[tuple[str, list[Any], dict[str, Any]]]:
    """Return (dtype, arrays, options) of the calls that are compared."""
    sampler, _ = sampler_for(tl.OPS[name].call, (), None)
    out = []
    for n in range(CALLS):
        arrays, options = sampler(Source.example(7, n))
        for dtype in DTYPES:
            out.append(
                (dtype, [a.astype(dtype) if a.dtype.kind == "f" else a for a in map(np.asarray, arrays)], options)
            )
    return out


def compare(name: str, torch: Any) -> tuple[int, int]:
    """Compare value, dtype and gradients of the drawn calls; returns (calls, comparisons)."""
    row, calls = row_of(name), drawn(name)
    made = compared = 0
    for dtype, arrays, options in calls:
        shown = f"{name}({', '.join(f'{a.shape} {a.dtype}' for a in arrays)}, {options})"
        _, refused = outcome(row.call, torch, *[torch.tensor(a) for a in arrays], **options)
        if refused is None:
            made += 1
            compared += one(row, torch, dtype, arrays, options, (), shown, False)
    assert made >= LEAST * len(DTYPES), f"{name}: PyTorch refuses {len(calls) - made} of {len(calls)} calls"
    return made, compared


def forms(torch: Any) -> list[str]:
    """Return the ops whose in-place form is compared: a method in both libraries."""
    return [
        n for n in derived(torch) if n in IN_PLACE and hasattr(torch.Tensor, f"{n}_") and hasattr(tl.Tensor, f"{n}_")
    ]


def compare_form(name: str, torch: Any) -> int:
    """Compare the values that ``x.name_(...)`` leaves in ``x`` with PyTorch's, or that both refuse."""
    row, compared = row_of(name), 0
    for _, arrays, options in drawn(name):
        with_form = _form_of(row.call, name)
        theirs, ours = torch.tensor(arrays[0]), tl.tensor(arrays[0])
        _, wrong = outcome(with_form, Methods(torch), theirs, *map(torch.tensor, arrays[1:]), **options)
        _, failed = outcome(with_form, Methods(tl), ours, *map(tl.tensor, arrays[1:]), **options)
        assert (wrong is None) == (failed is None), f"{name}_: ours {failed!r}, PyTorch {wrong!r}"
        if wrong is None:
            a, b = array_of(ours), array_of(theirs)
            assert a.dtype == b.dtype
            np.testing.assert_allclose(
                a, b, rtol=1e-4 if a.dtype == np.float32 else 1e-10, atol=1e-6, err_msg=f"{name}_"
            )
            compared += 1
    return compared


def _form_of(call: Callable[..., Any], name: str) -> Callable[..., Any]:
    return lambda _, first, *rest, **options: getattr(first, f"{name}_")(*rest, **options)
