"""Embeddings, by PyTorch's import path."""

from tinygrad_lite.nn.embedding import *  # noqa: F403
