"""The nearest of some centroids for each row: rows lie side by side in vectors, and centroids take turns."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from tinygrad_lite.native import routes
from tinygrad_lite.native.language import Kernel, Value, kernel
from tinygrad_lite.native.library import done

FEW = 16
"""Columns up to which `assign` computes products with the comparison, without BLAS and a table of all distances."""

BLOCK = 256
"""Rows whose columns `assign` lays side by side: they stay in the nearest cache."""


@cache
def assign_kernel(type: str, columns: int) -> Kernel:
    """Return the kernel that finds the nearest centroids of blocks of rows, and adds these rows to the totals."""

    def body(
        k: Kernel, lo: Value, hi: Value, least: Value, labels: Value, mass: Value, sums: Value, x: Value,
        middle: Value, centers: Value, lengths: Value, weights: Value, side: Value, count: Value, n: Value, keep: Value,
        totals: Value,
    ) -> None:  # fmt: skip
        with k.loop(lo, hi, few=True) as block:
            first = block * BLOCK
            size = k.least(n - first, BLOCK)
            rows, near, label = x.at(first * columns), least.at(first * keep), labels.at(first)
            for j in range(columns):
                own, shift = side.at(j * BLOCK), middle[j]
                with k.loop(0, size) as i:
                    own[i] = rows[i * columns + j] - shift
            with k.loop(0, size) as i:
                near[i] = float("inf")
                label[i] = 0
            pairs = count - count % 2
            for start, stop, both in ((k.lift(0, "n"), pairs, 2), (pairs, count, 1)):  # a row is read once for two
                with k.loop(start, stop, both, few=True) as c:
                    numbers = [(c + e, lengths[c + e], centers.at((c + e) * columns)) for e in range(both)]
                    each = [(number, length, [center[j] for j in range(columns)]) for number, length, center in numbers]
                    with k.loop(0, size) as i:
                        row, best, place = [side[j * BLOCK + i] for j in range(columns)], near[i], label[i]
                        for number, v, center in each:
                            for a, w in zip(row, center, strict=True):
                                v = k.fma(a, w, v)
                            better = v < best
                            best, place = k.select(better, v, best), k.select(better, number.to("i"), place)
                        near[i] = best
                        label[i] = place
            with k.loop(0, k.select(totals > 0, size, k.lift(0, "n")), few=True) as i:
                place, w = label[i].to("n"), weights[first + i]
                mass[place] = mass[place] + w
                total = sums.at(place * columns)
                for j in range(columns):
                    total[j] = k.fma(side[j * BLOCK + i].to("d"), w, total[j])

    body.__name__ = f"assign_{type}{columns}"
    return kernel(f"{type}* i* d* d* {type}* {type}* {type}* {type}* d* {type}* n n n n")(body)


def assign(X: Any, middle: Any, centers: Any, found: Any, weights: Any, mass: Any, sums: Any) -> bool:
    """Write labels and squared distances less |x|², and add rows to the totals; return False to decline.

    ``centers`` (k, d) are of rows less ``middle``; ``found`` is the pair (labels, least), the second empty if unwanted;
    without ``weights`` nothing is added.
    """
    type, (n, d), (labels, least) = {"f4": "f", "f8": "d"}.get(X.dtype.str[1:]), X.shape, found
    if type is None or d > FEW or not routes.in_use() or not X.flags.c_contiguous:
        return False
    lengths, turned = np.einsum("ij,ij->i", centers, centers), np.ascontiguousarray(-2 * centers)
    side, keep = np.empty((d, BLOCK), X.dtype), int(len(least) > 0)
    near = least if keep else np.empty(BLOCK, X.dtype)
    share = np.zeros(0) if weights is None else np.ascontiguousarray(weights, np.float64)
    given = near, labels, mass, sums, X, middle, turned, lengths, share, side
    return done(assign_kernel(type, d), -(-n // BLOCK), 0, *given, len(centers), n, keep, int(weights is not None))


@cache
def nearest_kernel(type: str) -> Kernel:
    """Return the kernel that writes the least ``products + lengths`` of each row and its place."""

    def body(
        k: Kernel, lo: Value, hi: Value, least: Value, labels: Value, products: Value, lengths: Value, count: Value,
        wide: Value,
    ) -> None:  # fmt: skip
        with k.loop(lo, hi) as i:
            least[i] = float("inf")
            labels[i] = 0
        with k.loop(0, count) as c:
            own, length = products.at(c * wide), lengths[c]
            with k.loop(lo, hi) as i:
                v = own[i] + length
                best = least[i]
                better = v < best
                least[i] = k.select(better, v, best)
                labels[i] = k.select(better, c.to("i"), labels[i])

    body.__name__ = f"nearest_{type}"
    return kernel(f"{type}* i* {type}* {type}* n n")(body)


def nearest(rows: Any, centers: Any, lengths: Any, least: Any, labels: Any) -> bool:
    """Write the least ``rows @ centers.T + lengths`` of each row and its place; return False to decline.

    ``rows`` (n, d) and ``centers`` (k, d) are of one floating dtype, ``labels`` of int32.
    """
    type = {"f4": "f", "f8": "d"}.get(rows.dtype.str[1:])
    if type is None or not routes.in_use() or not least.flags.c_contiguous or not labels.flags.c_contiguous:
        return False
    products = np.matmul(centers, rows.T)
    return done(nearest_kernel(type), len(rows), 0, least, labels, products, lengths, len(centers), len(rows))


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
