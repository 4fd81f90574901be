"""Points of a clustering, dense or sparse: nearest centroids and totals, in pieces of a few thousand rows."""

# pyright: reportAttributeAccessIssue=false, reportCallIssue=false, reportReturnType=false

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_lite.models.validation import Floats, is_sparse

PIECE = 2048
"""Rows whose distances to all centroids are held at a time: they stay in the processor's cache."""

Ints = NDArray[np.intp]


class Points:
    """Rows of a dense array or a SciPy CSR matrix.

    Dense rows are moved to their mean, because far from the origin squared distances cancel.
    """

    def __init__(self, X: Any) -> None:
        self.sparse = is_sparse(X)
        self.dtype = X.dtype
        self.middle = np.zeros(X.shape[1], X.dtype) if self.sparse else X.mean(axis=0, dtype=np.float64).astype(X.dtype)
        self.X = X
        if not self.sparse:
            # a last column of ones: one product then gives -2 x c + |c|²
            self.full = np.ones((len(X), X.shape[1] + 1), X.dtype)
            self.X = np.subtract(X, self.middle, out=self.full[:, :-1])
        self.n, self.d = X.shape
        with np.errstate(over="ignore"):
            data = self.X.multiply(self.X).sum(axis=1) if self.sparse else np.einsum("ij,ij->i", self.X, self.X)
        self.squares: Floats = np.asarray(data, X.dtype).ravel()
        if not np.isfinite(self.squares.sum()):
            raise ValueError(f"the squared distances overflow {X.dtype}; divide X by its largest value")

    def rows(self, index: Any) -> Floats:
        """Return some rows, moved like all others, as a dense array."""
        part = self.X[index]
        return np.atleast_2d(np.asarray(part.toarray() if self.sparse else part))

    def distances(self, centers: Floats) -> Floats:
        """Return the squared distances (n, k) to moved centroids."""
        out = np.empty((self.n, len(centers)), self.dtype)
        lengths = np.einsum("ij,ij->i", centers, centers)
        for at in range(0, self.n, PIECE):
            piece = slice(at, at + PIECE)
            d = np.asarray(self.X[piece] @ (-2 * centers.T)) + lengths
            d += self.squares[piece, None]
            np.maximum(d, 0, out=out[piece])
        return out

    def nearest(self, centers: Floats) -> tuple[Ints, Floats]:
        """Return the number of the nearest centroid of each row, and its squared distance."""
        labels, least = np.empty(self.n, np.intp), np.empty(self.n, self.dtype)
        lengths = np.einsum("ij,ij->i", centers, centers)
        turned = np.ascontiguousarray(-2 * centers.T)
        if not self.sparse:
            turned = np.vstack([turned, lengths])
        buffer = np.empty((min(PIECE, self.n), len(centers)), self.dtype)
        starts = np.arange(len(buffer)) * len(centers)
        for at in range(0, self.n, PIECE):
            piece = slice(at, at + PIECE)
            if self.sparse:
                d = np.asarray(self.X[piece] @ turned)
                d += lengths
            else:
                some = self.full[piece]
                d = np.matmul(some, turned, out=buffer[: len(some)])
            best = d.argmin(axis=1, out=labels[piece])
            np.take(d.reshape(-1), best + starts[: len(d)], out=least[piece], mode="clip")
        least += self.squares
        return labels, np.maximum(least, 0, out=least)

    def totals(self, labels: Ints, weights: Floats, k: int) -> tuple[Floats, Floats]:
        """Return weight (k,) and weighted sum of points (k, features) of each cluster, in float64."""
        mass: Any = np.bincount(labels, weights, minlength=k)
        if self.sparse:
            member = type(self.X)((weights, (labels, np.arange(self.n))), shape=(k, self.n))
            return mass, np.asarray((member @ self.X.astype(np.float64)).toarray())
        if self.d <= 4:
            even = bool((weights == 1).all())
            columns = [self.X[:, j] if even else self.X[:, j] * weights for j in range(self.d)]
            return mass, np.stack([np.bincount(labels, c, minlength=k) for c in columns], axis=1)
        sums = np.zeros((k, self.d))
        # a product with the matrix of memberships, in pieces
        for at in range(0, self.n, PIECE):
            piece = slice(at, at + PIECE)
            member = np.zeros((k, len(labels[piece])), self.dtype)
            member[labels[piece], np.arange(member.shape[1])] = weights[piece]
            sums += member @ self.X[piece]
        return mass, sums

    def scatter(self) -> float:
        """Return the mean variance of the columns."""
        mean: float = self.squares.mean(dtype=np.float64).item()
        if self.sparse:
            means = np.asarray(self.X.mean(axis=0), np.float64).ravel()
            mean -= float((means * means).sum())
        return mean / float(self.d)
