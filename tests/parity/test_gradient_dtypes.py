"""A gradient arrives in the dtype of the tensor that it belongs to, in both kinds of backward pass."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl

X = np.random.default_rng(0).normal(size=(3, 4))
UNARY = """abs sqrt square exp log sin tanh sigmoid relu erf logit sinc expm1 cumsum:0 cumprod:0 softmax:0 log_softmax:0
logsumexp:0 amax:0 amin max min sum mean prod std var norm median sort topk:2 cummax:0 logcumsumexp:0 quantile:.3 nansum
nanmean diff tril flip:0 roll:1 t flatten""".split()
F = tl.nn.functional
CALLS: dict[str, Any] = {
    **{n: lambda x, n=n: getattr(x, n.split(":")[0])(*[float(a) if "." in a else int(a) for a in n.split(":")[1:]])
       for n in UNARY},
    **{n: lambda x, n=n: getattr(F, n)(x)
       for n in "gelu silu elu selu celu softplus mish hardswish logsigmoid".split()},
    **{f"** {p}": lambda x, p=p: (x * x + 1) ** p for p in (2, 3, 0.3, 1.5, -1, 0)},
    **{f"{p} **": lambda x, p=p: p**x for p in (2, 0.3)},
    "numbers": lambda x: (x * 0.1 + 0.1) / 0.3 - 2.1 / (x * x + 1),
    "mse": lambda x: F.mse_loss(x, x.detach() + 1),
    "cross_entropy": lambda x: F.cross_entropy(x, tl.tensor([0, 1, 2])),
    "layer_norm": lambda x: F.layer_norm(x, (4,)),
    "conv": lambda x: F.conv1d(x[None], x[None, :, :2]),
    "matmul": lambda x: x @ x.mT,
    "wider": lambda x: x.sum(dtype=tl.float64) + x.to(tl.float64).mean(),
    "two dtypes": lambda x: tl.cat([x.flatten(), x.double().flatten()]) + x.double().flatten().repeat(2),
}  # fmt: skip


@pytest.mark.parametrize("dtype", [tl.float16, tl.float32])
@pytest.mark.parametrize("name", CALLS)
def test_dtype_of_a_gradient(name: str, dtype: Any) -> None:
    for create_graph in (False, True):
        seen: list[Any] = []
        x = tl.tensor(X, dtype=dtype, requires_grad=True)
        y = x * 1
        y.register_hook(lambda g, seen=seen: seen.append(g.dtype))
        with np.errstate(all="ignore"):
            z = CALLS[name](y)
            (z if isinstance(z, tl.Tensor) else z[0]).sum().backward(create_graph=create_graph)
        assert seen == [dtype], create_graph
