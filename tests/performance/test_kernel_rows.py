"""Convolution by kernel rows against windows and einsum in float64: forward, input and kernel gradient."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

import tinygrad_lite as tl
from tinygrad_lite.ops.windows import blocked, kernel_rows

pytestmark = pytest.mark.usefixtures("numpy_alone")

# channels, outputs, size, kernel, stride, pads
CASES: dict[str, Any] = {
    "3x3": (3, 5, (9, 8), (3, 3), (1, 1), ((1, 1), (1, 1))),
    "no padding": (3, 5, (9, 8), (3, 3), (1, 1), ((0, 0), (0, 0))),
    "1x1 with stride": (4, 3, (7, 7), (1, 1), (2, 2), ((0, 0), (0, 0))),
    "odd stride": (4, 6, (13, 17), (3, 5), (3, 2), ((1, 1), (2, 2))),
    "stride over the kernel": (2, 3, (14, 11), (2, 2), (5, 3), ((0, 0), (1, 0))),
    "uneven padding": (2, 3, (6, 7), (4, 2), (1, 1), ((0, 3), (2, 1))),
    "tall kernel": (2, 2, (11, 3), (7, 1), (2, 1), ((3, 0), (0, 0))),
    "wide kernel": (2, 2, (3, 12), (1, 7), (1, 3), ((0, 0), (1, 5))),
    "even kernel, rows left over": (3, 4, (10, 10), (4, 4), (3, 3), ((1, 1), (1, 1))),
    "kernel as large as the image": (2, 7, (5, 4), (5, 4), (1, 1), ((0, 0), (0, 0))),
    "one position": (2, 3, (4, 4), (3, 3), (9, 9), ((0, 0), (0, 0))),
    "many positions": (2, 3, (20, 19), (3, 3), (1, 1), ((1, 1), (1, 1))),
    "many positions, stride": (2, 3, (37, 40), (3, 3), (2, 2), ((1, 1), (1, 1))),
}


FORWARD = kernel_rows.row_by_row, kernel_rows.whole_images, kernel_rows.images_last, kernel_rows.correlate


def seen(x: Any, kernel: Any, stride: Any, pads: Any) -> Any:
    """Return a writeable view (N, C, *positions, *kernel) of padded images, and the padded images."""
    padded = np.pad(x.astype(np.float64), ((0, 0), (0, 0), *pads))
    view = sliding_window_view(padded, kernel, axis=(2, 3), writeable=True)
    return view[:, :, :: stride[0], :: stride[1]], padded


def reference(x: Any, w: Any, g: Any, stride: Any, pads: Any) -> tuple[Any, Any, Any]:
    """Return the convolution and the gradients of ``x`` and ``w`` in float64."""
    view, _ = seen(x, w.shape[2:], stride, pads)
    y = np.einsum("nchwpq,ocpq->nohw", view, w.astype(np.float64))
    g_w = np.einsum("nchwpq,nohw->ocpq", view, g.astype(np.float64))
    into, padded = seen(np.zeros_like(x), w.shape[2:], stride, pads)
    for p in range(w.shape[2]):
        for q in range(w.shape[3]):
            into[..., p, q] += np.einsum("nohw,oc->nchw", g.astype(np.float64), w[:, :, p, q].astype(np.float64))
    (top, _), (left, _) = pads
    return y, padded[:, :, top : top + x.shape[2], left : left + x.shape[3]], g_w


def drawn(name: str, n: int) -> Any:
    c, o, size, kernel, stride, pads = CASES[name]
    rng = np.random.default_rng(n)
    x, w = rng.standard_normal((n, c, *size), np.float32), rng.standard_normal((o, c, *kernel), np.float32)
    plan = kernel_rows.Rows(n, c, o, size, kernel, stride, pads)
    return plan, x, w, rng.standard_normal((n, o, plan.oh, plan.ow), np.float32), stride, pads


def close(found: Any, expected: Any) -> None:
    assert found.shape == expected.shape and found.dtype == np.float32
    assert np.abs(found - expected).max() <= 1e-6 * np.abs(expected).max() * max(1, np.log2(expected.size))


@pytest.mark.parametrize("n", [1, 2, 33])
@pytest.mark.parametrize("name", CASES)
def test_all_three_against_float64(name: str, n: int) -> None:
    plan, x, w, g, stride, pads = drawn(name, n)
    y, g_x, g_w = reference(x, w, g, stride, pads)
    bias = np.arange(len(w), dtype=np.float32)
    for correlate in FORWARD:
        close(correlate(plan, x, w, None), y)
        close(correlate(plan, x, w, bias), y + bias.reshape(-1, 1, 1))
        close(correlate(plan, x, w, g[0]), y + g[0])  # a bias for each position
    close(kernel_rows.spread(g, w, x.shape[2:], stride, pads), g_x)
    close(kernel_rows.correlate_weight(plan, g, x), g_w)
    close(kernel_rows.small_weight(plan, g, x), g_w)


def scattered(a: Any, form: str) -> Any:
    if form == "channels last":
        return np.ascontiguousarray(a.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    if form == "reversed":
        return np.ascontiguousarray(a[:, :, ::-1, ::-1])[:, :, ::-1, ::-1]
    wide = np.zeros((*a.shape[:-1], 2 * a.shape[-1]), np.float32)
    wide[..., ::2] = a
    return wide[..., ::2]


@pytest.mark.parametrize("form", ["channels last", "reversed", "every second column"])
@pytest.mark.parametrize("name", ["3x3", "no padding", "1x1 with stride", "odd stride", "many positions"])
def test_arrays_that_are_not_contiguous(name: str, form: str) -> None:
    plan, x, w, g, stride, pads = drawn(name, 3)
    y, g_x, g_w = reference(x, w, g, stride, pads)
    x, w, g = (scattered(a, form) for a in (x, w, g))
    assert not x.flags.c_contiguous
    for correlate in FORWARD:
        close(correlate(plan, x, w, None), y)
    close(kernel_rows.spread(g, w, x.shape[2:], stride, pads), g_x)
    close(kernel_rows.correlate_weight(plan, g, x), g_w)
    close(kernel_rows.small_weight(plan, g, x), g_w)


@pytest.mark.parametrize("name", ["3x3", "odd stride", "many positions"])
def test_padding_is_zero_in_buffers_that_are_not_kept(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Images above `threads.LARGEST` get new memory at every request, with anything in it."""
    monkeypatch.setattr(kernel_rows, "buffer", lambda name, shape: np.full(shape, 7, np.float32))
    monkeypatch.setattr(kernel_rows, "BLOCK", 1)  # one image in a block
    plan, x, w, g, stride, pads = drawn(name, 5)
    y, g_x, g_w = reference(x, w, g, stride, pads)
    for correlate in FORWARD:
        close(correlate(plan, x, w, None), y)
    close(kernel_rows.spread(g, w, x.shape[2:], stride, pads), g_x)
    close(kernel_rows.correlate_weight(plan, g, x), g_w)
    close(kernel_rows.small_weight(plan, g, x), g_w)


@pytest.mark.parametrize(("n", "stride"), [(2, 1), (33, 1), (2, 2), (33, 3)])
def test_conv2d_uses_this_algorithm(n: int, stride: int, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = set()

    def spy(name: str) -> None:
        plain = getattr(kernel_rows, name)

        def call(*args: Any) -> Any:
            taken.add(name)
            return plain(*args)

        monkeypatch.setattr(kernel_rows, name, call)

    for name in ("correlate", "correlate_weight", "spread"):
        spy(name)
    rng = np.random.default_rng(n)
    x, w = rng.standard_normal((n, 6, 15, 14), np.float32), rng.standard_normal((20, 6, 3, 3), np.float32)
    tx, tw = tl.tensor(x, requires_grad=True), tl.tensor(w, requires_grad=True)
    y = tl.nn.functional.conv2d(tx, tw, stride=stride, padding=1)
    g = rng.standard_normal(tuple(y.shape), np.float32)
    y.backward(tl.tensor(g))
    assert taken >= {"correlate", "correlate_weight"} and ("spread" in taken) == (stride > 1)
    for found, expected in zip(
        (y.detach().numpy(), tx.grad.numpy(), tw.grad.numpy()),
        reference(x, w, g, (stride, stride), ((1, 1), (1, 1))),
        strict=True,
    ):
        close(found, expected)


def test_float64_and_single_images_use_another_algorithm() -> None:
    assert not kernel_rows.suits((3, 3), (1, 1), 1, 1)
    assert not kernel_rows.suits((3, 3), (2, 2), 1, 8)
    assert not kernel_rows.suits((3, 3), (1, 1), 2, 8)
    x = np.zeros((2, 3, 9, 9))
    assert not blocked.suits(x, x, (3, 3, 3, 3), (1, 1), ((1, 1), (1, 1)))


@pytest.mark.parametrize(
    ("columns", "channels", "road"),
    [(8, 16, "images_last"), (14, 16, "images_last"), (16, 16, "row_by_row"), (26, 16, "whole_images"),
     (26, 3, "row_by_row"), (32, 16, "row_by_row"), (8, 3, "row_by_row")],
)  # fmt: skip
def test_the_road_follows_from_the_length_of_rows(
    columns: int, channels: int, road: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[str] = []
    for name in ("row_by_row", "whole_images", "images_last"):
        monkeypatch.setattr(kernel_rows, name, lambda *args, name=name: taken.append(name))
    kernel_rows.correlate(kernel_rows.Rows(4, channels, 5, (9, columns), (3, 3), (1, 1), ((1, 1), (1, 1))), *[None] * 3)
    assert taken == [road]
