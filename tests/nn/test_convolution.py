"""What convolution and pooling can do beyond PyTorch, against SciPy, NumPy and the definition."""

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite import nn
from tinygrad_lite.nn import functional as F

rng = np.random.default_rng(0)


def test_flip_and_full_against_scipy():
    signal = pytest.importorskip("scipy.signal")
    x, w = rng.normal(size=(7, 9)), rng.normal(size=(3, 4))
    for padding in ("valid", "full", "same"):
        ours = F.conv2d(x[None, None], w[None, None], padding=padding, flip=True)[0, 0]
        if padding == "same":  # SciPy's same is centred on the other side for even kernels
            assert ours.shape == x.shape
            continue
        np.testing.assert_allclose(ours, signal.convolve2d(x, w, padding), rtol=1e-10)
        plain = F.conv2d(x[None, None], w[None, None], padding=padding)[0, 0]
        np.testing.assert_allclose(plain, signal.correlate2d(x, w, padding), rtol=1e-10)
    odd = rng.normal(size=(3, 5))
    np.testing.assert_allclose(
        F.conv2d(x[None, None], odd[None, None], padding="same", flip=True)[0, 0], signal.convolve2d(x, odd, "same")
    )
    line, k = rng.normal(size=11), rng.normal(size=4)
    np.testing.assert_allclose(
        F.conv1d(line[None, None], k[None, None], padding="full", flip=True)[0, 0], np.convolve(line, k)
    )


def test_asymmetric_padding_is_padding():
    x, w = rng.normal(size=(2, 3, 6, 7)), rng.normal(size=(4, 3, 3, 2))
    for stride in (1, 2, 3):
        ours = F.conv2d(x, w, None, stride, ((2, 1), (0, 3)), 1)
        padded = np.pad(x, ((0, 0), (0, 0), (2, 1), (0, 3)))
        np.testing.assert_allclose(ours, F.conv2d(padded, w, None, stride))
    layer = nn.Conv2d(3, 4, 3, padding=((2, 1), (0, 3)))
    assert layer(tl.tensor(x.astype(np.float32))).shape == (2, 4, 7, 8)
    assert "padding=((2, 1), (0, 3))" in repr(layer)


@pytest.mark.parametrize("size", [5, 6, 7, 8, 9])
@pytest.mark.parametrize("kernel", [1, 2, 3, 4])
@pytest.mark.parametrize("dilation", [1, 2])
def test_same_keeps_the_size_and_has_no_stride(size, kernel, dilation):
    x, w = np.ones((1, 1, size)), np.ones((1, 1, kernel))
    assert F.conv1d(x, w, None, 1, "same", dilation).shape[-1] == size
    with pytest.raises(ValueError, match="padding='same' is not supported for strided convolutions"):
        F.conv1d(x, w, None, 2, "same", dilation)


def test_untied_bias():
    with pytest.raises(ValueError, match="input_size"):
        nn.Conv2d(1, 2, 3, bias="untied")
    with pytest.raises(ValueError, match="True, False or 'untied'"):
        nn.Conv2d(1, 2, 3, bias="free")
    layer = nn.Conv2d(1, 2, 3, stride=2, padding=1, bias="untied", input_size=(8, 6))
    assert layer.bias.shape == (2, 4, 3) and "bias=untied" in repr(layer)
    x = tl.tensor(rng.normal(size=(5, 1, 8, 6)).astype(np.float32))
    free = F.conv2d(x, layer.weight, None, 2, 1)
    np.testing.assert_allclose(layer(x).detach().array, free.detach().array + layer.bias.array, rtol=1e-5)
    layer(x).sum().backward()
    assert layer.bias.grad.tolist() == np.full((2, 4, 3), 5.0).tolist()
    with pytest.raises(ValueError, match="untied"):
        layer(tl.ones(1, 1, 10, 6))
    up = nn.ConvTranspose2d(2, 3, 2, 2, bias="untied", input_size=4)
    assert up.bias.shape == (3, 8, 8) and up(tl.ones(1, 2, 4, 4)).shape == (1, 3, 8, 8)
    assert nn.Conv1d(1, 2, 3, bias="untied", input_size=5).bias.shape == (2, 3)


@pytest.mark.parametrize(
    ("padding", "stride"), [(p, s) for p in ("valid", "full", "same", 1) for s in (1, 2, 3) if p != "same" or s == 1]
)
def test_conv_matrix_is_the_convolution(padding, stride):
    x, w = rng.normal(size=9), rng.normal(size=3)
    m = F.conv_matrix(w, 9, stride, padding)
    np.testing.assert_allclose(m @ x, F.conv1d(x[None, None], w[None, None], None, stride, padding)[0, 0])
    flipped = F.conv_matrix(w, 9, stride, padding, flip=True)
    np.testing.assert_allclose(
        flipped @ x, F.conv1d(x[None, None], w[None, None], None, stride, padding, flip=True)[0, 0]
    )
    images, weights = rng.normal(size=(2, 9)), rng.normal(size=(4, 2, 3))
    whole = F.conv_matrix(weights, 9, stride, padding)
    expected = F.conv1d(images[None], weights, None, stride, padding)[0]
    np.testing.assert_allclose((whole @ images.reshape(-1)).reshape(expected.shape), expected)


def test_conv_matrix_has_a_gradient():
    w = tl.tensor([1.0, 2.0, 3.0], requires_grad=True)
    (F.conv_matrix(w, 5) @ tl.arange(5.0)).sum().backward()
    assert w.grad.tolist() == [3, 6, 9]
    assert F.conv_matrix(tl.tensor([1.0, 2.0]), 3).tolist() == [[1, 2, 0], [0, 1, 2]]


def test_transpose_is_the_adjoint():
    x, w = rng.normal(size=(2, 4, 7, 6)), rng.normal(size=(6, 2, 3, 2))
    y = F.conv2d(x, w, None, (2, 1), (1, 0), 1, 2)
    g = rng.normal(size=y.shape)
    back = F.conv_transpose2d(g, w, None, (2, 1), (1, 0), (0, 0), 2)
    assert back.shape == x.shape
    np.testing.assert_allclose((y * g).sum(), (x * back).sum())


def test_l2_pooling_of_nothing_has_no_slope():
    x = tl.zeros(1, 1, 4, 4, requires_grad=True)
    y = nn.LPPool2d(2, 2)(x)
    y.sum().backward()
    assert y.tolist() == [[[[0, 0], [0, 0]]]] and not x.grad.array.any()
    assert nn.LPPool1d(2, 2)(tl.tensor([[[3.0, 4.0]]])).item() == 5.0


def test_windows_that_do_not_fit_are_left_out():
    assert F.max_pool2d(tl.ones(1, 1, 5, 5), 2).shape == (1, 1, 2, 2)
    assert F.max_pool2d(tl.ones(1, 1, 5, 5), 2, ceil_mode=True).shape == (1, 1, 3, 3)
    assert F.conv2d(tl.ones(1, 1, 6, 6), tl.ones(1, 1, 3, 3), stride=2).shape == (1, 1, 2, 2)


def test_ties_go_to_the_first():
    x = tl.ones(1, 1, 2, 2, requires_grad=True)
    F.max_pool2d(x, 2).backward()
    assert x.grad.tolist() == [[[[1, 0], [0, 0]]]]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: F.conv2d(tl.ones(1, 4, 5, 5), tl.ones(6, 3, 3, 3)), "weight expects 3 input channels, x has 4"),
        (lambda: F.conv2d(tl.ones(1, 3, 2, 2), tl.ones(6, 3, 3, 3)), "does not fit into the padded image"),
        (lambda: F.conv2d(tl.ones(3, 3), tl.ones(6, 3, 3, 3)), r"expected x of shape \(N, C, H, W\)"),
        (lambda: F.conv2d(tl.ones(1, 3, 5, 5), tl.ones(6, 3, 3)), "weight must have 4 axes"),
        (lambda: F.conv2d(tl.ones(1, 3, 5, 5), tl.ones(6, 3, 3, 3), tl.ones(5)), r"bias must be \(6,\)"),
        (lambda: F.conv2d(tl.ones(1, 3, 5, 5), tl.ones(6, 3, 3, 3), stride=0), "must be at least 1"),
        (lambda: F.conv2d(tl.ones(1, 3, 5, 5), tl.ones(6, 3, 3, 3), padding=-1), "negative padding"),
        (lambda: F.conv2d(tl.ones(1, 3, 5, 5), tl.ones(6, 3, 3, 3), padding=(1, 2, 3)), "an integer or 2 of them"),
        (lambda: F.conv2d(tl.ones(1, 3, 5, 5), tl.ones(6, 3, 3, 3), padding="some"), "'valid', 'same' or 'full'"),
        (lambda: F.conv2d(tl.ones(1, 6, 5, 5), tl.ones(4, 2, 3, 3), groups=3), "do not divide into 3 groups"),
        (lambda: F.conv2d("image", tl.ones(6, 3, 3, 3)), "expected a tensor"),
        (lambda: F.conv2d([[1.0]], tl.ones(6, 3, 3, 3)), "expected a tensor"),
        (lambda: F.max_pool2d(tl.ones(1, 1, 3, 3), 5), "does not fit"),
        (lambda: F.max_pool2d(tl.ones(1, 1, 3, 3), "2"), "kernel_size must be"),
        (lambda: F.avg_pool2d(tl.ones(1, 1, 4, 4).int(), 2), "use .float()"),
        (lambda: F.max_unpool2d(tl.ones(1, 1, 1, 1), tl.tensor([[[[9]]]]), 2), "outside"),
        (lambda: F.pad(tl.ones(3), (1,)), "a pair"),
        (lambda: F.pad(tl.ones(3), (1, 1, 1, 1)), "x has 1"),
        (lambda: F.pad(tl.ones(3), (-2, -2)), "cuts off more"),
        (lambda: F.pad(tl.ones(1, 3), (3, 0), "reflect"), "at most 2"),
    ],
)
def test_wrong_calls_say_what_is_wrong(call, message):
    with pytest.raises((ValueError, TypeError, IndexError), match=message):
        call()


def test_nan_goes_through_and_nothing_else_does():
    x = np.ones((1, 1, 4, 4), np.float32)
    x[0, 0, 0, 0] = np.nan
    y = F.conv2d(tl.tensor(x), tl.ones(1, 1, 2, 2)).array
    assert np.isnan(y).sum() == 1
    assert np.isnan(F.max_pool2d(tl.tensor(x), 2).array).sum() == 1


def test_read_only_and_strided_input():
    x = rng.normal(size=(6, 2, 5, 5)).astype(np.float32)
    w = rng.normal(size=(3, 2, 3, 3)).astype(np.float32)
    plain = F.conv2d(tl.tensor(x[::2]), tl.tensor(w)).array
    view = x[::2]
    view.flags.writeable = False
    np.testing.assert_array_equal(F.conv2d(tl.from_numpy(view), tl.tensor(w)).array, plain)
