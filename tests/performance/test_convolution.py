"""The fast convolutions say what the plain one says, for every shape that has a path of its own; never timed."""

import threading
import time

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite.ops import threads as workers
from tinygrad_lite.ops.windows import blocked as fastconv, winograd
from tinygrad_lite.ops.windows.blocked import fast_convolution
from tinygrad_lite.ops.windows.correlation import conv, conv_input, conv_weight, out_size

pytestmark = pytest.mark.usefixtures("numpy_alone")

# images, channels, outputs, size, kernel, stride, pads, dilation, groups
CASES = {
    "one small image": (1, 1, 1, (5, 5), (2, 2), (1, 1), ((0, 0), (0, 0)), (1, 1), 1),
    "one channel": (33, 1, 16, (28, 28), (3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1), 1),
    "many small images": (37, 16, 32, (14, 14), (3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1), 1),
    "uneven padding": (5, 4, 6, (9, 11), (3, 2), (1, 1), ((0, 2), (1, 0)), (1, 1), 1),
    "stride": (6, 8, 5, (15, 13), (3, 3), (2, 3), ((1, 1), (0, 1)), (1, 1), 1),
    "dilation": (3, 4, 4, (12, 12), (3, 3), (1, 1), ((2, 2), (2, 2)), (2, 2), 1),
    "stride and dilation": (3, 4, 4, (13, 12), (2, 3), (2, 1), ((1, 1), (2, 0)), (3, 2), 1),
    "groups": (4, 8, 12, (10, 10), (3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1), 4),
    "depthwise": (4, 8, 8, (10, 10), (3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1), 8),
    "groups and stride": (4, 8, 4, (11, 10), (3, 3), (2, 2), ((1, 1), (1, 1)), (1, 1), 2),
    "many outputs": (2, 2, 40, (8, 8), (3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1), 1),
    "padding beyond the kernel": (2, 3, 4, (6, 6), (2, 2), (1, 1), ((3, 3), (2, 3)), (1, 1), 1),
    "rows of a large image": (2, 24, 8, (70, 90), (5, 5), (1, 1), ((2, 2), (2, 2)), (1, 1), 1),
    "1x1 with stride": (3, 5, 6, (9, 9), (1, 1), (2, 2), ((0, 0), (0, 0)), (1, 1), 1),
    "one axis": (7, 6, 9, (40,), (5,), (2,), ((2, 2),), (1,), 1),
    "three axes": (2, 3, 4, (6, 7, 8), (2, 3, 3), (1, 2, 1), ((0, 1), (1, 1), (1, 1)), (1, 1, 1), 1),
    "wide 3x3": (3, 32, 40, (13, 17), (3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1), 1),
    "wide 3x3, uneven": (2, 48, 32, (12, 9), (3, 3), (1, 1), ((0, 2), (2, 1)), (1, 1), 1),
    "wide 3x3, square": (5, 64, 64, (16, 16), (3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1), 1),
}


def drawn(case):
    n, c, o, size, kernel, stride, pads, dilation, groups = CASES[case]
    rng = np.random.default_rng(len(case))
    x = rng.standard_normal((n, c, *size), np.float32)
    w = rng.standard_normal((o, c // groups, *kernel), np.float32)
    g = rng.standard_normal((n, o, *out_size(size, kernel, stride, pads, dilation)), np.float32)
    return x, w, rng.standard_normal(o, np.float32), g, (stride, pads, dilation, groups)


def close(fast, plain, what):
    assert fast.shape == plain.shape and fast.dtype == plain.dtype == np.float32
    wrong = np.abs(fast - plain).max() / np.abs(plain).max()
    assert wrong < 5e-5, f"{what}: {wrong:.1e} of the largest value"


@pytest.mark.parametrize("case", CASES)
def test_fast_equals_plain_in_double(case):
    x, w, b, g, how = drawn(case)
    wide = [a.astype(np.float64) for a in (x, w, b, g)]
    assert fastconv.suits(x, w, w.shape, how[0], how[1])
    assert not fastconv.suits(wide[0], wide[1], w.shape, how[0], how[1])
    close(conv(x, w, b, *how), conv(wide[0], wide[1], wide[2], *how).astype("f"), "forward")
    close(conv_input(g, w, x.shape[2:], *how), conv_input(wide[3], wide[1], x.shape[2:], *how).astype("f"), "input")
    close(conv_weight(g, x, w.shape[2:], *how), conv_weight(wide[3], wide[0], w.shape[2:], *how).astype("f"), "weight")


@pytest.mark.parametrize("case", ["many small images", "wide 3x3", "one channel", "stride"])
def test_with_the_option_off_results_equal_the_plain_algorithm(case):
    x, w, b, g, how = drawn(case)
    with fast_convolution(False):
        assert not fastconv.suits(x, w, w.shape, how[0], how[1])
        plain = conv(x, w, b, *how)
        with fast_convolution(True):
            close(conv(x, w, b, *how), plain, "forward")
        assert np.array_equal(conv(x, w, b, *how), plain)
    assert fastconv.suits(x, w, w.shape, how[0], how[1])


def test_which_shapes_go_to_winograd():
    pads = ((1, 1), (1, 1))
    assert winograd.wins((32, 64, 32, 32), (64, 64, 3, 3), (1, 1), pads, (1, 1), 1)
    assert not winograd.wins((32, 16, 32, 32), (64, 16, 3, 3), (1, 1), pads, (1, 1), 1)  # narrow
    assert not winograd.wins((32, 64, 32, 32), (64, 64, 3, 3), (2, 2), pads, (1, 1), 1)
    assert not winograd.wins((32, 64, 32, 32), (64, 64, 5, 5), (1, 1), pads, (1, 1), 1)
    assert not winograd.wins((32, 64, 5, 5), (64, 64, 3, 3), (1, 1), pads, (1, 1), 1)  # tiles hang over


@pytest.mark.parametrize("case", ["many small images", "wide 3x3", "one channel", "groups", "stride"])
@pytest.mark.parametrize("form", ["strided", "read-only", "broadcast", "fortran"])
def test_any_memory(case, form):
    x, w, b, g, how = drawn(case)
    if form == "strided":
        y = np.zeros((*x.shape[:-1], 2 * x.shape[-1]), "f")[..., ::2]
        y[...] = x
    elif form == "read-only":
        y = x.copy()
        y.flags.writeable = False
    elif form == "broadcast":
        y = np.broadcast_to(x[:1], x.shape)
    else:
        y = np.asfortranarray(x)
    before = np.array(y)
    close(conv(y, w, b, *how), conv(np.array(y), w, b, *how), form)
    close(conv_weight(g, y, w.shape[2:], *how), conv_weight(g, np.array(y), w.shape[2:], *how), form)
    assert np.array_equal(y, before)


def test_untied_bias():
    for case in ("many small images", "wide 3x3", "one channel", "rows of a large image"):
        x, w, _, g, how = drawn(case)
        b = np.random.default_rng(0).standard_normal(g.shape[1:], np.float32)
        close(conv(x, w, b, *how), conv(x, w, None, *how) + b, case)


def test_results_do_not_share_the_buffers():
    x, w, b, g, how = drawn("many small images")
    first = conv(x, w, b, *how)
    kept = first.copy()
    conv(-x, w, b, *how)
    conv_weight(g, -x, w.shape[2:], *how)
    assert np.array_equal(first, kept)


def test_nan_stays_where_it_is():
    x, w, b, _, how = drawn("many small images")
    x[3, 2, 5, 5] = np.nan
    y = conv(x, w, b, *how)
    there = np.isnan(y)
    assert there[3, :, 4:7, 4:7].all() and there.sum() == 9 * w.shape[0]


def test_empty_batches_and_no_channels():
    how = ((1, 1), ((1, 1), (1, 1)), (1, 1), 1)
    x, w = np.zeros((0, 2, 4, 4), "f"), np.ones((3, 2, 3, 3), "f")
    assert conv(x, w, None, *how).shape == (0, 3, 4, 4)
    assert conv_input(np.zeros((0, 3, 4, 4), "f"), w, (4, 4), *how).shape == (0, 2, 4, 4)
    assert (conv_weight(np.zeros((0, 3, 4, 4), "f"), x, (3, 3), *how) == 0).all()


# ------------------------------------------------------------------------------------------------ threads
@pytest.fixture
def two(monkeypatch):
    """A BLAS with two threads, on a machine with nothing else to do, and every work worth sharing."""
    found = Two()
    monkeypatch.setattr(workers, "_blas", [found])
    monkeypatch.setattr(workers, "crowded", lambda: False)
    monkeypatch.setattr(workers, "SMALL", 0)
    monkeypatch.setattr(workers, "WORTH", 0)
    monkeypatch.setattr(workers, "CREWED", [])
    yield found
    if found.pool is not None:
        found.pool.close()


class Two(workers.Blas):
    """Stands for a BLAS with two threads; counts what it is told."""

    def __init__(self):
        self.told, self.now = [], 2
        self.get, self.set = lambda: self.now, self.tell
        self.fresh()

    def tell(self, threads):
        self.now = threads
        self.told.append(threads)


@pytest.mark.parametrize("case", ["many small images", "wide 3x3", "one channel", "stride", "wide 3x3, square"])
def test_two_threads_give_the_same(case, two, monkeypatch):
    x, w, b, g, how = drawn(case)

    def all_three():
        return conv(x, w, b, *how), conv_input(g, w, x.shape[2:], *how), conv_weight(g, x, w.shape[2:], *how)

    pair = all_three()
    assert set(two.told) == {1, 2} and two.now == two.threads() == 2  # BLAS uses one thread meanwhile
    assert two.pool is not None
    monkeypatch.setattr(workers, "WORTH", 1 << 60)
    for a, c in zip(all_three(), pair, strict=True):
        close(c, a, case)


def test_an_error_in_a_thread_is_raised(two):
    def some(part):
        raise MemoryError(f"images {part}")

    with pytest.raises(MemoryError):
        workers.split(4, 1, some)
    assert two.told == [1, 2] and two.threads() == 2 and not two.busy
    assert workers.split(4, 1, list) == [[0], [1], [2], [3]]


@pytest.mark.parametrize("why", ["crowded", "taken", "little"])
def test_when_it_is_not_shared_out(why, two, monkeypatch):
    if why == "crowded":
        monkeypatch.setattr(workers, "crowded", lambda: True)
    elif why == "taken":
        two.busy = True
    else:
        monkeypatch.setattr(workers, "WORTH", 1000)
    # in the same parts, so that sums over them are rounded as by two threads
    assert workers.split(4, 100, list) == ([[0, 1, 2, 3]] if why == "little" else [[0], [1], [2], [3]])
    assert not two.told and two.pool is None


def test_a_thread_that_never_runs_is_not_waited_for(two):
    stop = threading.Event()
    two.pool = workers.Pool(1)
    two.pool.work.put(lambda: stop.wait(60))  # the only other thread is busy elsewhere
    assert workers.split(4, 1, list) == [[0], [1], [2], [3]]
    stop.set()


def test_a_part_started_by_another_thread_is_waited_for(two):
    begun = threading.Event()

    def some(part):
        if threading.current_thread() is threading.main_thread():
            assert begun.wait(10)
        else:
            begun.set()
            time.sleep(0.05)
        return list(part)

    assert workers.split(4, 1, some) == [[0], [1], [2], [3]]


def test_the_blas_of_numpys_wheels_is_found():
    config = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    if "openblas" not in config["name"]:
        pytest.skip(f"NumPy was built with {config['name']}")
    assert workers.Blas().get is not None


def test_sharing_out_work_does_not_change_other_threads_results(two):
    """The parts, and with them the rounding, are those of two threads whatever other threads of the program do."""
    found = []

    def some(part):
        other = threading.Thread(target=lambda: found.extend(workers.split(4, 1, list)))
        other.start()
        other.join(10)
        return workers.split(4, 1, list)  # what is a part itself is not shared out again

    assert workers.split(1 + 1, 1, some) == [[[0, 1, 2, 3]]] * 2
    assert found == [[0], [1], [2], [3]] * 2 and two.told == [1, 2] and two.threads() == 2


def test_the_number_of_threads_may_be_set_while_they_work(two):
    def some(part):
        tl.set_num_threads(3)
        return list(part)

    assert workers.split(4, 1, some) == [[0], [1], [2], [3]]
    assert tl.get_num_threads() == 3 and two.now == 3
    assert workers.split(6, 1, list) == [[0], [1], [2], [3], [4], [5]]
    assert two.pool.size == 2


def test_threads_warn_as_their_caller_wants(two):
    here = threading.main_thread()

    def some(part):
        while threading.current_thread() is here and not elsewhere:
            time.sleep(0.001)
        if threading.current_thread() is not here:
            elsewhere.append(part)
        return np.float32(3e38) * np.full(2, 10, "f")

    elsewhere = []
    with np.errstate(over="ignore"):
        assert np.isinf(workers.split(4, 1, some)).all() and elsewhere
    elsewhere = []
    with np.errstate(over="raise"), pytest.raises(FloatingPointError):
        workers.split(4, 1, some)


def test_a_forked_process_starts_its_own_threads(two):
    assert workers.split(4, 1, list) == [[0], [1], [2], [3]]
    pool = two.pool
    two.busy = True  # as another thread of the process that forks uses them
    two.lend()
    two.guard.acquire()
    workers._forked()
    assert two.threads() == 2 and two.now == 2
    assert workers.split(4, 1, list) == [[0], [1], [2], [3]]
    assert two.pool is not pool
    pool.close()


def test_threads_end_when_their_number_changes():
    pool = workers.Pool(2)
    assert pool.share([range(i) for i in range(5)], len) == [0, 1, 2, 3, 4]
    mine = [t for t in threading.enumerate() if getattr(t, "_target", None) == pool._serve]
    assert len(mine) == 2
    pool.close()
    for t in mine:
        t.join(10)
    assert not any(t.is_alive() for t in mine)


@pytest.mark.parametrize("a, b", [
    ((40, 7), (7, 5)), ((5, 7), (7, 40)), ((3, 40, 7), (7, 5)), ((40, 7), (3, 7, 50)), ((40, 7), (7,)), ((7,), (7, 40)),
    ((2, 1, 9, 4), (3, 4, 8)), ((7,), (7,)), ((1, 7), (7, 1)), ((0, 7), (7, 3)), ((3, 0), (0, 4)),
    ((20, 9, 4), (20, 4, 8)), ((20, 9, 4), (4, 8)), ((20, 9, 4), (4,)), ((20, 9, 4), (1, 4, 8)),
    ((20, 2, 9, 4), (20, 1, 4, 8)), ((20, 2, 9, 4), (2, 4, 8)), ((1, 9, 4), (20, 4, 8)),
])  # fmt: skip
def test_products_that_no_crew_takes_are_shared_by_blas(a, b, two, monkeypatch):
    monkeypatch.setattr(workers, "CREWED", [(0, lambda *given: NotImplemented)])
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal(a), rng.standard_normal(b)
    expected = np.matmul(a, b)
    np.testing.assert_allclose(workers.multiply(a, b), expected, rtol=1e-12, atol=1e-12)
    if expected.ndim:
        into = np.empty_like(expected)
        assert workers.multiply(a, b, out=into) is into
        np.testing.assert_allclose(into, expected, rtol=1e-12, atol=1e-12)
    assert two.told[:3] == ([1, 2, 1] if a.size else []) and two.threads() == 2
    with pytest.raises(ValueError):
        workers.multiply(a, np.ones((a.shape[-1] + 1, 400)))


def test_crowded_reads_the_load(monkeypatch):
    monkeypatch.setattr(workers, "_crowd", [0.0, False])
    monkeypatch.setattr(workers, "_running", lambda: 1e6)
    monkeypatch.setattr(workers.os, "getloadavg", lambda: (1e6, 0.0, 0.0), raising=False)
    assert workers.crowded()
    monkeypatch.setattr(workers.os, "getloadavg", lambda: (0.0, 0.0, 0.0), raising=False)
    assert workers.crowded()  # not looked up twice in a quarter of a second
    workers._crowd[0] = 0.0
    assert not workers.crowded()
    monkeypatch.setattr(workers.os, "getloadavg", lambda: (1e6, 0.0, 0.0), raising=False)
    monkeypatch.setattr(workers, "_running", lambda: 1)
    workers._crowd[0] = 0.0
    assert not workers.crowded(), "what has ended does not count"


def test_how_many_threads_run_is_a_number_or_unknown(monkeypatch):
    assert workers._running() >= 1
    monkeypatch.setattr("builtins.open", lambda *a: (_ for _ in ()).throw(OSError()))
    assert workers._running() == float("inf")


def test_networks_train_alike_with_and_without():
    def losses():
        tl.manual_seed(0)
        net = tl.nn.Sequential(
            tl.nn.Conv2d(1, 8, 3, padding=1), tl.nn.ReLU(), tl.nn.MaxPool2d(2), tl.nn.Conv2d(8, 8, 3), tl.nn.Flatten(),
            tl.nn.Linear(8 * 25, 3),
        )  # fmt: skip
        x, y = tl.randn(6, 1, 14, 14), tl.tensor([0, 1, 2, 0, 1, 2])
        optimizer = tl.optim.SGD(net.parameters(), lr=0.05)
        found = []
        for _ in range(5):
            optimizer.zero_grad()
            loss = tl.nn.functional.cross_entropy(net(x), y)
            loss.backward()
            optimizer.step()
            found.append(loss.item())
        return found

    fast = losses()
    with fast_convolution(False):
        plain = losses()
    assert fast == pytest.approx(plain, rel=1e-5)
    assert fast[-1] < fast[0]


@pytest.mark.parametrize("stride", [(2, 2), [2, 2], np.array([2, 2]), np.int64(2), None, (), []])
def test_strides_of_pooling_in_every_form(stride):
    x = tl.tensor(np.arange(16.0).reshape(1, 1, 4, 4))
    assert tl.nn.functional.max_pool2d(x, 2, stride).tolist() == [[[[5, 7], [13, 15]]]]
