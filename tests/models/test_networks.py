"""The named networks: parameters, shapes, gradients; estimators that are networks: training, seeds, partial_fit."""

import pickle

import numpy as np
import pytest

from tinygrad_lite import compile, datasets, manual_seed, models, tensor
from tinygrad_lite.models import networks
from tinygrad_lite.models.recipes import by_hand
from tinygrad_lite.models.recipes.proof import gradients

SIZES = {
    "XorNet": (networks.XorNet, (4, 2), (4, 1), 13),
    "XorNet, sigmoid": (lambda **kw: networks.XorNet("sigmoid", **kw), (4, 2), (4, 1), 13),
    "CubicNet": (networks.CubicNet, (5, 1), (5, 1), 31),
    "TinyCNN": (networks.TinyCNN, (3, 1, 5, 5), (3, 2), 28),
    "DigitsCNN, 8x8": (networks.DigitsCNN, (2, 1, 8, 8), (2, 2), 18_527),
    "DigitsCNN, 28x28": (lambda **kw: networks.DigitsCNN(28, **kw), (1, 1, 28, 28), (1, 2), 341_727),
    "SmallCNN": (networks.SmallCNN, (2, 1, 8, 8), (2, 10), 38_378),
    "LeNet": (networks.LeNet, (1, 1, 28, 28), (1, 10), 61_706),
    "UpDown": (networks.UpDown, (6, 1, 5), (6,), 2),
    "LineDetector": (networks.LineDetector, (2, 1, 8, 8), (2, 4, 10, 10), 0),
}


@pytest.mark.parametrize("name", SIZES)
def test_shapes_and_parameters(name):
    make, shape, result, count = SIZES[name]
    for dtype in (np.float32, np.float64):
        net = make(dtype=dtype)
        out = net(tensor(np.random.default_rng(0).uniform(size=shape).astype(dtype)))
        assert out.shape == result and out.dtype == dtype
        assert sum(p.numel() for p in net.parameters()) == count


@pytest.mark.parametrize("name", ["XorNet", "XorNet, sigmoid", "CubicNet", "TinyCNN", "UpDown"])
def test_gradients_pass_the_checker(name):
    from tinygrad_lite.testing import Arr
    from tinygrad_lite.testing.modules import check_module

    make, shape, _, _ = SIZES[name]
    assert check_module(make(dtype=np.float64), Arr(" ".join(map(str, shape))), examples=3, order=1).ok


def test_tiny_cnn_prints_its_count_and_shapes():
    net = networks.TinyCNN()
    assert net.count() == "5 + 15 + 8 = 28"
    shapes = net.shapes(tensor(np.zeros((1, 1, 5, 5), np.float32)))
    assert shapes == [(5, 5), (4, 4), (2, 2), (4,), (3,), (2,)]


def test_digits_cnn_has_an_untied_bias():
    net = networks.DigitsCNN(28)
    assert net.conv.bias.shape == (5, 26, 26) and net.hidden.in_features == 3380


@pytest.mark.parametrize("seed", range(3))
def test_written_gradients_of_the_convolutional_networks(seed):
    rng = np.random.default_rng(seed)
    manual_seed(seed)
    tiny, digits = networks.TinyCNN(np.float64), networks.DigitsCNN(6, np.float64)
    for net, hand, size in ((tiny, by_hand.tiny_cnn, 5), (digits, by_hand.digits_cnn, 6)):
        image, target = rng.uniform(size=(size, size)), rng.integers(0, 2, (1, 2)).astype(float)
        x, y = tensor(image[None, None]), tensor(target)
        values = {name: p.array for name, p in net.named_parameters()}
        if isinstance(net, networks.TinyCNN):
            ours = gradients(net, lambda m, x=x, y=y: ((m(x) - y) * (m(x) - y)).sum())
            wanted = hand(image, target[0], values)
        else:
            from tinygrad_lite.nn.functional import binary_cross_entropy

            ours = gradients(net, lambda m, x=x, y=y: binary_cross_entropy(m(x), y))
            wanted = hand(image, target, values)
        for a, b in zip(ours, wanted, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-12)


def test_line_detector_is_convolve2d_exactly():
    signal = pytest.importorskip("scipy.signal")
    images, _ = datasets.digits(dtype=np.float32)
    detector = networks.LineDetector()
    responses = detector(tensor(images[:50])).array
    for i in range(50):
        for k, kernel in enumerate(detector.kernels.array):
            assert (responses[i, k] == signal.convolve2d(images[i, 0], kernel[0], mode="full")).all()
    assert (detector.lines(tensor(images[:50])).array == (responses > 1.5)).all()
    assert not list(detector.parameters()) and "kernels" in detector.state_dict()


def test_unknown_activation():
    with pytest.raises(ValueError, match="tanh, sigmoid, relu"):
        networks.XorNet("softplus")


# ------------------------------------------------------------------------------------------------ estimators
@pytest.fixture(scope="module")
def digits():
    return datasets.split(*datasets.digits(flat=True), test=0.2, seed=0)


def test_mlp_classifier_reads_digits(digits):
    X, held, y, wanted = digits
    model = models.MLPClassifier(
        (50,), max_iter=60, tol=0.0, n_iter_no_change=60, random_state=0, learning_rate_init=5e-3
    )
    with pytest.warns(models.ConvergenceWarning):
        model.fit(X, y)
    assert model.score(held, wanted) >= 0.95
    assert model.module_[0].weight.dtype == np.float32  # float32 in, float32 inside
    np.testing.assert_allclose(model.predict_proba(held).sum(axis=1), 1, rtol=1e-5)


def test_cnn_classifier_reads_digits(digits):
    X, held, y, wanted = digits
    model = models.CNNClassifier(max_iter=6, random_state=0)
    with pytest.warns(models.ConvergenceWarning):
        model.fit(X, y)
    assert model.score(held, wanted) >= 0.95
    images = held.reshape(-1, 8, 8)
    assert (model.predict(images) == model.predict(held)).all()
    assert (model.predict(images[:, None]) == model.predict(held)).all()


@pytest.mark.filterwarnings("ignore:MLPRegressor. lbfgs failed to converge")
def test_mlp_regressor_with_lbfgs_fits_a_curve():
    x = np.linspace(-2, 2, 60)[:, None]
    Y = np.column_stack([np.sin(2 * x[:, 0]), x[:, 0] ** 2])
    model = models.MLPRegressor(
        hidden_layer_sizes=(20,), activation="tanh", solver="lbfgs", alpha=0, max_iter=400, random_state=0
    ).fit(x, Y)
    assert model.predict(x).shape == (60, 2)
    assert model.score(x, Y) > 0.999
    assert model.history_[0] > model.loss_


def test_a_perceptron_without_hidden_layers_is_ridge_regression():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(50, 3))
    y = x @ [3.0, -2.0, 1.0] + 4.0 + rng.normal(size=50)
    weights = rng.uniform(0.5, 2.0, 50)
    ridge = models.Ridge(20.0).fit(x, y, weights)
    model = models.MLPRegressor(hidden_layer_sizes=(), solver="lbfgs", alpha=20.0, max_iter=500, random_state=0).fit(
        x, y, weights
    )
    np.testing.assert_allclose(model.module_[0].weight.array[0], ridge.coef_, rtol=1e-4)
    np.testing.assert_allclose(model.predict(x), ridge.predict(x), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    "make",
    [
        lambda: models.MLPClassifier((9,), max_iter=3, random_state=5),
        lambda: models.MLPRegressor(hidden_layer_sizes=(9,), max_iter=3, random_state=5, solver="sgd", batch_size=16),
        lambda: models.CNNClassifier((3,), hidden=8, dropout=0.3, max_iter=2, random_state=5),
        lambda: models.KMeans(5, random_state=5),
        lambda: models.SoftKMeans(5, beta=20.0, random_state=5),
    ],
)
@pytest.mark.filterwarnings("ignore::tinygrad_lite.models.ConvergenceWarning")
def test_seeds_repeat_bit_for_bit(digits, make):
    X, held, y, _ = digits
    first, second = (make().fit(X[:300], y[:300]) for _ in range(2))
    assert first.history_ == second.history_
    ask = "predict_proba" if hasattr(first, "predict_proba") else "predict"
    assert (getattr(first, ask)(held) == getattr(second, ask)(held)).all()
    again = pickle.loads(pickle.dumps(first))
    assert (getattr(again, ask)(held) == getattr(first, ask)(held)).all()


def test_a_seeded_fit_leaves_the_random_numbers_of_the_library_alone(digits):
    from tinygrad_lite import rand

    manual_seed(1)
    expected = rand(3).array
    manual_seed(1)
    models.MLPRegressor(hidden_layer_sizes=(4,), max_iter=2, tol=10.0, n_iter_no_change=1, random_state=0).fit(
        digits[0][:20], digits[2][:20]
    )
    assert (rand(3).array == expected).all()


def test_partial_fit_learns_epoch_by_epoch(digits):
    X, held, y, wanted = digits
    model = models.MLPClassifier((30,), learning_rate_init=5e-3, batch_size=32, random_state=0)
    for _ in range(12):
        model.partial_fit(X, y, classes=range(10))
    assert model.n_iter_ == len(model.history_) == 12
    assert model.score(held, wanted) > 0.9
    with pytest.raises(ValueError, match="not in classes"):
        model.partial_fit(X[:3], [1, 2, 11])
    with pytest.raises(ValueError, match="first call"):
        models.MLPClassifier().partial_fit(X, y)
    assert not hasattr(models.MLPRegressor(solver="lbfgs"), "partial_fit")
    with pytest.raises(AttributeError, match="lbfgs"):
        models.MLPRegressor(solver="lbfgs").partial_fit(X, y)


def test_works_in_pipeline_search_and_clone(digits):
    pytest.importorskip("sklearn")
    from sklearn.base import clone
    from sklearn.model_selection import GridSearchCV, cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    X, _, y, _ = digits
    X, y = X[:200].astype(np.float64), y[:200]
    search = GridSearchCV(models.LogisticRegression(), {"C": [0.01, 1.0]}, cv=3).fit(X, y)
    assert search.best_score_ > 0.8
    pipe = make_pipeline(StandardScaler(), models.KMeans(10, random_state=0), models.Ridge())
    assert cross_val_score(pipe, X, y, cv=3).shape == (3,)
    copy = clone(models.MLPClassifier((3, 4), activation="tanh"))
    assert repr(copy) == "MLPClassifier(hidden_layer_sizes=(3, 4), activation='tanh')"
    with pytest.raises(ValueError, match="Invalid parameter 'depth'"):
        copy.set_params(alpha=0.5, depth=3)
    assert copy.alpha == 1e-4


# -------------------------------------------------------------------------------- scikit-learn's options
def test_attributes_of_scikit_learn(digits):
    X, _, y, _ = digits
    model = models.MLPClassifier((7, 5), max_iter=12, tol=0.0, random_state=0)
    with pytest.warns(models.ConvergenceWarning):
        model.fit(X, y)
    assert [c.shape for c in model.coefs_] == [(X.shape[1], 7), (7, 5), (5, 10)]
    assert [b.shape for b in model.intercepts_] == [(7,), (5,), (10,)]
    assert (model.n_layers_, model.n_outputs_, model.out_activation_) == (4, 10, "softmax")
    assert model.loss_curve_ == model.history_ and model.best_loss_ == min(model.history_)
    hidden = X
    for w, b in zip(model.coefs_[:-1], model.intercepts_[:-1], strict=True):
        hidden = np.maximum(hidden @ w + b, 0)
    scores = hidden @ model.coefs_[-1] + model.intercepts_[-1]
    assert (model.classes_[scores.argmax(axis=1)] == model.predict(X)).all()
    assert not hasattr(models.MLPClassifier(), "coefs_")


def test_early_stopping_keeps_the_best_weights(digits):
    X, held, y, wanted = digits
    options = {"max_iter": 300, "learning_rate_init": 0.01, "random_state": 0, "n_iter_no_change": 4}
    model = models.MLPClassifier((20,), early_stopping=True, validation_fraction=0.2, **options).fit(X, y)
    assert model.n_iter_ == len(model.validation_scores_) < 300 and model.score(held, wanted) > 0.85
    kept = models.MLPRegressor(hidden_layer_sizes=(5,), early_stopping=True, **options).fit(X, y * 1.0)
    # the score of the first epoch is made the best one: its weights must come back
    last = models.MLPRegressor(hidden_layer_sizes=(5,), early_stopping=True, **options)
    last._judged, scores = (lambda x, t: scores.pop(0)), [1.0, *np.linspace(0.5, 0.1, 299)]
    first = models.MLPRegressor(hidden_layer_sizes=(5,), early_stopping=True, **{**options, "max_iter": 1})
    with pytest.warns(models.ConvergenceWarning):
        first.fit(X, y * 1.0)
    np.testing.assert_array_equal(last.fit(X, y * 1.0).coefs_[0], first.coefs_[0])
    assert kept.validation_scores_[0] < max(kept.validation_scores_)
    with pytest.raises(ValueError, match="validation_fraction"):
        models.MLPRegressor(early_stopping=True, validation_fraction=0.0).fit(X, y * 1.0)


@pytest.mark.filterwarnings("ignore:MLP")
def test_learning_rates_of_sgd(digits):
    X, _, y, _ = digits
    options = {"solver": "sgd", "random_state": 0, "learning_rate_init": 0.1, "max_iter": 30, "tol": 0.05,
               "n_iter_no_change": 2}  # fmt: skip
    rates = {}
    for kind in ("constant", "invscaling", "adaptive"):
        model = models.MLPClassifier((5,), learning_rate=kind, **options).fit(X, y)
        rates[kind] = model._optimiser.param_groups[0]["lr"]
    assert rates["constant"] == 0.1 and rates["adaptive"] < 0.05
    assert rates["invscaling"] < 0.1
    plain = models.MLPClassifier((5,), momentum=0.0, **options).fit(X, y)
    assert plain.history_ != models.MLPClassifier((5,), **options).fit(X, y).history_


@pytest.mark.filterwarnings("ignore:MLP")
def test_warm_start_goes_on(digits, capsys):
    X, _, y, _ = digits
    model = models.MLPClassifier((5,), max_iter=5, random_state=0, warm_start=True, verbose=True).fit(X, y)
    first = model.history_
    assert model.fit(X, y).history_[0] < first[0] and model.history_[0] < 1.05 * first[-1]
    assert capsys.readouterr().out.count("Iteration") == 10


def test_weights_that_are_not_numbers_are_an_error():
    X = np.random.default_rng(0).normal(size=(30, 2)) * 1e150
    for kind in (models.MLPRegressor, models.MLPClassifier):
        model = kind(hidden_layer_sizes=(3,), solver="sgd", learning_rate_init=1e10, random_state=0)
        with np.errstate(all="ignore"), pytest.raises(ValueError, match="non-finite parameter weights"):
            model.fit(X, np.arange(30) % 2)


@pytest.mark.filterwarnings("ignore:MLP")
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_sparse_rows_train_the_same_network(digits, solver):
    sparse = pytest.importorskip("scipy.sparse")
    X, held, y, _ = digits
    options = {"max_iter": 5, "random_state": 0, "solver": solver}
    plain = models.MLPClassifier((6,), **options).fit(X, y)
    model = models.MLPClassifier((6,), **options).fit(sparse.csr_matrix(X), y)
    np.testing.assert_allclose(model.predict_proba(sparse.csr_matrix(held)), plain.predict_proba(held), rtol=1e-9)


def test_two_classes_share_one_output_and_labels_have_their_own():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 3))
    labels = (x @ rng.normal(size=(3, 4)) > 0).astype(int)
    two = models.MLPClassifier((6,), solver="lbfgs", random_state=0).fit(x, np.where(labels[:, 0], "yes", "no"))
    assert (two.n_outputs_, two.out_activation_, two.coefs_[-1].shape) == (1, "logistic", (6, 1))
    np.testing.assert_allclose(two.predict_proba(x).sum(axis=1), 1)
    assert two.score(x, np.where(labels[:, 0], "yes", "no")) > 0.95
    several = models.MLPClassifier((8,), solver="lbfgs", alpha=0.1, max_iter=2000, random_state=0).fit(x, labels)
    assert several.score(x, labels) > 0.9 and several.predict(x).shape == (60, 4)
    assert several.predict_proba(x).sum(axis=1).std() > 0.1  # no softmax over labels
    batches = models.MLPClassifier((8,), random_state=0, learning_rate_init=0.02)
    for _ in range(60):
        batches.partial_fit(x, labels, classes=range(4))
    assert batches.score(x, labels) > 0.7
    with pytest.raises(ValueError, match="5 columns for 4"):
        batches.partial_fit(x, np.ones((60, 5)), classes=range(4))


def test_counts_have_a_poisson_loss():
    linear_model = pytest.importorskip("sklearn.linear_model")
    rng = np.random.default_rng(0)
    x = np.linspace(0, 1, 80)[:, None]
    y = rng.poisson(np.exp(x[:, 0] + 1))
    model = models.MLPRegressor("poisson", (1,), "identity", solver="lbfgs", alpha=0, random_state=0, max_iter=500).fit(
        x, y
    )
    theirs = linear_model.PoissonRegressor(alpha=0, tol=1e-8).fit(x, y)
    np.testing.assert_allclose(model.predict(x), theirs.predict(x), rtol=1e-3)
    assert model.out_activation_ == "exp"
    with pytest.raises(ValueError, match="at least 0"):
        model.fit(x, -1.0 * y - 1)
    with pytest.raises(ValueError, match="'loss' parameter"):
        models.MLPRegressor((3,)).fit(x, y)


@pytest.mark.parametrize(
    ("make", "goal"),
    [
        (lambda **kw: models.MLPClassifier(batch_size=30, **kw), lambda y: y),
        (lambda **kw: models.MLPClassifier(solver="sgd", alpha=0, **kw), lambda y: y > 4),
        (lambda **kw: models.MLPRegressor(**kw), lambda y: y / 3),
    ],
)
@pytest.mark.filterwarnings("ignore:.*max_iter")
def test_a_long_training_is_a_program(digits, make, goal, monkeypatch):
    """It gives the bits of the steps as written, with a smaller batch at the end of each epoch."""
    x, labels = digits[0][:430], digits[2][:430]
    y = goal(labels)
    module, made = "tinygrad_lite.models.network_estimator", []

    def compiled(*args, **kwargs):
        made.append(compile(*args, **kwargs, fullgraph=True))
        return made[-1]

    def learned(*weights):
        m = make(hidden_layer_sizes=(8,), max_iter=4, random_state=0).fit(x, y, *weights)
        return [p.array.tobytes() for p in m.module_.parameters()], m.history_

    monkeypatch.setattr(f"{module}.compile", compiled)
    written = learned()
    assert not made
    monkeypatch.setattr(f"{module}.OFTEN", 1)
    assert learned() == written
    assert made[0].explain().count(" runs") == 2
    assert np.allclose(learned(np.ones(430))[1], written[1])  # weights change the number that divides
    ran = len(made)
    type("Mine", (models.MLPClassifier,), {})(max_iter=2, random_state=0).fit(x, labels)
    assert len(made) == ran
