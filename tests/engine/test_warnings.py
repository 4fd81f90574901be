"""NumPy's warnings are off inside a backward pass, and as they were after it."""

import threading

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite.engine.arrays import hush, unhush


def warns():
    """Whether NumPy warns of a division by zero."""
    with pytest.warns(RuntimeWarning):
        np.ones(1) / np.zeros(1)
    return True


def test_hush_and_unhush_nest_and_stay_in_their_thread():
    before = np.geterr()
    first = hush()
    second = hush()
    assert np.geterr()["divide"] == "ignore"
    np.ones(1) / np.zeros(1)
    elsewhere = []
    thread = threading.Thread(target=lambda: elsewhere.append(np.geterr()))
    thread.start()
    thread.join()
    assert elsewhere == [before]
    unhush(second)
    assert np.geterr()["divide"] == "ignore"
    unhush(first)
    assert np.geterr() == before and warns()


def test_a_backward_pass_is_silent_and_leaves_the_warnings_as_they_were():
    x = tl.tensor([0.0, 1.0], requires_grad=True)
    tl.sqrt(x).sum().backward()
    assert np.isinf(x.grad.array[0]) and warns()
    y = tl.tensor(1.0, requires_grad=True)
    z = y * 2
    z.register_hook(lambda g: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        z.backward()
    assert warns()
