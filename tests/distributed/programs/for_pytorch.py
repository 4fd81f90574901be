"""A script for PyTorch and torchrun, run unchanged by ``mpiexec -n 2 tinygrad-lite run``."""

import os


def main():
    import torch
    import torch.distributed as dist
    import torch.nn as nn
    import torch.optim as optim
    from torch.nn.parallel import DistributedDataParallel as DDP
    from torch.utils.data import DataLoader, TensorDataset
    from torch.utils.data.distributed import DistributedSampler

    rank, world_size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    backend = "nccl" if torch.cuda.is_available() else "gloo"
    dist.init_process_group(backend, rank=rank, world_size=world_size)
    device = torch.device("cpu")
    torch.manual_seed(0)
    x = torch.randn(64, 4)
    data = TensorDataset(x, x.sum(1, keepdim=True))
    sampler = DistributedSampler(data, num_replicas=world_size, rank=rank, shuffle=True)
    loader = DataLoader(data, batch_size=8, sampler=sampler, num_workers=0, pin_memory=True)
    model = DDP(nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 1)).to(device))
    model = nn.SyncBatchNorm.convert_sync_batchnorm(model)
    optimizer, loss_of = optim.SGD(model.parameters(), lr=0.1), nn.MSELoss()
    for epoch in range(40):
        sampler.set_epoch(epoch)
        total = torch.zeros(1)
        for a, b in loader:
            optimizer.zero_grad()
            loss = loss_of(model(a.to(device)), b.to(device))
            loss.backward()
            optimizer.step()
            total += loss.detach()
        dist.all_reduce(total, op=dist.ReduceOp.SUM)
    if dist.get_rank() == 0:
        print("good", world_size, total.item() / world_size / len(loader) < 0.5)
    dist.barrier()
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
