"""`Trainer` over several ranks: one history, one file, one order of samples for each epoch."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import tinygrad_lite as tl
import tinygrad_lite.distributed as dist
from tinygrad_lite import nn, optim
from tinygrad_lite.nn.parallel import DistributedDataParallel
from tinygrad_lite.training import Checkpoint, EarlyStopping, Trainer
from tinygrad_lite.utils.data import DataLoader, DistributedSampler, TensorDataset

dist.init_process_group("mpi")
ME, N = dist.get_rank(), dist.get_world_size()
file = Path(sys.argv[1])


def training(compile: bool) -> Any:
    tl.manual_seed(0)
    x = tl.randn(64, 3)
    sampler = DistributedSampler(
        data := TensorDataset(x, x.sum(1, keepdim=True) * (1 + ME))
    )  # other losses on each rank
    train = DataLoader(data, batch_size=16 // N, sampler=sampler)
    model = DistributedDataParallel(nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1)))
    scheduler = optim.lr_scheduler.ReduceLROnPlateau(optimizer := optim.SGD(model.parameters(), lr=0.3), patience=0)
    model = tl.compile(model) if compile else model
    trainer = Trainer(model, nn.MSELoss(), optimizer, scheduler=scheduler, accumulate=2)
    trainer.fit(train, train, epochs=30, callbacks=[EarlyStopping("val_loss", patience=3), Checkpoint(file)])
    assert sampler.epoch == trainer.epoch - 1 > 2, (sampler.epoch, trainer.epoch)
    return trainer


for compile in (False, True):
    trainer = training(compile)
    found: list[Any] = [None] * N
    history = {name: trainer.history[name] for name in ("loss", "val_loss", "lr")}
    weights = tl.cat([p.detach().reshape(-1) for p in trainer.model.parameters()])
    dist.all_gather_object(found, [history, weights.tolist(), str(trainer.epoch)])
    assert all(other == found[0] for other in found), found
try:
    Trainer(trainer.model, nn.MSELoss(), trainer.optimizer, compile=True)
except ValueError as error:
    assert "tl.compile(model)" in str(error)
else:
    raise AssertionError
if ME == 0:
    assert file.exists()
    print("\ngood", N)
