"""Optimisers that do not exist here, with what to use instead."""

from __future__ import annotations

from typing import Any

from tinygrad_lite.optim.optimizer import Optimizer

__all__ = ["Muon", "SparseAdam"]


class SparseAdam(Optimizer):
    """Raise NotImplementedError: there are no sparse gradients here; use `Adam`."""

    def __init__(self, params: Any, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError(
            "optim.SparseAdam does not exist in tinygrad_lite: gradients are never sparse; use optim.Adam, and "
            "Embedding without sparse=True"
        )


class Muon(Optimizer):
    """Raise NotImplementedError: its iteration is defined in bfloat16, which NumPy does not have."""

    def __init__(self, params: Any, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError(
            "optim.Muon does not exist in tinygrad_lite: it computes in bfloat16, which NumPy does not have; use "
            "optim.AdamW"
        )
