"""Images read between their pixels, against PyTorch: places inside, on pixels, on edges and far outside."""

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite.testing import gradgradcheck

torch = pytest.importorskip("torch")
F, G = tl.nn.functional, torch.nn.functional


def numbers(*shape):
    return np.random.default_rng(0).standard_normal(shape)


def agree(ours, theirs, rtol):
    assert ours.shape == tuple(theirs.shape) and str(ours.dtype) == str(theirs.dtype)
    np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), rtol=rtol, atol=rtol)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("align", [True, False])
@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("mode", ["bilinear", "nearest", "bicubic"])
@pytest.mark.parametrize("sizes", [(3, 4), (1, 5), (4, 2, 3)])
def test_values_and_gradients(sizes, mode, padding, align, dtype):
    d, rng = len(sizes), np.random.default_rng(1)
    if mode == "bicubic" and d == 3:
        for lib, f in ((tl, F), (torch, G)):
            with pytest.raises((RuntimeError, ValueError), match="bicubic"):
                f.grid_sample(lib.ones(1, 1, 2, 2, 2), lib.ones(1, 2, 2, 2, 3), mode, padding, align)
        return
    place = rng.uniform(-1.7, 1.7, (2, *(3,) * (d - 1), 5, d))
    if dtype == "float64" or mode == "bilinear" and padding != "reflection":
        # edges and far outside, where single precision may round to the other side
        place.reshape(-1, d)[:6] = np.array([-1.0, 1.0, 0.0, 5.0, -7.0, 0.5])[:, None]
    found = []
    for lib, f in ((tl, F), (torch, G)):
        x = lib.tensor(numbers(2, 3, *sizes).astype(dtype), requires_grad=True)
        g = lib.tensor(place.astype(dtype), requires_grad=True)
        y = f.grid_sample(x, g, mode, padding, align)
        (y**2).sum().backward()
        found.append((y, x.grad, g.grad))
    for ours, theirs in zip(*found, strict=True):
        agree(ours, theirs, 1e-9 if dtype == "float64" else 3e-4)


@pytest.mark.parametrize("align", [True, False])
@pytest.mark.parametrize("size", [(2, 3, 4, 5), (2, 1, 1, 3), (2, 1, 2, 3, 4)])
@pytest.mark.filterwarnings("ignore:Since version")
def test_affine_grids(size, align):
    d = len(size) - 2
    found = []
    for lib, f in ((tl, F), (torch, G)):
        theta = lib.tensor(numbers(2, d, d + 1), requires_grad=True)
        y = f.affine_grid(theta, size, align_corners=align)
        (y**2).sum().backward()
        found.append((y, theta.grad))
    for ours, theirs in zip(*found, strict=True):
        agree(ours, theirs, 1e-9)


@pytest.mark.parametrize("align", [True, False])
@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("sizes", [(3, 4), (2, 3, 2)])
def test_both_derivatives(sizes, padding, align):
    place = np.random.default_rng(3).uniform(-1.6, 1.6, (1, *(2,) * len(sizes), len(sizes)))

    def read(x, g):
        return F.grid_sample(x, g, padding_mode=padding, align_corners=align) ** 2

    x = tl.tensor(numbers(1, 2, *sizes), requires_grad=True)
    assert gradgradcheck(read, x, tl.tensor(place, requires_grad=True))


def test_the_map_that_changes_nothing():
    x = tl.tensor(numbers(1, 2, 3, 4))
    same = F.affine_grid(tl.tensor([[[1.0, 0, 0], [0, 1, 0]]], dtype=tl.float64), x.shape, align_corners=False)
    np.testing.assert_allclose(F.grid_sample(x, same, align_corners=False), x, rtol=1e-12)


def test_places_that_are_no_numbers_read_nothing_from_elsewhere():
    x = tl.ones(1, 1, 2, 2)
    far = tl.tensor([[[[np.inf, 0.0], [-np.inf, np.inf], [1e30, 0.0]]]], dtype=tl.float32)
    with np.errstate(all="ignore"):
        assert F.grid_sample(x, far).tolist() == [[[[0.0, 0.0, 0.0]]]]


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        (lambda f, lib: f.grid_sample(lib.ones(1, 1, 2, 2), lib.ones(1, 2, 2, 3)), RuntimeError),
        (lambda f, lib: f.grid_sample(lib.ones(1, 1, 2, 2), lib.ones(2, 2, 2, 2)), RuntimeError),
        (lambda f, lib: f.grid_sample(lib.ones(1, 2, 2), lib.ones(1, 2, 2)), RuntimeError),
        (lambda f, lib: f.grid_sample(lib.ones(1, 1, 2, 2), lib.ones(1, 2, 2, 2), mode="cubic"), ValueError),
        (lambda f, lib: f.grid_sample(lib.ones(1, 1, 2, 2), lib.ones(1, 2, 2, 2), padding_mode="a"), ValueError),
        (lambda f, lib: f.grid_sample(lib.ones(1, 1, 2, 2), lib.ones(1, 2, 2, 2).double()), RuntimeError),
        (lambda f, lib: f.grid_sample(lib.ones(1, 1, 0, 2), lib.ones(1, 2, 2, 2)), RuntimeError),
        (
            lambda f, lib: f.affine_grid(lib.ones(1, 2, 2), (1, 1, 2, 2), align_corners=False),
            (ValueError, RuntimeError),
        ),
        (
            lambda f, lib: f.affine_grid(lib.ones(2, 2, 3), (1, 1, 2, 2), align_corners=False),
            (ValueError, RuntimeError),
        ),
        (
            lambda f, lib: f.affine_grid(lib.ones(1, 2, 3), (1, 1, 0, 2), align_corners=False),
            (ValueError, RuntimeError),
        ),
    ],
)
@pytest.mark.filterwarnings("ignore:Default grid_sample")
def test_wrong_calls(call, kind):
    for f, lib in ((F, tl), (G, torch)):
        with pytest.raises(kind):
            call(f, lib)
