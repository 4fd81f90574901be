"""Wrong input: one clear error that names the op and the fix, and nothing has changed."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite import nn
from tinygrad_lite.errors import DTypeError, GradientError, ShapeError

F = nn.functional


def image(*shape: int) -> Any:
    return tl.tensor(np.ones(shape, np.float32), requires_grad=True)


CALLS: list[tuple[str, Callable[[], Any], type[Exception], str]] = [
    ("channels", lambda: F.conv2d(image(2, 4, 8, 8), image(6, 3, 3, 3)), ShapeError,
     r"conv2d: weight expects 3 input channels, x has 4 \(x \(2, 4, 8, 8\)"),
    ("kernel", lambda: F.conv2d(image(1, 1, 2, 2), image(1, 1, 5, 5), padding=1), ShapeError,
     r"conv2d: .*\(5, 5\).*does not fit.*\(4, 4\)"),
    ("pool", lambda: F.max_pool2d(image(1, 1, 2, 2), 3), ShapeError, r"max_pool2d: .*does not fit"),
    ("ragged", lambda: tl.tensor([[1.0, 2.0], [3.0]]), ShapeError, "unequal length"),
    ("string", lambda: tl.tensor("text"), DTypeError, "convert it to numbers"),
    ("strings", lambda: tl.tensor(["1", "2"]), DTypeError, "<U1"),
    ("objects", lambda: tl.tensor(np.array([1, None], dtype=object)), DTypeError, "object"),
    ("complex", lambda: tl.tensor(1j), DTypeError, "complex"),
    ("integer", lambda: tl.tensor([1, 2], requires_grad=True), DTypeError, r"int64 .*\.float\(\)"),
    ("not a scalar", lambda: image(2, 2).exp().backward(), GradientError, r"shape \(2, 2\); reduce it first"),
    ("not recorded", lambda: tl.tensor([1.0]).backward(), GradientError, "was not recorded"),
    ("wrong gradient", lambda: image(2, 2).exp().backward(tl.ones(3)), ShapeError, r"\(3,\), expected \(2, 2\)"),
    ("string operand", lambda: image(2) * "a", DTypeError, "mul: expected tensors, arrays or numbers, got 'a'"),
    ("shapes", lambda: image(2, 3) + image(4), ShapeError, r"add: cannot broadcast shapes \(2,3\) \(4,\)"),
    ("matmul", lambda: image(2, 3) @ image(2, 3), ShapeError, "matmul: the last axis of input has 3"),
    ("linear", lambda: F.linear(image(5, 4), image(2, 3)), ShapeError, "linear: weight expects 3 input features"),
    ("axis", lambda: image(2, 3).sum(2), IndexError, "sum: dim 2 is out of range"),
    ("reshape", lambda: image(2, 3).reshape(4, 2), ShapeError, "reshape: cannot reshape"),
    ("index", lambda: image(3)[7], IndexError, "index 7 is out of bounds"),
    ("unknown word", lambda: image(3).sum(foo=1), TypeError, "sum: unexpected argument 'foo'"),
    ("targets", lambda: F.mse_loss(image(4, 2), image(4)), ShapeError, "same shape"),
    ("probabilities", lambda: F.binary_cross_entropy(image(2) * 3, image(2)), ValueError, "between 0 and 1"),
    ("class", lambda: F.cross_entropy(image(2, 3), tl.tensor([0, 3])), IndexError, "3 is out of bounds for 3 classes"),
    ("float class", lambda: F.nll_loss(image(2, 3), tl.tensor([0.0, 1.0])), DTypeError, "must be integers"),
    ("empty max", lambda: image(0, 3).amax(), ValueError, "no elements"),
    ("unsupported", lambda: np.fft.fft(image(4)), TypeError, "fft is not supported"),
    ("out", lambda: np.add(image(2), 1, out=np.zeros(2)), TypeError, "'out' is not supported"),
    ("leaves the graph", lambda: np.asarray(image(2)), GradientError, r"\.detach\(\)"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "kind", "text"), [c[1:] for c in CALLS], ids=[c[0] for c in CALLS])
def test_one_clear_error(call: Callable[[], Any], kind: type[Exception], text: str) -> None:
    with pytest.raises(kind) as caught:
        call()
    assert re.search(text, str(caught.value)), str(caught.value)
    assert "\n" not in str(caught.value)


def test_backward_twice_says_so_and_changes_nothing() -> None:
    x = tl.tensor([1.0, 2.0], requires_grad=True)
    y = (x * x).sum()
    y.backward()
    before = x.grad.array.copy()
    with pytest.raises(GradientError, match="retain_graph=True"):
        y.backward()
    assert np.array_equal(x.grad.array, before)


def test_a_failing_backward_leaves_every_grad_as_it_was() -> None:
    @tl.op(x=lambda g, x: 1 / 0, public=False)
    def breaks(x):
        return x * 1.0

    del tl.OPS["breaks"]
    a = tl.tensor([1.0], requires_grad=True)
    b = tl.tensor([1.0], requires_grad=True)
    with pytest.raises(ZeroDivisionError):
        (a * 2 + breaks(b)).sum().backward()
    assert a.grad is None and b.grad is None


def test_nan_in_the_data_stays_where_it_is() -> None:
    x = tl.tensor([1.0, np.nan, 3.0], requires_grad=True)
    (x * 2).sum().backward()
    assert x.grad.tolist() == [2.0, 2.0, 2.0]
    assert np.isnan(x.relu().array).tolist() == [False, True, False]


@pytest.mark.parametrize("make", [np.asfortranarray, lambda a: a[::-1], lambda a: np.repeat(a, 2, 1)[:, ::2]])
def test_layout_of_memory_does_not_matter(make: Callable[[Any], Any]) -> None:
    a = np.arange(6.0).reshape(2, 3)
    plain, other = tl.tensor(np.ascontiguousarray(make(a)), requires_grad=True), tl.from_numpy(make(a))
    other.requires_grad = True
    for t in (plain, other):
        ((t.exp() @ t.T).tanh() * 2).sum().backward()
    assert np.array_equal(plain.grad.array, other.grad.array)


def test_read_only_arrays_are_fine() -> None:
    a = np.ones((2, 2))
    a.flags.writeable = False
    t = tl.from_numpy(a)
    t.requires_grad = True
    (t * t).sum().backward()
    assert t.grad.tolist() == [[2.0, 2.0], [2.0, 2.0]]
    t.grad.array[...] = 0  # the gradient is its own memory


def test_a_zero_dimensional_tensor_goes_everywhere() -> None:
    t = tl.tensor(2.0, requires_grad=True)
    (t.exp() + t.sum() + t.mean() + t.amax() + t.reshape(1)[0] + t.softmax(0)).backward()
    assert t.grad.shape == () and np.isclose(t.grad.item(), np.exp(2.0) + 4)


def test_the_constructor_reads_lengths_and_numbers_as_pytorch_does() -> None:
    assert tl.Tensor(2, 3).shape == (2, 3)
    assert tl.Tensor([1, 2]).dtype == tl.float32 and tl.Tensor([1, 2]).tolist() == [1.0, 2.0]
    assert tl.Tensor(np.arange(2)).dtype == tl.float32  # tensor() keeps the array's
    with pytest.raises(TypeError, match="one array or several lengths"):
        tl.Tensor([1], [2])


def test_a_mean_over_more_elements_than_float16_can_count() -> None:
    x = tl.ones(70000, dtype=tl.float16, requires_grad=True)
    x.mean().backward()
    assert np.isclose(x.grad.array[0], 1 / 70000, rtol=1e-2)


@pytest.mark.parametrize("view", [lambda t: t, lambda t: t.reshape(4), lambda t: t.T, lambda t: t[::-1]])
def test_the_gradients_of_two_leaves_never_share_memory(view: Callable[[Any], Any]) -> None:
    a, b = image(2, 2), image(2, 2)
    ((view(a) + view(b)) * 3).sum().backward()
    a.grad.array[...] = 0
    assert b.grad.tolist() == [[3.0, 3.0], [3.0, 3.0]]


def test_a_broadcast_gradient_is_copied() -> None:
    x = image(2, 2)
    x.sum().backward()
    x.grad.array[0, 0] = 5
    assert x.grad.tolist() == [[5.0, 1.0], [1.0, 1.0]]


@pytest.mark.parametrize("call, said", [
    (lambda: tl.exp("a"), "exp: input must be a tensor, got 'a'"),
    (lambda: tl.relu(None), "relu: input must be a tensor, got None$"),
    (lambda: tl.mean("a"), "mean: input must be a tensor"),
    (lambda: tl.matmul(np.ones((2, 3)), np.ones((2, 3))), "matmul: the last axis of input has 3 elements"),
])  # fmt: skip
def test_calls_without_any_tensor_have_the_same_messages(call, said):
    with pytest.raises((TypeError, ValueError), match=said):
        call()


MANY = [
    tl.meshgrid,
    tl.broadcast_tensors,
    tl.cartesian_prod,
    tl.block_diag,
    tl.atleast_1d,
    tl.atleast_2d,
    tl.atleast_3d,
]


@pytest.mark.parametrize("call", MANY, ids=lambda f: f.__name__)
def test_functions_of_several_tensors_take_any_iterable_of_tensors(call: Callable[..., Any]) -> None:
    a, b = tl.arange(2), tl.arange(2)
    whole = [np.asarray(x).tolist() for x in call(a, b)]
    assert [np.asarray(x).tolist() for x in call(x for x in (a, b))] == whole
    for wrong in ({1, 2}, {"a": a}, "ab", b"ab", None, range(3), zip([1], [2], strict=True)):
        with pytest.raises(TypeError, match=f"^{call.__name__}: expected tensors, got"):
            call(wrong)


@pytest.mark.parametrize("call", [
    lambda: tl.zeros(b"ab"), lambda: image(2).reshape(b"\2"), lambda: nn.ReplicationPad3d(b"x"),
    lambda: nn.LayerNorm(b"a"),
])  # fmt: skip
def test_bytes_are_no_sizes(call: Callable[[], Any]) -> None:
    with pytest.raises(TypeError, match="got b'"):
        call()


def test_a_number_is_its_own_one_hot_vector() -> None:
    assert F.gumbel_softmax(tl.tensor(0.5), hard=True).item() == 1


@pytest.mark.parametrize("call, said", [
    (lambda: tl.finfo(float("nan")), "finfo: expected a floating dtype, got nan"),
    (lambda: tl.optim.scipy_minimize(tl.ones(3), [tl.ones(2)]), "scipy_minimize: loss must be a function"),
    (lambda: tl.vision.ops.stochastic_depth(tl.ones(3), np.array(["a"]), "row"), "stochastic_depth: p must be"),
    (lambda: tl.testing.assert_allclose(tl.ones(3), 0.5, msg=np.ones(2)), "assert_close: msg must be a string"),
    (lambda: F.gumbel_softmax(tl.ones(3, 3), dim=True), "gumbel_softmax: dim must be an integer, got True"),
])  # fmt: skip
def test_wrong_kinds_are_named_before_anything_is_drawn(call: Callable[[], Any], said: str) -> None:
    state = tl.get_rng_state()
    with pytest.raises(TypeError, match=said):
        call()
    assert tl.equal(state, tl.get_rng_state())
