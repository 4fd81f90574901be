"""Check gradients: searched inputs, contract tests, finite differences with an estimated error."""

from tinygrad_lite.engine.samples import Arr as Arr, Ints as Ints, Samples as Samples
from tinygrad_lite.testing.assert_close import assert_allclose as assert_allclose, assert_close as assert_close
from tinygrad_lite.testing.check import check_op as check_op, gradcheck as gradcheck, gradgradcheck as gradgradcheck
from tinygrad_lite.testing.derivatives import (
    numeric_gradient as numeric_gradient,
    numeric_jacobian as numeric_jacobian,
)
from tinygrad_lite.testing.gradtest import gradtest as gradtest
from tinygrad_lite.testing.layers import check_layer as check_layer
from tinygrad_lite.testing.make_tensor import make_tensor as make_tensor
from tinygrad_lite.testing.modules import check_module as check_module
from tinygrad_lite.testing.report import GradcheckError as GradcheckError, GradReport as GradReport
from tinygrad_lite.testing.search.search import check_rule as check_rule
from tinygrad_lite.testing.search.source import Source as Source
from tinygrad_lite.testing.steps import check_step as check_step
