"""A result that is written to before backward: the same gradients as PyTorch's, or both raise; over all functions.

What is compared is in `tests.parity.written`.
"""

from __future__ import annotations

from typing import Any

import pytest

import tinygrad_lite as tl
from tests.parity import from_samples, written

torch = pytest.importorskip("torch")

# Without PyTorch these are modules left half-way by their own skip.
from tests.parity.test_functions import TABLE  # noqa: E402
from tests.parity.test_nn_modules import ROWS  # noqa: E402

torch.set_num_threads(1)

DIFFERENT = {
    "floor_divide": "PyTorch has no derivative, here it is zero",
    "__truediv__": "the row has the remainder too, without a derivative in PyTorch",
    "heaviside": "PyTorch has no derivative, here it is zero",
    "scatter": "PyTorch has no derivative for reduce=, here it has one",
    "ldexp": "PyTorch keeps a result that the gradient does not need",
    **dict.fromkeys(("detach_copy", "histogram", "histogramdd"), "PyTorch has no derivative and raises"),
    "conj_physical": "PyTorch returns the tensor itself, here it is a copy",
    **dict.fromkeys(("unsafe_chunk", "unsafe_split", "unsafe_split_with_sizes"), "safe here: the views are tracked"),
    "index_reduce": "PyTorch keeps a result that the gradient does not need",
    "median": "PyTorch keeps a result that the gradient does not need",
    "nanmedian": "PyTorch keeps a result that the gradient does not need",
    "scatter_reduce": "PyTorch keeps a result that the gradient does not need",
    "sgn": "PyTorch keeps a result that the gradient does not need",
    **dict.fromkeys(
        ("RNNCell", "RNNCell no bias", "RNNCell one", "RNNCell no bias one", "RNNCell relu"),
        "one op with RNN, whose results may be written to",
    ),
}  # fmt: skip
"""Functions and layers where the two differ, and why: a write that raises there is allowed here."""
NAMES = [n for n in sorted({*from_samples.derived(torch), *TABLE, *ROWS}) if n not in DIFFERENT]


def calls(name: str) -> Any:
    """Yield the calls of a function by its samples and its rows, or of a layer."""
    if name in from_samples.derived(torch):
        yield from written.calls_of_samples(name, torch)
    for row in TABLE.get(name, ()):
        yield from written.calls_of(row, torch)
    if name in ROWS:
        yield from written.calls_of_layer(ROWS[name], torch)


@pytest.mark.parametrize("name", NAMES)
def test_writes_to_a_result(name: str) -> None:
    found, _ = written.differences(calls(name), torch)
    assert not found, "\n".join(found[:5])


@pytest.mark.parametrize("name", sorted(DIFFERENT))
def test_differences_are_still_there(name: str) -> None:
    assert written.differences(calls(name), torch)[0], f"{name} needs no exception"


def test_enough_is_compared() -> None:
    assert all(written.differences(calls(name), torch)[1] > 3 for name in ("exp", "ELU", "MaxPool2d()", "LSTM({})"))
    assert len(NAMES) > 500


@pytest.mark.parametrize(
    ("layer", "shape"),
    [(lambda: tl.nn.RNN(3, 4, 2), (5, 2, 3)), (lambda: tl.nn.GRU(3, 4, 2), (5, 2, 3)),
     (lambda: tl.nn.LSTM(3, 4, proj_size=2), (5, 2, 3)), (lambda: tl.nn.MaxPool2d(2), (2, 2, 4, 4)),
     (lambda: tl.nn.ELU(), (3, 4))],
)  # fmt: skip
def test_second_gradients_after_a_write(layer: Any, shape: Any) -> None:
    """A result that is computed again has its place in the graph: the second gradient is that without the write."""
    module, found = layer().double(), []
    x = tl.sin(tl.arange(float(tl.zeros(shape).numel()), dtype=tl.float64)).reshape(shape).requires_grad_()
    for write in (False, True):
        y = module(x * 1)
        y = y[0] if isinstance(y, tuple) else y
        square = (y * y).sum() if not write else (y.clone() ** 2).sum()
        if write:
            y.mul_(3)
        (g,) = tl.grad(square, x, create_graph=True)
        found.append(tl.grad((g * g * g).sum(), x)[0].array)
    assert abs(found[0] - found[1]).max() < 1e-12


FACTOR = "a composition here, which multiplies by a factor that it keeps"
TWICE = {
    **dict.fromkeys(
        ("add", "sub", "cumulative_trapezoid", "trapezoid", "trapz", "deg2rad", "rad2deg", "gradient", "lerp"), FACTOR
    ),
    **dict.fromkeys((n for n in ROWS if "linear" in n or "cubic" in n), FACTOR),
    **dict.fromkeys((f"AdaptiveAvgPool{n}d(1)" for n in (1, 2, 3)), FACTOR),
    "UpsamplingBilinear2d": FACTOR,
    "interpolate": FACTOR,
    "einsum": "the operands are kept, of a sum over one operand too",
}
"""Functions whose second backward pass raises here and not in PyTorch, and why."""
INPUTS = {
    "frexp": "PyTorch keeps the exponent, here the rule takes it from the operand",
    "nuclear_norm": "the singular values are differentiated with the matrix",
    "einsum": "the operands are kept, of a sum over one operand too",
    **dict.fromkeys(("inner", "kron", "matmul"), "PyTorch copies the operand in some of the calls"),
    **dict.fromkeys(
        (n for n in ROWS if "batch_first" in n or "batch first" in n), "PyTorch copies the transposed input"
    ),
    **dict.fromkeys(
        (n for n in ROWS if n.startswith("CrossEntropyLoss")), "keeps the logits instead of the log-softmax"
    ),
}
"""Functions whose input may be written to before backward in PyTorch and not here, and why."""


@pytest.mark.parametrize("name", [n for n in NAMES if n not in TWICE])
def test_no_second_backward_raises_where_it_works_in_pytorch(name: str) -> None:
    found = [f for f in written.differences_twice(calls(name), torch)[0] if "ours done, PyTorch raised" not in f]
    assert not found, "\n".join(found[:5])


@pytest.mark.parametrize("name", [n for n in NAMES if n not in INPUTS])
def test_inputs_may_be_written_to_where_pytorch_allows_it(name: str) -> None:
    found = [f for f in written.differences_after_input(calls(name), torch)[0] if "ours done, PyTorch raised" not in f]
    assert not found, "\n".join(found[:5])
