import numpy as np
import pytest

from tinygrad_lite.datasets import digits, split


def test_equal_to_scikit_learn():
    theirs = pytest.importorskip("sklearn.datasets").load_digits()
    images, labels = digits(scale=False, dtype=np.float64)
    np.testing.assert_array_equal(images[:, 0], theirs.images)
    np.testing.assert_array_equal(labels, theirs.target)


def test_defaults():
    images, labels = digits()
    assert images.shape == (1797, 1, 8, 8) and images.dtype == np.float32 and images.flags.c_contiguous
    assert labels.shape == (1797,) and labels.dtype == np.int64
    assert images.min() == 0 and images.max() == 1
    np.testing.assert_array_equal(images * 16, digits(scale=False)[0])


@pytest.mark.parametrize("options", [{}, {"scale": False, "dtype": np.uint8}])
def test_results_belong_to_the_caller(options):
    images, labels = digits(**options)
    images[:], labels[:] = 99, 99
    again, classes = digits(**options)
    assert again.max() <= 16 and classes.max() == 9


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int64, np.float16, "float64"])
def test_unscaled_dtypes(dtype):
    images, _ = digits(scale=False, dtype=dtype)
    assert images.dtype == np.dtype(dtype) and images.max() == 16


def test_flat_and_classes():
    images, labels = digits(classes=(0, 1), flat=True)
    assert images.shape == (360, 64) and set(labels) == {0, 1}
    everything, classes = digits()
    np.testing.assert_array_equal(images, everything[classes <= 1].reshape(360, 64))
    assert len(digits(classes=range(10))[1]) == 1797
    assert len(digits(classes=np.array([3, 3]))[1]) == 183


@pytest.mark.parametrize("classes", [(10,), (-1,), (1.5,), (True,), (), ("1",)])
def test_wrong_classes(classes):
    with pytest.raises(ValueError, match="digits: classes"):
        digits(classes=classes)


@pytest.mark.parametrize("classes", [3, "01"])
def test_classes_of_a_wrong_type(classes):
    with pytest.raises(TypeError, match="digits: classes expects labels"):
        digits(classes=classes)


@pytest.mark.parametrize("options", [{"dtype": int}, {"dtype": complex}, {"dtype": bool, "scale": False}])
def test_wrong_dtype(options):
    with pytest.raises(TypeError, match="digits: scale="):
        digits(**options)


def test_held_out_fifth():
    images, labels = digits()
    X_train, X_test, y_train, y_test = split(images, labels)
    assert X_train.shape == (1437, 1, 8, 8) and X_test.shape == (360, 1, 8, 8)
    assert X_train.dtype == np.float32 and y_train.dtype == np.int64
    share = np.bincount(y_test) - np.bincount(labels) * (360 / 1797)
    assert np.abs(share).max() < 1
    assert len(y_train) == 1437
