"""Train on the digits with one global batch, divided among the ranks; compare the ranks' weights.

For each kind that is named on the command line rank 0 prints a line of JSON with the losses.
"""

from __future__ import annotations

import json
import sys

import numpy as np

import tinygrad_lite as tl
import tinygrad_lite.distributed as dist
from tinygrad_lite import datasets, nn, optim
from tinygrad_lite.nn.parallel import DistributedDataParallel
from tinygrad_lite.utils.data import DataLoader, DistributedSampler, TensorDataset

BATCH, COUNT = 64, 320


def network(kind: str) -> nn.Module:
    """Weights differ between the ranks: those of rank 0 count."""
    tl.manual_seed(100 * dist.get_rank())
    head = [nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4) if kind in ("norm", "sync") else nn.Identity(), nn.ReLU()]
    net = nn.Sequential(*head, nn.Flatten(), nn.Linear(256, 32), nn.ReLU(), nn.Linear(32, 10))
    if kind == "sync":
        net = nn.SyncBatchNorm.convert_sync_batchnorm(net)
    return net.double() if kind == "double" else net


def trained(kind: str) -> dict[str, object]:
    """Return the mean losses and whether all ranks end with the same bits."""
    n = dist.get_world_size()
    images, labels = (part[:COUNT] for part in datasets.digits())
    if kind == "double":
        images = images.astype(np.float64)
    model = DistributedDataParallel(network(kind), bucket_cap_mb=0.01)  # several buckets
    data = TensorDataset(tl.tensor(images), tl.tensor(labels))
    sampler = DistributedSampler(data)
    loader = DataLoader(data, batch_size=BATCH // n, sampler=sampler)
    optimiser = optim.Adam(model.parameters(), lr=4e-3)
    losses = []
    for epoch in range(2):
        sampler.set_epoch(epoch)
        for x, y in loader:
            optimiser.zero_grad()
            loss = nn.functional.cross_entropy(model(x), y)
            loss.backward()
            optimiser.step()
            losses.append(loss.detach())
    mean = tl.stack(losses)
    dist.all_reduce(mean, dist.ReduceOp.AVG)
    model.eval()
    with tl.no_grad():
        model(data[:2][0])  # the buffers are those of rank 0 now
    mine = tl.cat([t.reshape(-1) for t in model.state_dict().values()])
    everyone = [tl.empty_like(mine) for _ in range(n)]
    dist.all_gather(everyone, mine)
    equal = all(tl.equal(t, mine) for t in everyone)
    buckets = model._reducer and len(model._reducer.buckets)
    return {"kind": kind, "losses": mean.tolist(), "equal": equal, "buckets": buckets}


dist.init_process_group("mpi")
for kind in sys.argv[1:]:
    result = trained(kind)
    if dist.get_rank() == 0:
        print(json.dumps(result))
dist.destroy_process_group()
