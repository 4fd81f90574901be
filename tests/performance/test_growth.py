"""What must not grow: graphs, memory, objects. Counted, not timed."""

import gc
import tracemalloc

import numpy as np

import tinygrad_lite as tl


def test_a_chain_keeps_one_activation_per_layer():
    size, layers = 1 << 16, 30
    x = tl.tensor(np.zeros(size, np.float32), requires_grad=True)
    x.tanh().sum().backward()  # what is loaded at the first call is no part of it
    x.grad = None
    tracemalloc.start()
    z = x
    for _ in range(layers):
        z = z.tanh()
    kept = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    z.sum().backward()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert kept <= (layers + 2) * 4 * size
    assert peak <= (layers + 4) * 4 * size


def test_a_hundred_thousand_ops():
    x = tl.tensor(1.0, requires_grad=True)
    z = x
    for _ in range(100_000):
        z = z + x
    z.backward()
    assert x.grad.item() == 100_001


def test_objects_do_not_pile_up():
    net = tl.nn.Sequential(tl.nn.Conv2d(1, 2, 3), tl.nn.ReLU(), tl.nn.MaxPool2d(2), tl.nn.Flatten(), tl.nn.Linear(8, 1))
    x, optimizer = tl.ones(3, 1, 6, 6), tl.optim.SGD(net.parameters(), lr=0.01)

    def step():
        optimizer.zero_grad()
        (net(x) ** 2).mean().backward()
        optimizer.step()

    for _ in range(20):
        step()
    gc.collect()
    gc.disable()
    try:
        before = len(gc.get_objects())
        for _ in range(200):
            step()
        assert len(gc.get_objects()) - before <= 10
    finally:
        gc.enable()


def test_squared_distances_far_from_the_origin():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((50, 3), np.float32) + 1000
    c = x[:4].copy()
    d = tl.squared_distances(tl.tensor(x), tl.tensor(c)).array
    exact = ((x[:, None].astype(float) - c) ** 2).sum(-1)
    assert (d >= 0).all() and np.abs(d - exact).max() < 1e-3
    assert np.abs(d[np.arange(4), np.arange(4)]).max() < 1e-3
