"""One row of the parity table, and how it is run against PyTorch."""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import tinygrad_lite as tl

Shape = tuple[int, ...]
Shapes = tuple[Shape, ...]

ONE: list[Shapes] = [((),), ((0,),), ((1,),), ((5,),), ((2, 3),), ((0, 3),), ((2, 1, 4),)]
SOME: list[Shapes] = [((),), ((1,),), ((5,),), ((2, 3),), ((2, 1, 4),)]
TWO: list[Shapes] = [
    ((), ()), ((3,), ()), ((), (2,)), ((0,), (1,)), ((1,), (4,)), ((2, 3), (3,)), ((2, 1), (1, 3)), ((2, 3), (2, 3)),
    ((4, 1, 2), (3, 1)),
]  # fmt: skip


def no_options(*shapes: Shape) -> list[dict[str, Any]]:
    return [{}]


def each_dim(*shapes: Shape) -> list[dict[str, Any]]:
    n = len(shapes[0])
    return [{"dim": d} for d in range(-max(n, 1), max(n, 1))]


def each_kept(*shapes: Shape) -> list[dict[str, Any]]:
    return [{**o, "keepdim": k} for o in each_dim(*shapes) for k in (False, True)]


def reductions(*shapes: Shape) -> list[dict[str, Any]]:
    n = len(shapes[0])
    several = [{"dim": tuple(range(n))}, {"dim": (0, -1), "keepdim": True}] if n > 1 else []
    return [{}, *each_kept(*shapes), *several]


@dataclass(frozen=True)
class Row:
    """A function, how it is called in both libraries, and the inputs it is called with.

    ``call(lib, *tensors, **options)``; ``values``: a range, "distinct" (no two equal) or "grid" (zeros and ties too).
    ``kinds``: f floats (both widths), i integers, b bools. ``fixed`` arrays follow the drawn ones and get no gradient.
    ``stricter``: inputs for which ours is an error by design where PyTorch gives NaN.
    """

    name: str
    call: Callable[..., Any]
    shapes: Sequence[Shapes] = field(default_factory=lambda: ONE)
    options: Callable[..., list[dict[str, Any]]] = no_options
    values: Any = (-2.0, 2.0)
    kinds: str = "f"
    fixed: Callable[..., tuple[Any, ...]] | None = None
    second: bool = True
    errors: Sequence[Callable[..., Any]] = ()
    stricter: bool = False
    rtol: float = 1.0


def named(name: str) -> Callable[..., Any]:
    return lambda lib, *tensors, **options: getattr(lib, name)(*tensors, **options)


class Methods:
    """Looks like a library, but calls the method of the first tensor."""

    def __init__(self, lib: Any) -> None:
        self.lib = lib

    def __getattr__(self, name: str) -> Any:
        if isinstance(getattr(self.lib, name, None), (type, np.dtype)) or not callable(getattr(self.lib, name)):
            return getattr(self.lib, name)
        if not hasattr(self.lib.Tensor, name) or name in ("where", "polygamma"):  # the tensor is not the first
            return getattr(self.lib, name)
        function = getattr(self.lib, name)
        return lambda x, *args, **o: getattr(x, name)(*args, **o) if hasattr(x, name) else function(x, *args, **o)


def draw(rng: np.random.Generator, shape: Shape, values: Any, kind: str) -> Any:
    n = int(np.prod(shape))
    if kind == "b":
        return rng.integers(0, 2, shape).astype(bool)
    if kind == "i":
        lo = max(-3, int(np.ceil(values[0]))) if isinstance(values, tuple) else -3
        return rng.integers(lo, 4 if lo < 3 else lo + 4, shape)
    if values == "distinct":
        return rng.permutation(np.linspace(-2, 2.1, max(n, 1)))[:n].reshape(shape)
    if values == "grid":
        return rng.choice([-1.0, 0.0, 0.5, 1.0, 2.0], shape)
    return rng.uniform(*values, shape)


def laid_out(array: Any, layout: int) -> Any:
    """The same numbers, 0: one after another, 1: Fortran order, 2: every second element of a larger array."""
    if layout == 0 or array.ndim == 0:
        return array.copy()
    if layout == 1:
        return np.asfortranarray(array)
    wide = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)
    wide[..., ::2] = array
    return wide[..., ::2]


def cases(row: Row) -> Iterator[tuple[str, tuple[Any, ...], dict[str, Any], tuple[Any, ...]]]:
    """Yield (dtype, drawn arrays, options, fixed arrays) of every call that is made."""
    rng = np.random.default_rng(zlib.crc32(row.name.encode()))
    count = 0
    for shapes in row.shapes:
        for options in row.options(*shapes):
            for kind in row.kinds:
                for dtype in {"f": ("float32", "float64"), "i": ("int64",), "b": ("bool",)}[kind]:
                    drawn = tuple(draw(rng, s, row.values, kind).astype(dtype) for s in shapes)
                    arrays = tuple(laid_out(a, (count + i) % 3) for i, a in enumerate(drawn))
                    count += 1
                    yield dtype, arrays, options, row.fixed(*shapes) if row.fixed else ()


def run(row: Row, torch: Any) -> tuple[int, int]:
    """Run every case of ``row`` in both libraries and compare; returns (cases, comparisons)."""
    made = compared = 0
    methods = hasattr(torch.Tensor, row.name)
    assert not methods or hasattr(tl.Tensor, row.name), f"PyTorch has a method {row.name}, ours has none"
    for dtype, arrays, options, fixed in cases(row):
        made += 1
        shown = f"{row.name}({', '.join(f'{a.shape} {a.dtype}' for a in arrays)}, {options})"
        as_method = methods and made % 3 == 0
        compared += one(row, torch, dtype, arrays, options, fixed, shown, as_method)
    for i, call in enumerate(row.errors):
        made += 1
        compared += error(call, torch, f"{row.name}: wrong call {i}")
    return made, compared


def outcome(call: Callable[..., Any], lib: Any, *tensors: Any, **options: Any) -> tuple[Any, Exception | None]:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            return call(lib, *tensors, **options), None
        except Exception as e:
            return None, e


def error(call: Callable[..., Any], torch: Any, shown: str) -> int:
    _, theirs = outcome(call, torch)
    _, ours = outcome(call, tl)
    assert theirs is not None, f"{shown}: PyTorch accepts it"
    assert ours is not None, f"{shown}: ours accepts it, PyTorch raises {theirs!r}"
    assert isinstance(ours, same_class(theirs)), f"{shown}: ours {ours!r}, PyTorch {theirs!r}"
    assert len(str(ours)) > 15, f"{shown}: says nothing: {ours!r}"
    return 1


def same_class(theirs: Exception) -> type[Exception]:
    return next(c for c in (IndexError, TypeError, ValueError, RuntimeError) if isinstance(theirs, c))


def one(
    row: Row, torch: Any, dtype: str, arrays: Any, options: dict[str, Any], fixed: Any, shown: str, as_method: bool
) -> int:
    mine = [tl.tensor(a, requires_grad=a.dtype.kind == "f") for a in arrays]
    for t, a in zip(mine, arrays, strict=True):
        t.array = a  # the layout too
    hers = [torch.from_numpy(np.ascontiguousarray(a).reshape(a.shape)) for a in arrays]
    hers = [t.requires_grad_(t.is_floating_point()) for t in hers]
    still_mine = [tl.tensor(f) if isinstance(f, np.ndarray) else f for f in fixed]
    still_hers = [torch.from_numpy(np.array(f)) if isinstance(f, np.ndarray) else f for f in fixed]
    libs: tuple[Any, Any] = (Methods(torch), Methods(tl)) if as_method else (torch, tl)
    theirs, wrong = outcome(row.call, libs[0], *hers, *still_hers, **options)
    ours, failed = outcome(row.call, libs[1], *mine, *still_mine, **options)
    if wrong is not None:
        assert failed is not None, f"{shown}: PyTorch raises {wrong!r}, ours gives {ours!r}"
        assert isinstance(failed, same_class(wrong)), f"{shown}: ours {failed!r}, PyTorch {wrong!r}"
        return 1
    if row.stricter and failed is not None and "nan" in repr(theirs):
        return 1
    assert failed is None, f"{shown}: ours raises {failed!r}, PyTorch gives {theirs!r}"
    rtol = row.rtol * (1e-5 if dtype == "float32" else 1e-10)
    flat_t, flat_o = list(leaves(theirs)), list(leaves(ours))
    assert len(flat_t) == len(flat_o), f"{shown}: {len(flat_o)} results, PyTorch gives {len(flat_t)}"
    done = 0
    for t, o in zip(flat_t, flat_o, strict=True):
        done += same(t, o, rtol, shown)
    return done + gradients(row, torch, flat_t, flat_o, hers, mine, rtol, shown)


def leaves(result: Any) -> Iterator[Any]:
    if isinstance(result, (tuple, list)) and type(result).__name__ != "Size":
        for r in result:
            yield from leaves(r)
    else:
        yield result


def array_of(t: Any) -> Any:
    return t.array if isinstance(t, tl.Tensor) else t.detach().numpy(force=True)


def same(t: Any, o: Any, rtol: float, shown: str) -> int:
    if not hasattr(t, "detach"):
        assert type(o) is type(t) or isinstance(t, tuple), f"{shown}: {o!r} is no {type(t).__name__}"
        assert o == t or (o != o and t != t), f"{shown}: ours {o!r}, PyTorch {t!r}"
        return 1
    assert isinstance(o, tl.Tensor), f"{shown}: ours is a {type(o).__name__}"
    a, b = array_of(o), array_of(t)
    assert a.shape == b.shape, f"{shown}: shape {a.shape}, PyTorch {b.shape}"
    assert a.dtype == b.dtype, f"{shown}: dtype {a.dtype}, PyTorch {b.dtype}"
    close(a, b, max(rtol, 1e-5) if b.dtype == np.float32 else rtol, shown)
    return 3


def close(a: Any, b: Any, rtol: float, shown: str) -> None:
    scale = np.max(np.abs(b), where=np.isfinite(b), initial=0.0) if b.dtype.kind == "f" else 0
    np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol * max(float(scale), 0.1), err_msg=shown)


def gradients(row: Row, torch: Any, theirs: Any, ours: Any, hers: Any, mine: Any, rtol: float, shown: str) -> int:
    pairs = [(t, o) for t, o in zip(theirs, ours, strict=True) if hasattr(t, "requires_grad") and t.requires_grad]
    pairs = [(t, o) for t, o in pairs if t.dtype.is_floating_point]
    hers, mine = [t for t in hers if t.requires_grad], [t for t in mine if t.requires_grad]
    if not pairs or not hers:
        return 0
    rng = np.random.default_rng(len(shown))
    seeds = [rng.normal(size=tuple(t.shape)).astype(array_of(t).dtype) for t, _ in pairs]
    gt, gave_up = outcome(
        lambda _: torch.autograd.grad(
            [t for t, _ in pairs], hers, [torch.from_numpy(s) for s in seeds], create_graph=True, allow_unused=True
        ),
        torch,
    )
    if gave_up is not None:
        assert "not implemented" in str(gave_up), f"{shown}: PyTorch's backward: {gave_up!r}"
        return 0
    kept = [(o, s) for (_, o), s in zip(pairs, seeds, strict=True) if o.requires_grad]
    go: Any = [None] * len(mine)
    if kept:
        go = tl.grad([o for o, _ in kept], mine, [tl.tensor(s) for _, s in kept], create_graph=True, allow_unused=True)
    done = agree(gt, go, mine, rtol * 10, f"{shown}: first gradient")
    if not row.second:
        return done
    with_graph = [(t, o, i) for i, (t, o) in enumerate(zip(gt, go, strict=True)) if t is not None and t.requires_grad]
    if not with_graph:
        return done
    weights = [rng.normal(size=tuple(t.shape)).astype(array_of(t).dtype) for t, _, _ in with_graph]
    ht, gave_up = outcome(
        lambda _: torch.autograd.grad(
            [t for t, _, _ in with_graph], hers, [torch.from_numpy(w) for w in weights], allow_unused=True
        ),
        torch,
    )
    assert gave_up is None, f"{shown}: PyTorch has no second gradient, say second=False: {gave_up!r}"
    kept = [(o, w) for (_, o, _), w in zip(with_graph, weights, strict=True) if o is not None and o.requires_grad]
    ho: Any = [None] * len(mine)
    if kept:
        ho = tl.grad([o for o, _ in kept], mine, [tl.tensor(w) for _, w in kept], allow_unused=True)
    return done + agree(ht, ho, mine, rtol * 100, f"{shown}: second gradient")


def agree(theirs: Any, ours: Any, inputs: Any, rtol: float, shown: str) -> int:
    for i, (t, o, x) in enumerate(zip(theirs, ours, inputs, strict=True)):
        zero = np.zeros(x.array.shape, x.array.dtype)
        b = zero if t is None else array_of(t)
        a = zero if o is None else array_of(o)
        assert a.shape == b.shape and a.dtype == b.dtype, (
            f"{shown} of input {i}: {a.shape} {a.dtype}, {b.shape} {b.dtype}"
        )
        close(a, b, rtol, f"{shown} of input {i}")
    return len(inputs)
