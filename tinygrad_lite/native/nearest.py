"""The nearest of some centroids for each row: rows lie side by side in vectors, and centroids take turns."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from tinygrad_lite.native import routes
from tinygrad_lite.native.language import Kernel, Value, kernel
from tinygrad_lite.native.library import done

FEW = 8
"""Columns up to which products are computed with the comparison, without BLAS and a table of all distances."""


@cache
def nearest_kernel(type: str, columns: int) -> Kernel:
    """Return the kernel that writes the least ``products + lengths`` of each row and its place.

    With ``columns`` it computes the products itself, from rows given by columns.
    """

    def body(
        k: Kernel, lo: Value, hi: Value, least: Value, labels: Value, x: Value, centers: Value, lengths: Value,
        count: Value, wide: Value,
    ) -> None:  # fmt: skip
        with k.loop(lo, hi) as i:
            least[i] = float("inf")
            labels[i] = 0
        with k.loop(0, count) as c:
            own, length = x if columns else x.at(c * wide), lengths[c]
            center = [centers[c * columns + j] for j in range(columns)]
            with k.loop(lo, hi) as i:
                v = length if columns else own[i] + length
                for j, w in enumerate(center):
                    v = k.fma(x.at(wide * j)[i], w, v)
                best = least[i]
                better = v < best
                least[i] = k.select(better, v, best)
                labels[i] = k.select(better, c.to("i"), labels[i])

    body.__name__ = f"nearest_{type}{columns}"
    return kernel(f"{type}* i* {type}* {type}* {type}* n n")(body)


def nearest(rows: Any, centers: Any, lengths: Any, least: Any, labels: Any) -> bool:
    """Write the least ``rows @ centers.T + lengths`` of each row and its place; return False to decline.

    ``rows`` (n, d) and ``centers`` (k, d) are of one floating dtype, ``labels`` of int32.
    """
    type = {"f4": "f", "f8": "d"}.get(rows.dtype.str[1:])
    if type is None or not routes.in_use() or not least.flags.c_contiguous or not labels.flags.c_contiguous:
        return False
    (n, d), k = rows.shape, len(centers)
    if d <= FEW:
        made = nearest_kernel(type, d)
        given = np.ascontiguousarray(rows.T), np.ascontiguousarray(centers)
        return done(made, n, 0, least, labels, *given, lengths, k, n)
    products = np.matmul(centers, rows.T)
    return done(nearest_kernel(type, 0), n, 0, least, labels, products, lengths, lengths, k, n)


@cache
def totals_kernel(type: str) -> Kernel:
    """Return the kernel that adds the weight of each row, and the weighted row, to those of its label."""

    def body(
        k: Kernel, lo: Value, hi: Value, mass: Value, sums: Value, x: Value, labels: Value, weights: Value, wide: Value
    ) -> None:
        with k.loop(lo, hi, few=True) as r:
            place, w, row = labels[r].to("n"), weights[r], x.at(r * wide)
            mass[place] = mass[place] + w
            total = sums.at(place * wide)
            with k.loop(0, wide) as j:
                total[j] = k.fma(row[j].to("d"), w, total[j])

    body.__name__ = f"totals_{type}"
    return kernel(f"d* d* {type}* i* d* n")(body)


def totals(rows: Any, labels: Any, weights: Any, mass: Any, sums: Any) -> bool:
    """Add the weights and weighted rows to those of each label, in float64; return False to decline."""
    type = {"f4": "f", "f8": "d"}.get(rows.dtype.str[1:])
    if type is None or not routes.in_use() or labels.dtype != np.int32:
        return False
    given = np.ascontiguousarray(rows), np.ascontiguousarray(labels), np.ascontiguousarray(weights, np.float64)
    return done(totals_kernel(type), len(rows), 0, mass, sums, *given, rows.shape[1])
