"""Gradient checking: searched inputs, contract tests, differences with an estimated error."""

from tinygrad_lite.testing.report import GradcheckError as GradcheckError
from tinygrad_lite.testing.report import GradReport as GradReport
from tinygrad_lite.testing.rule import check_rule as check_rule
from tinygrad_lite.testing.search import Source as Source
