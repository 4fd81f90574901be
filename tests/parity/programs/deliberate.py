"""Differences that random programs may show: each with its reason and a program that shows it."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Difference:
    """A kind of difference (``kind``), in lines and PyTorch's answers that match, why, and a program with it."""

    kind: str
    line: str
    theirs: str
    why: str
    program: str


DIFFERENCES = (
    Difference(
        "PyTorch raises", "", r"not implemented|derivative for|is not differentiable|does not support|not supported|"
        r"not currently supported|only supports|the derivative of",
        "PyTorch has no kernel or no derivative for this dtype or function; here it works",
        "a1 = T.tensor([1.5, -1.0], dtype=T.float16)\nv1 = a1.cumprod(0).histc(2)",
    ),
    Difference(
        "PyTorch raises", "", r"floating point|infer output dtype|Integer division with addcdiv|Cannot input dtype",
        "integers become floats, as in NumPy, where PyTorch asks for floats",
        "a1 = T.tensor([1, 2])\nv1 = a1.mean()",
    ),
    Difference(
        "requires_grad", "heaviside|unique|floor_divide|//", "",
        "a function without a derivative here gives a constant; PyTorch gives a result whose backward pass fails",
        "a1 = T.tensor([1.0, 2.0], requires_grad=True)\nv1 = a1.heaviside(a1.detach())",
    ),
    Difference(
        "PyTorch raises", "grad", "second time",
        "a node that kept nothing may be used again; PyTorch frees per node and keeps other things",
        "a1 = T.tensor([1.0], requires_grad=True)\nv1 = a1.topk(1, 0)[0]\nv1.sum().backward()\n"
        "g1 = T.autograd.grad(v1.sum(), [a1])",
    ),
)  # fmt: skip


def deliberate(kind: str, line: str, theirs: object) -> bool:
    """Whether a difference is one of those that stay."""
    return any(d.kind == kind and re.search(d.line, line) and re.search(d.theirs, str(theirs)) for d in DIFFERENCES)
