"""Reductions and scans: sums, extremes, cumulative sums, statistics, sorting."""

from tinygrad_lite.ops.reductions import (
    cumulative as cumulative,
    histogram as histogram,
    reduction as reduction,
    sorting as sorting,
    statistics as statistics,
)
