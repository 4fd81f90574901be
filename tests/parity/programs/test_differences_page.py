"""Each row of the deliberate differences in docs/coming_from.md: a program or a check that shows the difference."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from warnings import catch_warnings, simplefilter

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import tinygrad_lite as tl  # noqa: E402
from tests.parity.programs import lockstep  # noqa: E402


def device() -> bool:
    x = tl.ones(1)
    return x.to("cpu") is x and not tl.cuda.is_available()


def numbers() -> bool:
    return torch.ones(1, dtype=torch.complex64).is_complex() and tl.ones(1, dtype=tl.float16).dtype == tl.float16


def random_numbers() -> bool:
    drawn = []
    for lib in (torch, tl):
        lib.manual_seed(0)
        drawn.append(lib.rand(3).tolist())
    return drawn[0] != drawn[1]


def files() -> bool:
    theirs, ours = io.BytesIO(), io.BytesIO()
    torch.save({"w": torch.ones(2)}, theirs)
    tl.save({"w": tl.ones(2)}, ours)
    return b"data.pkl" in theirs.getvalue() and b"data.pkl" not in ours.getvalue()


def processes() -> bool:
    there = torch.distributed
    there.init_process_group("gloo", store=there.HashStore(), rank=0, world_size=1)
    tl.distributed.init_process_group("gloo", rank=0, world_size=1)
    try:
        found: list[object] = [None]
        there.all_gather_object(found, {1, 2})
        with pytest.raises(TypeError, match="cannot write"):
            tl.distributed.all_gather_object([None], {1, 2})
        return found == [{1, 2}]
    finally:
        tl.distributed.destroy_process_group()
        there.destroy_process_group()


def branches() -> bool:
    pytest.importorskip("onnx")

    class Gate(torch.nn.Module):
        def forward(self, x: Any) -> Any:
            return x * 2 if x.sum() > 0 else x

    with catch_warnings(record=True) as said:
        simplefilter("always")
        torch.jit.trace(Gate(), torch.ones(2))  # what that exporter writes
    assert any("might cause the trace to be incorrect" in str(w.message) for w in said)
    with pytest.raises(RuntimeError, match="a number is read out of a computed tensor"):
        tl.onnx.export(lambda x: x * 2 if x.sum() > 0 else x, (tl.ones(2),), dynamo=False)
    return True


def eigenvectors() -> bool:
    """Projections and values agree where the vectors do not."""
    turned = [[0.5, 0.5, 0.0], [0.5, -0.5, 1.0], [0.7, 0.1, -0.7]]
    answers = []
    for lib in (torch, tl):
        q = lib.linalg.qr(lib.tensor(turned, dtype=lib.float64))[0]
        values, vectors = lib.linalg.eigh(q @ lib.diag(lib.tensor([1.0, 1.0, 2.0], dtype=lib.float64)) @ q.mT)
        plane = vectors[:, :2] @ vectors[:, :2].mT
        answers.append((np.asarray(values), np.asarray(plane), np.asarray(vectors)))
    for a, b in zip(*(answer[:2] for answer in answers), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-12)
    return True


def attributes() -> bool:
    torch.ones(1).note = tl.nn.Parameter(tl.ones(1)).note = 1  # type: ignore[attr-defined]
    with pytest.raises(AttributeError, match="note"):
        tl.ones(1).note = 1  # type: ignore[attr-defined]
    return True


def columns() -> bool:
    square = np.array([[2.0, 0.5], [0.5, 3.0]])
    for call in ("inv", "cholesky", "qr", "svd"):
        theirs, ours = (getattr(lib.linalg, call)(lib.tensor(square)) for lib in (torch, tl))
        theirs, ours = (y if call in ("inv", "cholesky") else y[0] for y in (theirs, ours))
        assert ours.is_contiguous() and not theirs.is_contiguous()
    return True


def derivatives() -> bool:
    from tinygrad_lite.testing import gradcheck

    slopes, numbers = [], np.random.default_rng(0).standard_normal((3, 1, 4))
    for lib in (torch, tl):
        F = lib.nn.functional
        values, at = F.max_pool1d(lib.tensor([[[0.0, 1.0, 3.0, 2.0, 1.0]]]), 3, stride=1, return_indices=True)
        x, y = lib.tensor(numbers, requires_grad=True), values.requires_grad_()
        factor = lib.tensor([[1.0, 0.0], [0.5, 2.0]], requires_grad=True)
        words = (lib.tensor([[1, 2]]), lib.tensor([3]), lib.tensor([2]))
        total = F.max_unpool1d(y, at, 3, stride=1).sum() + lib.cholesky_inverse(factor).sum() + F.ctc_loss(x, *words)
        total.backward()
        slopes.append([t.grad.numpy() for t in (x, y, factor)])
    for lib in (torch, tl):
        x, square = lib.ones(3, requires_grad=True), lib.tensor([[1.0, 2.0], [2.0, 4.0]], requires_grad=True)
        (x.as_strided_scatter(lib.zeros(2), (2,), (2,)).sum() + lib.det(square)).backward()
        kept, slope = ([1, 0, 1], [[0, 0], [0, 0]]) if lib is torch else ([0, 1, 0], [[4, -2], [-2, 1]])
        assert x.grad.tolist() == kept and square.grad.tolist() == slope
    assert gradcheck(lambda x: tl.nn.functional.ctc_loss(x, *words), tl.tensor(numbers, requires_grad=True))
    assert slopes[1][1].sum() == 1 and slopes[1][2][0, 1] == 0
    return all(not np.allclose(a, b) for a, b in zip(*slopes, strict=True))


def warnings() -> bool:
    assert torch.log(torch.zeros(1)).item() == -np.inf
    with np.errstate(all="ignore"):
        tl.log(tl.zeros(1))
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        tl.log(tl.zeros(1))
    with pytest.warns(RuntimeWarning, match="overflow"):
        tl.exp(tl.full((10,), 1000.0))
    with np.errstate(all="raise"):  # silent where a native loop computes it
        assert not tl.backends.native.enabled or tl.exp(tl.full((100_000,), 1000.0)).isinf().all()
    return True


def arrays() -> bool:
    x = tl.arange(3.0)
    assert x[::-1].tolist() == [2, 1, 0] and (x + [1, 2, 3]).tolist() == [1, 3, 5]
    x[:2] = [7, 8]
    wrong = (lambda x: x[::-1], lambda x: x + [1, 2, 3], lambda x: x.__setitem__(slice(2), [7, 8]))
    for call in wrong:
        with pytest.raises((TypeError, ValueError)):
            call(torch.arange(3.0))
    return x.tolist() == [7, 8, 2]


def failures() -> bool:
    first = []
    for lib in (torch, tl):
        layer = lib.nn.Linear(1, 1)
        with pytest.raises(RuntimeError):
            layer.load_state_dict({"weight": lib.full((1, 1), 7.0), "bias": lib.ones(2)})
        first.append(layer.weight.item() == 7)
    a1, a2 = (tl.ones(2, requires_grad=True) for _ in range(2))
    v1, v3 = a2.exp(), a1 * 1
    total = (v1 * 1 + v3).sum()
    v1.zero_()
    with pytest.raises(RuntimeError):
        total.backward()
    return first == [True, False] and a1.grad is None


def optimisers() -> bool:
    steps = []
    for lib in (torch, tl):
        p = lib.ones(1, requires_grad=True)
        optimiser = lib.optim.Adam([p])
        p.grad = lib.ones(1)
        optimiser.step()
        assert optimiser.state_dict()["state"][0]["step"].dtype == lib.float32
        steps.append(optimiser.state[p]["step"])
    return isinstance(steps[0], torch.Tensor) and steps[1] == 1


def hints() -> bool:
    import warnings as told

    for lib in (torch, tl):
        x = lib.ones(1, requires_grad=True)
        for hint in (lambda x=x: (x * 2).grad, lambda lib=lib: lib.ones(1, 1, 1).T, lambda x=x: float(x)):
            with told.catch_warnings(record=True) as seen:
                told.simplefilter("always")
                torch.set_warn_always(True)
                hint()
                torch.set_warn_always(False)
            assert bool(seen) == (lib is torch), (lib, seen)
    return True


LEAF = "a1 = T.tensor([1.0, 2.0], dtype=T.float64).requires_grad_()\n"
ROWS: dict[str, str | Callable[[], bool]] = {
    "device": device,
    "numbers": numbers,
    "random numbers": random_numbers,
    "files": files,
    "processes (`distributed`)": processes,
    "zero times infinity in backward": "a1 = T.tensor([0.0]).requires_grad_()\n"
    "v1 = T.where(a1 > 0, a1.sqrt(), 0.0)\nv1.sum().backward()",
    "singular points of `norm`, `std`, `hypot`": "a1 = T.zeros(2).requires_grad_()\nv1 = a1.norm()\n"
    "g1 = T.autograd.grad(v1, [a1], create_graph=True)\ng2 = T.autograd.grad(g1[0].sum() + v1, [a1])",
    "integers in `mean`, `norm`, losses": "a1 = T.tensor([1, 2])\nv1 = a1.mean()",
    "two dtypes in `lerp`, `isclose`, masked writes": LEAF + "v1 = a1.lerp(a1.to(T.float32), 0.5)",
    "`heaviside`, `unique`": LEAF + "v1 = a1.heaviside(a1.detach())",
    "a dim of a 0-d tensor": "a1 = T.tensor(1.0)\nv1 = a1.roll(1, 0)",
    "a view made in `no_grad`": LEAF + "with T.no_grad():\n    v1 = a1[:1]",
    "results of `inference_mode`": "with T.inference_mode():\n    v1 = T.ones(2)\nv1.mul_(2)",
    "an expanded tensor": "v1 = T.tensor(1.0).expand(2)\nv1[0] = 3",
    "a write between overlapping views": "a1 = T.ones(3)\na1[1:].copy_(a1[:-1])",
    "negative steps (`x[::-1]`), lists as operands (`x + [1, 2]`, `x[:2] = [1, 2]`)": arrays,
    "numbers and arrays in place of tensors (`maximum(x, 0)`, `exp(2.0)`)": "a1 = T.ones(2)\nv1 = T.maximum(a1, 2)",
    "`x *= x`": LEAF + "v1 = a1.sin()\nv1 *= v1\nv1.sum().backward()",
    "`.data =` between forward and backward": LEAF + "v1 = a1.sin()\na1.data = a1.data * 2\nv1.sum().backward()",
    "a backward pass or a `load_state_dict` that fails": failures,
    "state of optimisers": optimisers,
    "hints as warnings (`.grad` of a computed tensor, `.T` of more than two axes, `float()` of a tracked one)": hints,
    "operands of RNN cells, `cross_entropy`, `einsum`, `1 / x`, changed before backward": ""
    "m1 = fill(nn.RNNCell(1, 1), T.float64)\nv1 = m1(T.ones(1, 1, dtype=T.float64))\n"
    "with T.no_grad():\n    m1.weight_hh.add_(1)\nv1.sum().backward()",
    "a hook of a view whose base is written to": LEAF + "v1 = a1[:1]\nv1.register_hook(lambda g: g * 2)\n"
    "with T.no_grad():\n    a1.add_(1)\nv1.sum().backward()",
    "`requires_grad_()` after a view was made": "a1 = T.tensor([1.0])\nv1 = a1[:1]\na1.requires_grad_()",
    "a write to overlapping windows (`unfold`)": "a1 = T.tensor([1.0, 2.0, 3.0])\nv1 = a1.unfold(0, 2, 1)\nv1.mul_(2)",
    "equal elements in `kthvalue`, `topk`": "a1 = T.zeros(1, 3)\nv1 = a1.repeat(1, 20).topk(3, 1)[1]",
    "vectors of equal eigenvalues, signs of vectors": eigenvectors,
    "the value itself is NaN or infinite (`gelu`, `cumprod`, `copysign`, norms)": "a1 = T.tensor([-1e39])\n"
    "v1 = F.gelu(a1)",
    "convolution without input channels": "v1 = F.conv1d(T.ones(1, 0, 4), T.ones(2, 0, 1))",
    "labels of `cross_entropy`, `one_hot`": "v1 = F.one_hot(T.tensor([0, 1], dtype=T.int32))",
    "division by zero, log of 0, overflow": warnings,
    "attributes of tensors (`x.note = 1`)": attributes,
    "results of LAPACK (`inv`, `solve`, `qr`, `svd`, `cholesky`)": columns,
    "`max_unpool2d` where windows overlapped, `as_strided_scatter`, `det` of singular matrices, `ctc_loss` of numbers "
    "that are no log-probabilities, the triangle that `cholesky_inverse` and `cholesky_solve` do not read": derivatives,
    "a branch on the data, in `onnx.export(dynamo=False)`": branches,
    "printed names": lambda: str(torch.ones(2).shape) != str(tl.ones(2).shape),
}


def labels() -> list[str]:
    page = (Path(__file__).parents[3] / "docs" / "coming_from.md").read_text("utf-8")
    table = page.split("the deliberate differences")[1].split("```python")[0]
    return re.findall(r"^\| ([^|]+) \|", table, re.MULTILINE)[1:]


def test_every_row_has_a_check() -> None:
    assert [name for name in labels() if name != "---"] == list(ROWS)


@pytest.mark.parametrize("name", ROWS)
def test_the_difference_is_there(name: str) -> None:
    check = ROWS[name]
    if not isinstance(check, str):
        assert check()
        return
    found = lockstep.first(lockstep.lines_of(check), *lockstep.both(), lockstep.ALL)
    assert found is not None and found.lines == lockstep.lines_of(check), found
