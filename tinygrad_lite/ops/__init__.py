"""The operations, one file per family; importing this package registers them all."""

from tinygrad_lite.ops import activation as activation
from tinygrad_lite.ops import adaptive as adaptive
from tinygrad_lite.ops import convolution as convolution
from tinygrad_lite.ops import criteria as criteria
from tinygrad_lite.ops import elementwise as elementwise
from tinygrad_lite.ops import indexing as indexing
from tinygrad_lite.ops import inplace as inplace  # isort: skip - last: it needs all others
from tinygrad_lite.ops import linalg as linalg
from tinygrad_lite.ops import loss as loss
from tinygrad_lite.ops import normalisation as normalisation
from tinygrad_lite.ops import operators as operators
from tinygrad_lite.ops import padding as padding
from tinygrad_lite.ops import pooling as pooling
from tinygrad_lite.ops import rectifiers as rectifiers
from tinygrad_lite.ops import reduction as reduction
from tinygrad_lite.ops import resize as resize
from tinygrad_lite.ops import shape as shape
from tinygrad_lite.ops import window as window
