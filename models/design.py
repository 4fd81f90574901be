"""The design matrix of a linear model: centred, weighted rows, dense or sparse, never copied as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tinygrad_lite.models.validation import Floats, is_sparse

PIECE = 1 << 13
"""Numbers of a dense matrix that are converted and centred at a time."""

KEPT = 1 << 22
"""Numbers of a dense matrix up to which its centred copy is kept; 32 MB."""


class Design:
    """Rows ``sqrt(w) (x - middle)`` of a dense array or a SciPy CSR matrix.

    Products are taken in float64, in pieces, so that a large X needs no centred copy.
    """

    def __init__(self, X: Any, weights: Floats | None, centred: bool, keep: bool = True) -> None:
        self.X, self.sparse = X, is_sparse(X)
        self.n, self.p = X.shape
        self.root = None if weights is None else np.sqrt(weights)[:, None]
        total = float(self.n if weights is None else weights.sum())
        self.middle = np.zeros(self.p)
        self._kept: Floats | None = None
        self.squares: Floats | None = None
        """The squared lengths of the columns, where they are known."""
        small = keep and not self.sparse and X.size <= KEPT
        if centred:
            share = np.ones(self.n) if weights is None else weights
            self.middle = self.plain(share[None] / total)[0]
            if not self.sparse:
                self._refine(share, total, weights, small)
        elif small:
            self._kept = self.dense()

    def _refine(self, share: Floats, total: float, weights: Floats | None, keep: bool) -> None:
        """Take the rounding of the mean off; a constant column becomes exactly 0. Keep the centred rows on demand."""
        rest, squares = np.zeros(self.p), np.zeros(self.p)
        kept: Any = np.empty(self.X.shape) if keep else None
        for at in self._places():
            piece = np.subtract(self.X[at], self.middle, out=kept[at] if keep else None)
            rest += share[at] @ piece
            squares += np.einsum("ij,ij->j", piece, piece)
        rest /= total
        self.middle = self.middle + rest
        narrow = np.flatnonzero(squares <= self.n * (1e-8 * self.middle) ** 2)
        seen = self.X[:, narrow] if weights is None else self.X[weights > 0][:, narrow]
        if len(narrow):
            flat = seen.min(axis=0) == seen.max(axis=0)
            self.middle[narrow] = np.where(flat, seen[0], self.middle[narrow])
        if keep:
            if (self.n * rest**2 > 1e-33 * squares).any():  # else less than the rounding of a typical number
                kept -= rest
            kept[:, narrow] = self.X[:, narrow] - self.middle[narrow]
            squares[narrow] = np.einsum("ij,ij->j", kept[:, narrow], kept[:, narrow])
            if self.root is None:
                self.squares = squares
            else:
                kept *= self.root
            self._kept = kept

    def plain(self, left: Floats) -> Floats:
        """Return ``left @ X`` in float64."""
        if self.sparse:
            return np.asarray((self.X.T.astype(np.float64) @ left.T).T)
        if self.X.dtype == np.float64:
            out: Floats = left @ self.X
            return out
        return sum(
            (left[:, at] @ self.X[at].astype(np.float64) for at in self._places()), np.zeros((len(left), self.p))
        )

    def raw(self, right: Floats) -> Floats:
        """Return ``X @ right`` in float64."""
        if self.sparse or self.X.dtype == np.float64:
            return np.asarray(self.X @ right, np.float64)
        return np.concatenate([self.X[at].astype(np.float64) @ right for at in self._places()])

    def _places(self) -> Iterator[slice]:
        size = max(1, PIECE // max(self.p, 1))
        for start in range(0, self.n, size):
            yield slice(start, start + size)

    def _centred(self) -> Iterator[tuple[slice, Floats]]:
        for at in self._places():
            yield at, self.X[at] - self.middle

    def pieces(self) -> Iterator[tuple[slice, Floats]]:
        """Yield slices of rows and these rows, centred and weighted."""
        if self._kept is not None:
            yield slice(None), self._kept
            return
        for at, piece in self._centred():
            yield at, piece if self.root is None else piece * self.root[at]

    def dense(self, columns: Any = None) -> Floats:
        """Return all rows, or some of their columns, as one array."""
        if getattr(self, "_kept", None) is not None:
            kept: Any = self._kept
            return np.asarray(kept if columns is None else kept[:, columns])
        some = slice(None) if columns is None else columns
        part = self.X[:, some].toarray() if self.sparse else self.X[:, some]
        out: Floats = part - self.middle[some]
        return out if self.root is None else out * self.root

    def gram(self, columns: Any = None, others: Any = None) -> Floats:
        """Return the products of all pairs of columns (p, p), or of some with others."""
        if self.sparse:
            X = self.X.astype(np.float64)
            weighted = X if self.root is None else X.multiply(self.root**2).tocsr()
            a, b = (X, weighted) if columns is None else (X[:, columns], weighted[:, others])
            total = float(self.n if self.root is None else (self.root**2).sum())
            left, right = (self.middle if some is None else self.middle[some] for some in (columns, others))
            out: Floats = (a.T @ b).toarray() - total * np.outer(left, right)
            return out
        if columns is None:
            return sum((piece.T @ piece for _, piece in self.pieces()), np.zeros((self.p, self.p)))
        parts = (piece[:, columns].T @ piece[:, others] for _, piece in self.pieces())
        return sum(parts, np.zeros((len(columns), len(others))))

    def kernel(self) -> Floats:
        """Return the products of all pairs of rows (n, n)."""
        if not self.sparse:
            rows = self.dense()
            return rows @ rows.T
        X = self.X.astype(np.float64)
        across = np.asarray(X @ self.middle)
        out: Floats = (X @ X.T).toarray() - across[:, None] - across[None] + self.middle @ self.middle
        return out if self.root is None else out * self.root * self.root.T

    def times(self, coefficients: Floats) -> Floats:
        """Return the estimates (n, outputs) of ``coefficients`` (outputs, p)."""
        if not self.sparse:
            return np.concatenate([piece @ coefficients.T for _, piece in self.pieces()])
        out = np.asarray(self.X @ coefficients.T, dtype=np.float64) - self.middle @ coefficients.T
        return out if self.root is None else out * self.root

    def back(self, left: Floats) -> Floats:
        """Return the products (outputs, p) of ``left`` (n, outputs) with the columns."""
        if not self.sparse:
            # with the centred rows, so that a constant column gives exactly 0
            return sum((left[at].T @ piece for at, piece in self.pieces()), np.zeros((left.shape[1], self.p)))
        weighted = left if self.root is None else left * self.root
        out: Floats = self.plain(np.ascontiguousarray(weighted.T)) - weighted.sum(axis=0)[:, None] * self.middle
        return out
