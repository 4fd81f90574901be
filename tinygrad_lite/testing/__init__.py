"""Gradient checking: searched inputs, contract tests, differences with an estimated error."""

from tinygrad_lite.samples import Arr as Arr
from tinygrad_lite.samples import Ints as Ints
from tinygrad_lite.samples import Samples as Samples
from tinygrad_lite.testing.check import check_op as check_op
from tinygrad_lite.testing.check import gradcheck as gradcheck
from tinygrad_lite.testing.check import gradgradcheck as gradgradcheck
from tinygrad_lite.testing.modules import check_module as check_module
from tinygrad_lite.testing.report import GradcheckError as GradcheckError
from tinygrad_lite.testing.report import GradReport as GradReport
from tinygrad_lite.testing.rule import check_rule as check_rule
from tinygrad_lite.testing.search import Source as Source
