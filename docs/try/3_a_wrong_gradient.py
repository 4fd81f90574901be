# A gradient written by hand, with a mistake: find it
import numpy as np

from tinygrad_lite.testing import gradcheck


def forward(x):
    y = np.tanh(x)
    return y, y


def backward(g, y):
    return (g * (1 - y),)  # what is missing?


check = gradcheck((forward, backward), np.array([0.5, -1.0]), raise_exception=False)
