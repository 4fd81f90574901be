"""`einsum`: equations of letters or numbered axes; two operands as one matrix product."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from tinygrad_lite.engine.op import function, op
from tinygrad_lite.engine.samples import Samples
from tinygrad_lite.engine.tensor import Array
from tinygrad_lite.errors import ShapeError, describe
from tinygrad_lite.ops.elementwise.cast import to
from tinygrad_lite.ops.linalg.matmul import product
from tinygrad_lite.ops.shape.reshaping import broadcast_to_op, permute_op, reshape_op

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


@lru_cache(maxsize=512)
def _pair(subscripts: str) -> tuple[Any, ...]:
    """Return of either operand the axes to add up first and the order of the others; their numbers; the last order.

    The axes are those of both that stay, then those of one, then those that are multiplied and added.
    """
    left, out = subscripts.split("->")
    words = left.split(",")
    kept = [[c for c in word if c in out or c in other] for word, other in zip(words, words[::-1], strict=True)]
    both = [c for c in kept[0] if c in words[1]]
    batch, inner = [c for c in both if c in out], [c for c in both if c not in out]
    first, second = ([c for c in word if c not in both] for word in kept)
    gone = [tuple(i for i, c in enumerate(word) if c not in known) for word, known in zip(words, kept, strict=True)]
    orders = [tuple(map(kept[0].index, batch + first + inner)), tuple(map(kept[1].index, batch + inner + second))]
    found = batch + first + second
    return gone, orders, (len(batch), len(first), len(inner)), tuple(map(found.index, out))


def _contracted(subscripts: str, a: Array, b: Array) -> Array | None:
    """Return the sum of products of two operands as a matrix product; None where that is not what it is.

    NumPy looks for the best order anew in each call, which takes 40 us.
    """
    gone, orders, (lead, own, deep), turned = _pair(subscripts)
    if not (own or b.ndim - len(gone[1]) > lead + deep):  # scalar products
        return None
    a, b = (np.add.reduce(x, axis=axes) if axes else x for x, axes in zip((a, b), gone, strict=True))
    a, b = a.transpose(orders[0]), b.transpose(orders[1])
    head, left = a.shape[:lead], a.shape[lead : lead + own]
    inner, right = a.shape[lead + own :], b.shape[lead + deep :]
    if b.shape[:lead] != head or b.shape[lead : lead + deep] != inner:  # an axis of one element is repeated
        return None
    if deep:
        n, count = (prod(head),) * bool(lead), prod(inner)
        y = product(a.reshape((*n, prod(left), count)), b.reshape((*n, count, prod(right)))).reshape(
            head + left + right
        )
    else:
        y = a.reshape(head + left + (1,) * len(right)) * b.reshape(head + (1,) * own + right)
    return y.transpose(turned)


def _einsum_rule(g: Array, operands: Any, subscripts: str, operands_shape: Any) -> list[Array]:
    left, right = subscripts.split("->")
    words = left.split(",")
    out = []
    for i, word in enumerate(words):
        rest = [(w, x) for k, (w, x) in enumerate(zip(words, operands, strict=True)) if k != i]
        known = set(right).union(*(set(w) for w, _ in rest))
        kept = "".join(c for c in word if c in known)
        g_i = einsum_op([g, *(x for _, x in rest)], f"{','.join([right, *(w for w, _ in rest)])}->{kept}")
        # an axis of this operand alone was summed over, so its gradient is broadcast along it
        shape = tuple(operands_shape[i])
        g_i = reshape_op(g_i, tuple(g_i.shape[kept.index(c)] if c in kept else 1 for c in word))
        wide = tuple(b if a == 1 else a for a, b in zip(g_i.shape, shape, strict=True))
        out.append(broadcast_to_op(g_i, wide) if tuple(g_i.shape) != wide else g_i)
    return out


@op(
    operands=_einsum_rule, kind="linalg", label="einsum", promote="equal", public=False,
    samples=Samples("(n,k),(k,m)->()", call=lambda op, *arrays, **kw: op(arrays, **kw),
                    options={"subscripts": ("ab,bc->ac", "ab,bc->", "ab,bc->cab", "ab,bc->b")}),
)  # fmt: skip
def einsum_op(operands: Sequence[Array], subscripts: str) -> Array:
    """Return the sum of products over the letters missing after ``->``.

    An operand has no letter twice.
    """
    if len(operands) == 2:
        a, b = operands
        if a.__class__ is b.__class__ is np.ndarray and a.dtype is b.dtype and a.dtype.char in "fd":
            y = _contracted(subscripts, a, b)
            if y is not None:
                return y
    return np.einsum(subscripts, *operands, optimize=len(operands) > 2)


def _letters(equation: str, operands: list[Any]) -> tuple[list[str], str]:
    """Return the letters of each operand and of the result, with ``...`` spelled out."""
    text = equation.replace(" ", "")
    left, arrow, right = text.partition("->")
    words = check_letters(left, right).split(",")
    if len(words) != len(operands):
        raise ShapeError(f"einsum: '{equation}' names {len(words)} operands, {len(operands)} were given")
    free = [c for c in "ZYXWVUTSRQPONMLKJIHGFEDCBAzyxwvutsrqponmlkjihgfedcba" if c not in text]
    most = 0
    spelled = []
    for word, x in zip(words, operands, strict=True):
        extra = x.ndim - len(word.replace("...", ""))
        if extra < 0 or (extra and "..." not in word):
            raise ShapeError(
                f"einsum: '{word}' of '{equation}' does not fit an operand with {x.ndim} axes {describe(x)}"
            )
        most = max(most, extra)
        spelled.append(word.replace("...", "".join(free[:extra][::-1])))
    dots = "".join(free[:most][::-1])
    if arrow:
        result = right.replace("...", dots)
    else:
        seen = "".join(left.replace(",", "").replace(".", ""))
        result = dots + "".join(sorted(c for c in set(seen) if seen.count(c) == 1))
    for c in result:
        if result.count(c) > 1 or not any(c in w for w in spelled):
            raise ShapeError(f"einsum: '{c}' after '->' must occur once there, and also before it ('{equation}')")
    return spelled, result


@function(method=False, numpy=())
def einsum(equation: Any, *operands: Any) -> Array:
    """Return the sum of products that ``equation`` spells out.

    ``einsum("ij,jk->ik", a, b)`` is a matrix product; ``einsum(a, [0, 1], b, [1, 2], [0, 2])`` is the same product with
    numbers from 0 to 51 in place of letters.

    >>> import tinygrad_lite as tl
    >>> tl.einsum("ii->", tl.eye(3))
    tensor(3.)
    """
    listed = isinstance(equation, str) and len(operands) == 1 and isinstance(operands[0], (list, tuple))
    given = list(operands[0]) if listed else list(operands)
    if not isinstance(equation, str) and given and isinstance(given[0], (list, tuple)):
        equation, given = spelled([equation, *given])
    if not isinstance(equation, str):
        raise ShapeError(f"einsum: expected an equation such as 'ij,jk->ik', got {describe(equation)}")
    words, result = _letters(equation, given)
    sizes: dict[str, int] = {}
    for i, (word, x) in enumerate(zip(words, given, strict=True)):
        while len(set(word)) < len(word):  # a letter twice in one operand: its diagonal
            c = next(c for c in word if word.count(c) > 1)
            a, b = word.index(c), word.rindex(c)
            if x.shape[a] != x.shape[b]:
                raise ShapeError(f"einsum: '{c}' names axes of {x.shape[a]} and {x.shape[b]} elements ({describe(x)})")
            x = x.diagonal(0, a, b)
            word = word[:a] + word[a + 1 : b] + word[b + 1 :] + c
        words[i], given[i] = word, x
        for c, n in zip(word, x.shape, strict=True):
            if sizes.get(c, 1) != 1 and n not in (1, sizes[c]):
                raise ShapeError(f"einsum: '{c}' names axes of {sizes[c]} and {n} elements in '{equation}'")
            sizes[c] = n if sizes.get(c, 1) == 1 else sizes[c]
    if len(given) == 1 and sorted(words[0]) == sorted(result):
        return permute_op(given[0], tuple(words[0].index(c) for c in result))  # a view, as in PyTorch
    if len(given) == 1:  # a sum, which needs no operand for its gradient
        kept = [c for c in words[0] if c in result]
        y = given[0].sum(tuple(i for i, c in enumerate(words[0]) if c not in result))
        return permute_op(y, tuple(map(kept.index, result)))
    if any(set(w).difference(result, *words[:i], *words[i + 1 :]) for i, w in enumerate(words)):  # a plain sum
        given = [to(x, np.int64) if x.dtype.kind in "biu" else x for x in given]
    return einsum_op(given, f"{','.join(words)}->{result}")
