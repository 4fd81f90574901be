"""PyTorch's own samples: what its tests call operators, modules and optimisers with gives the same here.

Values, dtypes, shapes and gradients in float64. The samples are part of PyTorch's package (and need ``expecttest``).
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
from tests.parity.own_samples import Untranslatable, differs, gradients, tensors_in, translated

torch = pytest.importorskip("torch")
pytest.importorskip("expecttest")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from torch.testing._internal.common_methods_invocations import op_db  # pyright: ignore[reportMissingImports]
    from torch.testing._internal.common_modules import module_db  # pyright: ignore[reportMissingImports]
    from torch.testing._internal.common_optimizers import optim_db  # pyright: ignore[reportMissingImports]

pytestmark = pytest.mark.filterwarnings("ignore")
FEW = 4

RANDOM = """alpha_dropout bernoulli cauchy dropout dropout2d dropout3d empty empty_like empty_permuted empty_strided
exponential feature_alpha_dropout fractional_max_pool2d fractional_max_pool3d geometric gumbel_softmax log_normal
multi_head_attention_forward multinomial new_empty new_empty_strided normal pca_lowrank rand_like randint randint_like
randn randn_like rrelu scaled_dot_product_attention svd_lowrank uniform""".split()
DIFFERENT = {
    "as_strided": "samples are views of larger memory, of which a translated tensor has only its part",
    "as_strided_scatter": "a row of the differences", "max_unpool1d": "a row of the differences",
    "max_unpool2d": "a row of the differences", "max_unpool3d": "a row of the differences",
    "cholesky_inverse": "a row of the differences", "cholesky_solve": "a row of the differences",
    "ctc_loss": "a row of the differences", "eigh": "the signs of vectors",
    "bessel_j0": "PyTorch's values are off by 4e-7", "bessel_j1": "PyTorch's values are off by 4e-7",
    "bessel_y0": "PyTorch's values are off by 2e-7", "bessel_y1": "PyTorch's values are off by 9e-7",
    "embedding_bag": "samples give the two tensors in the order of old", "pinv": "triangles, as in eigh",
    "batch_norm": "one sample has a single axis",
}  # fmt: skip


def found(library: Any, name: str) -> Any:
    """Return the function of that name; None if there is none."""
    place = library
    for part in name.split("."):
        place = getattr(place, part, None)
    return place if callable(place) and not isinstance(place, (torch.dtype, type(tl.float32))) else None


def operators() -> Iterator[Any]:
    for op in op_db:
        last, theirs, ours = op.name.rpartition(".")[2], found(torch, op.name), found(tl, op.name)
        if theirs is None:
            theirs, ours = found(torch.Tensor, op.name), found(tl.Tensor, op.name)
        hidden = op.name.startswith(("_", "masked.", "ops.", "sparse.", "jiterator", "torch."))
        if hidden or last in RANDOM or last in DIFFERENT or theirs is None or ours is None:
            continue
        if torch.float64 in op.supported_dtypes("cpu"):
            yield pytest.param(op, theirs, ours, id=op.full_name if hasattr(op, "full_name") else op.name)


@pytest.mark.parametrize(("op", "theirs", "ours"), list(operators()))
def test_operators(op: Any, theirs: Any, ours: Any) -> None:
    tracked, compared = bool(op.supports_autograd), 0
    for sample in itertools.islice(op.sample_inputs("cpu", torch.float64, requires_grad=tracked), FEW):
        given, words = (sample.input, *sample.args), sample.kwargs
        try:
            mine, mine_words = translated(given, torch), translated(words, torch)
            expected = theirs(*given, **words)
        except (Untranslatable, TypeError, RuntimeError):  # the sample is for another form of the function
            continue
        try:
            got = ours(*mine, **mine_words)
            assert not (why := differs(expected, got, torch)), f"{given} {words}: {why}"
            compared += 1
        except (NotImplementedError, Untranslatable):  # complex results
            continue
        leaves = tensors_in([given, words], torch.Tensor), tensors_in([mine, mine_words], tl.Tensor)
        wanted = [[t for t in side if t.requires_grad] for side in leaves]
        try:
            slopes = gradients(expected, wanted[0], torch, torch.Tensor)
        except (NotImplementedError, RuntimeError):  # no derivative in PyTorch
            continue
        if slopes is not None and (mine_slopes := gradients(got, wanted[1], tl, tl.Tensor)) is not None:
            assert not (why := differs(slopes, mine_slopes, torch)), f"gradient of {given} {words}: {why}"
    if not compared:
        pytest.skip("no sample is for this form of the function, or all results are complex")


BUILT = [m for m in module_db if hasattr(tl.nn, m.module_cls.__name__) and "Lazy" not in m.name]


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("info", BUILT, ids=lambda info: info.name)
def test_modules(info: Any, training: bool) -> None:
    made = info.module_inputs_func(info, device="cpu", dtype=torch.float64, requires_grad=True, training=training)
    for sample in made[: 3 * FEW]:
        built, called = sample.constructor_input, sample.forward_input
        try:
            words = translated((built.args, built.kwargs), torch), translated((called.args, called.kwargs), torch)
            theirs = info.module_cls(*built.args, **built.kwargs).double().train(training)
            expected = theirs(*called.args, **called.kwargs)
        except (Untranslatable, RuntimeError, AttributeError):
            continue
        if theirs.__class__.__name__.startswith("FractionalMaxPool"):
            continue
        ours = getattr(tl.nn, info.module_cls.__name__)(*words[0][0], **words[0][1]).double().train(training)
        before = info.module_cls(*built.args, **built.kwargs).double().train(training)
        before.load_state_dict(theirs.state_dict())
        state = {k: tl.tensor(v.numpy().copy()) for k, v in before.state_dict().items()}
        assert list(state) == list(ours.state_dict())
        if any(t.is_floating_point() for t in before.buffers()):  # the first call has changed them
            expected = before(*called.args, **called.kwargs)
        ours.load_state_dict(state)
        got = ours(*words[1][0], **words[1][1])
        assert not (why := differs(expected, got, torch)), f"{built.args} {built.kwargs}: {why}"


def name_of(info: Any) -> str:
    return str(info.optim_cls.__name__)


@pytest.mark.parametrize("info", [o for o in optim_db if name_of(o) not in ("Muon", "SparseAdam")],
                         ids=name_of)  # fmt: skip
def test_optimisers(info: Any) -> None:
    start = [np.random.default_rng(0).normal(size=shape) for shape in ((4, 3), (3,), ())]
    for sample in info.optim_inputs_func(device="cpu"):
        if any(isinstance(v, torch.Tensor) for v in sample.kwargs.values()):
            continue  # a float32 learning rate rounds otherwise
        reached = []
        for library in (torch, tl):
            parameters = [library.tensor(a, requires_grad=True) for a in start]
            words = sample.kwargs if library is torch else translated(sample.kwargs, torch)
            optimiser = getattr(library.optim, name_of(info))(parameters, **words)

            def closure(parameters: Any = parameters, optimiser: Any = optimiser) -> Any:
                optimiser.zero_grad()
                loss: Any = sum(((p * (k + 1)).sin() ** 2 + p**2 / 3).sum() for k, p in enumerate(parameters))
                loss.backward()
                return loss

            for _ in range(5):
                optimiser.step(closure)
            reached.append([p.detach().numpy() for p in parameters])
        for a, b in zip(*reached, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-9, err_msg=str(sample.kwargs))
