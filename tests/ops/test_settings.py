"""Settings at the top level answer as PyTorch's do; what cannot mean anything says so."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite.engine.no_effect import NO_EFFECT

torch = pytest.importorskip("torch")
DTYPES = ("float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "bool")


def both(call: Any) -> list[Any]:
    return [call(lib) for lib in (tl, torch)]


def test_determinism() -> None:
    def seen(lib: Any) -> Any:
        out = []
        for mode, words in ((True, {}), (True, {"warn_only": True}), (False, {"warn_only": True})):
            lib.use_deterministic_algorithms(mode, **words)
            out.append((lib.are_deterministic_algorithms_enabled(), lib.get_deterministic_debug_mode()))
            out.append(lib.is_deterministic_algorithms_warn_only_enabled())
        lib.set_deterministic_debug_mode("default")
        return out

    ours, theirs = both(seen)
    assert ours == theirs


def test_precision_device_and_threads() -> None:
    tl.set_float32_matmul_precision("high")
    assert tl.get_float32_matmul_precision() == "high"
    tl.set_float32_matmul_precision("highest")
    with pytest.warns(UserWarning, match="not one of"):
        tl.set_float32_matmul_precision("low")
    tl.set_default_device("cpu")
    assert tl.get_default_device() == tl.device("cpu")
    with pytest.raises(tl.errors.DeviceError):
        tl.set_default_device("cuda")
    assert tl.set_flush_denormal(True) is False
    assert "use_deterministic_algorithms" in NO_EFFECT


def test_default_tensor_type() -> None:
    try:
        tl.set_default_tensor_type(tl.DoubleTensor)
        assert tl.ones(1).dtype == tl.float64
        tl.set_default_tensor_type("torch.FloatTensor")
        assert tl.ones(1).dtype == tl.float32
        with pytest.raises(TypeError):
            tl.set_default_tensor_type(tl.LongTensor)
    finally:
        tl.set_default_dtype(tl.float32)


def test_can_cast() -> None:
    ours, theirs = both(lambda lib: [lib.can_cast(getattr(lib, a), getattr(lib, b)) for a in DTYPES for b in DTYPES])
    assert ours == theirs


def test_typename() -> None:
    ours, theirs = both(lambda lib: [lib.typename(x) for x in (lib.ones(1), lib.tensor([1]), 3, "a", [1])])
    assert ours == theirs


@pytest.mark.parametrize("name", ["bfloat16", "complex64", "cdouble", "float8_e5m2"])
def test_absent_dtypes_can_be_compared_with(name: str) -> None:
    dtype, theirs = getattr(tl, name), getattr(torch, name)
    assert repr(dtype) == repr(theirs) and dtype.itemsize == theirs.itemsize
    assert (dtype.is_complex, dtype.is_floating_point) == (theirs.is_complex, theirs.is_floating_point)
    assert tl.ones(1).dtype != dtype and dtype == getattr(tl, name)
    with pytest.raises(TypeError, match="not a dtype"):
        tl.ones(1, dtype=dtype)


@pytest.mark.parametrize("name", ["sparse_coo_tensor", "symeig", "stft"])
def test_an_absent_name_says_what_to_do(name: str) -> None:
    unused = getattr(tl, name)  # as a module that only keeps it under another name does
    with pytest.raises(NotImplementedError, match="use"):
        unused(tl.ones(2))


def test_random_fillers() -> None:
    tl.manual_seed(0)
    x = tl.empty(40000, dtype=tl.float64)
    assert abs(np.median(x.cauchy_(2.0, 0.5).array) - 2) < 0.05
    assert abs(x.geometric_(0.25).mean().item() - 4) < 0.1 and x.min().item() == 1
    assert abs(x.log_normal_(0.0, 0.5).log().std().item() - 0.5) < 0.02
    assert abs(tl.binomial(tl.full((40000,), 10.0), tl.full((40000,), 0.3)).mean().item() - 3) < 0.05
    with pytest.raises(ValueError, match="p must"):
        x.geometric_(1.5)


def test_default_generator_is_seeded() -> None:
    tl.default_generator.manual_seed(3)
    a = tl.rand(2)
    tl.manual_seed(3)
    assert a.tolist() == tl.rand(2).tolist()


def test_subclass() -> None:
    class Mine(tl.Tensor):
        pass

    x = tl.ones(2, requires_grad=True)
    y = (x * 2).as_subclass(Mine)
    assert type(y) is Mine
    y.sum().backward()
    assert x.grad is not None and x.grad.tolist() == [2, 2]
    with pytest.raises(tl.errors.DeviceError):
        x.cuda()


def test_names_that_only_raise_say_what_to_do() -> None:
    for call in (tl.distributed.init_device_mesh, tl.ones(1).to_sparse, tl.ones(1).bfloat16):
        with pytest.raises(NotImplementedError, match="does not exist in tinygrad_lite; "):
            call()
