"""Parity rows: names that scripts need now and then, from `angle` to `view_copy`."""
# ruff: noqa: E501 - a table, one row per line

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np

from tests.parity.compare import ONE, SOME, TWO, Row, each_dim, named

IDX = np.array([0, 2, 0])
PAIRS: list[Any] = [((2, 3),), ((1, 3),), ((4, 1),), ((2, 3, 2),)]


def choices(**words: Any) -> Any:
    (key, values), *_ = words.items()
    return lambda *shapes: [{key: v} for v in values]


def plain(name: str, **words: Any) -> Row:
    return Row(name, named(name), **words)


def _copied(name: str, call: Any, shapes: Any) -> Row:
    return Row(f"{name}_copy", lambda lib, x: call(lib, x, getattr(lib, f"{name}_copy")), shapes)


def histogram(lib: Any, x: Any, w: Any, **o: Any) -> Any:
    with_weight = lib.histogram(x, 3, weight=w.reshape(x.shape), **o) if x.numel() == w.numel() else ()
    return tuple(lib.histogram(x, 4, **o)), tuple(lib.histogram(x, 2, range=(-1.0, 1.5), **o)), tuple(with_weight)


REDUCE = [
    Row("index_reduce", lambda lib, x, s, i, r=r, k=k: lib.index_reduce(x, 0, i, s, r, include_self=k),
        [((3, 2), (3, 2)), ((3,), (3,))], fixed=lambda *s: (IDX,), kinds="f", values=(0.5, 2.0), second=r == "mean",
        errors=[lambda lib: lib.index_reduce(lib.ones(3), 0, lib.tensor([3]), lib.ones(1), "mean"),
                lambda lib: lib.index_reduce(lib.ones(3), 0, lib.tensor([0]), lib.ones(1), "sum")])
    for r in ("prod", "mean", "amax", "amin") for k in (True, False)
]  # fmt: skip

ROWS = [
    # -- complex numbers and floating-point numbers
    *[plain(n, kinds="fib") for n in ("real", "conj", "resolve_conj", "resolve_neg", "is_complex", "is_conj", "is_neg", "is_signed", "isreal")],
    Row("is_nonzero", named("is_nonzero"), [((1,),), ((),)], kinds="fib", errors=[lambda lib: lib.is_nonzero(lib.ones(2)), lambda lib: lib.is_nonzero(lib.ones(0))]),
    Row("is_same_size", named("is_same_size"), TWO),
    Row("imag", named("imag"), SOME),
    plain("angle", kinds="fib"),
    plain("conj_physical", kinds="fib"),
    Row("frexp", lambda lib, x: tuple(lib.frexp(x)), ONE, errors=[lambda lib: lib.frexp(lib.tensor([1]))]),
    plain("nextafter", shapes=TWO, errors=[lambda lib: lib.nextafter(lib.tensor([1]), lib.tensor([2]))]),
    plain("igamma", shapes=TWO[:8], values=(0.2, 4.0)),
    plain("igammac", shapes=TWO[:8], values=(0.2, 4.0)),
    Row("mvlgamma", named("mvlgamma"), SOME, choices(p=(1, 2, 3)), values=(2.0, 4.0)),
    # -- indices
    Row("unravel_index", lambda lib, i: (lib.unravel_index(i, (2, 3)), lib.unravel_index(i.reshape(2, 2), (6, 1)), lib.unravel_index(i, lib.ones(3, 2).shape)), [()], fixed=lambda: (np.array([0, 5, 3, 2]),)),
    Row("nonzero_static", lambda lib, x, **o: lib.nonzero_static(x, fill_value=7, **o), PAIRS, choices(size=(0, 2, 20)), values="grid"),
    *REDUCE,
    Row("as_strided_scatter", lambda lib, x, s: lib.as_strided_scatter(x.contiguous().detach(), s.detach(), (2, 2), (2, 1), 1), [((3, 3), (2, 2)), ((6,), (2, 2))]),
    Row("split_with_sizes", lambda lib, x: lib.split_with_sizes(x, [1, x.shape[-1] - 1], -1), PAIRS, errors=[lambda lib: lib.split_with_sizes(lib.ones(3), [1, 1])]),
    Row("unsafe_split_with_sizes", lambda lib, x: lib.unsafe_split_with_sizes(x, [1, x.shape[-1] - 1], -1), PAIRS),
    Row("unsafe_split", lambda lib, x: lib.unsafe_split(x, 2, -1), PAIRS),
    Row("unsafe_chunk", lambda lib, x: lib.unsafe_chunk(x, 2, 0), PAIRS),
    Row("narrow_copy", lambda lib, x: lib.narrow_copy(x, -1, 0, 1), PAIRS),
    plain("alias_copy"), plain("detach_copy", shapes=SOME),
    _copied("as_strided", lambda lib, x, f: f(x.contiguous(), (2,), (1,)), PAIRS), _copied("diagonal", lambda lib, x, f: f(x, 0, 0, 1), PAIRS),
    _copied("expand", lambda lib, x, f: f(x, (2, *x.shape)), PAIRS), _copied("permute", lambda lib, x, f: f(x, tuple(range(x.ndim))[::-1]), PAIRS),
    _copied("select", lambda lib, x, f: f(x, 0, 0), PAIRS), _copied("split", lambda lib, x, f: f(x, 2, 0), PAIRS),
    _copied("split_with_sizes", lambda lib, x, f: f(x, [1, x.shape[-1] - 1], -1), PAIRS), _copied("squeeze", lambda lib, x, f: (f(x), f(x, 0)), PAIRS),
    _copied("t", lambda lib, x, f: f(x), [((2, 3),)]), _copied("transpose", lambda lib, x, f: f(x, 0, 1), PAIRS),
    _copied("unbind", lambda lib, x, f: f(x, 1), PAIRS), _copied("unfold", lambda lib, x, f: f(x, 0, 1, 1), PAIRS),
    _copied("unsqueeze", lambda lib, x, f: f(x, 1), PAIRS), _copied("view", lambda lib, x, f: f(x, (-1,)), [((6,),)]),
    # -- histograms, distances, norms
    Row("histogram", histogram, [((6,), (6,)), ((2, 3), (6,)), ((1,), (1,))], choices(density=(False, True))),
    Row("histogramdd", lambda lib, x, **o: (*lib.histogramdd(x, [2, 3], **o), *lib.histogramdd(x, 2, range=[-1.0, 1.0, -2.0, 2.0], **o)), [((8, 2),)], choices(density=(False, True))),
    Row("pdist", lambda lib, x, **o: lib.nn.functional.pdist(x, **o), [((4, 3),), ((2, 1),), ((1, 3),)], choices(p=(2.0, 1.0, 3.0, 0.0, inf)), second=False, errors=[lambda lib: lib.nn.functional.pdist(lib.ones(3)), lambda lib: lib.nn.functional.pdist(lib.ones(3, 2), -1.0)]),
    Row("renorm", lambda lib, x, **o: lib.renorm(x, dim=0, maxnorm=1.0, **o), PAIRS, choices(p=(2.0, 1.0, 3.0, inf)), second=False, errors=[lambda lib: lib.renorm(lib.ones(3), 2, 0, 1.0), lambda lib: lib.renorm(lib.ones(3, 2), -1, 0, 1.0)]),
    Row("norm_except_dim", lambda lib, x, **o: lib.norm_except_dim(x, 2, **o), PAIRS, choices(dim=(0, 1, -1))),
    Row("frobenius_norm", lambda lib, x, **o: lib.frobenius_norm(x, (0, 1), **o), PAIRS, choices(keepdim=(False, True))),
    Row("nuclear_norm", lambda lib, x, **o: lib.nuclear_norm(x, **o), [((3, 2),), ((2, 2),)], choices(keepdim=(False, True)), second=False),
    Row("trapz", lambda lib, y, x, **o: (lib.trapz(y, x, **o), lib.trapz(y, **o)), [((4,), (4,)), ((2, 3), (2, 3))], each_dim),
    # -- windows, buffers
    *[Row(f"{w}_window", lambda lib, w=w, **o: [getattr(lib, f"{w}_window")(n, **o) for n in (0, 1, 2, 5, 8)], [()], choices(periodic=(True, False)), errors=[lambda lib, w=w: getattr(lib, f"{w}_window")(-1)]) for w in ("hann", "hamming", "blackman", "bartlett", "kaiser")],
    Row("hamming_window", lambda lib: lib.hamming_window(5, True, 0.4, 0.6, dtype=lib.float64), [()]),
    Row("kaiser_window", lambda lib: lib.kaiser_window(5, False, 3.0, dtype=lib.float64), [()]),
    Row("scalar_tensor", lambda lib: (lib.scalar_tensor(2), lib.scalar_tensor(2, dtype=lib.int64)), [()]),
    Row("frombuffer", lambda lib: (lib.frombuffer(bytearray(range(8)), dtype=lib.uint8), lib.frombuffer(bytearray(range(8)), dtype=lib.int16, count=2, offset=2)), [()], errors=[lambda lib: lib.frombuffer(bytearray(7), dtype=lib.int16), lambda lib: lib.frombuffer(bytearray(), dtype=lib.uint8), lambda lib: lib.frombuffer(bytearray(4), dtype=lib.uint8, offset=4), lambda lib: lib.frombuffer(bytearray(4), dtype=lib.uint8, count=5)]),
    Row("asarray", lambda lib, x: (lib.asarray(x), lib.asarray(x.detach(), dtype=lib.int32), lib.asarray([1, 2.5]), lib.asarray(np.arange(3)), lib.asarray(3)), SOME, errors=[lambda lib: lib.asarray([1.0], copy=False)]),
    Row("from_dlpack", lambda lib: (lib.from_dlpack(np.arange(3.0)), lib.from_dlpack(lib.ones(2)), lib.from_dlpack(lib.to_dlpack(lib.arange(3)))), [()]),
    Row("fill", lambda lib, x: (lib.fill(x, 2.0), lib.fill(x, lib.tensor(3.0))), SOME),
    Row("empty_strided", lambda lib: (list(lib.empty_strided((2, 3), (1, 4)).stride()), list(lib.ones(1).new_empty_strided((2,), (3,)).stride())), [()], errors=[lambda lib: lib.empty_strided((2,), (1, 1))]),
    Row("empty_permuted", lambda lib: list(lib.empty_permuted((2, 3, 4), (1, 0, 2)).stride()), [()], errors=[lambda lib: lib.empty_permuted((2, 3), (0, 0))]),
    Row("apply_", lambda lib, x: (x.detach().clone().apply_(lambda n: n * 2), x.detach().clone().map_(x.detach() + 1, lambda a, b: a * b)), SOME, errors=[lambda lib: lib.ones(2, requires_grad=True).apply_(abs)]),
    Row("resize_as_", lambda lib, x: x.detach().clone().resize_as_(lib.ones(1, 2)), [((2,),), ((5,),)], errors=[lambda lib: lib.ones(2, requires_grad=True).resize_as_(lib.ones(3))]),
    Row("get_device", lambda lib, x: (x.get_device(), x.is_pinned(), x.pin_memory is not None, x.is_shared(), x.to_dense(), x.is_inference(), x.output_nr, x.name), [((2,),)]),
    Row("dim_order", lambda lib: (lib.ones(2, 3).dim_order(), lib.ones(2, 3, 4).transpose(0, 2).dim_order(), lib.ones(2).is_set_to(lib.ones(2))), [()]),
    Row("is_quantized", lambda lib, x: (x.is_quantized, x.is_meta, x.is_xpu, x.is_nested, x.is_mkldnn, x.is_sparse_csr), [((2,),)]),
    Row("einsum", lambda lib, a, b: (lib.einsum(a, [0, 1], b, [1, 2], [0, 2]), lib.einsum(a, [0, 51], [51]), lib.einsum(a, [..., 1], b, [1, 3]), lib.einsum(a, [0, 1])), [((2, 3), (3, 4))], errors=[lambda lib: lib.einsum(lib.ones(2), [52]), lambda lib: lib.einsum(lib.ones(2), [0, 1])]),
    Row("interpolate", lambda lib, x, **o: [lib.nn.functional.interpolate(x, antialias=True, align_corners=a, **o, **how) for a in (None, False, True) for how in ({"size": (2, 5)}, {"size": (7, 3)}, {"scale_factor": 0.4}, {"size": (1, 1)})], [((1, 2, 5, 6),)], choices(mode=("bilinear", "bicubic")), errors=[lambda lib: lib.nn.functional.interpolate(lib.ones(1, 1, 4), 2, mode="linear", antialias=True), lambda lib: lib.nn.functional.interpolate(lib.ones(1, 1, 4, 4), 2, antialias=True)]),
    Row("constant_pad_nd", lambda lib, x: lib.constant_pad_nd(x, (1, 2), 0.5), SOME[1:]),
    Row("dropout", lambda lib, x: (lib.dropout(x, 0.5, False), lib.alpha_dropout(x, 0.5, False), lib.rrelu(x, 0.1, 0.3, False)), SOME),
]  # fmt: skip
