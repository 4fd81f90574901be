"""PyTorch's own samples of its operators, modules and optimisers, and their translation to this library."""

from __future__ import annotations

from typing import Any

import numpy as np

import tinygrad_lite as tl


class Untranslatable(Exception):
    """Complex or sparse tensors, PyTorch's own functions and generators."""


def translated(value: Any, torch: Any) -> Any:
    """Return arguments for this library: tensors keep dtype, order of axes and whether they require gradients."""
    if isinstance(value, torch.Tensor):
        if value.dtype.is_complex or value.dtype == torch.bfloat16 or value.layout is not torch.strided:
            raise Untranslatable
        order = sorted(range(value.dim()), key=lambda axis: -value.stride(axis))
        array = value.detach().permute(order).contiguous().numpy().copy()
        made = tl.tensor(array).permute([order.index(axis) for axis in range(value.dim())])
        return made.detach().requires_grad_() if value.requires_grad else made
    if isinstance(value, (list, tuple)):
        return type(value)(translated(v, torch) for v in value)
    if isinstance(value, dict):
        return {k: translated(v, torch) for k, v in value.items()}
    if isinstance(value, (torch.dtype, torch.memory_format)):
        found = getattr(tl, str(value).removeprefix("torch."))
        if not isinstance(found, (type(tl.float32), type(tl.channels_last))):
            raise Untranslatable
        return found
    if isinstance(value, torch.layout):
        if value is not torch.strided:
            raise Untranslatable
        return tl.strided
    if isinstance(value, torch.device):
        return "cpu"
    if isinstance(value, (torch.Generator, torch.nn.Module)) or getattr(value, "__module__", "").startswith("torch"):
        raise Untranslatable
    return value


def tensors_in(value: Any, kind: Any) -> list[Any]:
    """Return the tensors of nested results or arguments, in order."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return [t for part in value for t in tensors_in(part, kind)]
    return [value] if isinstance(value, kind) else []


def differs(theirs: Any, ours: Any, torch: Any) -> str:
    """Return what distinguishes two results; nothing if they agree."""
    left, right = tensors_in(theirs, torch.Tensor), tensors_in(ours, tl.Tensor)
    if len(left) != len(right):
        return f"{len(left)} tensors, here {len(right)}"
    for a, b in zip(left, right, strict=True):
        if a.dtype.is_complex or a.dtype == torch.bfloat16:
            raise Untranslatable
        if str(a.dtype) != str(b.dtype) or tuple(a.shape) != tuple(b.shape):
            return f"{tuple(a.shape)} {a.dtype}, here {tuple(b.shape)} {b.dtype}"
        x, y = a.detach().resolve_neg().numpy(force=True), b.detach().numpy()
        close = {"rtol": 1e-4, "atol": 1e-5} if x.dtype == np.float32 else {"rtol": 1e-6, "atol": 1e-8}
        if not (np.allclose(x, y, equal_nan=True, **close) if x.dtype.kind == "f" else np.array_equal(x, y)):
            return f"{x.ravel()[:4]}, here {y.ravel()[:4]}"
    return ""


def gradients(outputs: Any, inputs: list[Any], library: Any, kind: Any) -> Any:
    """Return the gradients of random combinations of the outputs, or None if nothing is differentiable."""
    outs = [o for o in tensors_in(outputs, kind) if o.requires_grad]
    if not outs or not inputs:
        return None
    draw = np.random.default_rng(0)
    seeds = [library.tensor(draw.normal(size=tuple(o.shape)), dtype=o.dtype) for o in outs]
    found = library.autograd.grad(outs, inputs, seeds, allow_unused=True)
    return [library.zeros(t.shape, dtype=t.dtype) if g is None else g for g, t in zip(found, inputs, strict=True)]
