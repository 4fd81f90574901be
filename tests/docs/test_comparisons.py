"""What the README and "Coming from elsewhere" say of other libraries, tried out where they are installed."""

import doctest
import re
import warnings
from pathlib import Path

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite import models


class TestMyGrad:
    @pytest.fixture
    def mg(self):
        return pytest.importorskip("mygrad")

    def test_tensors(self, mg):
        t = mg.tensor([1.0, 2.0])
        assert not t.constant and t.dtype == np.float64
        assert tl.tensor([1.0]).dtype == np.float32 and not tl.tensor([1.0]).requires_grad
        (t**2).backward()  # of two elements
        assert type(t.grad) is np.ndarray and t.grad.tolist() == [2.0, 4.0]
        t * 3
        assert t.grad is None

    def test_numpy_functions(self, mg):
        assert isinstance(np.exp(mg.tensor([1.0])), mg.Tensor)

    def test_layers(self, mg):
        import mygrad.nnet

        assert mygrad.nnet.layers.conv_nd and not hasattr(mygrad.nnet, "optimizers")

    def test_pictures_need_dot(self, mg):
        from mygrad.computational_graph import build_graph

        assert "Digraph" in build_graph.__globals__


class TestAutograd:
    @pytest.fixture
    def autograd(self):
        return pytest.importorskip("autograd")

    def test_differentiation(self, autograd):
        def f(x):
            return np.sum(np.tanh(x) ** 2)

        x = np.array([0.5, -1.0])
        assert np.allclose(autograd.grad(f)(x), tl.func.grad(f)(x).array)
        assert autograd.grad(autograd.grad(lambda x: x**3))(2.0) == 12.0

    def test_assignment(self, autograd):
        def f(x):
            x = x * 1.0
            x[0] = 1.0
            return x.sum()

        with pytest.raises(TypeError, match="item assignment"):
            autograd.grad(f)(np.ones(2))
        assert tl.func.grad(f)(tl.ones(2)).tolist() == [0.0, 1.0]

    def test_a_missing_rule(self, autograd):
        import autograd.numpy as anp

        with pytest.raises(NotImplementedError):
            autograd.grad(anp.median)(np.ones(3))

    def test_what_is_installed_with_it(self, autograd):
        from autograd.extend import defvjp, primitive
        from autograd.misc import optimizers
        from autograd.test_util import check_grads

        assert optimizers.adam and optimizers.sgd and optimizers.rmsprop and primitive and defvjp
        check_grads(np.tanh, modes=["rev"], order=2)(1.0)
        assert autograd.elementwise_grad and autograd.jacobian and autograd.hessian and autograd.make_jvp


class TestPyTorch:
    @pytest.fixture
    def torch(self):
        return pytest.importorskip("torch")

    def test_zero_times_infinity(self, torch):
        x = torch.tensor([0.0, 4.0], requires_grad=True)
        torch.where(x > 0, x.sqrt(), 0.0).sum().backward()
        assert x.grad[0].isnan()

    def test_numpy(self, torch):
        x = torch.ones(2, requires_grad=True)
        with pytest.raises(RuntimeError):
            np.exp(x)
        with pytest.raises(TypeError):
            torch.exp(np.ones(2))
        assert tl.exp(tl.ones(2)).shape == (2,) and np.exp(tl.ones(2, requires_grad=True)).requires_grad

    def test_absent_names(self, torch):
        with pytest.raises(RuntimeError):
            torch.nn.functional.conv1d(torch.ones(1, 1, 4), torch.ones(1, 1, 2), padding="full")
        with pytest.raises(TypeError):
            torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=0.1, l1=0.1)

    @pytest.mark.parametrize("name", ["cdist", "attention", "multi_margin"])
    def test_second_derivatives(self, torch, name):
        def second(lib):
            F = lib.nn.functional
            f, shape = {
                "cdist": (lambda x: lib.cdist(x, x.detach() + 1), (4, 3)),
                "attention": (lambda x: F.scaled_dot_product_attention(x, x, x), (1, 2, 4, 4)),
                "multi_margin": (lambda x: F.multi_margin_loss(x, lib.tensor([0, 1]), p=2), (2, 3)),
            }[name]
            x = lib.linspace(0.1, 0.9, int(np.prod(shape)), dtype=lib.float64).reshape(shape).requires_grad_()
            (g,) = lib.autograd.grad(f(x).sum(), x, create_graph=True)
            return lib.autograd.grad((g**2).sum(), x)[0]

        with pytest.raises((RuntimeError, NotImplementedError)):
            second(torch)
        assert np.isfinite(second(tl).array).all()

    def test_the_table_of_subgradients(self, torch):
        """The same lines, run by PyTorch, differ where the page says so and nowhere else."""
        page = (Path(__file__).parents[2] / "docs" / "subgradients.md").read_text("utf-8")
        lines = "\n".join(re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL))
        lines = lines.replace("import tinygrad_lite as tl", "import torch as tl")
        lines = lines.replace("from tinygrad_lite import nn", "from torch import nn")
        different = []

        class Runner(doctest.DocTestRunner):
            def report_failure(self, out, test, example, got):
                different.append(example.source)

            def report_unexpected_exception(self, out, test, example, exc_info):
                different.append(example.source)

        Runner().run(doctest.DocTestParser().get_doctest(lines, {}, "torch", "torch", 0))
        expected = ("tl.hypot", "slope(root", "tl.zero_guard")
        assert len(different) == len(expected)
        assert all(word in line for word, line in zip(expected, different, strict=True))


class TestScikitLearn:
    @pytest.fixture
    def sk(self):
        return pytest.importorskip("sklearn")

    @pytest.fixture
    def data(self):
        rng = np.random.default_rng(0)
        X = rng.standard_normal((60, 4))
        return X, X @ [1.0, 2.0, 0.0, -1.0] + 0.1 * rng.standard_normal(60)

    def pairs(self):
        from sklearn import cluster, linear_model, neural_network

        rooms = {linear_model: ("LinearRegression", "Ridge", "Lasso", "ElasticNet", "LogisticRegression"),
                 cluster: ("KMeans",), neural_network: ("MLPClassifier", "MLPRegressor")}  # fmt: skip
        return {n: (getattr(models, n)(), getattr(room, n)()) for room, names in rooms.items() for n in names}

    def test_same_results(self, sk, data):
        X, y = data
        for name, (ours, theirs) in self.pairs().items():
            if hasattr(theirs, "fit_intercept"):
                goal = y > 0 if name == "LogisticRegression" else y
                a, b = ours.fit(X, goal), theirs.fit(X, goal)
                assert np.allclose(a.coef_, b.coef_, rtol=1e-3, atol=1e-4), name

    def test_names_and_defaults(self, sk):
        for name, (ours, theirs) in self.pairs().items():
            a, b = ours.get_params(), theirs.get_params()
            assert set(a) - set(b) <= ({"solver"} if name in ("Lasso", "ElasticNet") else set()), name
            assert not {k for k in set(a) & set(b) if a[k] != b[k]}, name

    def test_missing_requirements(self, sk):
        lacking = {n: set(b.get_params()) - set(a.get_params()) for n, (a, b) in self.pairs().items()}
        assert lacking.pop("MLPRegressor") <= {"loss"}
        assert not any(lacking.values()), lacking

    def test_pipeline_and_network(self, sk, data):
        from sklearn.model_selection import GridSearchCV
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        search = GridSearchCV(make_pipeline(StandardScaler(), models.Ridge()), {"ridge__alpha": [0.1, 10.0]})
        assert search.fit(*data).best_params_ == {"ridge__alpha": 0.1}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert isinstance(models.MLPRegressor(hidden_layer_sizes=(3,), max_iter=2).fit(*data).module_, tl.nn.Module)
