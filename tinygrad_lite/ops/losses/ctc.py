"""Connectionist temporal classification: the loss of a sequence with unknown alignment to the input.

Source: Graves, Fernández, Gomez, Schmidhuber 2006.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.arguments import named
from tinygrad_lite.engine.op import functional
from tinygrad_lite.engine.tensor import Array
from tinygrad_lite.errors import DTypeError, OptionError, ShapeError, describe
from tinygrad_lite.ops.elementwise.arithmetic import where
from tinygrad_lite.ops.indexing.getitem import getitem, plain
from tinygrad_lite.ops.losses.reduction import reduced
from tinygrad_lite.ops.reductions.reduction import logsumexp
from tinygrad_lite.ops.shape.joining import stack, unbind
from tinygrad_lite.ops.windows.padding import pad_constant


def _lengths(what: str, given: Any, n: int, most: int) -> Any:
    """Return the length of each of ``n`` sequences."""
    found = new.asarray(plain(given)).reshape(-1)
    if found.dtype.kind not in "iu":
        raise DTypeError(f"ctc_loss: {what} must be integers, got {describe(given)}; use .long()")
    if found.size != n:
        raise ShapeError(f"ctc_loss: {what} must be of size {n}, one per sequence, got {describe(given)}")
    if found.size and (found.min() < 0 or found.max() > most):
        raise OptionError(f"ctc_loss: {what} must lie between 0 and {most}, got {found.tolist()}")
    return found.astype(np.intp)


def _labels(targets: Any, lengths: Any, blank: int, classes: int) -> Any:
    """Return the labels of each sequence with blanks around and between them, padded with blanks."""
    if targets.ndim == 1:
        if targets.size != lengths.sum():
            wanted = int(lengths.sum())
            raise ShapeError(
                f"ctc_loss: targets of one axis hold all labels, {wanted} by target_lengths, got {targets.size}"
            )
        begins = np.cumsum(lengths) - lengths
        rows = [targets[b : b + k] for b, k in zip(begins, lengths, strict=True)]
    else:
        rows = [row[:k] for row, k in zip(targets, lengths, strict=True)]
    out = new.full((len(lengths), 2 * int(lengths.max(initial=0)) + 1), blank)
    for line, labels in zip(out, rows, strict=True):
        line[1 : 2 * len(labels) : 2] = labels
    if out.size and (out.min() < 0 or out.max() >= classes):
        wrong = int(out.min() if out.min() < 0 else out.max())
        raise OptionError(f"ctc_loss: target {wrong} is out of bounds for {classes} classes")
    return out


@functional
@named
def ctc_loss(
    log_probs: Array, targets: Array, input_lengths: Any, target_lengths: Any, blank: int = 0, reduction: str = "mean",
    zero_infinity: bool = False,
) -> Array:  # fmt: skip
    r"""Return :math:`-\log \sum_{\text{alignments}} \prod_t p_t`: how unlikely ``targets`` are for ``log_probs``.

    ``log_probs`` (T, N, C) or (T, C): logarithms of probabilities, from `log_softmax`. ``targets`` (N, S), or all
    labels one after another; ``input_lengths`` and ``target_lengths`` (N,) say how much of each counts. An alignment
    repeats labels and puts class ``blank`` between them. The mean is that of the losses divided by their target
    lengths. A target that cannot be aligned has an infinite loss, 0 with ``zero_infinity``, and gives no gradient.

    The gradient is the derivative for ``log_probs``; PyTorch returns it already projected through `log_softmax`.
    Raises DTypeError, ShapeError, ValueError.

    >>> import tinygrad_lite as tl
    >>> tl.nn.functional.ctc_loss(
    ...     tl.zeros(3, 1, 2).log_softmax(2), tl.tensor([[1]]), tl.tensor([3]), tl.tensor([1])
    ... )
    tensor(0.2877)
    """
    alone = log_probs.ndim == 2
    if log_probs.ndim not in (2, 3) or log_probs.dtype.kind != "f":
        raise ShapeError(f"ctc_loss: log_probs must be floats (T, N, C) or (T, C), got {describe(log_probs)}")
    steps, classes = log_probs.shape[0], log_probs.shape[-1]
    x = log_probs.reshape((steps, -1, classes)) if alone else log_probs
    n = x.shape[1]
    labels = new.asarray(plain(targets))
    if labels.dtype.kind not in "iu":
        raise DTypeError(f"ctc_loss: targets must be integers, got {describe(targets)}; use .long()")
    if labels.ndim not in (1, 2) or labels.ndim == 2 and labels.shape[0] != n:
        raise ShapeError(f"ctc_loss: targets must be ({n}, S) or of one axis, got {describe(targets)}")
    if not 0 <= blank < classes:
        raise OptionError(f"ctc_loss: blank must be in label range 0..{classes - 1}, got {blank}")
    spoken = _lengths("input_lengths", input_lengths, n, steps)
    wanted = _lengths("target_lengths", target_lengths, n, labels.shape[-1])
    ways = _labels(labels, wanted, blank, classes)
    number, width = new.arange(n), ways.shape[1]
    # an alignment may skip the blank between two different labels
    skip = new.zeros((3, n, width), x.dtype)
    skip[2, :, :2] = -np.inf
    skip[2, :, 2:][(ways[:, 2:] == blank) | (ways[:, 2:] == ways[:, :-2])] = -np.inf
    said = getitem(x, (new.arange(steps)[:, None, None], number[:, None], ways))
    # log-probability of all alignments that end at each label, after two impossible ones
    here = new.full((n, width + 2), -np.inf, x.dtype)
    here[:, 2] = 0.0
    known = [here]
    for now in unbind(said, 0) if steps else ():
        before = stack([getitem(here, (slice(None), slice(2 - k, width + 2 - k))) for k in range(3)], 0)
        here = pad_constant(logsumexp(before + skip, 0) + now, ((0, 0), (2, 0)), -np.inf)
        known.append(here)
    ends = stack([getitem(stack(known, 0), (spoken, number, 2 * wanted + k)) for k in (1, 2)], 0)
    loss = -logsumexp(ends, 0)
    impossible = np.isinf(plain(loss))
    if impossible.any():
        loss = where(impossible, 0.0 if zero_infinity else np.inf, loss)
    if reduction == "mean":
        loss = loss / np.maximum(wanted, 1).astype(x.dtype)
    return loss[0] if alone and reduction == "none" else reduced("ctc_loss", loss, reduction)
