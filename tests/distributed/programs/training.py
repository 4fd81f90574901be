"""Train on the digits with one global batch, divided among the ranks; print the losses, compare the ranks' weights."""

from __future__ import annotations

import json
import sys

import numpy as np

import tinygrad_lite as tl
import tinygrad_lite.distributed as dist
from tinygrad_lite import datasets, nn, optim
from tinygrad_lite.nn.parallel import DistributedDataParallel
from tinygrad_lite.utils.data import DataLoader, DistributedSampler, TensorDataset

KIND, BATCH, COUNT = sys.argv[1], 64, 320
dist.init_process_group("mpi")
me, n = dist.get_rank(), dist.get_world_size()
tl.manual_seed(100 * me)  # different weights: those of rank 0 count
images, labels = datasets.digits()
images, labels = images[:COUNT], labels[:COUNT]
head = [nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4) if KIND in ("norm", "sync") else nn.Identity(), nn.ReLU()]
net = nn.Sequential(*head, nn.Flatten(), nn.Linear(256, 32), nn.ReLU(), nn.Linear(32, 10))
if KIND == "sync":
    net = nn.SyncBatchNorm.convert_sync_batchnorm(net)
if KIND == "double":
    net.double()
    images = images.astype(np.float64)
model = DistributedDataParallel(net, bucket_cap_mb=0.01)  # several buckets
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
if me == 0:
    equal = all(tl.equal(t, mine) for t in everyone)
    print(
        json.dumps(
            {
                "ranks": n,
                "losses": mean.tolist(),
                "equal": equal,
                "buckets": model._reducer and len(model._reducer.buckets),
            }
        )
    )
dist.destroy_process_group()
