"""Small things that programs use: strides, unfolded axes, lengths of half floats, byte masks."""

import numpy as np
import pytest

import tinygrad_lite as tl

torch = pytest.importorskip("torch")


@pytest.mark.parametrize("make", [lambda x: x, lambda x: x.t(), lambda x: x[::2], lambda x: x[0], lambda x: x[1, 2]])
def test_stride(make):
    a = np.arange(12.0, dtype=np.float32).reshape(4, 3)
    ours, theirs = make(tl.tensor(a)), make(torch.tensor(a))
    assert ours.stride() == theirs.stride() and ours.is_contiguous() == theirs.is_contiguous()
    if ours.ndim:
        assert ours.stride(-1) == theirs.stride(-1) and ours.stride(0) == theirs.stride(0)
    with pytest.raises(IndexError, match="out of range"):
        ours.stride(5)


@pytest.mark.parametrize("shape", [(), (7,), (5, 4), (2, 5, 3)])
def test_unfold(shape):
    values = np.random.default_rng(0).standard_normal(shape)
    for dim in range(-max(len(shape), 1), max(len(shape), 1)):
        length = shape[dim] if shape else 1
        for size in range(length + 1):
            for step in (1, 2, 9):
                ours, theirs = tl.tensor(values, requires_grad=True), torch.tensor(values, requires_grad=True)
                y, z = ours.unfold(dim, size, step), theirs.unfold(dim, size, step)
                assert y.shape == tuple(z.shape), (dim, size, step)
                assert y.detach().numpy().tolist() == z.detach().numpy().tolist()
                weight = np.random.default_rng(1).standard_normal(y.shape)
                (y * y * tl.tensor(weight)).sum().backward()
                (z * z * torch.tensor(weight)).sum().backward()
                np.testing.assert_allclose(ours.grad.numpy(), theirs.grad.numpy())
    for wrong in ((0, 9, 1), (0, 1, 0), (0, -1, 1), (4, 1, 1)):
        for lib in (tl, torch):
            with pytest.raises((RuntimeError, IndexError)):
                lib.tensor(values).unfold(*wrong)


def test_gradient_of_unfold_to_second_order():
    from tinygrad_lite.testing import gradgradcheck

    x = tl.tensor(np.random.default_rng(0).standard_normal((4, 3)), requires_grad=True)
    assert gradgradcheck(lambda x: x.unfold(0, 3, 1) ** 3, x)


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0, 2.5, float("inf"), 0.0])
@pytest.mark.parametrize("dim", [None, 0])
def test_half_floats_have_lengths(p, dim):
    values = np.full((200, 3), 300.0, np.float16)
    ours, theirs = tl.tensor(values, requires_grad=True), torch.tensor(values, requires_grad=True)
    y, z = ours.norm(p, dim), theirs.norm(p, dim)
    assert y.dtype == np.float16
    np.testing.assert_allclose(y.detach().numpy(), z.detach().numpy(), rtol=2e-3)
    if p not in (0.0, float("inf")) and np.isfinite(y.detach().numpy()).all():
        y.backward(tl.ones_like(y))
        exact = torch.tensor(values, dtype=torch.float64, requires_grad=True)  # PyTorch's own is 0 for p = 3
        exact.norm(p, dim).sum().backward()
        np.testing.assert_allclose(ours.grad.numpy(), exact.grad.numpy(), rtol=5e-3)


def test_half_floats_have_a_spread():
    values = np.tile(np.array([30000, 30100], np.float16), 50)
    for name in ("std", "var"):
        ours, theirs = getattr(tl.tensor(values), name)(), getattr(torch.tensor(values), name)()
        assert ours.dtype == np.float16 and ours.item() == pytest.approx(theirs.item(), rel=2e-3)


@pytest.mark.filterwarnings("ignore:index. a tensor of dtype uint8", "ignore:indexing with dtype torch.uint8")
def test_byte_tensors_are_masks():
    x, mask = tl.arange(4), tl.tensor([1, 0, 1, 0], dtype=tl.uint8)
    for call in (lambda: x[mask], lambda: x[mask,]):
        with pytest.warns(UserWarning, match=r"use .bool\(\) for a mask, .long\(\) for positions"):
            assert call().tolist() == [0, 2]
    with pytest.warns(UserWarning, match="where: a condition of dtype uint8 is deprecated"):
        assert tl.where(mask, x, -x).tolist() == [0, -1, 2, -3]
    for call in (lambda: x.masked_fill(mask, 0), lambda: x.masked_select(mask)):
        with pytest.raises(TypeError, match="must be bool"):
            call()
    assert x[mask.bool()].tolist() == torch.arange(4)[torch.tensor([True, False, True, False])].tolist()
    assert x[tl.tensor(2, dtype=tl.uint8)].shape == (1, 4) and x[np.array([1, 0], np.uint8)].tolist() == [1, 0]
