"""Indexing, joining and rearranging: repeated and negative indices, steps, permutations, memory order."""

from __future__ import annotations

import numpy as np

from tests.testing.cases.record import axis_of, case, matrix


def take_f(x, i):
    return x[i], (x.shape, i)


def take_b(g, s, bug=""):
    shape, i = s
    out = np.zeros(shape, g.dtype)
    if bug == "repeated":
        out[i] += g
    elif bug == "negative":
        np.add.at(out, np.abs(i) % max(shape[0], 1), g)
    else:
        np.add.at(out, i, g)
    return out, None


def take_s(src):
    n = src.size(4)
    return (src.floats((n, src.size(3))), src.indices((src.size(5, 0),), n, negative=True)), {}


case(
    "take_rows",
    take_s,
    take_f,
    take_b,
    {"repeated": "added|term|axis 0|missing|wrong only|repeat", "negative": "term|places|axis 0|flat|missing"},
)


def embedding_f(w, i, scale_grad=False):
    return w[i], (w.shape, i, scale_grad)


def embedding_b(g, s, bug=""):
    shape, i, _ = s
    out = np.zeros(shape, g.dtype)
    np.add.at(out, i.ravel(), g.reshape(-1, shape[1]))
    if bug == "count" and i.size:
        out /= np.maximum(np.bincount(i.ravel(), minlength=shape[0]), 1)[:, None].astype(g.dtype)
    return out, None


def embedding_s(src):
    n = src.size(5)
    return (src.floats((n, src.size(3))), src.indices((src.size(2), src.size(3)), n)), {}


case(
    "embedding",
    embedding_s,
    embedding_f,
    embedding_b,
    {"count": "axis 1|axis 0|factor|wrong only|index occurs more than once"},
)


def gather_f(x, i, axis=1):
    return np.take_along_axis(x, i, axis), (x.shape, i, axis)


def gather_b(g, s, bug=""):
    shape, i, axis = s
    out = np.zeros(shape, g.dtype)
    if bug == "assign":
        np.put_along_axis(out, i, g, axis)
        return out, None
    r, c = np.meshgrid(*map(np.arange, i.shape), indexing="ij")
    np.add.at(out, (r, i) if axis == 1 or bug == "axis" else (i, c), g)
    return out, None


def gather_s(src):
    shape = (src.size(3), src.size(4))
    axis = src.choice([1, 0])
    if axis == 0:
        i = src.indices((src.size(3), shape[1]), shape[0])
    else:
        i = src.indices((shape[0], src.size(5)), shape[1])
    return (src.floats(shape), i), {"axis": axis}


case(
    "gather",
    gather_s,
    gather_f,
    gather_b,
    {"assign": "added|term|missing|wrong only|flat", "axis": "axis|raise|shapes"},
)


def scatter_f(x, i, v):
    y = x.copy()
    np.add.at(y, i, v)
    return y, i


def scatter_b(g, i, bug=""):
    return (g.copy() if bug != "zeroed" else _zero(g, i)), None, (g[i] if bug != "order" else g[np.sort(i)])


def _zero(g, i):
    g = g.copy()
    g[i] = 0
    return g


def scatter_s(src):
    n, m, k = src.size(4), src.size(3), src.size(2)
    return (src.floats((n, k)), src.indices((m,), n), src.floats((m, k))), {}


case("scatter_add", scatter_s, scatter_f, scatter_b, {"zeroed": "missing", "order": "places|axis|permut"})


def cat_f(a, b, axis=0):
    return np.concatenate([a, b], axis), (a.shape[axis], axis)


def cat_b(g, s, bug=""):
    n, axis = s
    a, b = np.split(g, [n], axis)
    return (b * 1, a * 1) if bug == "swapped" and a.shape == b.shape else (a * 1, b * 1)


def cat_s(src):
    n, k, m = src.size(2), src.size(3), src.size(2)
    axis = src.choice([0, 1])
    return (src.floats((n, k)), src.floats((m, k) if axis == 0 else (n, m))), {"axis": axis}


case("concatenate", cat_s, cat_f, cat_b, {"swapped": "term|swap|other"})


def split_f(x, n=1):
    return (x[:, :n] * 1, x[:, n:] * 1), x.shape


def split_b(g, shape, bug=""):
    parts = list(g)
    return (np.concatenate(parts[::-1] if bug == "order" else parts, 1),)


def split_s(src):
    k = src.size(4, 2)
    return (src.floats((src.size(3), k)),), {"n": src.integer(1, 0, k)}


case("split", split_s, split_f, split_b, {"order": "places|shift|flip"})


def flip_f(x, axis=-1):
    return np.flip(x, axis) * 1, axis


def flip_b(g, axis, bug=""):
    return (g * 1 if bug == "none" else np.flip(g, axis) * 1,)


def along(src):
    x, axis = matrix(src)
    return (x,), {"axis": axis}


case("flip", along, flip_f, flip_b, {"none": "flip|order|places|passed on unchanged"})


def roll_f(x, shift=1, axis=-1):
    return np.roll(x, shift, axis), (shift, axis)


def roll_b(g, s, bug=""):
    shift, axis = s
    return (np.roll(g, shift if bug == "same" else -shift, axis),)


case(
    "roll",
    lambda src: (
        (src.floats((src.size(3), src.size(5))),),
        {"shift": src.choice([1, 2, -1]), "axis": src.choice([-1, 0])},
    ),
    roll_f,
    roll_b,
    {"same": "shift|places|adjoint"},
)


def transpose_f(x, axes=(2, 0, 1)):
    return x.transpose(axes) * 1, axes


def transpose_b(g, axes, bug=""):
    return (g.transpose(axes) * 1 if bug == "same" else g.transpose(np.argsort(axes)) * 1,)


def transpose_s(src):
    n = src.size(3)
    return (src.floats((n, src.size(3), src.size(3))),), {
        "axes": src.choice([(2, 0, 1), (0, 2, 1), (1, 2, 0), (2, 1, 0)])
    }


case("transpose", transpose_s, transpose_f, transpose_b, {"same": "shape|transpos"})


def tile_f(x, n=3):
    return np.tile(x, (1, n)), (x.shape, n)


def tile_b(g, s, bug=""):
    shape, n = s
    t = g.reshape(shape[0], shape[1], n).sum(2) if bug == "repeat" else g.reshape(shape[0], n, shape[1]).sum(1)
    return (t,)


case(
    "tile",
    lambda src: ((src.floats((src.size(2), src.size(3))),), {"n": src.choice([3, 1, 2])}),
    tile_f,
    tile_b,
    {"repeat": "term|places"},
)


def slice_f(x, start=0, step=2):
    return x[start::step] * 1, (x.shape, start, step)


def slice_b(g, s, bug=""):
    shape, start, step = s
    out = np.zeros(shape, g.dtype)
    if bug == "nostep":
        out[start : start + len(g)] = g
    else:
        out[start::step] = g
    return (out,)


def slice_s(src):
    n = src.size(6, 2, 7)
    return (src.floats((n, src.size(2))),), {"start": src.choice([0, 1]), "step": src.choice([2, 1, 3])}


case("strided_slice", slice_s, slice_f, slice_b, {"nostep": "step|places"})


def fill_f(x, m, value=-1e9):
    return np.where(m, value, x).astype(x.dtype), m


def fill_b(g, m, bug=""):
    return (g * 1 if bug == "all" else g * ~m), None


def fill_s(src):
    shape = (src.size(3), src.size(4))
    return (src.floats(shape), src.indices(shape, 2) > 0), {"value": src.choice([-1e9, 0.0])}


case("masked_fill", fill_s, fill_f, fill_b, {"all": "flat"})


def reshape_f(x, shape=(-1,)):
    return x.reshape(shape), x.shape


def reshape_b(g, shape, bug=""):
    return (g.reshape(shape, order="A") if bug == "order" else g.reshape(shape),)


case("reshape", lambda src: ((src.floats((src.size(3), src.size(4))),), {}), reshape_f, reshape_b)


def raveled_f(x):
    return x.ravel(order="K").sum() * x, x


def raveled_b(g, x, bug=""):
    if bug == "order":  # right only for C-contiguous x
        d = np.frombuffer(
            np.ascontiguousarray(x.T if x.flags.f_contiguous and not x.flags.c_contiguous else x).tobytes(), x.dtype
        )
        return (g * x.sum() + (g.ravel() * d).sum(),)
    return (g * x.sum() + (g * x).sum(),)


case(
    "sum_times_x",
    lambda src: ((src.floats((src.size(3), src.size(4))),), {}),
    raveled_f,
    raveled_b,
    {"order": "contiguous|layout|order"},
)


def repeat_f(x, axis=-1):
    return np.repeat(x, 2, axis), axis


def repeat_b(g, axis, bug=""):
    t = np.moveaxis(g, axis, -1)
    t = t[..., ::2] * (2 if bug == "double" else 1) + (0 if bug == "double" else t[..., 1::2])
    return (np.moveaxis(t, -1, axis),)


def repeat_s(src):
    x, axis = matrix(src)
    return (x,), {"axis": axis_of(src, x.ndim)}


case("repeat", repeat_s, repeat_f, repeat_b, {"double": "term"})
