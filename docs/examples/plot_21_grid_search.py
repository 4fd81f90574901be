r"""
A grid search with one thread per worker
========================================

Most small models do not need a step to be faster, they need many trainings: five folds for each of a dozen settings.
The trainings know nothing of one another, so :math:`k` processes are :math:`k` times as fast, where threads inside of
one small matrix product would gain nothing. scikit-learn's ``GridSearchCV`` gives them to joblib, and joblib to its
workers (``pip install scikit-learn``). The model is logistic regression with the penalty
:math:`\frac{1}{2C} \lVert W \rVert^2`:

.. math:: L(W) = \sum_i -\log p_{y_i}(x_i) + \frac{1}{2 C} \lVert W \rVert^2, \qquad p(x) = \mathrm{softmax}(W x + b)
"""

import joblib
import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import GridSearchCV

import tinygrad_lite as tl
from tinygrad_lite import datasets
from tinygrad_lite.models import LogisticRegression
from tinygrad_lite.testing import gradcheck
from tinygrad_lite.viz import draw

images, labels = datasets.digits(flat=True)
X, y = images[:600].astype(np.float64), labels[:600]
figure, axes = plt.subplots(1, 10, figsize=(8, 1.3), layout="constrained")
for axis, picture, label in zip(axes, X, y):
    axis.imshow(picture.reshape(8, 8), cmap="gray_r")
    axis.set_title(label, fontsize=9)
    axis.axis("off")
plt.show()
# sphinx_gallery_thumbnail_number = 2

# %%
# By hand and by the library
# --------------------------
# The gradient of the loss is :math:`\sum_i (p(x_i) - e_{y_i})\, x_i^\top + W / C`:

x, target = tl.tensor(X[:40]), tl.tensor(y[:40])


def loss_of(W, C=0.5):
    """Return the loss without a bias."""
    return tl.nn.functional.cross_entropy(x @ W.T, target, reduction="sum") + (W**2).sum() / (2 * C)


W = tl.tensor(np.random.default_rng(0).normal(scale=0.1, size=(10, 64)), requires_grad=True)
loss = loss_of(W)
(slope,) = tl.autograd.grad(loss, W, retain_graph=True)
p = tl.softmax(x @ W.T, dim=1).detach().array
by_hand = (p - np.eye(10)[y[:40]]).T @ x.array + W.detach().array / 0.5
print(np.allclose(slope.array, by_hand))
print(gradcheck(loss_of, W))
print(draw(loss, graph="both", names={"W": W}))
draw(loss, graph="both", names={"W": W})

# %%
# The search
# ----------
# Estimators have scikit-learn's interface, so ``GridSearchCV`` takes them as they are. ``loky`` starts processes. With
# ``inner_max_num_threads=1`` each of them uses one BLAS thread: two processes with two threads each would wait for one
# another on two cores.

search = GridSearchCV(LogisticRegression(max_iter=1000), {"C": [0.01, 0.1, 1.0, 10.0, 100.0]}, cv=4)
with joblib.parallel_config("loky", n_jobs=2, inner_max_num_threads=1):
    search.fit(X, y)
    threads = joblib.Parallel()(joblib.delayed(tl.get_num_threads)() for _ in range(2))
print("BLAS threads of the workers:", threads)
print("best:", search.best_params_)

# %%
# A process of its own changes no number: one fit here gives the same score as in a worker.

again = LogisticRegression(max_iter=1000, **search.best_params_).fit(X, y)
print("the same weights:", np.array_equal(again.coef_, search.best_estimator_.coef_))

figure, axis = plt.subplots(figsize=(6, 3.4), layout="constrained")
results = search.cv_results_
axis.errorbar(
    results["param_C"].astype(float), results["mean_test_score"], results["std_test_score"], fmt="o-", capsize=3
)
axis.set(xscale="log", xlabel="C", ylabel="accuracy on the held-out fold")
plt.show()

# %%
# Other backends of joblib need one more line: ``joblib.parallel_config("dask")`` after ``distributed.Client()``, or
# ``ray.util.joblib.register_ray()`` and ``joblib.parallel_config("ray")``. Then the workers stand on other machines.
#
# Exercises
# ---------
# 1. Measure the search with ``n_jobs`` 1 and 2, and with ``inner_max_num_threads`` 1 and 2. What costs most?
# 2. Search the width of ``models.MLPClassifier`` too. Give it a ``random_state``: why does each run need its own?
