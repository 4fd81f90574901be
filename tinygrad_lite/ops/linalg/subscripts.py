"""The equation of `einsum` from numbered axes: ``einsum(a, [0, 1], b, [1, 2], [0, 2])``."""

from __future__ import annotations

from typing import Any

from tinygrad_lite.errors import ShapeError

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def check_letters(left: str, right: str) -> str:
    """Return the left side; raise ShapeError for what is no subscript: NumPy takes more than PyTorch's letters."""
    wrong = next((c for c in left + right if c not in LETTERS + ",."), None)
    if wrong is not None:
        raise ShapeError(f"einsum: subscripts are letters from a to z and A to Z, got '{wrong}' in '{left}->{right}'")
    return left


def _word(numbers: Any) -> str:
    if any(n is not Ellipsis and not (isinstance(n, int) and 0 <= n < len(LETTERS)) for n in numbers):
        raise ShapeError(f"einsum: axes must be numbers from 0 to {len(LETTERS) - 1} or ..., got {list(numbers)}")
    return "".join("..." if n is Ellipsis else LETTERS[n] for n in numbers)


def spelled(args: list[Any]) -> tuple[str, list[Any]]:
    """Return the equation and the operands of ``einsum(a, [0, 1], b, [1, 2], [0, 2])``."""
    result = "" if len(args) % 2 == 0 else f"->{_word(args.pop())}"
    return ",".join(map(_word, args[1::2])) + result, args[::2]
