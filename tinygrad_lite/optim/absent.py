"""Optimisers that do not exist here, with what to use instead."""

from tinygrad_lite.engine.no_effect import absent

__all__ = ["Muon", "SparseAdam"]

SparseAdam = absent("optim.SparseAdam", "use optim.Adam, and Embedding without sparse=True: gradients are never sparse")
Muon = absent("optim.Muon", "use optim.AdamW: Muon computes in bfloat16, which NumPy does not have")
