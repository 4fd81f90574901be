"""K-means and soft K-means: the SSE of scikit-learn, the hard limit, gradients, empty and equal points."""

import numpy as np
import pytest

from tinygrad_lite import datasets, models, nn, optim, tensor
from tinygrad_lite.models.points import Points
from tinygrad_lite.models.recipes import by_hand

cluster = pytest.importorskip("sklearn.cluster")


@pytest.fixture(scope="module")
def blobs():
    return datasets.make_blobs(600, 4, centers=7, cluster_std=1.5, random_state=3, dtype=np.float64)[0]


@pytest.fixture(scope="module")
def digits():
    return datasets.digits(flat=True, dtype=np.float64)[0]


@pytest.mark.parametrize("init", ["k-means++", "random"])
def test_inertia_of_sklearn(digits, blobs, init):
    # random starts of clouds far apart are a matter of luck: it takes more of them
    for X, k, n in ((digits, 10, 10), (blobs, 7, 10 if init == "k-means++" else 60)):
        ours = models.KMeans(k, init=init, n_init=n, random_state=0).fit(X)
        theirs = cluster.KMeans(k, init=init, n_init=n, random_state=0).fit(X)
        assert ours.inertia_ <= 1.01 * theirs.inertia_


def test_same_start_gives_the_same_clusters_as_sklearn(blobs):
    start = blobs[:7]
    ours = models.KMeans(7, init=start).fit(blobs)
    theirs = cluster.KMeans(7, init=start, n_init=1, tol=0).fit(blobs)
    assert (ours.labels_ == theirs.labels_).all()
    np.testing.assert_allclose(ours.cluster_centers_, theirs.cluster_centers_)
    np.testing.assert_allclose(ours.transform(blobs), theirs.transform(blobs))
    assert ours.score(blobs) == pytest.approx(theirs.score(blobs))


@pytest.mark.parametrize("seed", range(8))
def test_sse_always_decreases_and_is_the_sse(seed):
    X = np.random.default_rng(seed).normal(size=(80, 3)).round(1)
    model = models.KMeans(6, init="random", n_init=1, random_state=seed).fit(X)
    assert (np.diff(model.history_) < 0).all()
    assert len(model.path_) == len(model.history_) + 1
    assert model.n_iter_ - len(model.history_) in (0, 1), "the last round may have found nothing new"
    nearest = ((X[:, None] - model.cluster_centers_) ** 2).sum(axis=2)
    assert model.inertia_ == pytest.approx(nearest.min(axis=1).sum())
    assert (model.labels_ == nearest.argmin(axis=1)).all()


def test_empty_clusters_are_filled():
    X = np.array([[0.0], [1.0], [2.0], [10.0], [11.0]])
    # nothing is near the last two centroids
    model = models.KMeans(3, init=[[1.0], [500.0], [900.0]]).fit(X)
    assert sorted(np.bincount(model.labels_, minlength=3).tolist())[0] >= 1
    assert np.isfinite(model.cluster_centers_).all()
    soft = models.SoftKMeans(3, init=[[1.0], [500.0], [900.0]], beta=50.0).fit(X)
    assert np.isfinite(soft.cluster_centers_).all()


def test_empty_clusters_move_as_in_sklearn():
    # one round: the lone centroid keeps what is near, the empty ones take the farthest points with them at once
    X = np.array([[0.0], [1.0], [2.0], [10.0], [11.0], [30.0]])
    start = np.array([[1.0], [500.0], [900.0]])
    with pytest.warns(models.ConvergenceWarning):
        ours = models.KMeans(3, init=start, max_iter=1).fit(X)
    theirs = cluster.KMeans(3, init=start, n_init=1, max_iter=1).fit(X)
    np.testing.assert_allclose(np.sort(ours.cluster_centers_, axis=0), np.sort(theirs.cluster_centers_, axis=0))
    assert ours.history_[0] == pytest.approx(theirs.inertia_)


def test_fewer_different_points_than_clusters():
    X = np.repeat([[0.0, 0.0], [5.0, 5.0]], 10, axis=0)
    with pytest.warns(models.ConvergenceWarning, match="distinct clusters \\(2\\)"):
        model = models.KMeans(3, random_state=0).fit(X)
    assert model.inertia_ == 0
    assert np.isfinite(model.cluster_centers_).all()


def test_weights_are_repetitions(blobs):
    X = blobs[:60]
    times = np.random.default_rng(0).integers(0, 4, 60)
    weighted = models.KMeans(4, random_state=1, n_init=3).fit(X, sample_weight=times)
    repeated = models.KMeans(4, random_state=1, n_init=3).fit(np.repeat(X, times, axis=0))
    np.testing.assert_allclose(weighted.cluster_centers_, repeated.cluster_centers_)
    assert weighted.inertia_ == pytest.approx(repeated.inertia_)


@pytest.mark.parametrize("columns", [3, 9])
def test_more_points_than_one_piece(columns):
    rng = np.random.default_rng(0)
    X, weights, labels = rng.normal(size=(40_000, columns)), rng.random(40_000), rng.integers(0, 5, 40_000)
    points = Points(X)
    mass, sums = points.totals(labels, weights, 5)
    near, least = points.nearest(points.rows(slice(5)))
    apart = ((X[:, None] - X[None, :5]) ** 2).sum(axis=2)
    assert (near == apart.argmin(axis=1)).all()
    np.testing.assert_allclose(least, apart.min(axis=1), atol=1e-12)
    for k in range(5):
        assert mass[k] == pytest.approx(weights[labels == k].sum())
        np.testing.assert_allclose(sums[k], weights[labels == k] @ points.rows(labels == k), atol=1e-9)


def test_partial_fit_ends_at_the_means(blobs):
    model = models.KMeans(7, random_state=0)
    for _ in range(3):
        for part in np.array_split(blobs, 6):
            model.partial_fit(part)
    full = models.KMeans(7, random_state=0, n_init=5).fit(blobs)
    assert -model.score(blobs) < 2.5 * full.inertia_


def test_far_from_the_origin_nothing_cancels(blobs):
    near = models.KMeans(7, random_state=0).fit(blobs)
    far = models.KMeans(7, init=near.path_[0] + 1e6).fit(blobs + 1e6)
    assert (near.labels_ == far.labels_).all()
    assert far.inertia_ == pytest.approx(near.inertia_, rel=1e-6)


def test_stiff_soft_k_means_is_k_means(digits, blobs):
    for X, k in ((blobs, 7), (digits[:400], 10)):
        hard = models.KMeans(k, n_init=3, random_state=0).fit(X)
        soft = models.SoftKMeans(k, beta=1e6, n_init=3, random_state=0).fit(X)
        assert (soft.labels_ == hard.labels_).all()
        assert soft.inertia_ == pytest.approx(hard.inertia_, rel=1e-9)
        np.testing.assert_allclose(soft.cluster_centers_, hard.cluster_centers_, atol=1e-9)


@pytest.mark.parametrize("beta", [0.05, 1.0])
def test_gradient_and_em_agree(blobs, beta):
    em = models.SoftKMeans(4, beta=beta, random_state=0).fit(blobs)
    descent = models.SoftKMeans(4, beta=beta, method="gradient", random_state=0, max_iter=5000).fit(blobs)
    assert descent.free_energy_ == pytest.approx(em.free_energy_, rel=1e-6)
    np.testing.assert_allclose(descent.cluster_centers_, em.cluster_centers_, atol=1e-3)
    assert (np.diff(em.history_) <= 0).all()


def test_soft_k_means_rests_where_the_gradient_is_zero(blobs):
    model = models.SoftKMeans(4, beta=0.2, random_state=0).fit(blobs)
    model.module_.free_energy(tensor(blobs), "sum").backward()
    assert np.abs(model.module_.centroids.grad.array).max() < 1e-2
    shares = model.predict_proba(blobs)
    np.testing.assert_allclose(shares.sum(axis=1), 1.0)
    np.testing.assert_allclose(shares, model.module_(tensor(blobs)).array, atol=1e-12)
    assert (shares.argmax(axis=1) == model.labels_).all()


def test_layer_gradients_equal_the_formulas():
    rng = np.random.default_rng(0)
    layer = models.SoftClusters(3, 2, beta=0.7, dtype=np.float64)
    x = tensor(rng.normal(size=(9, 2)), requires_grad=True)
    layer.free_energy(x, "sum").backward()
    in_points, in_centers = by_hand.soft_centroids(x.array, layer.centroids.array, 0.7)
    np.testing.assert_allclose(x.grad.array, in_points, atol=1e-12)
    np.testing.assert_allclose(layer.centroids.grad.array, in_centers, atol=1e-12)


def test_layer_gradients_pass_the_checker():
    from tinygrad_lite.testing import gradcheck

    rng = np.random.default_rng(1)
    layer = models.SoftClusters(3, 2, beta=0.7, dtype=np.float64)
    for loss in (layer.distortion, layer.free_energy, layer):
        assert gradcheck(loss, rng.normal(size=(5, 2))).ok


def test_distortion_joins_another_loss():
    rng = np.random.default_rng(0)
    x = tensor(rng.normal(size=(60, 5)))
    encode, layer = nn.Linear(5, 2, dtype=np.float64), models.SoftClusters(3, 2, dtype=np.float64)
    optimiser = optim.Adam([*encode.parameters(), *layer.parameters()], lr=0.05)
    losses = []
    for _ in range(50):
        optimiser.zero_grad()
        code = encode(x)
        loss = layer.distortion(code) + ((code * code).mean(0) - 1.0).square().sum()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.7 * losses[0]
    assert all(p.grad is not None for p in (*encode.parameters(), *layer.parameters()))


def test_layer_says_what_it_expects():
    with pytest.raises(ValueError, match=r"\(n, 2\)"):
        models.SoftClusters(3, 2)(tensor(np.zeros((4, 3), np.float32)))
    with pytest.raises(ValueError, match="reduction"):
        models.SoftClusters(3, 2).distortion(tensor(np.zeros((4, 2), np.float32)), "most")


def test_sparse_points_as_dense_ones():
    sparse = pytest.importorskip("scipy.sparse")
    rng = np.random.default_rng(0)
    X = rng.random((3000, 12)) * (rng.random((3000, 12)) < 0.3)
    weights = rng.random(3000)
    for settings in ({"init": X[:4]}, {"init": "random", "n_init": 2}, {"init": "k-means++"}):
        dense = models.KMeans(4, random_state=0, **settings).fit(X, sample_weight=weights)
        model = models.KMeans(4, random_state=0, **settings).fit(sparse.csr_matrix(X), sample_weight=weights)
        if not isinstance(settings["init"], str):
            np.testing.assert_allclose(model.cluster_centers_, dense.cluster_centers_, rtol=1e-9)
            assert (model.labels_ == dense.labels_).all()
        assert model.inertia_ == pytest.approx(dense.inertia_, rel=0.1)
        assert (model.predict(sparse.csr_matrix(X)) == model.predict(X)).all()
        np.testing.assert_allclose(model.transform(sparse.csr_matrix(X)), model.transform(X), atol=1e-7)


def test_float32_points_stay():
    X = np.random.default_rng(0).normal(size=(500, 5)).astype("f4")
    model = models.KMeans(3, random_state=0).fit(X)
    assert model.cluster_centers_.dtype == model.transform(X).dtype == np.float32


def test_initial_centroids_from_a_function_and_too_many_attempts(blobs):
    model = models.KMeans(3, init=lambda X, k, random_state: X[random_state.permutation(len(X))[:k]], random_state=0)
    assert model.fit(blobs).inertia_ == model.fit(blobs).inertia_
    with pytest.warns(RuntimeWarning, match="performing only one init"):
        models.KMeans(3, init=blobs[:3], n_init=5).fit(blobs)


def test_squares_that_overflow_are_an_error(blobs):
    with pytest.raises(ValueError, match="squared distances overflow float64"):
        models.KMeans(3, random_state=0).fit(blobs * 1e160)


def test_tol_is_scikit_learns(blobs):
    for tol in (0.0, 1e-4, 0.05):
        ours = models.KMeans(7, init=blobs[:7], tol=tol).fit(blobs)
        theirs = cluster.KMeans(7, init=blobs[:7], n_init=1, tol=tol).fit(blobs)
        assert ours.n_iter_ == theirs.n_iter_
        assert ours.inertia_ == pytest.approx(theirs.inertia_)


def test_transformed_frames_have_named_columns(blobs):
    pandas = pytest.importorskip("pandas")
    for model in (models.KMeans(3, random_state=0), models.SoftKMeans(3, random_state=0)):
        frame = model.set_output(transform="pandas").fit_transform(pandas.DataFrame(blobs, columns=list("abcd")))
        name = type(model).__name__.lower()
        assert list(frame.columns) == [f"{name}{i}" for i in range(3)]
        assert isinstance(model.set_output(transform="default").transform(frame_of(pandas, blobs)), np.ndarray)
    with pytest.raises(ValueError, match="output config"):
        model.set_output(transform="xml")


def frame_of(pandas, blobs):
    return pandas.DataFrame(blobs, columns=list("abcd"))


def test_verbose_prints_each_round(blobs, capsys):
    model = models.KMeans(3, random_state=0, verbose=1, tol=0).fit(blobs)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Initialization complete" and lines[-1].endswith("strict convergence.")
    assert [line for line in lines if line.startswith("Iteration")][-1].endswith(f"inertia {model.history_[-1]}.")


@pytest.mark.parametrize("columns", [2, 7])
def test_far_from_the_origin(columns):
    near = np.random.default_rng(0).normal(size=(300, columns)) + 8 * np.eye(columns)[np.arange(300) % 2]
    far = models.KMeans(2, init=near[:2] + 1e7, n_init=1).fit(near + 1e7)
    here = models.KMeans(2, init=near[:2], n_init=1).fit(near)
    assert (far.labels_ == here.labels_).all() and far.inertia_ == pytest.approx(here.inertia_, rel=1e-6)
