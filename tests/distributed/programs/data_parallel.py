"""`DistributedDataParallel` beside the same computation by hand in one process."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

import tinygrad_lite as tl
import tinygrad_lite.distributed as dist
from tinygrad_lite import nn
from tinygrad_lite.nn.parallel import DistributedDataParallel
from tinygrad_lite.utils.data import DistributedSampler

dist.init_process_group("mpi")
ME, N = dist.get_rank(), dist.get_world_size()
rng = np.random.default_rng(0)
X = [tl.tensor(rng.standard_normal((4, 3))) for _ in range(N)]  # the share of each rank


def raises(kind: Any, part: str, call: Any, *args: Any, **words: Any) -> None:
    try:
        call(*args, **words)
    except kind as error:
        assert part in str(error), error
    else:
        raise AssertionError(f"{call} did not raise")


class Branches(nn.Module):
    """Rank 0 uses one layer, the other ranks another; the third is unused."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.c = (nn.Linear(3, 2).double() for _ in range(3))

    def forward(self, x: Any, which: str = "ab") -> Any:
        """Return the sum of the outputs of the layers named."""
        return {"out": sum(getattr(self, name)(x) for name in which)}


def made(kind: Any = None, **words: Any) -> tuple[Any, Any]:
    """Return a module on every rank, and the same in DistributedDataParallel, with the weights of rank 0."""
    tl.manual_seed(0)
    alone = (kind or (lambda: nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 1))))().double()
    tl.manual_seed(ME)
    net = (kind or (lambda: nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 1))))().double()
    return alone, DistributedDataParallel(net, **words)


def compare(alone: Any, model: Any) -> None:
    for p, q in zip(alone.parameters(), model.parameters(), strict=True):
        assert (p.grad is None) == (q.grad is None)
        if p.grad is not None:
            np.testing.assert_allclose(q.grad.array, p.grad.array, rtol=1e-12, atol=1e-14)


def loss(model: Any, x: Any) -> Any:
    return (model(x) ** 2).mean()


def means() -> None:
    for words in ({}, {"bucket_cap_mb": 1e-5}, {"find_unused_parameters": True}, {"static_graph": True}):
        alone, model = made(**words)
        assert list(model.state_dict()) == [f"module.{name}" for name in alone.state_dict()]
        for _ in range(3):  # .grad adds up over passes: the mean of a mean is the mean
            loss(model, X[ME]).backward()
            loss(alone, tl.cat(X)).backward()
            compare(alone, model)
    raises(ValueError, "bucket_cap_mb", DistributedDataParallel, model.module, bucket_cap_mb=0)


def accumulation() -> None:
    alone, model = made()
    with model.no_sync():
        loss(model, X[ME]).backward()
    local = [p.grad.clone() for p in model.parameters()]
    other = made()[0]
    loss(other, X[ME]).backward()
    for p, g in zip(other.parameters(), local, strict=True):
        assert tl.equal(p.grad, g)  # nothing was exchanged
    loss(model, X[ME] * 2).backward()
    loss(alone, tl.cat(X)).backward()
    loss(alone, tl.cat(X) * 2).backward()
    compare(alone, model)


def unused() -> None:
    alone, model = made(Branches, find_unused_parameters=True)
    for step in range(2):
        model(X[ME], "a" if ME == 0 else "b")["out"].mean().backward()
        (alone(X[0], "a")["out"].mean() / N).backward()
        for x in X[1:]:
            (alone(x, "b")["out"].mean() / N).backward()
        compare(alone, model)
        assert model.module.c.weight.grad is None, step
    _, model = made(Branches)
    out = model(X[ME], "ab")["out"].mean()
    out.backward()
    raises(RuntimeError, "no gradient of c.weight, c.bias", model, X[ME], "ab")


def several() -> None:
    """A graph that is used twice, parameters used twice, frozen ones, and steps with other tensors."""
    alone, model = made()
    out, same = loss(model, X[ME]), loss(alone, tl.cat(X))
    out.backward(retain_graph=True)
    same.backward()
    compare(alone, model)
    before = [p.grad.clone() for p in model.parameters()]
    out.backward()  # a second pass over one forward stays on the rank, as in PyTorch
    assert not any(tl.equal(p.grad, g) for p, g in zip(model.parameters(), before, strict=True))
    alone, model = made(lambda: nn.Sequential(layer := nn.Linear(3, 3), nn.Tanh(), layer, nn.Linear(3, 1)))
    assert len(list(model.parameters())) == 4
    loss(model, X[ME]).backward()
    loss(alone, tl.cat(X)).backward()
    compare(alone, model)
    tl.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 1))
    net[0].weight.requires_grad_(False)
    model = DistributedDataParallel(net)
    loss(model, X[ME].float()).backward()
    assert net[0].weight.grad is None and net[0].bias.grad is not None
    raises(RuntimeError, "is not needed", DistributedDataParallel, nn.ReLU())


def different() -> None:
    kind = nn.Linear(3, 2 + ME)
    raises(RuntimeError, "have different modules: ['weight', [2, 3]", DistributedDataParallel, kind)
    raises(NotImplementedError, "DistributedSampler", made()[1].join)


def overlap() -> None:
    """The first bucket is on its way before the pass reaches the first layer."""
    seen = []
    _, model = made(lambda: nn.Sequential(*(nn.Linear(3, 3) for _ in range(4))), bucket_cap_mb=1e-5)
    reducer = model._reducer
    x = X[ME].clone().requires_grad_()
    first = model.module[0]
    first.register_forward_hook(lambda m, i, y: y.register_hook(lambda g: seen.append(reducer.next)) and None)
    loss(model, x).backward()
    assert len(reducer.buckets) == 8 and seen == [6], (len(reducer.buckets), seen)


def compiled() -> None:
    """`compile` records the module inside; with buffers, and the exchange of gradients as before."""
    found = []
    for compile in (lambda m: m, tl.compile):
        tl.manual_seed(0)
        model = DistributedDataParallel(nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3), nn.ReLU(), nn.Linear(3, 1)))
        fast, optimiser = compile(model), tl.optim.SGD(model.parameters(), lr=0.1)
        for step in range(6):
            optimiser.zero_grad()
            loss(fast, X[ME].float() + step).backward()
            optimiser.step()
        found.append(tl.cat([t.reshape(-1) for t in model.state_dict().values()]))
    assert tl.equal(*found) and "module.0.weight" in model.state_dict()
    assert list(fast.state_dict())[0] == "_orig_mod.module.0.weight"
    assert "Sequential: compiled" in fast.explain() and "runs as" not in fast.explain(), fast.explain()
    assert fast.source
    _, model = made()
    function = tl.compile(lambda x: loss(model, x))  # what calls the model from outside stays as written
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        for _ in range(4):
            function(X[ME]).backward()
    assert "compile the model itself" in str(seen[0].message), seen


def samples() -> None:
    sampler = DistributedSampler(range(4 * N + 1), shuffle=False)
    assert list(sampler) == [*range(ME, 4 * N, N), 4 * N if ME == 0 else ME - 1]
    drawn: list[Any] = [None] * N
    dist.all_gather_object(drawn, list(DistributedSampler(range(4 * N), seed=3)))
    assert sorted(sum(drawn, [])) == list(range(4 * N))


for part in (means, accumulation, unused, several, different, overlap, compiled, samples):
    part()
    dist.barrier()
if ME == 0:
    print("good", N)
