"""The class of exponential families, under the name of its module in PyTorch."""

from tinygrad_lite.distributions.distribution import ExponentialFamily as ExponentialFamily
