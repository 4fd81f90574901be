"""Dropout, regularisation, clipping, vectors, devices, and what functions say about bad input."""

import math

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite import nn
from tinygrad_lite.nn import functional as F
from tinygrad_lite.nn.regularisation import chosen

rng = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def seed():
    tl.manual_seed(0)


# ---------------------------------------------------------------------------------------------------- random numbers
def test_dropout_keeps_the_mean_and_can_be_repeated():
    x = tl.ones(200, 200, requires_grad=True)
    y = F.dropout(x, 0.3)
    assert set(np.unique(y.array).round(5)) == {0.0, np.float32(1 / 0.7).round(5)}
    assert (y.array == 0).mean() == pytest.approx(0.3, abs=0.01)
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.array, y.array)
    tl.manual_seed(0)
    np.testing.assert_array_equal(F.dropout(x, 0.3).array, y.array)
    assert not F.dropout(x, 1.0).array.any() and F.dropout(x, 0.0) is x and F.dropout(x, 0.5, training=False) is x
    with pytest.raises(ValueError, match="between 0 and 1"):
        F.dropout(x, 1.2)
    with pytest.raises(ValueError, match="between 0 and 1"):
        F.dropout(x, math.nan)


def test_channels_are_dropped_whole():
    y = nn.Dropout2d(0.5)(tl.ones(8, 16, 3, 3)).array
    flat = y.reshape(128, 9)
    assert ((flat == 0).all(1) | (flat == 2).all(1)).all() and (flat == 0).any() and (flat == 2).any()
    with pytest.warns(UserWarning, match="expected 3 or 4 axes"):
        y = nn.Dropout2d(0.5)(tl.ones(30, 30))
    assert set(np.unique(y.array)) == {0, 2}
    with pytest.warns(UserWarning, match="expected"), pytest.raises(ValueError, match="at least 2 axes"):
        nn.Dropout2d(0.5)(tl.ones(3))


def test_alpha_dropout_keeps_mean_and_variance():
    x = tl.tensor(rng.normal(size=(300, 300)).astype(np.float32))
    for layer in (nn.AlphaDropout(0.3), nn.FeatureAlphaDropout(0.3)):
        y = layer(x).array
        assert abs(y.mean()) < 0.03 and y.std() == pytest.approx(1, abs=0.05)
    assert nn.AlphaDropout(1.0)(x).array.std() == 0


def test_random_slopes_and_choices():
    x = -tl.ones(100, requires_grad=True)
    y = nn.RReLU(0.1, 0.5)(x)
    assert -0.5 <= y.array.min() < -0.4 and -0.2 < y.array.max() <= -0.1
    one = F.gumbel_softmax(tl.zeros(50, 4, requires_grad=True), hard=True)
    assert (np.sort(one.detach().array.round(6), -1) == [0, 0, 0, 1]).all() and one.requires_grad
    soft = F.gumbel_softmax(tl.zeros(50, 4), tau=0.5)
    np.testing.assert_allclose(soft.array.sum(-1), 1, rtol=1e-5)


# ---------------------------------------------------------------------------------------------------- regularisation
def net():
    return nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))


def test_penalties_leave_biases_out():
    model = net()
    weights = [model[0].weight.array, model[2].weight.array]
    assert [p is q for p, q in zip(chosen(model), [model[0].weight, model[2].weight], strict=True)] == [True, True]
    assert len(chosen(model, biases=True)) == 4
    l1, l2 = (sum(f(w).sum() for w in weights) for f in (np.abs, np.square))
    assert nn.L1(0.1)(model).item() == pytest.approx(0.1 * l1, rel=1e-5)
    assert nn.L2(0.1)(model).item() == pytest.approx(0.1 * l2, rel=1e-5)
    assert nn.ElasticNet(0.1, 0.3)(model).item() == pytest.approx(0.1 * (0.3 * l1 + 0.35 * l2), rel=1e-5)
    rows = [np.linalg.norm(w, axis=1).sum() * math.sqrt(w.shape[1]) for w in weights]
    assert nn.GroupLasso(0.1)(model).item() == pytest.approx(0.1 * sum(rows), rel=1e-5)
    columns = [np.linalg.norm(w, axis=0).sum() * math.sqrt(w.shape[0]) for w in weights]
    assert nn.GroupLasso(0.1, dim=1)(model).item() == pytest.approx(0.1 * sum(columns), rel=1e-5)
    only = nn.L2(choose=lambda name, p: name.startswith("2."))
    assert only(model).item() == pytest.approx((weights[1] ** 2).sum() + (model[2].bias.array ** 2).sum(), rel=1e-5)
    assert nn.L1(1.0)([tl.ones(2), -tl.ones(3)]).item() == 5 and nn.L1(2.0)(tl.ones(2)).item() == 4
    assert nn.L1(1.0)(nn.ReLU()).item() == 0


def test_penalties_add_to_a_loss():
    model = net()
    x, y = tl.ones(4, 2), tl.zeros(4, 1)
    (F.mse_loss(model(x), y) + nn.L2(0.5)(model)).backward()
    with_penalty = model[0].weight.grad.array.copy()
    bias = model[0].bias.grad.array.copy()
    model.zero_grad()
    F.mse_loss(model(x), y).backward()
    np.testing.assert_allclose(with_penalty - model[0].weight.grad.array, model[0].weight.array, rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(bias, model[0].bias.grad.array)


def test_zero_groups_have_no_slope():
    w = tl.tensor([[0.0, 0.0], [3.0, 4.0]], requires_grad=True)
    nn.GroupLasso(1.0)(w).backward()
    np.testing.assert_allclose(w.grad.array, np.array([[0, 0], [0.6, 0.8]]) * math.sqrt(2), rtol=1e-6)
    for bad in (lambda: nn.L1(-1), lambda: nn.ElasticNet(1, 2), lambda: nn.L2(math.nan)):
        with pytest.raises(ValueError):
            bad()
    with pytest.raises(IndexError):
        nn.GroupLasso(dim=3)(w)


# ---------------------------------------------------------------------------------------------------- nn.utils
def graded():
    model = net()
    for i, p in enumerate(model.parameters()):
        p.grad = tl.full(p.shape, float(i + 1))
    return model


@pytest.mark.parametrize("norm", [1, 2, 3, math.inf])
def test_clipping_like_pytorch(norm):
    torch = pytest.importorskip("torch")
    model = graded()
    theirs = [torch.zeros(tuple(p.shape), requires_grad=True) for p in model.parameters()]
    for i, p in enumerate(theirs):
        p.grad = torch.full_like(p, float(i + 1))
    ours = nn.utils.clip_grad_norm_(model.parameters(), 2.0, norm)
    expected = torch.nn.utils.clip_grad_norm_(theirs, 2.0, norm)
    assert ours.item() == pytest.approx(expected.item(), rel=1e-6)
    for p, q in zip(model.parameters(), theirs, strict=True):
        np.testing.assert_allclose(p.grad.array, q.grad.numpy(), rtol=1e-6)


def test_clipping():
    model = graded()
    nn.utils.clip_grad_value_(model.parameters(), 1.5)
    assert {float(v) for p in model.parameters() for v in p.grad.array.ravel()} == {1.0, 1.5}
    small = graded()
    assert nn.utils.clip_grad_norm_(small.parameters(), 1e9).item() > 0
    assert small[0].weight.grad.array.max() == 1, "a norm below the limit is left alone"
    assert nn.utils.clip_grad_norm_(net().parameters(), 1.0).item() == 0
    small[0].weight.grad.array[0, 0] = np.nan
    with pytest.raises(RuntimeError, match="non-finite"):
        nn.utils.clip_grad_norm_(small.parameters(), 1.0, error_if_nonfinite=True)


def test_vectors():
    model = net()
    v = nn.utils.parameters_to_vector(model.parameters())
    assert v.shape == (13,) and v.requires_grad
    nn.utils.vector_to_parameters(tl.arange(13.0), model.parameters())
    assert model[0].weight.tolist() == [[0, 1], [2, 3], [4, 5]] and model[2].bias.tolist() == [12]
    with pytest.raises(ValueError, match="13 elements"):
        nn.utils.vector_to_parameters(tl.arange(5.0), model.parameters())
    with pytest.raises(TypeError):
        nn.utils.vector_to_parameters([1.0], model.parameters())


def test_sequences_of_different_lengths():
    a, b = tl.ones(3, 2, requires_grad=True), tl.ones(1, 2)
    x = nn.utils.rnn.pad_sequence([a, b], padding_value=9.0)
    assert x.shape == (3, 2, 2) and x[1, 1].tolist() == [9, 9]
    left = nn.utils.rnn.pad_sequence([a, b], batch_first=True, padding_side="left")
    assert left[1].tolist() == [[0, 0], [0, 0], [1, 1]]
    assert [s.shape for s in nn.utils.rnn.unpad_sequence(x, tl.tensor([3, 1]))] == [(3, 2), (1, 2)]
    with pytest.raises(ValueError):
        nn.utils.rnn.pad_sequence([a, tl.ones(1, 3)])


# ---------------------------------------------------------------------------------------------------- devices
def test_devices():
    cpu = tl.device("cpu")
    assert cpu == tl.device(cpu) and cpu.type == "cpu" and str(tl.device("cpu:0")) == "cpu:0"
    assert repr(cpu) == "device(type='cpu')" and tl.device("cpu", 1).index == 1 and hash(cpu) == hash(tl.device("cpu"))
    chosen = tl.device("cuda" if tl.cuda.is_available() else "mps" if tl.mps.is_available() else "cpu")
    assert tl.ones(2).to(chosen).cpu().tolist() == [1, 1]
    assert nn.Linear(1, 1).to(chosen)(tl.ones(1, 1)).shape == (1, 1)
    assert not tl.accelerator.is_available() and tl.cuda.device_count() == 0
    assert tl.accelerator.current_accelerator() is None
    for wrong in ("cuda", "cuda:0", "mps", "gpu", 0):
        with pytest.raises(RuntimeError, match="does not exist here"):
            tl.device(wrong)
    with pytest.raises(RuntimeError, match="cuda"):
        tl.ones(1).to("cuda")


# ---------------------------------------------------------------------------------------------------- bad input
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: F.linear(tl.ones(2, 3), tl.ones(4, 5)), "linear: weight expects 5 input features, x has 3"),
        (lambda: nn.BatchNorm1d(2)(tl.ones(1, 2)), "more than 1 value per channel"),
        (lambda: F.batch_norm(tl.ones(2, 2), None, None), "must be given"),
        (lambda: F.layer_norm(tl.ones(2, 2).long(), 2), "floating"),
        (lambda: F.cross_entropy(tl.ones(2, 3), tl.tensor([0, 5])), "out of bounds for 3 classes"),
        (lambda: F.mse_loss(tl.ones(3), tl.ones(2, 1, 2)), "same shape"),
        (lambda: F.binary_cross_entropy(tl.ones(2) * 2, tl.ones(2)), "probabilities"),
        (lambda: F.nll_loss(tl.ones(2, 3), tl.ones(2)), "must be integers"),
        (lambda: F.embedding(tl.tensor([7]), tl.ones(3, 2)), "index 7 is out of range"),
        (lambda: F.embedding(tl.tensor([-1]), tl.ones(3, 2)), "index -1 is out of range"),
        (lambda: F.one_hot(tl.tensor([1.0])), "must be integers"),
        (
            lambda: F.scaled_dot_product_attention(tl.ones(2, 3), tl.ones(2, 4), tl.ones(2, 4)),
            "differ in their last axis",
        ),
        (lambda: F.interpolate(tl.ones(1, 1, 4), scale_factor=0.1), "at least 1"),
        (lambda: nn.LSTM(3, 4)(tl.ones(5, 2, 7)), "Expected 3, got 7"),
    ],
)
def test_bad_input_is_an_error(call, message):
    with pytest.raises((ValueError, TypeError, IndexError), match=message):
        call()


@pytest.mark.parametrize(
    "layer",
    [
        nn.Linear(3, 2), nn.ReLU(), nn.Dropout(), nn.Conv2d(1, 1, 1), nn.BatchNorm1d(3), nn.LayerNorm(3), nn.LSTM(3, 2),
        nn.Flatten(), nn.MaxPool2d(2), nn.Softmax(0), nn.GELU(), nn.ZeroPad2d(1), nn.Upsample(2), nn.Embedding(2, 2),
    ],
)  # fmt: skip
@pytest.mark.parametrize("junk", ["abc", None, {"x": 1}, object()])
def test_a_non_tensor_is_refused(layer, junk):
    with pytest.raises(RuntimeError) as error:
        layer(junk)
    assert isinstance(error.value, (TypeError, ValueError)) and "has no attribute" not in str(error.value)
    with pytest.raises(RuntimeError, match="error in 0"):
        nn.Sequential(layer)(junk)


def test_users_modules_may_take_any_arguments():
    class Own(nn.Module):
        def forward(self, words):
            return words.missing

    with pytest.raises(AttributeError, match="has no attribute 'missing'"):
        nn.Sequential(Own())({"a": 1})
    with pytest.raises(ValueError, match="cannot have the shape"):
        nn.Linear(-1, 2)
    with pytest.raises(ValueError, match=r"Linear: in_features must be an integer, got 2\.5"):
        nn.Linear(2.5, 2)


def test_nothing_is_learnt_from_a_refused_batch():
    layer = nn.BatchNorm1d(3)
    for bad in (tl.ones(1, 3), tl.ones(2, 4), tl.ones(2)):
        with pytest.raises(ValueError):
            layer(bad)
    assert layer.running_mean.tolist() == [0] * 3 and layer.num_batches_tracked.item() == 0


def test_a_query_that_sees_nothing_gives_zeros():
    q = tl.tensor(rng.normal(size=(2, 3)), requires_grad=True)
    mask = tl.tensor([[True, False], [False, False]])
    y = F.scaled_dot_product_attention(q, tl.ones(2, 3, dtype=tl.float64), tl.eye(2, dtype=tl.float64), mask)
    assert y.tolist() == [[1, 0], [0, 0]]
    y.sum().backward()
    assert np.isfinite(q.grad.array).all()


def test_attention_like_pytorch():
    torch = pytest.importorskip("torch")
    q, k, v = (rng.normal(size=s) for s in ((2, 4, 5, 3), (2, 2, 6, 3), (2, 2, 6, 7)))
    mask = rng.normal(size=(5, 6))
    for words in ({"enable_gqa": True}, {"enable_gqa": True, "is_causal": True, "scale": 0.3}):
        ours = F.scaled_dot_product_attention(*map(tl.tensor, (q, k, v)), **words).array
        theirs = torch.nn.functional.scaled_dot_product_attention(*map(torch.tensor, (q, k, v)), **words).numpy()
        np.testing.assert_allclose(ours, theirs, rtol=1e-10)
    ours = F.scaled_dot_product_attention(tl.tensor(q[:, :2]), tl.tensor(k), tl.tensor(v), tl.tensor(mask)).array
    theirs = torch.nn.functional.scaled_dot_product_attention(*map(torch.tensor, (q[:, :2], k, v, mask))).numpy()
    np.testing.assert_allclose(ours, theirs, rtol=1e-10)


def test_one_hot_and_similarity():
    assert F.one_hot(tl.tensor([[0, 2]])).tolist() == [[[1, 0, 0], [0, 0, 1]]]
    assert F.one_hot(tl.tensor([1]), 4).tolist() == [[0, 1, 0, 0]]
    assert F.normalize(tl.tensor([[3.0, 4.0]])).tolist() == [[pytest.approx(0.6), pytest.approx(0.8)]]
    x = tl.zeros(1, 2, requires_grad=True)
    F.normalize(x).sum().backward()
    assert np.isfinite(x.grad.array).all()


def test_weighted_mean():
    w = tl.tensor([1.0, 3.0])
    assert F.mse_loss(tl.tensor([1.0, 2.0]), tl.zeros(2), weight=w).item() == pytest.approx(13 / 4)
    assert F.l1_loss(tl.tensor([1.0, 2.0]), tl.zeros(2), weight=w, reduction="sum").item() == 7
    with pytest.raises(ValueError, match="does not broadcast"):
        F.mse_loss(tl.ones(2), tl.zeros(2), weight=tl.ones(3))


def test_layers_have_second_derivatives():
    x = tl.tensor(rng.normal(size=(3, 2, 6, 6)), requires_grad=True)
    model = nn.Sequential(
        nn.Conv2d(2, 3, 3),
        nn.BatchNorm2d(3),
        nn.GELU(),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.LayerNorm(12),
        nn.Linear(12, 2),
    ).double()
    (g,) = tl.grad(model(x).pow(2).sum(), x, create_graph=True)
    g.pow(2).sum().backward()
    assert all(p.grad is not None and np.isfinite(p.grad.array).all() for p in model.parameters())


def test_threads():
    before = tl.get_num_threads()
    tl.set_num_threads(1)
    assert tl.get_num_threads() == 1
    tl.set_num_threads(before)
    assert tl.get_num_threads() == before
    for bad in (0, -1, "2", True, 1.5):
        with pytest.raises(ValueError, match="positive integer"):
            tl.set_num_threads(bad)
