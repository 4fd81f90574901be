"""Data sets: real digits that ship with the package, IDX files, and small generated sets.

All functions take and return NumPy arrays.
"""

from tinygrad_lite.datasets.generated import (
    make_blobs as make_blobs,
    make_cubic as make_cubic,
    make_regression as make_regression,
    make_up_down as make_up_down,
    make_xor as make_xor,
)
from tinygrad_lite.datasets.idx import read_idx as read_idx
from tinygrad_lite.datasets.mnist_files import fashion_mnist as fashion_mnist, mnist as mnist
from tinygrad_lite.datasets.splitting import split as split
from tinygrad_lite.datasets.uci import digits as digits
