"""Windows of ``M`` points, as in ``torch.signal.windows``: symmetric, or with ``sym=False`` one period."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_lite.engine.arguments import named
from tinygrad_lite.engine.tensor import Tensor
from tinygrad_lite.errors import OptionError
from tinygrad_lite.ops.signal_windows import window

__all__ = [
    "bartlett", "blackman", "cosine", "exponential", "gaussian", "general_cosine", "general_hamming", "hamming", "hann",
    "kaiser", "nuttall",
]  # fmt: skip


def _made(name: str, M: int, sym: bool, values: Callable[[Any], Any], words: dict[str, Any]) -> Tensor:
    """Return ``values`` at ``M`` places from -1 to 1; one of a single point is 1."""
    words.pop("layout", None)
    return window(name, M, not sym, lambda t: values(2 * t - 1), **words)


@named
def general_cosine(M: int, *, a: Sequence[float], sym: bool = True, **words: Any) -> Tensor:
    """Return the sum of cosines with the weights ``a``.

    >>> general_cosine(3, a=[0.46, 0.23, 0.31])
    tensor([0.5400, 1.0000, 0.5400])
    """
    if not a:
        raise OptionError("general_cosine: a must have at least one coefficient")
    return _made("general_cosine", M, sym, lambda t: sum(w * np.cos(np.pi * k * t) for k, w in enumerate(a)), words)


@named
def hann(M: int, *, sym: bool = True, **words: Any) -> Tensor:
    """Return half a period of a raised cosine.

    >>> hann(3)
    tensor([0., 1., 0.])
    """
    return general_cosine(M, a=[0.5, 0.5], sym=sym, **words)


@named
def general_hamming(M: int, *, alpha: float = 0.54, sym: bool = True, **words: Any) -> Tensor:
    """Return ``alpha + (1 - alpha) cos(pi t)``, t from -1 to 1."""
    return general_cosine(M, a=[alpha, 1 - alpha], sym=sym, **words)


@named
def hamming(M: int, *, sym: bool = True, **words: Any) -> Tensor:
    """Return `general_hamming` with ``alpha=0.54``."""
    return general_hamming(M, sym=sym, **words)


@named
def blackman(M: int, *, sym: bool = True, **words: Any) -> Tensor:
    """Return Blackman's sum of three cosines."""
    return general_cosine(M, a=[0.42, 0.5, 0.08], sym=sym, **words)


@named
def nuttall(M: int, *, sym: bool = True, **words: Any) -> Tensor:
    """Return Nuttall's sum of four cosines."""
    return general_cosine(M, a=[0.3635819, 0.4891775, 0.1365995, 0.0106411], sym=sym, **words)


@named
def bartlett(M: int, *, sym: bool = True, **words: Any) -> Tensor:
    """Return a triangle, ``1 - |t|``."""
    return _made("bartlett", M, sym, lambda t: 1 - np.abs(t), words)


@named
def cosine(M: int, *, sym: bool = True, **words: Any) -> Tensor:
    """Return half a period of a cosine that is not 0 at the ends."""
    full = M + (not sym)
    return _made("cosine", M, sym, lambda t: np.cos(np.pi / 2 * t * (full - 1) / full), words)


@named
def exponential(M: int, *, center: float | None = None, tau: float = 1.0, sym: bool = True, **words: Any) -> Tensor:
    """Return ``exp(-|n - center| / tau)``."""
    if tau <= 0:
        raise OptionError(f"exponential: tau must be positive, got {tau}")
    if center is not None and sym:
        raise OptionError("exponential: a symmetric window has its center in the middle; center must be None")
    half = (M + (not sym) - 1) / 2
    middle = 0.0 if center is None else center - half
    return _made("exponential", M, sym, lambda t: np.exp(-np.abs(t * half - middle) / tau), words)


@named
def gaussian(M: int, *, std: float = 1.0, sym: bool = True, **words: Any) -> Tensor:
    """Return ``exp(-(n / std)^2 / 2)``, n from the middle."""
    if std <= 0:
        raise OptionError(f"gaussian: std must be positive, got {std}")
    half = (M + (not sym) - 1) / 2
    return _made("gaussian", M, sym, lambda t: np.exp(-0.5 * (t * half / std) ** 2), words)


@named
def kaiser(M: int, *, beta: float = 12.0, sym: bool = True, **words: Any) -> Tensor:
    """Return ``i0(beta sqrt(1 - t^2)) / i0(beta)``, t from -1 to 1."""
    if beta < 0:
        raise OptionError(f"kaiser: beta must not be negative, got {beta}")
    scale = np.i0(beta)
    return _made("kaiser", M, sym, lambda t: np.i0(beta * np.sqrt(np.maximum(1 - t * t, 0))) / scale, words)
