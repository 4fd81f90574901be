"""What of ``torch.fft`` needs no complex numbers: the frequencies, and the shifts of their order."""

from __future__ import annotations

from typing import Any

from tinygrad_lite.engine import new
from tinygrad_lite.engine.arguments import named
from tinygrad_lite.engine.no_effect import absent
from tinygrad_lite.engine.tensor import Tensor, get_default_dtype, make
from tinygrad_lite.ops.elementwise.cast import dtype_of
from tinygrad_lite.ops.shape.moving import roll

__all__ = ["fftfreq", "fftshift", "ifftshift", "rfftfreq"]
_INSTEAD = "there are no complex tensors; use numpy.fft on tensor.numpy()"


def _frequencies(name: str, steps: Any, n: int, d: float, dtype: Any, words: dict[str, Any]) -> Tensor:
    chosen = get_default_dtype() if dtype is None else dtype_of(name, dtype)
    t = make(new.asarray(steps / (n * d)).astype(chosen))
    return t.requires_grad_(words.pop("requires_grad", False))


@named
def fftfreq(n: int, d: float = 1.0, *, dtype: Any = None, **words: Any) -> Tensor:
    """Return the frequencies of a Fourier transform of ``n`` samples that are ``d`` apart.

    >>> fftfreq(4)
    tensor([ 0.0000,  0.2500, -0.5000, -0.2500])
    """
    steps = new.arange(0, n)
    return _frequencies("fftfreq", steps - n * (steps >= (n + 1) // 2), n, d, dtype, words)


@named
def rfftfreq(n: int, d: float = 1.0, *, dtype: Any = None, **words: Any) -> Tensor:
    """Return the frequencies that are not negative.

    >>> rfftfreq(4)
    tensor([0.0000, 0.2500, 0.5000])
    """
    return _frequencies("rfftfreq", new.arange(0, n // 2 + 1), n, d, dtype, words)


def _shifted(input: Tensor, dim: Any, sign: int) -> Tensor:
    dims = tuple(range(input.ndim)) if dim is None else (dim,) if isinstance(dim, int) else tuple(dim)
    return roll(input, tuple(input.shape[d] // 2 * sign for d in dims), dims) if dims else input


@named
def fftshift(input: Tensor, dim: Any = None) -> Tensor:
    """Return ``input`` with frequency 0 in the middle.

    >>> fftshift(fftfreq(4))
    tensor([-0.5000, -0.2500,  0.0000,  0.2500])
    """
    return _shifted(input, dim, 1)


@named
def ifftshift(input: Tensor, dim: Any = None) -> Tensor:
    """Return ``input`` with frequency 0 first: `fftshift` undone.

    >>> import tinygrad_lite as tl
    >>> tl.fft.ifftshift(tl.fft.fftshift(tl.tensor([0.0, 1.0, 2.0])))
    tensor([0., 1., 2.])
    """
    return _shifted(input, dim, -1)


globals().update(
    {
        name: absent(f"fft.{name}", _INSTEAD)
        for kind in ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft")
        for name in (kind, f"{kind}2", f"{kind}n")
    }
)
