"""PyTorch's older import path of `tinygrad_lite.profiler`."""

from tinygrad_lite.profiler import profile as profile, record_function as record_function
