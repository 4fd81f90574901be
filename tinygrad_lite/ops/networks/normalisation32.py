"""Batch and layer normalisation of bare arrays in few passes over memory.

Sums are dot products (BLAS). The other passes work on one block of images or rows at a time, so that it stays in the
cache.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_lite.engine import new

BLOCK = 1 << 16
"""Elements of a block."""

FAR = 8
"""How many times larger than its spread the mean of a channel is before rounding needs care."""

CLOSE = 1e-12
"""The square of how far, in standard deviations, a mean may be off."""

vecdot = getattr(np, "vecdot", None) or (lambda a, b: np.einsum("...i,...i->...", a, b))  # NumPy 1 has no vecdot


def channels(*arrays: Any) -> bool:
    """Return whether all of these are None or NumPy arrays of float32 or wider."""
    return all(a is None or a.__class__ is np.ndarray and a.dtype.kind == "f" and a.dtype.itemsize >= 4 for a in arrays)


def _planes(x: Any) -> Any:
    n, c = x.shape[:2]
    return new.ascontiguousarray(x).reshape(n, c, -1)


def _sums(v: Any) -> Any:
    n, c, size = v.shape
    each = v.reshape(n * c, size).dot(new.row_of_ones(size, v.dtype)) if size > 1 else v
    return np.add.reduce(each.reshape(n, c), 0, np.float64)


def _along(a: Any, b: Any) -> Any:
    return np.add.reduce(vecdot(a, b) if a.shape[2] > 1 else (a * b)[:, :, 0], 0, np.float64)


def totals(g: Any, d: Any) -> Any:
    """Return the sum of ``g``, or of ``g * d``, over each channel (axis 1)."""
    v = _planes(g)
    return (_sums(v) if d is None else _along(v, _planes(d))).astype(g.dtype)


def _moments(v: Any, step: int) -> tuple[Any, Any, bool]:
    """Return mean and variance of each channel, and whether some mean is much larger than its spread."""
    n, c, size = v.shape
    dtype, count = v.dtype, n * size
    mean = (_sums(v) / count).astype(dtype)
    room = new.empty((min(step, n), c, size), dtype)
    level = mean.reshape(c, 1)
    squares: Any = 0.0
    rest: Any = 0.0
    always = new.straight()
    for i in range(0, n, step):
        d = np.subtract(v[i : i + step], level, room[: len(v[i : i + step])])
        squares, rest = squares + _along(d, d), rest + _sums(d) if always else 0.0
    var = squares / count
    far = always or bool((np.abs(mean) > FAR * np.sqrt(var)).any())
    if far:  # the sum of large numbers has rounded: what is left around the first mean corrects both
        for i in range(0, n if not always else 0, step):
            rest = rest + _sums(np.subtract(v[i : i + step], level, room[: len(v[i : i + step])]))
        rest = rest / count
        mean, var = (mean + rest).astype(dtype), var - np.square(rest)
    return mean, var.astype(dtype), far


def scaled(x: Any, scale: Any, shift: Any) -> Any:
    """Return ``x * scale + shift`` with one number per channel (axis 1) of both."""
    v = _planes(x)
    n, c, size = v.shape
    scale, shift = scale.reshape(c, 1), shift.reshape(c, 1)
    step = max(1, BLOCK // (c * size))
    y = new.empty(v.shape, v.dtype)
    for i in range(0, n, step):
        o = y[i : i + step]
        np.multiply(v[i : i + step], scale, o)
        np.add(o, shift, o)
    return y.reshape(x.shape)


def batch(x: Any, weight: Any, bias: Any, eps: float) -> tuple[Any, Any, Any]:
    """Return the input normalised per channel (axis 1), its mean and its variance; weight and bias have c elements."""
    v = _planes(x)
    n, c, size = v.shape
    dtype = v.dtype
    step = max(1, BLOCK // (c * size))
    mean, var, far = _moments(v, step)
    scale = 1 / np.sqrt(var + dtype.type(eps))
    if weight is not None:
        scale = scale * weight.reshape(c)
    shift = 0 if bias is None else bias.reshape(c)
    shift = new.asarray(shift if far else shift - mean * scale, dtype).reshape(-1, 1)
    scale, level = scale.reshape(c, 1), mean.reshape(c, 1)
    y = new.empty(v.shape, dtype)
    for i in range(0, n, step):
        seen, o = v[i : i + step], y[i : i + step]
        if far:  # x * scale would round more than the difference
            seen = np.subtract(seen, level, o)
        np.multiply(seen, scale, o)
        np.add(o, shift, o)
    lead = (1, c, *(1,) * (x.ndim - 2))
    return y.reshape(x.shape), mean.reshape(lead), var.reshape(lead)


def batch_back(g: Any, x: Any, mean: Any, var: Any, weight: Any, eps: float, level: Any, slope: Any) -> Any:
    """Return the gradients of input, weight and bias; ``level`` and ``slope`` carry those of mean and variance."""
    v, gv = _planes(x), _planes(g)
    n, c, size = v.shape
    dtype, count = v.dtype, n * size
    mean, r = mean.reshape(c), 1 / np.sqrt(var.reshape(c) + dtype.type(eps))
    middle = mean.reshape(c, 1)
    bias_g = _sums(gv)
    step = max(1, BLOCK // (c * size))
    room = new.empty((min(step, n), c, size), dtype)
    along: Any = 0.0
    for i in range(0, n, step):
        part = v[i : i + step]
        d = np.subtract(part, middle, room[: len(part)])
        along = along + _along(gv[i : i + step], d)
    weight_g = along * r
    w = 1.0 if weight is None else weight.reshape(c)
    by_x = -r * r * (weight_g * w / count - slope.reshape(c))
    by_one = -r * (bias_g * w / count - level.reshape(c)) - mean * by_x
    by_g = (r * w).astype(dtype).reshape(c, 1)
    by_x, by_one = by_x.astype(dtype).reshape(c, 1), by_one.astype(dtype).reshape(c, 1)
    out = new.empty(v.shape, dtype)
    for i in range(0, n, step):
        o = out[i : i + step]
        t = room[: len(o)]
        np.multiply(v[i : i + step], by_x, o)
        np.multiply(gv[i : i + step], by_g, t)
        np.add(o, t, o)
        np.add(o, by_one, o)
    return out.reshape(x.shape), weight_g.astype(dtype), bias_g.astype(dtype)


def _rows(x: Any, k: int) -> Any:
    return new.ascontiguousarray(x).reshape(-1, k)


def _centred(rows: Any, one: Any, part: Any, out: Any) -> Any:
    """Write each row less its mean into ``out``; return the variances.

    The mean of large numbers has rounded. Where that shows beside the spread, the mean of what is left corrects it.
    """
    np.subtract(rows, (rows.dot(one) * part)[:, None], out)
    rest, var = out.dot(one) * part, vecdot(out, out) * part
    if new.straight():
        np.subtract(out, rest[:, None], out)
        return var - np.square(rest)
    if (np.square(rest) > CLOSE * var).any():
        np.subtract(out, rest[:, None], out)
        var = vecdot(out, out) * part
    return var


def layer(x: Any, weight: Any, bias: Any, eps: float, k: int) -> Any:
    """Return ``x`` with each run of ``k`` elements normalised; weight and bias have ``k`` elements."""
    v = _rows(x, k)
    dtype = v.dtype
    y = new.empty(v.shape, dtype)
    one, part = new.row_of_ones(k, dtype), dtype.type(1 / k)
    weight = None if weight is None else weight.reshape(k)
    bias = None if bias is None else bias.reshape(k)
    step = max(1, BLOCK // k)
    for i in range(0, len(v), step):
        seen, o = v[i : i + step], y[i : i + step]
        r = 1 / np.sqrt(_centred(seen, one, part, o) + dtype.type(eps))
        np.multiply(o, r[:, None], o)
        if weight is not None:
            np.multiply(o, weight, o)
        if bias is not None:
            np.add(o, bias, o)
    return y.reshape(x.shape)


def layer_back(g: Any, x: Any, weight: Any, eps: float, k: int) -> Any:
    """Return the gradients of input, weight and bias of `layer`."""
    v, gv = _rows(x, k), _rows(g, k)
    dtype = v.dtype
    out = new.empty(v.shape, dtype)
    one, part = new.row_of_ones(k, dtype), dtype.type(1 / k)
    w = None if weight is None else weight.reshape(k)
    step = max(1, BLOCK // k)
    weight_g = bias_g = 0.0
    room = new.empty((min(step, len(v)), k), dtype)
    for i in range(0, len(v), step):
        seen, here, o = v[i : i + step], gv[i : i + step], out[i : i + step]
        z = room[: len(seen)]
        r = 1 / np.sqrt(_centred(seen, one, part, z) + dtype.type(eps))
        np.multiply(z, r[:, None], z)
        every = new.row_of_ones(len(seen), dtype)
        bias_g = bias_g + np.dot(every, here)
        np.multiply(here, z, o)
        weight_g = weight_g + np.dot(every, o)
        gz = here if w is None else np.multiply(here, w, o)
        along = vecdot(gz, z) * part
        owed = gz.dot(one) * part
        np.multiply(z, along[:, None], z)
        np.subtract(gz, z, o)
        np.subtract(o, owed[:, None], o)
        np.multiply(o, r[:, None], o)
    return out.reshape(x.shape), weight_g, bias_g
