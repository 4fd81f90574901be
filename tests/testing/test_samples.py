"""Samples (signatures, domains, options) and the samplers made from them."""

from __future__ import annotations

import numpy as np
import pytest

from tinygrad_lite.engine.samples import Arr, Ints, Samples, dims, parse
from tinygrad_lite.testing.search.samplers import sampler_of, sampler_of_samples
from tinygrad_lite.testing.search.source import Source


def drawn(samples: Samples, names: tuple[str, ...] = (), count: int = 40) -> list:
    return [sampler_of_samples(samples, names)(Source.example(0, n)) for n in range(count)]


def test_signatures() -> None:
    assert parse("(n,k),(k,m)->(n,m)") == [(("n", "k"), False), (("k", "m"), False)]
    assert parse("()->()") == [((), False)]
    for wrong in ("", "n,k", "(n k)", "(n),", "n->n"):
        with pytest.raises(ValueError, match="signature must look like"):
            parse(wrong)


def test_specs() -> None:
    s = Samples("(n,k),(b),(k)?->()", lo=1.0, domain={"i": "n", 2: bool}, min=1).specs(("x", "i", "m"))
    assert s[0] == Arr("n k", lo=1.0, min=1)
    assert s[1] == Ints("b", below="n")
    assert s[2] == Arr("k", dtype="bool", min=1, optional=True)
    with pytest.raises(ValueError, match="names \\['z'\\]"):
        Samples("()->()", domain={"z": bool}).specs(("x",))


def test_names_share_sizes() -> None:
    for (a, b), _ in drawn(Samples("(n,k),(k,m)->(n,m)")):
        assert a.shape[1] == b.shape[0]
    shapes = {(a.shape, b.shape) for (a, b), _ in drawn(Samples("(n,k),(k,m)->(n,m)"))}
    assert len(shapes) > 15 and any(0 in a for a, _ in shapes)
    assert all(0 not in a.shape for (a,), _ in drawn(Samples("(n,k)->()", min=1)))


def test_any_shapes_broadcast_together() -> None:
    pairs = {tuple(a.shape for a in arrays) for arrays, _ in drawn(Samples("(),()->()"))}
    for shapes in pairs:
        np.broadcast_shapes(*shapes)
    assert any(a != b for a, b in pairs) and any(a == b for a, b in pairs)


def test_batches_sizes_and_numbers() -> None:
    ranks = set()
    for (x, w), _ in drawn(Samples("(...,n),(n,2)->(...,2)", sizes={"n": (3, 4)})):
        ranks.add(x.ndim)
        assert x.shape[-1] in (3, 4) and w.shape == (x.shape[-1], 2)
    assert ranks == {1, 2, 3}


def test_optional_arrays_are_left_out_from_the_end() -> None:
    counts = {len(arrays) for arrays, _ in drawn(Samples("(n),(n)?,(n)?->()"))}
    assert counts == {1, 2, 3}


def test_options_may_depend_on_shapes() -> None:
    for (x,), kw in drawn(Samples("()->()", options={"dim": dims, "full": (lambda s: len(s), None)})):
        assert -max(x.ndim, 1) <= kw["dim"] < max(x.ndim, 1)
        assert kw["full"] in (x.ndim, None)
    assert dims(()) == (-1, 0)


def test_draw_replaces_everything() -> None:
    (arrays, kw), *_ = drawn(Samples(draw=lambda src: ((src.floats(2),), {"a": 1})))
    assert arrays[0].shape == (2,) and kw == {"a": 1}


def test_indices_stay_in_range() -> None:
    sampler = sampler_of([Arr("n"), Ints("b", below="n", negative=True)])
    low = []
    for n in range(40):
        (x, i), _ = sampler(Source.example(0, n))
        assert not i.size or (-len(x) <= i.min() and i.max() < len(x))
        low.append(i.min(initial=0))
    assert min(low) < 0
