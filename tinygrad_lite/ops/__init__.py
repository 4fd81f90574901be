"""The operations, one file per family; importing this package registers them all."""

from tinygrad_lite.ops import activation as activation
from tinygrad_lite.ops import adaptive as adaptive
from tinygrad_lite.ops import arrange as arrange
from tinygrad_lite.ops import attention as attention
from tinygrad_lite.ops import cast as cast
from tinygrad_lite.ops import combining as combining
from tinygrad_lite.ops import compare as compare
from tinygrad_lite.ops import convolution as convolution
from tinygrad_lite.ops import criteria as criteria
from tinygrad_lite.ops import decompositions as decompositions
from tinygrad_lite.ops import distances as distances
from tinygrad_lite.ops import elementwise as elementwise
from tinygrad_lite.ops import embedding as embedding
from tinygrad_lite.ops import exponential as exponential
from tinygrad_lite.ops import gathering as gathering
from tinygrad_lite.ops import indexing as indexing
from tinygrad_lite.ops import layout as layout
from tinygrad_lite.ops import linalg as linalg
from tinygrad_lite.ops import loss as loss
from tinygrad_lite.ops import matrix as matrix
from tinygrad_lite.ops import matrix_norm as matrix_norm
from tinygrad_lite.ops import norm as norm
from tinygrad_lite.ops import normalisation as normalisation
from tinygrad_lite.ops import numpy_layout as numpy_layout
from tinygrad_lite.ops import numpy_more as numpy_more
from tinygrad_lite.ops import numpy_names as numpy_names
from tinygrad_lite.ops import operators as operators
from tinygrad_lite.ops import padding as padding
from tinygrad_lite.ops import points as points
from tinygrad_lite.ops import pooling as pooling
from tinygrad_lite.ops import product as product
from tinygrad_lite.ops import rectifiers as rectifiers
from tinygrad_lite.ops import recurrent as recurrent
from tinygrad_lite.ops import reduction as reduction
from tinygrad_lite.ops import resize as resize
from tinygrad_lite.ops import scan as scan
from tinygrad_lite.ops import scatter as scatter
from tinygrad_lite.ops import shape as shape
from tinygrad_lite.ops import sorting as sorting
from tinygrad_lite.ops import special as special
from tinygrad_lite.ops import statistics as statistics
from tinygrad_lite.ops import trigonometry as trigonometry
from tinygrad_lite.ops import window as window

from tinygrad_lite.ops import aliases as aliases  # isort: skip - after all functions
from tinygrad_lite.ops import inplace as inplace  # isort: skip - last: it needs all others
