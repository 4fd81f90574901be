"""Points of a clustering, dense or sparse: nearest centroids and totals, in pieces of a few thousand rows."""

# pyright: reportAttributeAccessIssue=false, reportCallIssue=false, reportReturnType=false

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_lite.models.validation import Floats, is_sparse
from tinygrad_lite.native.nearest import assign, nearest, totals

PIECE = 1 << 15
"""Numbers of rows that are held at a time, of at most 2,048 rows: they stay in the processor's cache."""

FAR = 10.0
"""Squared distance of the mean from the origin, in units of the scatter, up to which the rows are not moved."""

Ints = NDArray[np.intp]


class Points:
    """Rows of a dense array or a SciPy CSR matrix.

    Dense rows are moved to their mean, because far from the origin squared distances cancel.
    """

    def __init__(self, X: Any) -> None:
        self.sparse = is_sparse(X)
        self.dtype = X.dtype
        self.X = X
        self.n, self.d = X.shape
        self.narrow = not self.sparse and self.d <= 4
        self.size = min(self.n, 2048 if self.sparse else max(64, min(2048, PIECE // self.d)))
        self.middle = np.zeros(self.d, X.dtype)
        self._squares: Any = None
        if not self.sparse:
            with np.errstate(over="ignore", invalid="ignore"):
                # a product is quicker than a sum over rows, and any centre near the mean will do
                middle = (np.full(self.n, 1 / self.n, X.dtype) @ X).astype(np.float64)
                offset = float((middle * middle).sum())
                mean = 0.0 if self.narrow else float(np.einsum("ij,ij->", X, X)) / self.n
            if self.narrow or not offset <= FAR * (mean - offset):
                self.middle = middle.astype(X.dtype)

    def pieces(self) -> Iterator[tuple[slice, Any]]:
        """Yield slices of rows and these rows: sparse, or moved to their mean.

        Rows of few features are followed by a column of ones: one product then gives -2 x c + |c|².
        """
        copied = self.narrow or bool(self.middle.any())
        buffer = np.ones((self.size if copied else 0, self.d + self.narrow), self.dtype)
        for at in range(0, self.n, self.size):
            piece = slice(at, min(at + self.size, self.n))
            rows = self.X[piece]
            if copied:
                np.subtract(rows, self.middle, out=self.bare(buffer[: len(rows)]))
                rows = buffer[: len(rows)]
            yield piece, rows

    def bare(self, rows: Any) -> Any:
        """Return the rows of a piece without the column of ones."""
        return rows[:, : self.d] if self.narrow else rows

    @property
    def squares(self) -> Floats:
        """The squared length of each row; ValueError where one overflows."""
        if self._squares is None:
            out = np.empty(self.n, self.dtype)
            with np.errstate(over="ignore"):
                for piece, rows in self.pieces():
                    if self.sparse:
                        out[piece] = np.asarray(rows.multiply(rows).sum(axis=1)).ravel()
                    else:
                        np.einsum("ij,ij->i", self.bare(rows), self.bare(rows), out=out[piece])
                if not np.isfinite(out.sum()):
                    raise ValueError(f"the squared distances overflow {self.dtype}; divide X by its largest value")
            self._squares = out
        kept: Floats = self._squares
        return kept

    def rows(self, index: Any) -> Floats:
        """Return some rows, moved like all others, as a dense array."""
        part = self.X[index]
        return np.atleast_2d(np.asarray(part.toarray() if self.sparse else part - self.middle))

    def along(self, direction: Floats) -> Floats:
        """Return the products of all rows with a direction."""
        return np.concatenate([self.bare(rows) @ direction for _, rows in self.pieces()])

    def distances(self, centers: Floats) -> Floats:
        """Return the squared distances (n, k) to moved centroids."""
        out = np.empty((self.n, len(centers)), self.dtype)
        lengths, squares = np.einsum("ij,ij->i", centers, centers), self.squares
        turned = -2 * centers.T
        for piece, rows in self.pieces():
            d = np.asarray(self.bare(rows) @ turned) + lengths
            d += squares[piece, None]
            np.maximum(d, 0, out=out[piece])
        return out

    def labels(self, centers: Floats) -> NDArray[np.int32]:
        """Return the number of the nearest centroid of each row."""
        return self.assigned(centers, None, False)[0]

    def nearest(self, centers: Floats) -> tuple[NDArray[np.int32], Floats]:
        """Return the number of the nearest centroid of each row, and its squared distance."""
        return self.assigned(centers)[:2]

    def assigned(
        self, centers: Floats, weights: Floats | None = None, distances: bool = True
    ) -> tuple[NDArray[np.int32], Floats, Floats, Floats]:
        """Return the nearest centroid of each row, its squared distance, and the `totals`, in one pass."""
        k = len(centers)
        labels = np.empty(self.n, np.int32)
        least = np.empty(self.n if distances else 0, self.dtype)
        spare = np.empty(0 if distances else self.size, self.dtype)
        mass, sums = np.zeros(k), np.zeros((k, self.d))
        if not self.sparse and assign(self.X, self.middle, centers, (labels, least), weights, mass, sums):
            return labels, self.completed(least), mass, sums
        lengths = np.einsum("ij,ij->i", centers, centers)
        turned = np.ascontiguousarray(-2 * centers.T)
        if self.narrow:
            turned = np.vstack([turned, lengths])
        buffer = np.empty((self.size, k), self.dtype)
        starts = np.arange(len(buffer)) * k
        centers = np.ascontiguousarray(-2 * centers)
        for piece, rows in self.pieces():
            here = least[piece] if distances else spare[: rows.shape[0]]
            if not self.sparse and nearest(self.bare(rows), centers, lengths, here, labels[piece]):
                if weights is not None:
                    self.collect(rows, labels[piece], weights[piece], mass, sums)
                continue
            d = rows @ turned if self.sparse else np.matmul(rows, turned, out=buffer[: rows.shape[0]])
            if not self.narrow:
                d += lengths
            best = d.argmin(axis=1)
            labels[piece] = best
            if distances:
                np.take(d.reshape(-1), best + starts[: len(d)], out=least[piece], mode="clip")
            if weights is not None:
                self.collect(rows, best, weights[piece], mass, sums)
        return labels, self.completed(least), mass, sums

    def completed(self, least: Floats) -> Floats:
        """Add the squared lengths of the rows to squared distances without them."""
        if len(least):
            least += self.squares
            np.maximum(least, 0, out=least)
        return least

    def collect(self, rows: Any, labels: Any, weights: Floats, mass: Floats, sums: Floats) -> None:
        """Add the weights and weighted rows of a piece to those of each cluster."""
        k = len(mass)
        if not self.sparse and totals(self.bare(rows), labels, weights, mass, sums):
            return
        mass += np.bincount(labels, weights, minlength=k)
        if self.sparse:
            member = type(self.X)((weights, (labels, np.arange(len(labels)))), shape=(k, len(labels)))
            sums += (member @ rows.astype(np.float64)).toarray()
        elif self.narrow:
            even = bool((weights == 1).all())
            for j in range(self.d):
                column = rows[:, j] if even else rows[:, j] * weights
                sums[:, j] += np.bincount(labels, column, minlength=k)
        else:
            member = np.zeros((k, len(labels)), self.dtype)
            member[labels, np.arange(len(labels))] = weights
            sums += member @ rows

    def totals(self, labels: Any, weights: Floats, k: int) -> tuple[Floats, Floats]:
        """Return weight (k,) and weighted sum of points (k, features) of each cluster, in float64."""
        mass, sums = np.zeros(k), np.zeros((k, self.d))
        for piece, rows in self.pieces():
            self.collect(rows, labels[piece], weights[piece], mass, sums)
        return mass, sums

    def scatter(self) -> float:
        """Return the mean variance of the columns."""
        mean: float = self.squares.mean(dtype=np.float64).item()
        if self.sparse:
            means = np.asarray(self.X.mean(axis=0), np.float64).ravel()
            mean -= float((means * means).sum())
        return mean / float(self.d)
