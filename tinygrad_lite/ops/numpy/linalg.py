"""NumPy's functions on Tensors that PyTorch lacks, or has elsewhere: products, polynomials, inserting, padding."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_lite.engine.numpy import answers
from tinygrad_lite.errors import ShapeError
from tinygrad_lite.ops.elementwise.arithmetic import where
from tinygrad_lite.ops.elementwise.cast import bare
from tinygrad_lite.ops.indexing.getitem import getitem, take_along_dim
from tinygrad_lite.ops.linalg import products as product
from tinygrad_lite.ops.linalg.matmul import matmul
from tinygrad_lite.ops.numpy.mathematics import tensor_of
from tinygrad_lite.ops.shape import joining as arrange
from tinygrad_lite.ops.shape.reshaping import cat, flip_op
from tinygrad_lite.ops.windows.padding import pad_constant


# ------------------------------------------------------------------------------------------------ products
@answers("dot")
def dot(a: Any, b: Any) -> Any:
    """Answer numpy.dot."""
    a, b = tensor_of(a), tensor_of(b)
    if not a.ndim or not b.ndim:
        return a * b
    return product.tensordot(a, b, ([-1], [-2 if b.ndim > 1 else 0]))


@answers("vdot")
def vdot(a: Any, b: Any) -> Any:
    """Answer numpy.vdot."""
    return matmul(tensor_of(a).reshape(-1), tensor_of(b).reshape(-1))


@answers("inner")
def inner(a: Any, b: Any) -> Any:
    """Answer numpy.inner."""
    return product.inner(tensor_of(a), tensor_of(b))


@answers("outer", "linalg.outer")
def outer(a: Any, b: Any) -> Any:
    """Answer numpy.outer."""
    return tensor_of(a).reshape((-1, 1)) * tensor_of(b).reshape((1, -1))


@answers("vecdot", "linalg.vecdot")
def vecdot(x1: Any, x2: Any, axis: int = -1) -> Any:
    """Answer numpy.vecdot."""
    return (tensor_of(x1) * tensor_of(x2)).sum(axis)


@answers("matvec")
def matvec(x1: Any, x2: Any) -> Any:
    """Answer numpy.matvec."""
    x2 = tensor_of(x2)
    return matmul(tensor_of(x1), x2.reshape((*x2.shape, 1)))[..., 0]


@answers("vecmat")
def vecmat(x1: Any, x2: Any) -> Any:
    """Answer numpy.vecmat."""
    x1 = tensor_of(x1)
    return matmul(x1.reshape((*x1.shape[:-1], 1, x1.shape[-1])), tensor_of(x2))[..., 0, :]


@answers("linalg.matmul")
def matmul_np(x1: Any, x2: Any) -> Any:
    """Answer numpy.linalg.matmul."""
    return matmul(x1, x2)


@answers("tensordot", "linalg.tensordot")
def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """Answer numpy.tensordot."""
    if not isinstance(axes, (int, np.integer)):
        axes = [[x] if isinstance(x, (int, np.integer)) else list(x) for x in axes]
    return product.tensordot(tensor_of(a), tensor_of(b), axes)


@answers("einsum")
def einsum(*operands: Any, optimize: Any = False) -> Any:
    """Answer numpy.einsum."""
    if not isinstance(operands[0], str):
        raise TypeError("numpy.einsum: write the subscripts as a string, such as 'ij,jk->ik', for tensors")
    return product.einsum(operands[0], *[tensor_of(x) for x in operands[1:]])


@answers("kron")
def kron(a: Any, b: Any) -> Any:
    """Answer numpy.kron."""
    return product.kron(tensor_of(a), tensor_of(b))


@answers("cross")
def cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: Any = None) -> Any:
    """Answer numpy.cross (of 3-vectors along one axis)."""
    if (axisa, axisb, axisc) != (-1, -1, -1):
        raise TypeError("numpy.cross: use one axis= for tensors, not axisa, axisb and axisc")
    return product.cross(tensor_of(a), tensor_of(b), -1 if axis is None else axis)


@answers("linalg.cross")
def cross_np(x1: Any, x2: Any, axis: int = -1) -> Any:
    """Answer numpy.linalg.cross."""
    return product.cross(tensor_of(x1), tensor_of(x2), axis)


def _windows(a: Any, width: int, first: int, count: int) -> Any:
    """Return ``count`` windows of ``width`` elements, the first ``first`` elements before the start."""
    after = max(first, count + width - 1 - first - a.shape[0])
    padded = pad_constant(a, ((first, max(after, 0)),), 0.0)
    return getitem(padded, np.arange(count)[:, None] + np.arange(width))


@answers("convolve")
def convolve(a: Any, v: Any, mode: str = "full") -> Any:
    """Answer numpy.convolve."""
    a, v = tensor_of(a), tensor_of(v)
    if a.ndim != 1 or v.ndim != 1 or not a.shape[0] or not v.shape[0]:
        raise ShapeError(
            f"numpy.convolve: expected two vectors with elements, got {tuple(a.shape)} and {tuple(v.shape)}"
        )
    if a.shape[0] < v.shape[0]:
        a, v = v, a
    n, m = a.shape[0], v.shape[0]
    sizes = {"full": (m - 1, n + m - 1), "same": (m // 2, n), "valid": (0, n - m + 1)}
    if mode not in sizes:
        raise ShapeError(f"numpy.convolve: mode must be full, same or valid, got {mode!r}")
    first, count = sizes[mode]
    return matmul(_windows(a, m, first, count), flip_op(v, (0,)))


@answers("correlate")
def correlate(a: Any, v: Any, mode: str = "valid") -> Any:
    """Answer numpy.correlate."""
    a, v = tensor_of(a), tensor_of(v)
    y = convolve(a, flip_op(v, (0,)), mode)
    # NumPy lines an even-sized "same" up with the longer of the two
    return y


# ------------------------------------------------------------------------------------------------ polynomials, tables
@answers("polyval")
def polyval(p: Any, x: Any) -> Any:
    """Answer numpy.polyval: Horner's rule, highest power first."""
    p, x = tensor_of(p), tensor_of(x)
    y = x * 0
    for i in range(p.shape[0]):
        y = y * x + p[i]
    return y


@answers("vander")
def vander(x: Any, N: Any = None, increasing: bool = False) -> Any:
    """Answer numpy.vander."""
    n = x.shape[0] if N is None else int(N)
    columns = [x * 0 + 1]
    for _ in range(n - 1):
        columns.append(columns[-1] * x)
    return arrange.stack(columns[:n] if increasing else columns[:n][::-1], 1)


@answers("interp")
def interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None) -> Any:
    """Answer numpy.interp: straight lines between the points, flat outside."""
    x, xp, fp = (tensor_of(v) for v in (x, xp, fp))
    at = np.clip(np.searchsorted(bare(xp), bare(x), "right") - 1, 0, max(xp.shape[0] - 2, 0))
    up = np.minimum(at + 1, xp.shape[0] - 1)
    x0, x1, y0, y1 = xp[at], xp[up], fp[at], fp[up]
    wide = np.where(bare(x1) == bare(x0), 1, bare(x1) - bare(x0))
    inside = y0 + (x - x0) * ((y1 - y0) / where(bare(x1) == bare(x0), wide, x1 - x0))
    y = where(bare(x) < bare(xp)[0], fp[0] if left is None else left, inside)
    return where(bare(x) > bare(xp)[-1], fp[-1] if right is None else right, y)


@answers("unwrap")
def unwrap(p: Any, discont: Any = None, axis: int = -1, period: float = 2 * np.pi) -> Any:
    """Answer numpy.unwrap: whole periods added, which carry no gradient."""
    raw = bare(p)
    return p + (np.unwrap(raw, discont, axis, period=period) - raw).astype(raw.dtype)


# ------------------------------------------------------------------------------------------------ inserting, choosing
def _flat(a: Any, axis: Any) -> tuple[Any, int]:
    return (a.reshape(-1), 0) if axis is None else (a, axis % a.ndim)


@answers("delete")
def delete(arr: Any, obj: Any, axis: Any = None) -> Any:
    """Answer numpy.delete."""
    a, axis = _flat(arr, axis)
    keep = np.delete(np.arange(a.shape[axis]), bare(obj))
    return getitem(a, (slice(None),) * axis + (keep,))


@answers("insert")
def insert(arr: Any, obj: Any, values: Any, axis: Any = None) -> Any:
    """Answer numpy.insert."""
    a, axis = _flat(tensor_of(arr), axis)
    n = a.shape[axis]
    new = np.insert(np.arange(n), bare(obj), -1) == -1
    count = int(new.sum())
    v = tensor_of(values)
    if np.ndim(bare(obj)) == 0 and v.ndim == a.ndim and v.ndim > 1:
        count_here = v.shape[axis]
        if count_here != count:
            new = np.insert(np.zeros(n, bool), [int(bare(obj))] * count_here, True)
            count = count_here
    elif np.ndim(bare(obj)) == 0 and v.ndim == 1 and a.ndim == 1 and v.shape[0] != count:
        count = v.shape[0]
        new = np.insert(np.zeros(n, bool), [int(bare(obj))] * count, True)
    elif v.ndim == a.ndim - 1 and v.ndim:
        v = v.reshape((*v.shape[:axis], 1, *v.shape[axis:]))
    shape = tuple(count if i == axis else s for i, s in enumerate(a.shape))
    v = v + np.zeros(shape, bare(v).dtype)
    order = np.empty(n + count, int)
    order[~new], order[new] = np.arange(n), n + np.arange(count)
    both = cat([a, v.astype(a.dtype)], axis)
    return getitem(both, (slice(None),) * axis + (order,))


@answers("compress")
def compress(condition: Any, a: Any, axis: Any = None) -> Any:
    """Answer numpy.compress."""
    a, axis = _flat(tensor_of(a), axis)
    return getitem(a, (slice(None),) * axis + (np.flatnonzero(bare(condition)),))


@answers("extract")
def extract(condition: Any, arr: Any) -> Any:
    """Answer numpy.extract."""
    return getitem(tensor_of(arr).reshape(-1), np.flatnonzero(bare(condition)))


@answers("select")
def select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    """Answer numpy.select."""
    y = default
    for condition, choice in list(zip(condlist, choicelist, strict=True))[::-1]:
        y = where(bare(condition), choice, y)
    return y


@answers("choose")
def choose(a: Any, choices: Any) -> Any:
    """Answer numpy.choose."""
    index = bare(a)
    y: Any = choices[0]
    for i, choice in enumerate(choices):
        y = where(np.asarray(index) == i, choice, y)
    return y


@answers("take")
def take(a: Any, indices: Any, axis: Any = None) -> Any:
    """Answer numpy.take."""
    flat, axis = _flat(tensor_of(a), axis)
    return getitem(flat, (slice(None),) * axis + (np.asarray(bare(indices)),))


@answers("take_along_axis")
def take_along_axis(arr: Any, indices: Any, axis: Any = -1) -> Any:
    """Answer numpy.take_along_axis."""
    return take_along_dim(tensor_of(arr), indices, axis)


@answers("pad")
def pad(array: Any, pad_width: Any, mode: str = "constant", constant_values: Any = 0) -> Any:
    """Answer numpy.pad: modes constant (one value), edge, reflect, symmetric and wrap."""
    pads = np.broadcast_to(np.asarray(pad_width), (array.ndim, 2))
    if mode == "constant":
        if np.ndim(constant_values):
            raise TypeError("numpy.pad: constant_values must be one number for tensors")
        return pad_constant(array, tuple((int(b), int(a)) for b, a in pads), constant_values)
    if mode not in ("edge", "reflect", "symmetric", "wrap"):
        raise TypeError(
            f"numpy.pad: mode {mode!r} is not supported for tensors; use constant, edge, reflect, symmetric or wrap"
        )
    out = array
    for d, (before, after) in enumerate(pads):
        if before or after:
            rows = np.pad(np.arange(array.shape[d]), (int(before), int(after)), mode)  # type: ignore[call-overload]
            out = getitem(out, (slice(None),) * d + (rows,))
    return out


@answers("copy")
def copy(a: Any, order: str = "K", subok: bool = False) -> Any:
    """Answer numpy.copy."""
    return a.clone()


@answers("astype")
def astype(x: Any, dtype: Any, copy: bool = True) -> Any:
    """Answer numpy.astype."""
    return x.astype(dtype)


@answers("put_along_axis", "put", "place", "putmask", "copyto", "fill_diagonal")
def in_place(*args: Any, **kwargs: Any) -> Any:
    """Answer NumPy's functions that change an array in place."""
    raise TypeError("this NumPy function changes an array in place, a recorded tensor cannot be; use x[index] = value")


@answers("nan_to_num")
def nan_to_num(x: Any, copy: bool = True, nan: float = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    """Answer numpy.nan_to_num."""
    return x.nan_to_num(nan, posinf, neginf)


@answers("clip")
def clip(a: Any, a_min: Any = None, a_max: Any = None, min: Any = None, max: Any = None) -> Any:
    """Answer numpy.clip."""
    low, high = (n if o is None else o for o, n in ((a_min, min), (a_max, max)))
    return a if low is None and high is None else a.clip(low, high)


@answers("isclose")
def isclose(a: Any, b: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    """Answer numpy.isclose."""
    from tinygrad_lite.ops.elementwise.comparison import isclose as answer

    return answer(a, b, rtol, atol, equal_nan)


# ------------------------------------------------------------------------------------------------ small ones
@answers("degrees")
def degrees(x: Any) -> Any:
    """Answer numpy.degrees."""
    return x.rad2deg()


@answers("radians")
def radians(x: Any) -> Any:
    """Answer numpy.radians."""
    return x.deg2rad()


@answers("conj")
def conj(x: Any) -> Any:
    """Answer numpy.conj: a real number is its own conjugate."""
    return x


@answers("divmod")
def divmod_np(x1: Any, x2: Any) -> Any:
    """Answer numpy.divmod."""
    return np.floor_divide(x1, x2), np.remainder(x1, x2)


@answers("modf")
def modf(x: Any) -> Any:
    """Answer numpy.modf: the part behind the point and the whole part."""
    return x.frac(), x.trunc()


@answers("linspace")
def linspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True) -> Any:
    """Answer numpy.linspace: the points move with both ends."""
    start, stop = tensor_of(start), tensor_of(stop)
    span = stop - start
    steps = np.linspace(0.0, 1.0, num, endpoint=endpoint).reshape((-1,) + (1,) * span.ndim)
    return start + span * steps.astype(bare(span).dtype)


@answers("nanargmax")
def nanargmax(a: Any, axis: Any = None, keepdims: Any = False) -> Any:
    """Answer numpy.nanargmax."""
    return where(np.isnan(a), -np.inf, a).argmax(axis, bool(keepdims))


@answers("nanargmin")
def nanargmin(a: Any, axis: Any = None, keepdims: Any = False) -> Any:
    """Answer numpy.nanargmin."""
    return where(np.isnan(a), np.inf, a).argmin(axis, bool(keepdims))


@answers("nancumprod")
def nancumprod(a: Any, axis: Any = None) -> Any:
    """Answer numpy.nancumprod."""
    flat = a.reshape(-1) if axis is None else a
    return where(np.isnan(flat), 1.0, flat).cumprod(0 if axis is None else axis)
