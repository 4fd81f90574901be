"""Native loops of a program give NumPy's numbers: every form, with strided, broadcast and special operands."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from tinygrad_lite.compiled.loops import Loop, elementwise, loops_of
from tinygrad_lite.compiled.machine import Machine
from tinygrad_lite.compiled.program import Call, Memory, Region
from tinygrad_lite.compiled.recorded import setitem
from tinygrad_lite.compiled.trace import address
from tinygrad_lite.engine.versions import owner
from tinygrad_lite.native import formulas

pytest.importorskip("llvmlite")
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")
f4, f8 = np.float32, np.float64
SPECIAL = [-np.inf, -3e38, -20.0, -1.0, -0.5, -1e-30, -0.0, 0.0, 1e-42, 1e-7, 0.3, 1.0, 2.0, 88.0, 3e38, np.inf, np.nan]


class Program:
    """Calls on arrays, run by NumPy's functions or as loops."""

    def __init__(self):
        self.memories, self.calls, self.keep = {}, [], []

    def region(self, a):
        own = owner(a)
        self.keep.append(own)
        made = Memory(len(self.memories), "live", "a", own.shape, own.strides, own.dtype, own)
        memory = self.memories.setdefault(id(own), made)
        return Region(memory, address(a) - address(own), a.shape, a.strides, a.dtype)

    def value(self, v):
        return self.region(v) if isinstance(v, np.ndarray) else v

    def call(self, kind, function, ins, out, **words):
        self.calls.append(
            Call(kind, function, tuple(map(self.value, ins)), words, [self.region(out)] if out is not None else [])
        )

    def run(self):
        """Run all calls as loops; return how many loops there are, and whether a check failed."""
        units = loops_of(self.calls, lambda m: True)
        assert all(isinstance(u, Loop) for u in units), [u.kind for u in units]
        machine = Machine()
        machine.add([u.call() for u in units])
        (run,) = machine.load()
        table = [x if type(x) is int else address(x.memory.own) + x.offset for x in machine.tables[0]]
        table = np.array(table, np.uintp)
        return len(units), run(table.ctypes.data)


def layouts(shape, dtype, random):
    """Return arrays of one shape: contiguous, transposed, with gaps, reversed, broadcast."""

    def make(*s):
        return (random.standard_normal(s) * 3).astype(dtype)

    turned = make(*shape[::-1]).T
    gaps = make(*(2 * n for n in shape))[tuple(slice(None, None, 2) for _ in shape)]
    back = make(*shape)[tuple(slice(None, None, -1) for _ in shape)]
    row = np.broadcast_to(make(*shape[1:]), shape)
    column = np.broadcast_to(make(*shape[:-1], 1), shape)
    return [make(*shape), turned, gaps, back, row, column]


def close(found, expected, dtype=f4):
    tolerance = {"rtol": 4e-7, "atol": 1e-38} if dtype == f4 else {"rtol": 1e-13, "atol": 0}
    np.testing.assert_allclose(found, expected, equal_nan=True, **tolerance)


UFUNCS = [*formulas.REAL, *formulas.SINGLE, *formulas.COMPARISONS, *formulas.QUESTIONS]


@pytest.mark.parametrize("dtype", [f4, f8])
@pytest.mark.parametrize("ufunc", UFUNCS, ids=lambda f: f.__name__)
def test_formulas_on_special_numbers(ufunc, dtype):
    if ufunc in formulas.SINGLE and dtype == f8:
        pytest.skip("NumPy's own")
    values = np.array(SPECIAL, dtype)
    ins = [values] if ufunc.nin == 1 else [a.ravel() for a in np.meshgrid(values, values)]
    expected = ufunc(*ins)
    found = np.empty_like(expected)
    p = Program()
    p.call("ufunc", ufunc, ins, found)
    assert p.run() == (1, 0)
    close(found, expected, dtype)
    if expected.dtype.kind == "f":
        np.testing.assert_array_equal(np.signbit(found[expected == 0]), np.signbit(expected[expected == 0]))


@pytest.mark.parametrize("ufunc", [*formulas.LOGIC, *formulas.WHOLE], ids=lambda f: f.__name__)
def test_bools_and_integers(ufunc):
    values = np.array([False, True]) if ufunc in formulas.LOGIC else np.array([-(2**62), -3, 0, 1, 2**40])
    ins = [values] if ufunc.nin == 1 else [a.ravel() for a in np.meshgrid(values, values)]
    expected = ufunc(*ins)
    found, p = np.empty_like(expected), Program()
    p.call("ufunc", ufunc, ins, found)
    p.run()
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("power", formulas.POWERS)
def test_powers(power):
    values = np.array(SPECIAL, f4)
    found, p = np.empty_like(values), Program()
    p.call("ufunc", np.power, [values, power], found)
    p.run()
    close(found, np.power(values, f4(power)))


@pytest.mark.parametrize("pair", list(itertools.product(range(6), repeat=2)))
def test_layouts(pair):
    random = np.random.default_rng(0)
    a, b = (layouts((3, 1, 5, 4), f4, random)[i] for i in pair)
    number = random.standard_normal(()).astype(f4)
    for found in layouts((3, 1, 5, 4), f4, random)[:4]:
        p = Program()
        p.call("ufunc", np.add, [a, b], found)
        p.call("ufunc", np.multiply, [found, number], found)
        p.call("ufunc", np.subtract, [1, found], found)
        assert p.run() == (1, 0)
        np.testing.assert_allclose(found, 1 - (a + b) * number, 1e-6, 1e-6)  # rounded less often


def test_dtypes_mix():
    whole, single, truth = np.arange(-3, 3), np.linspace(-2, 2, 6, dtype=f4), np.arange(6) % 2 == 0
    one, two, three, four = np.empty(6, f4), np.empty(6, f8), np.empty(6, f4), np.empty(6, f8)
    p = Program()
    p.call("copy", np.copyto, [whole], one)
    p.call("ufunc", np.multiply, [single, two], four)
    p.call("copy", np.copyto, [single], two)
    p.call("ufunc", np.add, [single, truth], three)
    p.call("where", np.where, [truth, single, 7.0], one)
    p.run()
    np.testing.assert_array_equal(two, single.astype(f8))
    np.testing.assert_array_equal(three, single + truth)
    np.testing.assert_array_equal(one, np.where(truth, single, f4(7)))


@pytest.mark.parametrize("axis", [None, 0, 1, 2, -1, (0, 2), (1, 2), (0, 1, 2)])
@pytest.mark.parametrize("ufunc", [np.add, np.maximum, np.minimum, np.multiply], ids=lambda f: f.__name__)
def test_reductions(ufunc, axis):
    random = np.random.default_rng(1)
    for a, keepdims in itertools.product(layouts((3, 5, 4), f4, random), (False, True)):
        expected = np.asarray(ufunc.reduce(a, axis=axis, keepdims=keepdims))
        found, p = np.empty_like(expected), Program()
        p.call("reduce", ufunc, [a], found, axis=axis, keepdims=keepdims)
        p.run()
        np.testing.assert_allclose(found, expected, 2e-6, 2e-6)


def test_reductions_of_nan_and_bools():
    a = np.array([[1, np.nan, 3], [-np.inf, 2, -5]], f4)
    low, high = np.empty(2, f4), np.empty(2, f4)
    truth = np.array([[True, False, True], [True, True, True]])
    some, every = np.empty(2, bool), np.empty((), bool)
    p = Program()
    p.call("reduce", np.minimum, [a], low, axis=1)
    p.call("reduce", np.maximum, [a], high, axis=1)
    p.call("reduce", np.logical_and, [truth], some, axis=-1)
    p.call("reduce", np.logical_or, [truth], every, axis=None)
    p.run()
    np.testing.assert_array_equal(low, [np.nan, -np.inf])
    np.testing.assert_array_equal(high, [np.nan, 2])
    assert some.tolist() == [False, True] and every


def test_long_sums_are_accurate():
    a = np.random.default_rng(2).random(100_000, dtype=f4)
    found, p = np.empty((), f4), Program()
    p.call("reduce", np.add, [a], found, axis=None)
    p.run()
    assert abs(found - a.sum(dtype=f8)) < 1e-6 * found


@pytest.mark.parametrize("sizes", [(1, 1, 1), (4, 2, 3), (5, 7, 1), (1, 6, 9), (9, 16, 33), (3, 5, 4)])
@pytest.mark.parametrize("dtype", [f4, f8])
def test_products(sizes, dtype):
    rows, inner, columns = sizes
    random = np.random.default_rng(3)
    for a, b in itertools.product(layouts((rows, inner), dtype, random), layouts((inner, columns), dtype, random)):
        for found in layouts((rows, columns), dtype, random)[:3]:
            p = Program()
            p.call("dot", np.dot, [a, b], found)
            p.run()
            np.testing.assert_allclose(found, a @ b, 1e-5, 1e-4)
        one, vector, other = np.empty((), dtype), np.empty(rows, dtype), np.empty(columns, dtype)
        p = Program()
        p.call("dot", np.dot, [a[0], a[-1]], one)
        p.call("dot", np.dot, [a, b[:, 0]], vector)
        p.call("dot", np.dot, [a[0], b], other)
        p.run()
        for x, y in ((one, a[0] @ a[-1]), (vector, a @ b[:, 0]), (other, a[0] @ b)):
            np.testing.assert_allclose(x, y, 1e-5, 1e-4)


def test_batches_of_products():
    random = np.random.default_rng(4)
    for first, second in (((2, 3, 4, 5), (2, 3, 5, 6)), ((3, 4, 5), (2, 1, 5, 6)), ((1, 3, 4, 5), (2, 3, 5, 6))):
        a, b = random.standard_normal(first).astype(f4), random.standard_normal(second).astype(f4)
        for x, y in ((a, b), (a.swapaxes(-1, -2).copy().swapaxes(-1, -2), b.swapaxes(-1, -2).copy().swapaxes(-1, -2))):
            found, p = np.empty(np.matmul(a, b).shape, f4), Program()
            p.call("matmul", np.matmul, [x, y], found)
            p.run()
            np.testing.assert_allclose(found, a @ b, 1e-5, 1e-5)


def test_places():
    random = np.random.default_rng(5)
    a = random.standard_normal((3, 5, 4)).astype(f4)
    for axis, index in ((0, [[2, 0], [-1, 1]]), (1, [4, 4, -5]), (2, 3), (-1, [0]), (None, [[59, -60, 7]])):
        places = np.array(index)
        found, p = np.empty_like(a.take(places, axis)), Program()
        p.call("take", np.take, [a, places], found, axis=axis)
        assert p.run() == (1, 0)
        np.testing.assert_array_equal(found, a.take(places, axis))
    for outside in (5, -6):
        found, p = np.empty((3, 1, 4), f4), Program()
        p.call("take", np.take, [a, np.array([outside])], found, axis=1)
        assert p.run() == (1, 1)
    target, places, values = np.zeros(6, f4)[::-1], np.array([3, -1, 3]), np.array([1, 2, 5], f4)
    expected = target.copy()
    expected[places] = values
    p = Program()
    p.call("inplace", setitem, [target, places, values], target)
    assert p.run() == (1, 0)
    np.testing.assert_array_equal(target, expected)
    p = Program()
    p.call("inplace", setitem, [target, np.array([6]), 1.0], target)
    assert p.run() == (1, 1)
    np.testing.assert_array_equal(target[1:], expected[1:])


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_places_along_an_axis(axis):
    """``take_along_axis`` and ``put_along_axis``: strided, with places from the end; a place outside is noted."""
    random = np.random.default_rng(7)
    shape = [4, 5, 6]
    a = layouts(tuple(shape), f4, random)[2]
    n, shape[axis] = shape[axis], 2
    index = random.integers(-n, n, shape)
    out, other, values = np.empty(shape, f4), np.array(a), random.standard_normal(shape).astype(f4)
    p = Program()
    p.call("call", np.take_along_axis, (a, index, axis), out)
    p.call("inplace", np.put_along_axis, (other, index, values, axis), other)
    p.call("inplace", np.put_along_axis, (a, index, 2.5, axis), a)
    expected, written, same = np.take_along_axis(a, index, axis), np.array(other), np.array(a)
    np.put_along_axis(written, index, values, axis)
    np.put_along_axis(same, index, 2.5, axis)
    assert p.run() == (3, 0)
    for found, wanted in ((out, expected), (other, written), (a, same)):
        assert np.array_equal(found, wanted)
    index.flat[3] = n
    assert p.run() == (3, 1)


def test_the_largest_number_from_the_smallest_on():
    """``initial=-inf`` changes nothing; another start is NumPy's."""
    x, y = np.random.default_rng(8).standard_normal((3, 5)).astype(f4), np.empty((3, 1), f4)
    p = Program()
    p.call("reduce", np.maximum, (x,), y, axis=1, keepdims=True, initial=-np.inf)
    assert p.run() == (1, 0)
    assert np.array_equal(y, x.max(1, keepdims=True))
    p.calls[0].words["initial"] = 0.0
    assert isinstance(loops_of(p.calls, lambda m: True)[0], Call)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_place_of_the_largest(axis):
    a = np.array([[1, 3, 3, -1], [np.nan, 2, np.nan, np.inf], [-np.inf] * 4], f4)
    for x in (a, a.T.copy().T, a[:, ::-1]):
        found, p = np.empty(np.argmax(x, axis).shape, np.int64), Program()
        p.call("call", np.argmax, [x, axis], found)
        p.run()
        np.testing.assert_array_equal(found, np.argmax(x, axis))


@pytest.mark.parametrize(("number", "failed"), [(1.0, 0), (np.inf, 1), (-np.inf, 1), (np.nan, 1)])
def test_checks(number, failed):
    a = np.ones((3, 4), f4)
    a[2, 1] = number
    after = np.zeros(4, f4)
    p = Program()
    p.call("check", "finite", [a], None, value=True)
    p.call("copy", np.copyto, [1.0], after)
    assert p.run() == (2, failed)
    assert after.tolist() == [1.0 - failed] * 4  # what follows a failed check does not run
    for value in (False, True):
        for content in (np.array(value), np.array(2.0 * value, f4), np.array([-0.0 + value], f8)):
            p = Program()
            p.call("check", "same", [content], None, value=value, bool=True)
            assert p.run() == (1, 0)


def test_calls_are_fused_only_where_the_order_does_not_matter():
    a, b = np.arange(8, dtype=f4), np.arange(8, 16, dtype=f4)
    y, z, total = np.empty(8, f4), np.empty(8, f4), np.empty((), f4)
    p = Program()
    p.call("ufunc", np.add, [a, b], y)
    p.call("reduce", np.add, [y], total, axis=None)  # needs all of y
    p.call("ufunc", np.multiply, [a, b], z)  # joins the first
    p.call("ufunc", np.subtract, [y, total], y)  # must follow the sum
    assert [len(u.calls) for u in loops_of(p.calls, lambda m: True)] == [2, 1, 1]
    expected = (a + b) - (a + b).sum()
    p.run()
    close(y, expected)
    close(z, a * b)


def test_a_loop_does_not_overwrite_what_it_reads_later():
    a, b, y = np.arange(8, dtype=f4), np.ones(8, f4), np.empty(8, f4)
    expected = -a[::-1]
    p = Program()
    p.call("ufunc", np.negative, [a[::-1]], y)
    p.call("ufunc", np.add, [b, b], a)
    assert [len(u.calls) for u in loops_of(p.calls, lambda m: True)] == [1, 1]
    p.run()
    np.testing.assert_array_equal(y, expected)
    np.testing.assert_array_equal(a, 2 * b)


def test_overlapping_regions_are_left_to_numpy():
    a = np.arange(8, dtype=f4)
    p = Program()
    p.call("ufunc", np.add, [a[1:], a[:-1]], a[1:])
    assert not elementwise(p.calls[0])
    p = Program()  # apart within one call, but not for the next
    p.call("ufunc", np.negative, [a[:4]], a[4:])
    p.call("ufunc", np.negative, [a[4:][::-1]], a[:4])
    assert [len(u.calls) for u in loops_of(p.calls, lambda m: True)] == [1, 1]
    p.run()
    assert a.tolist() == [3, 2, 1, 0, 0, -1, -2, -3]
