"""The memory layout of every result, against PyTorch: what is contiguous, what strides it has, what is a view.

Every call of the parity tables is made with its inputs in C order, transposed, sliced, cropped and expanded. Strides
of axes of length 1 and of empty tensors, by which ``.view`` cannot tell, are left out.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
from tests.parity import from_samples, rows_layout
from tests.parity.compare import cases
from tests.parity.layouts import different, gradients, laid, ours_of, theirs_of
from tests.parity.modules import copied
from tinygrad_lite import nn

torch = pytest.importorskip("torch")

# Without PyTorch these are modules left half-way by their own skip.
from tests.parity.test_functions import TABLE  # noqa: E402
from tests.parity.test_nn_modules import ROWS  # noqa: E402

torch.set_num_threads(1)

COLUMNS = "LAPACK returns columns to PyTorch, ours are rows: contiguous"
PICKED = "what is picked from a permuted tensor is contiguous here"
GAPS = "PyTorch reproduces the gaps of the input's memory"
DELIBERATE = {
    "dropout": "of nothing kept: in the order of the operand here, contiguous in PyTorch",
    "__getitem__": PICKED, "index last": PICKED, "index two": PICKED, "index rows": PICKED,
    "select_scatter": GAPS, "slice_scatter": GAPS,
    "quantile": "several quantiles are contiguous here, a transpose in PyTorch",
    "take_along_dim": "PyTorch itself views what cannot be viewed, and raises",
    "kron": "PyTorch itself views what cannot be viewed, and raises",
    "diagonal_scatter": "it works on the flattened input, so the result is contiguous",
    "put": "it works on the flattened input, so the result is contiguous",
    "conj_physical": "PyTorch returns the tensor itself, here it is a copy",
    "unravel_index": "separate arrays here, the rows of one in PyTorch",
    "addr": "the outer product comes first: contiguous",
    "lerp": "three operands that broadcast against each other: contiguous",
    "rsub": "operands that broadcast against each other, in the other order",
    "rot90": "of an expanded tensor",
    "RReLU eval": "PyTorch makes it contiguous, unlike every other activation",
    "BCEWithLogitsLoss none": "the order of the scores here, of the target in PyTorch",
    "SoftMarginLoss none": "contiguous, as the log-sigmoid that it is made of",
    **dict.fromkeys(
        (
            "inverse", "inverse of a batch", "cholesky", "cholesky of a batch", "cholesky_solve", "cholesky_inverse",
            "qr", "qr of a batch", "svd", "svd of a batch", "eigh", "eigh of a batch", "solve", "solve of a batch",
            "lstsq", "lstsq of a batch", "solve_triangular", "inv", "inv of a batch", "tensorinv",
        ),
        COLUMNS,
    ),
}  # fmt: skip
"""Calls whose results lie in memory otherwise than PyTorch's, and why."""

WINDOWS = re.compile("conv|pool|pad|norm|interpolate|upsampl|shuffle|pixel|dropout|fold|lp_")
"""Calls that PyTorch makes with the channels last if the input has them last; here their results are contiguous."""

Call = tuple[Callable[..., Any], Any, str]
DERIVED = set(from_samples.derived(torch))


def _from_row(row: Any) -> Iterator[Call]:
    for dtype, arrays, options, fixed in cases(row):
        if dtype == "float32" or "f" not in row.kinds:

            def call(lib: Any, *tensors: Any, options: Any = options, fixed: Any = fixed) -> Any:
                still = [(torch.from_numpy if lib is torch else tl.tensor)(np.array(f)) if hasattr(f, "dtype") else f
                         for f in fixed]  # fmt: skip
                return row.call(lib, *tensors, *still, **options)

            yield call, arrays, str(options)


def _from_samples(name: str) -> Iterator[Call]:
    row = from_samples.row_of(name)
    for dtype, arrays, options in from_samples.drawn(name):
        if dtype == "float32":
            yield lambda lib, *tensors, options=options: row.call(lib, *tensors, **options), arrays, str(options)


def calls(name: str) -> Iterator[Call]:
    for row in TABLE.get(name, ()):
        yield from _from_row(row)
    if name in DERIVED:
        yield from _from_samples(name)
    if name in rows_layout.ROWS:
        yield (*rows_layout.ROWS[name], "")


def module_calls(name: str) -> Iterator[Call]:
    row = ROWS[name]
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs, ours = row.make(torch.nn), row.make(nn)
    ours.load_state_dict(copied(theirs))
    rng = np.random.default_rng(0)
    arrays = [x if isinstance(x, np.ndarray) else rng.uniform(*row.values, x).astype("float32") for x in row.inputs]
    for training in row.modes:

        def call(lib: Any, *tensors: Any, training: bool = training) -> Any:
            return (theirs if lib is torch else ours).train(training)(*tensors, **row.words(lib))

        yield call, arrays, "training" if training else "eval"


def verdict(name: str, found: list[str]) -> None:
    if name in DELIBERATE:
        assert found, f"{name} agrees: it needs no exception"
    else:
        assert not found, f"{len(found)} differ:\n" + "\n".join(found[:5])


FUNCTIONS = sorted({*TABLE, *DERIVED, *rows_layout.ROWS})


@pytest.mark.parametrize("name", FUNCTIONS)
def test_results_have_the_memory_layout_of_pytorch(name: str) -> None:
    found: list[str] = []
    for call, arrays, shown in calls(name):
        for how, given in laid(arrays):
            text = f"{name} {[a.shape for a in given]} {shown} {how}"
            found += different(torch, call, given, text, bool(WINDOWS.search(name)))
    verdict(name, found)


RANDOM = ("AlphaDropout", "FeatureAlphaDropout")
"""Layers whose random mask decides where the memory comes from; their evaluation mode is compared."""


@pytest.mark.parametrize("name", list(ROWS))
def test_results_of_layers_have_the_memory_layout_of_pytorch(name: str) -> None:
    found: list[str] = []
    for call, arrays, shown in module_calls(name):
        if shown == "training" and name.startswith(RANDOM):
            continue
        for how, given in laid(arrays):
            text = f"{name} {[a.shape for a in given]} {shown} {how}"
            found += different(torch, call, given, text, bool(WINDOWS.search(name.lower())))
    verdict(name, found)


def test_gradients_have_the_memory_layout_of_their_leaf() -> None:
    found: list[str | None] = []
    for name in FUNCTIONS:
        for call, arrays, shown in calls(name):
            if all(np.asarray(a).dtype.kind == "f" for a in arrays):
                for how, given in laid(arrays):
                    found += gradients(torch, call, given, f"{name} {[a.shape for a in given]} {shown} {how}")
    wrong = [f for f in found if f]
    assert len(found) > 10_000
    assert not wrong, f"{len(wrong)} differ:\n" + "\n".join(wrong[:5])


# ------------------------------------------------------------------------------------------------ tensors as memory
BY_HAND: dict[str, Callable[[Any], Any]] = {
    "write through as_strided": lambda T: (lambda x: (x.as_strided((2, 2), (4, 1), 1).add_(10), x)[1])(
        T.arange(12.0).reshape(3, 4)
    ),
    "as_strided of a row": lambda T: T.arange(12.0).reshape(3, 4)[1:].as_strided((2, 2), (1, 2)),
    "as_strided before a row": lambda T: T.arange(12.0).reshape(3, 4)[1:].as_strided((2, 2), (1, 2), 0),
    "as_strided of a detached row": lambda T: T.arange(12.0).reshape(3, 4)[1:].detach().as_strided((2, 2), (1, 2), 0),
    "as_strided of a permuted copy": lambda T: T.arange(6.0).reshape(2, 3).t().clone().as_strided((6,), (1,)),
    "as_strided beyond the memory": lambda T: T.ones(3).as_strided((2, 2), (3, 1)),
    "gradient of as_strided": lambda T: _gradient(T, lambda y: y.reshape(2, 3).as_strided((3, 2), (1, 1), 1)),
    "gradient after a write through as_strided": lambda T: _gradient(
        T, lambda y: (y.as_strided((2, 2), (2, 1), 1).mul_(3), y)[1]
    ),
    "offsets": lambda T: (T.ones(2, 3)[1].storage_offset(), T.ones(2, 3)[1, 1:].storage_offset()),
    "pointers": lambda T: (lambda x: (x.data_ptr() == x.view(-1).data_ptr(), x[1].data_ptr() - x.data_ptr(),
                                      x[1].untyped_storage().data_ptr() == x.data_ptr(), x.untyped_storage().nbytes()))(
        T.ones(2, 3)
    ),
    "what a tensor is": lambda T: (str(T.ones(1).layout), T.ones(1).is_sparse, T.ones(1).is_cpu),
    "formats": lambda T: (lambda c: (c.stride(), c.is_contiguous(), c.is_contiguous(memory_format=T.channels_last),
                                     c.clone().stride(), (c * 2).stride(), c.contiguous().stride(), c.double().stride(),
                                     T.zeros_like(c).stride(),
                                     T.zeros_like(c, memory_format=T.contiguous_format).stride(),
                                     T.randn_like(c, memory_format=T.preserve_format).stride(),
                                     c.contiguous(memory_format=T.channels_last).data_ptr() == c.data_ptr()))(
        T.ones(2, 3, 4, 5).to(memory_format=T.channels_last)
    ),
    "channels last of a matrix": lambda T: T.ones(2, 3).contiguous(memory_format=T.channels_last),
    "three-dimensional format": lambda T: T.ones(1, 2, 2, 2, 2).to(memory_format=T.channels_last_3d).stride(),
    "resize_ to less": lambda T: T.arange(6).resize_(2, 2),
    "resize_ to more": lambda T: T.arange(6).resize_(4, 4).flatten()[:6],
    "resize_ of a leaf": lambda T: T.ones(2, requires_grad=True).resize_(1),
}  # fmt: skip


def _gradient(T: Any, f: Callable[[Any], Any]) -> Any:
    w = T.arange(6.0).requires_grad_()
    y = f(w * 2)
    (y * y).sum().backward()
    return y.detach(), w.grad


def _answer(call: Callable[[Any], Any], lib: Any) -> Any:
    try:
        result = call(lib)
    except RuntimeError:
        return "RuntimeError"
    parts = result if isinstance(result, tuple) else (result,)
    return [p.tolist() if hasattr(p, "tolist") else p for p in parts]


@pytest.mark.parametrize("name", list(BY_HAND))
def test_tensors_as_memory(name: str) -> None:
    assert _answer(BY_HAND[name], tl) == _answer(BY_HAND[name], torch)


def test_the_sweep_sees_a_wrong_layout() -> None:
    a = np.asfortranarray(np.ones((2, 3), np.float32))
    wrong = {torch: lambda x: x.sum(0, keepdim=True) + x, tl: lambda x: (x + 1).contiguous()}
    assert list(different(torch, lambda lib, x: wrong[lib](x), [a], "x", False))
    assert not list(different(torch, lambda lib, x: x + 1, [a], "x", False))
    assert ours_of(a).stride() == theirs_of(torch, a).stride() == (1, 2)
