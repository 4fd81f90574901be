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
        r"Integers to negative integer powers|Found dtype Long|unsigned type with negative limits|"
        r"not support dtype|cannot be converted to type|of float, double, cfloat|one of the following scalar types",
        "integers become floats, as in NumPy, where PyTorch asks for floats",
        "a1 = T.tensor([1, 2])\nv1 = a1.mean()",
    ),
    Difference(
        "PyTorch raises",
        r"lerp|isclose|allclose|masked_scatter|put_|index_put|tensordot|cross|addcmul|addcdiv|\] =",
        r"expected dtype|did not match|same dtype|to have the same dtype|dtypes match|same number of dimensions",
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
        r"masked_scatter_|div_\(|mul_\(",
        "",
        "a write reads its operands first; PyTorch reads what it has just written where they share memory",
        "a1 = T.tensor([1.0, 2.0, 3.0])\na1.masked_scatter_(a1 > 1, a1)",
        before="masked_scatter_|argmax",
    ),
    Difference(
        r"(\.grad )?value",
        r"^g1 = |^g2 = |backward|grad\(",
        r"nan[^|]*\|(?!.*nan)",
        "at the singular point of a norm, hypot or std all derivatives are 0; PyTorch's second ones are NaN",
        "a1 = T.tensor([1.0], requires_grad=True)\nv1 = a1.dist(a1)\n"
        "g1 = T.autograd.grad(v1, [a1], create_graph=True)\n"
        "g2 = T.autograd.grad((g1[0] ** 2).sum() + v1, [a1])",
        before=r"norm|dist|hypot|std|var|normalize|cosine|det|logit|\*\*",
    ),
    Difference(
        "ours raises",
        "grad|backward",
        "changed in place",
        "a fused op keeps what any of its gradients needs, also if an operand needs none",
        "m1 = fill(nn.RNNCell(1, 1), T.float64)\nv1 = m1(T.ones(1, 1, dtype=T.float64))\n"
        "m1.weight_hh.data.add_(1)\nwith T.no_grad():\n    m1.weight_hh.add_(1)\nv1.sum().backward()",
        before=r"RNN|GRU|LSTM|Norm|kron|cross|ldexp|zeros\(\(|ndtr|group_norm|\.diff\(|einsum|qr\(",
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
        r"(\.grad )?value",
        "backward|grad",
        "",
        "a hook of a view stays when its base is written to; PyTorch gives the view a new node without it",
        "a1 = T.tensor([1.0], requires_grad=True)\nv1 = a1[:1]\nv1.register_hook(lambda g: g * 2)\n"
        "with T.no_grad():\n    a1.add_(1)\nv1.sum().backward()",
        before=r"register_hook[^$]*(step\(\)|_\(|[-+*/]= )",
    ),
    Difference(
        "layout",
        "",
        "",
        "what a tensor picks, and losses, are contiguous; results of LAPACK are rows; equal strides are a choice",
        "a1 = T.ones(2, 2).t()\nv1 = a1.diagonal_scatter(a1.diagonal() * 2)\nv2 = v1.t()\na1.abs_()",
        before=r"ldexp|copysign|inv\(|solve\(|_loss|T\.tensor\(\[+0|\[True\]|diagonal_scatter|unfold|unflatten|new_empty",
    ),
    Difference(
        "ours raises",
        "einsum",
        "one dtype",
        "einsum takes operands of one dtype, also where PyTorch happens to multiply before it looks",
        "a1 = T.tensor([1.0])\nv1 = T.einsum('...i,...i', a1, T.tensor([[4, -3], [-1, 4]]))",
    ),
    Difference(
        "dtype",
        r"_loss\(|binary_cross_entropy|kl_div|local_response_norm|soft(max|min)",
        "",
        "losses of two dtypes promote as arithmetic does; softmax of integers gives floats",
        "a1 = T.tensor([1.0])\nv1 = nn.functional.huber_loss(a1, T.tensor([2.0], dtype=T.float64))",
    ),
    Difference(
        "value",
        r"^g[12] = ",
        "",
        "the true slope of x**e in e = 0 and of elu; unsigned targets of soft_margin_loss do not wrap",
        "a1 = T.tensor([1.0], requires_grad=True)\na2 = T.tensor([0.0], requires_grad=True)\nv1 = a1**a2\n"
        "g1 = T.autograd.grad(v1, [a1], create_graph=True)\ng2 = T.autograd.grad(g1[0] + v1, [a2])",
        before=r"\*\* ?[av]|ELU|elu|soft_margin",
    ),
    Difference(
        "value|shape|answer",
        "",
        "",
        "a negative number is less than every uint8; PyTorch wraps it first",
        "a1 = T.tensor([0, 4], dtype=T.uint8)\nv1 = a1 > -1",
        before=r"uint8[^$]*(> -|<= -|< -|>= -)|tensor\(-\d[^$]*(>|<)",
    ),
    Difference(
        "PyTorch raises",
        "one_hot",
        "LongTensor",
        "one_hot takes integers of every width",
        "a1 = T.tensor([0, 1], dtype=T.int32)\nv1 = F.one_hot(a1)",
    ),
    Difference(
        "PyTorch raises",
        "grad|backward",
        "second time",
        "a node that kept nothing may be used again; PyTorch frees per node and keeps other things",
        "a1 = T.tensor(1.0, requires_grad=True)\nv1 = a1.topk(1, 0)[0]\nv1.sum().backward()\n"
        "g1 = T.autograd.grad(v1, [a1])",
    ),
    Difference(
        "ours raises",
        "grad|backward",
        "already used by a backward pass",
        "a node that kept something is used once without retain_graph, also where PyTorch's kept nothing",
        "a1 = T.ones(2, requires_grad=True)\nv1 = T.lerp(a1, a1, 0.3)\nv1.sum().backward()\nv1.sum().backward()",
    ),
    Difference(
        r"(\.grad )?value",
        "grad|backward",
        "",
        "backward uses the numbers that forward saw, also after `.data` of a leaf was replaced",
        "a1 = T.tensor([1.0], requires_grad=True)\nv1 = a1.sin()\na1.data = a1.data * 2\n"
        "g1 = T.autograd.grad(v1, [a1])",
        before=r"\.data\b|copysign|ldexp",
    ),
    Difference(
        r"(\.grad )?value",
        "",
        "",
        "PyTorch rounds the 1/6 of hardsigmoid to float32, and cancels in the tail of gelu",
        "a1 = T.tensor([1.0], dtype=T.float64, requires_grad=True)\nv1 = F.hardsigmoid(a1)\n"
        "g1 = T.autograd.grad(v1, [a1])",
        before="hardsigmoid|hardswish|gelu.*[^$]*(all|any|bool|logical|==|sign)",
    ),
    Difference(
        "PyTorch raises",
        "grad|backward",
        "invalid gradient at index|but expected (Half|Float|Double)",
        "a tensor that changed its shape in no_grad keeps its place in the graph; losses of two dtypes have gradients",
        "a1 = T.tensor([[1.0, 2.0]], requires_grad=True)\nv1 = a1 * 1\nwith T.no_grad():\n    v1.t_()\n"
        "v1.mean().backward()",
    ),
    Difference(
        "requires_grad",
        "requires_grad",
        "True | False",
        "a view made before `requires_grad_()` stays a constant; in PyTorch it requires gradients, but gives none",
        "a1 = T.tensor([1.0])\nv1 = a1[:1]\na1.requires_grad_()",
    ),
    Difference(
        "value",
        r"_\(|= ",
        "",
        "a write to overlapping windows computes each element from the old values",
        "a1 = T.tensor([1.0, 2.0, 3.0])\nv1 = a1.unfold(0, 2, 1)\nv1.mul_(2)",
        before=r"unfold\([^)]*, 2, 1\)[^$]*(_\(| [-+*/]= |\] = )",
    ),
    Difference(
        r"(\.grad )?value",
        "kthvalue|topk|grad|backward",
        "",
        "the first of equal elements is the one that kthvalue and topk find",
        "a1 = T.tensor([[2.0, 1.0, 1.0, 1.0]])\nv1 = a1.kthvalue(2)[1]",
        before=r"kthvalue|topk",
    ),
    Difference(
        "PyTorch raises",
        r"kron\(",
        "view size is not compatible",
        "kron takes operands of any layout",
        "a1 = T.ones(2, 2).t()\nv1 = T.kron(a1, T.ones(2, dtype=T.float64))",
    ),
    Difference(
        "PyTorch raises",
        "grad|backward",
        "modified by an inplace operation",
        "a write of a tensor to itself keeps its old value",
        "a1 = T.tensor([1.0], requires_grad=True)\nv1 = a1.sin()\nv1 *= v1\ng1 = T.autograd.grad(v1, [a1])",
        before=r"(\w+)\.mul_\(\1\)|\b(\w+) \*= \2\b",
    ),
    Difference(
        "ours raises",
        "cosine_embedding_loss",
        "got",
        "a loss does not broadcast its inputs to a shape that neither has",
        "v1 = F.cosine_embedding_loss(T.ones(2, 1), T.ones(2, 2), T.ones(2))",
    ),
    Difference(
        "PyTorch raises",
        "triplet_margin_loss|pad\\(|hessian",
        "same number of dimensions|3D|non-empty",
        "shapes broadcast, and nothing is padded or differentiated without an error",
        "v1 = F.triplet_margin_loss(T.ones(2, 1), T.tensor(1.0), T.ones(2, 1))",
    ),
    Difference(
        "ours raises",
        "",
        "expected floating numbers|is a view of another tensor",
        "windows and norms take floats; a view cannot be detached in place, in inference_mode neither",
        "v1 = F.adaptive_avg_pool1d(T.zeros(1, 0, 4, dtype=T.int64), 2)",
    ),
    Difference(
        "PyTorch raises|ours raises",
        r"m\d+\(|vmap|batch_norm|norm\(",
        r"index 0 out of range for tensor of size \[0\]|expected one number per channel|\(N, C, \*\)|size 0 into shape",
        "an empty batch goes through what has no channels; channels that do not fit are refused also without samples",
        "m1 = fill(nn.BatchNorm1d(0), T.float64)\nv1 = m1(T.zeros(2, 0, dtype=T.float64))",
    ),
    Difference(
        "PyTorch raises",
        r"m\d+\(",
        r"possibly 0 batch size and other|Only zero batch or zero channel inputs|Non-empty 3D data|for input of size 0",
        "what is padded may be empty where the result is not",
        "m1 = fill(nn.ReflectionPad1d(0), T.float64)\nv1 = m1(T.zeros(0, 3, dtype=T.float64))",
    ),
    Difference(
        "PyTorch raises",
        "grad|backward",
        "modified by an inplace operation",
        "a tensor that no gradient here needs may be written to",
        "a1 = T.ones(1, requires_grad=True)\nv1 = a1 * 1\nv2 = F.hardsigmoid(v1)\nv1.zero_()\nv2.sum().backward()",
        before=r"hardsigmoid|adaptive_avg|median|special\.i1|combinations|hypot_|F\.linear|lerp_|_loss",
    ),
    Difference(
        r"(\.grad )?shape|ours raises",
        "grad|backward",
        "",
        "the gradient of a leaf that changed its shape in no_grad has that shape",
        "a1 = T.tensor(1.0, requires_grad=True)\nv1 = a1 / 1.5\nwith T.no_grad():\n    a1.unsqueeze_(0)\n"
        "g1 = T.autograd.grad(v1, [a1])",
        before=r"squeeze_\(|\bt_\(",
    ),
    Difference(
        "answer",
        r"_version",
        "",
        "one step of an optimiser is one write",
        "seen = []\na1 = T.tensor(1.0, requires_grad=True)\no1 = T.optim.NAdam([a1])\n(a1 * a1).backward()\no1.step()\n"
        "seen.append(a1._version)",
        before="NAdam|ASGD",
    ),
    Difference(
        "value",
        "inference_mode",
        "",
        "a function that differentiates does so in inference_mode, too; PyTorch's gives zeros there",
        "seen = []\nwith T.inference_mode():\n"
        "    seen.append(T.autograd.functional.jacobian(lambda t: t.sin(), T.ones(2)))",
        before="jacobian|hessian|jvp|vjp",
    ),
    Difference(
        "ours raises",
        "cumsum|cumprod|index_fill|scaled_dot_product|cross_entropy",
        "can't be cast|out of bounds for 0 elements|one dtype|one number per class",
        "wrong arguments are refused also where there is nothing to compute",
        "v1 = T.zeros(0, dtype=T.bool).cumsum_(0)",
    ),
    Difference(
        "value",
        "",
        "",
        "losses of no samples are NaN; PyTorch's margin losses return memory that was never written",
        "v1 = F.multi_margin_loss(T.zeros(0, 3), T.zeros(0, dtype=T.int64))",
        before=r"multi\w*margin_loss\(",
    ),
    Difference(
        "PyTorch raises",
        "grad",
        "INTERNAL ASSERT",
        "True to the power of a tensor has a gradient; PyTorch's fails in itself",
        "a1 = T.tensor(1.0, requires_grad=True)\nv1 = True**a1\ng1 = T.autograd.grad(v1, [a1])",
    ),
)


def deliberate(kind: str, lines: list[str], theirs: object, ours: object) -> bool:
    """Whether a difference is one of those that stay."""
    return any(d.covers(kind, lines, theirs, ours) for d in DIFFERENCES)
