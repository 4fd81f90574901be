"""torch.compile: PyTorch's own compiler on the forward pass and its gradient (needs a C++ compiler)."""

from __future__ import annotations

from functools import partial

import torch

from benchmarks.peers import pytorch

net, conv, kmeans, ridge, lasso = (
    partial(f, compiled=torch.compile)
    for f in (pytorch.net, pytorch.conv, pytorch.kmeans, pytorch.ridge, pytorch.lasso)
)
