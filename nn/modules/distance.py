"""Distances, by PyTorch's import path."""

from tinygrad_lite.nn.embedding import CosineSimilarity as CosineSimilarity, PairwiseDistance as PairwiseDistance
