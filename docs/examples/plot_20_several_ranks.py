r"""
One training on several ranks
=============================

Each of :math:`n` ranks has the whole network and a share of the batch. The gradient of a mean over the batch is the
mean of the gradients of the shares,

.. math:: \nabla \frac{1}{N} \sum_{i=1}^N \ell_i = \frac{1}{n} \sum_{r=1}^n \nabla \frac{n}{N} \sum_{i \in S_r} \ell_i ,

so after an average over the ranks every rank makes the step that one process would have made with the whole batch.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import tinygrad_lite as tl
from tinygrad_lite import datasets, nn
from tinygrad_lite.testing import Arr, check_module
from tinygrad_lite.viz import draw, summary

images, labels = datasets.digits(flat=True)
x, y = tl.tensor(images[:64]), tl.tensor(labels[:64])
figure, axes = plt.subplots(1, 8, figsize=(8, 1.6), layout="constrained")
for i, axis in enumerate(axes):
    axis.imshow(images[i].reshape(8, 8), cmap="gray_r")
    axis.set_title(f"a {labels[i]}\nfor rank {i % 2}", fontsize=9)
    axis.axis("off")
plt.show()

# %%
# The digits are dealt out to the ranks like cards. Every rank has this network:

# sphinx_gallery_thumbnail_number = 2
tl.manual_seed(0)
model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
print(summary(model, x))
print(check_module(model, Arr("n 64"), examples=5))
loss = nn.functional.cross_entropy(model(x), y)
print(draw(loss, graph="both", names=model))
draw(loss, graph="both", names=model)

# %%
# By hand and by the library
# --------------------------
# The gradients of four shares, averaged by hand, are the gradient of the whole batch:


def gradient(rows):
    """Return the gradient of the mean loss of some rows."""
    loss = nn.functional.cross_entropy(model(x[rows]), y[rows])
    return tl.autograd.grad(loss, model[0].weight)[0].array


shares = [gradient(slice(rank, None, 4)) for rank in range(4)]
print(np.allclose(np.mean(shares, axis=0), gradient(slice(None)), atol=1e-7))

# %%
# The program
# -----------
# It is the program of one process with four more lines: the group, the sampler that deals out the samples,
# ``DistributedDataParallel``, which averages the gradients, and ``set_epoch``, which shuffles anew.

PROGRAM = """
import json
import tinygrad_lite as tl
from tinygrad_lite import datasets, distributed as dist, nn, optim
from tinygrad_lite.nn.parallel import DistributedDataParallel
from tinygrad_lite.utils.data import DataLoader, DistributedSampler, TensorDataset

dist.init_process_group()
tl.manual_seed(dist.get_rank())
images, labels = datasets.digits(flat=True)
data = TensorDataset(tl.tensor(images[:1536]), tl.tensor(labels[:1536]))
sampler = DistributedSampler(data)
batches = DataLoader(data, batch_size=64 // dist.get_world_size(), sampler=sampler)
model = DistributedDataParallel(nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10)))
optimizer = optim.Adam(model.parameters(), lr=0.01)
losses = []
for epoch in range(4):
    sampler.set_epoch(epoch)
    for x, y in batches:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
losses = tl.stack(losses)
dist.all_reduce(losses, dist.ReduceOp.AVG)      # the mean over the ranks, for the picture
if dist.get_rank() == 0:
    print(json.dumps(losses.tolist()))
dist.destroy_process_group()
"""

# %%
# One rank and two
# ----------------
# ``mpiexec -n 2 python train.py`` starts two ranks; ``python train.py`` is one. Needed are the extra ``distributed``
# and an MPI: ``pip install "tinygrad_lite[distributed]" mpich``.

mpiexec = shutil.which("mpiexec", path=str(Path(sys.executable).parent)) or shutil.which("mpiexec")
ranks = [1, 2] if mpiexec and find_spec("mpi4py") else [1]
curves = {}
with tempfile.TemporaryDirectory() as folder:
    program = Path(folder, "train.py")
    program.write_text(PROGRAM)
    for n in ranks:
        start = [mpiexec, "-n", str(n)] if n > 1 else []
        done = subprocess.run([*start, sys.executable, str(program)], stdout=subprocess.PIPE, check=True)
        curves[n] = np.array(json.loads(done.stdout))
first, last = curves[1], curves[ranks[-1]]
print(f"{len(first)} steps, loss {first[0]:.2f} -> {first[-4:].mean():.3f}")
print("the same losses to rounding:", np.allclose(first, last, rtol=1e-3))

figure, axis = plt.subplots(figsize=(7, 3.4), layout="constrained")
for n, losses in curves.items():
    axis.semilogy(losses, "-" if n == 1 else "--", label=f"{n} rank" + "s" * (n > 1))
axis.set(xlabel="step", ylabel="cross-entropy")
axis.legend()
plt.show()

# %%
# Exercises
# ---------
# 1. Add ``nn.BatchNorm1d(32)``. Why are the losses of one and two ranks no longer the same?
# 2. Call ``sys.exit()`` on rank 1 in the middle of the training. What does rank 0 say, and after how long?
# 3. How many times fewer exchanges does ``model.no_sync()`` make, with four batches to a step?
