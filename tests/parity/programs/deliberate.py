"""Differences that random programs may show: each with its reason and a program that shows it."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Difference:
    """A kind of difference, patterns of the line and of both answers, why it stays, and a program that shows it."""

    kind: str
    line: str
    answers: str
    why: str
    program: str
    before: str = ""
    """What one of the lines so far must match."""

    def covers(self, kind: str, lines: list[str], theirs: object, ours: object) -> bool:
        """Whether a difference is of this kind."""
        found = re.search(self.line, lines[-1]) and re.search(self.before, "\n".join(lines))
        return bool(found and re.fullmatch(self.kind, kind) and re.search(self.answers, f"{theirs} | {ours}"))


DIFFERENCES = (
    Difference(
        "PyTorch raises",
        "",
        r"not implemented|derivative for|is not differentiable|does not support|not supported|the derivative of|"
        r"not currently supported|only supports|must be either float or double dtype|optional 0 dim batch size",
        "PyTorch has no kernel or no derivative for this dtype or function; here it works",
        "a1 = T.tensor([1.5, -1.0], dtype=T.float16)\nv1 = a1.quantile(0.5)",
    ),
    Difference(
        "PyTorch raises",
        "",
        r"floating point|infer output dtype|Integer division with addcdiv|can't be cast to the desired output type|"
        r"Integers to negative integer powers|Found dtype Long|unsigned type with negative limits|not support dtype",
        "integers become floats, as in NumPy, where PyTorch asks for floats",
        "a1 = T.tensor([1, 2])\nv1 = a1.mean()",
    ),
    Difference(
        "PyTorch raises",
        r"lerp|isclose|masked_scatter|index_put|tensordot|cross|addcmul|addcdiv|\] =",
        r"expected dtype|did not match|same dtype|dtypes match|same number of dimensions",
        "two dtypes in one call are promoted as in arithmetic, and shapes broadcast",
        "a1 = T.tensor([1.0], dtype=T.float32)\nv1 = a1.lerp(a1.to(T.float64), 0.5)",
    ),
    Difference(
        "requires_grad",
        "heaviside|unique|floor_divide|//|copysign",
        "",
        "a function without a derivative here gives a constant; in PyTorch its backward pass fails",
        "a1 = T.tensor([1.0, 2.0], requires_grad=True)\nv1 = a1.heaviside(a1.detach())",
    ),
    Difference(
        "requires_grad",
        r"^with T\.(no_grad|inference_mode|set_grad_enabled)",
        "True | False",
        "a view made in no_grad is a constant, like every other result made there",
        "a1 = T.tensor([1.0, 2.0], requires_grad=True)\nwith T.no_grad():\n    v1 = a1[:1]",
    ),
    Difference(
        "PyTorch raises",
        "",
        r"[Ii]nference tensor",
        "inference_mode is no_grad: its results are ordinary tensors",
        "with T.inference_mode():\n    v1 = T.ones(2)\nv1.mul_(2)",
    ),
    Difference(
        "PyTorch raises",
        "",
        r"single memory location|created in no_grad mode|Can't detach views",
        "a write of a tensor into memory that it shares is well defined here",
        "a1 = T.ones(3)\na1[1:].copy_(a1[:-1])",
    ),
    Difference(
        "PyTorch raises",
        "",
        r"Index to scalar can have|tensor has no dimensions|\[-1, 0\], but got 1|dim 0 appears multiple times",
        "a 0-d tensor counts as one axis in every function that takes a dim",
        "a1 = T.tensor(1.0)\nv1 = a1.roll(1, 0)",
    ),
    Difference(
        "value",
        r"masked_scatter_",
        "",
        "a write reads its operands first; PyTorch reads what it has just written where they share memory",
        "a1 = T.tensor([1.0, 2.0, 3.0])\na1.masked_scatter_(a1 > 1, a1)",
    ),
    Difference(
        r"(\.grad )?value",
        r"^g1 = |^g2 = |backward|grad\(",
        r"nan[^|]*\|(?!.*nan)",
        "at the singular point of a norm, hypot or std all derivatives are 0; PyTorch's second ones are NaN",
        "a1 = T.tensor([1.0], requires_grad=True)\nv1 = a1.dist(a1)\n"
        "g1 = T.autograd.grad(v1, [a1], create_graph=True)\n"
        "g2 = T.autograd.grad((g1[0] ** 2).sum() + v1, [a1])",
        before="norm|dist|hypot|std|var|normalize|cosine|det",
    ),
    Difference(
        "PyTorch raises",
        "grad|backward",
        "modified by an inplace operation",
        "x *= x keeps the old value where no other op needs the tensor, so backward is right",
        "a1 = T.tensor([1.0], requires_grad=True)\nv1 = a1.sin()\nv1 *= v1\ng1 = T.autograd.grad(v1, [a1])",
        before=r"(\w+) \*= \1\b|(\w+)\.(?:mul_|addcmul_|lerp_|div_|addcdiv_)\(.*\b\2\b|(\w+) /= \3\b",
    ),
    Difference(
        "PyTorch raises",
        "grad|backward",
        "modified by an inplace operation",
        "PyTorch keeps an operand or a result that the gradient does not need",
        "a1 = T.tensor([2.0, 1.0], requires_grad=True)\nv1 = a1 * 1\nv2 = v1.gather(0, T.tensor([0]))\n"
        "v1.mul_(2)\ng1 = T.autograd.grad(v2.sum(), [a1])",
        before="gather|ldexp|median|scatter_reduce|sgn|pairwise_distance|gaussian_nll|take_along|take|kthvalue|argsort|_loss|"
        r"nn\.RNN|nn\.GRU|nn\.LSTM|Bilinear",
    ),
    Difference(
        "ours raises",
        "grad|backward",
        "changed in place",
        "a fused op keeps what any of its gradients needs, also if an operand needs none",
        "m1 = fill(nn.RNNCell(1, 1), T.float64)\nv1 = m1(T.ones(1, 1, dtype=T.float64))\n"
        "m1.weight_hh.data.add_(1)\nwith T.no_grad():\n    m1.weight_hh.add_(1)\nv1.sum().backward()",
        before="RNN|GRU|LSTM|Norm|kron|cross",
    ),
    Difference(
        "requires_grad",
        r"fill_|copy_|\] =|add_|median",
        "True | False",
        "integers never require gradients, and the median of nothing is a constant",
        "a1 = T.tensor(1.0, requires_grad=True)\nv1 = T.tensor([1])\nv1.fill_(a1 * 1)",
    ),
    Difference(
        "ours raises",
        "",
        "read-only, or expanded|median: no elements",
        "an expanded tensor is read-only; integers have no NaN for the median of nothing",
        "v1 = T.tensor(1.0).expand(2)\nv1[0] = 3",
    ),
    Difference(
        r"\.grad value",
        "backward",
        "",
        "a hook of a view stays when its base is written to; PyTorch gives the view a new node without it",
        "a1 = T.tensor([1.0], requires_grad=True)\nv1 = a1[:1]\nv1.register_hook(lambda g: g * 2)\n"
        "with T.no_grad():\n    a1.add_(1)\nv1.sum().backward()",
        before=r"register_hook[^$]*(step\(\)|_\()",
    ),
    Difference(
        "layout",
        "",
        "",
        "the result of an op with a number on its left lies as its operand does",
        "a1 = T.ones(2, 3).t()\nv1 = 2**a1",
        before=r"\d \*\* |\d\*\*|ldexp|copysign|inv\(",
    ),
    Difference(
        "ours raises",
        "einsum|tensordot",
        "one dtype|do not match",
        "einsum and tensordot take operands of one dtype, and axes of equal length",
        "a1 = T.ones(1, 1, 4)\nv1 = T.tensordot(a1, a1, 1)",
    ),
    Difference(
        "dtype",
        r"_loss\(|binary_cross_entropy|\.any\(|\.all\(|softmax",
        "",
        "losses of two dtypes promote as arithmetic does; any and all give bools; softmax of integers gives floats",
        "a1 = T.tensor([2, 4], dtype=T.uint8)\nv1 = a1.any()",
    ),
)


def deliberate(kind: str, lines: list[str], theirs: object, ours: object) -> bool:
    """Whether a difference is one of those that stay."""
    return any(d.covers(kind, lines, theirs, ours) for d in DIFFERENCES)
