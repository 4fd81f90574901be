"""``nn.attention``: masks for two lengths, and attention with functions for scores and masks.

PyTorch's own has no gradient on the CPU, and importing it takes seconds: the definition is the reference.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite.nn import attention as room
from tinygrad_lite.nn.attention import bias, flex_attention as F
from tinygrad_lite.testing import gradcheck

WRONG: Any = 3
RNG = np.random.default_rng(0)
Q, K, V = (RNG.normal(size=(2, 4, n, 3)) for n in (3, 5, 5))
TABLE = RNG.normal(size=(4, 10))


def causal(b: Any, h: Any, q: Any, k: Any) -> Any:
    return q + 1 >= k


def late(b: Any, h: Any, q: Any, k: Any) -> Any:
    return (q > 0) & (k > h)


def options() -> dict[str, Any]:
    table = tl.tensor(TABLE)

    def mask(f: Any, batch: Any = None) -> Any:
        return {"block_mask": F.create_block_mask(f, batch, 4, 3, 5, device="cpu")}

    return {
        "plain": {}, "scale": {"scale": 0.3},
        "distance": {"score_mod": lambda s, b, h, q, k: s + (q - k) * (h + 1) * 0.1},
        "table": {"score_mod": lambda s, b, h, q, k: s * 2 + table[h, q - k + 5]},
        "where": {"score_mod": lambda s, b, h, q, k: tl.where(q >= k, s, -float("inf"))},
        "tanh": {"score_mod": lambda s, b, h, q, k: 2 * tl.tanh(s / 2)},
        "causal": mask(causal), "late": mask(late, 2), "all": mask(F.noop_mask),
        "and": mask(F.and_masks(causal, late)), "or": mask(F.or_masks(causal, late)),
        "both": {**mask(causal), "score_mod": lambda s, b, h, q, k: s + b},
    }  # fmt: skip


def one_by_one(words: dict[str, Any]) -> tuple[Any, Any]:
    """The same from the definition: each score alone, with the indices of PyTorch's signature."""
    scores = Q @ K.swapaxes(-1, -2) * words.get("scale", 3**-0.5)
    mask = words["block_mask"].mask_mod if "block_mask" in words else F.noop_mask
    for place in np.ndindex(*scores.shape):
        indices = [tl.tensor(i) for i in place]
        if "score_mod" in words:
            scores[place] = words["score_mod"](tl.tensor(scores[place]), *indices).item()
        if not mask(*indices).item():
            scores[place] = -np.inf
    e = np.exp(scores)
    total = e.sum(-1)
    with np.errstate(divide="ignore"):
        return e @ V / np.where(total == 0, 1, total)[..., None], np.log(total)


@pytest.mark.parametrize("name", options())
def test_flex_attention(name: str) -> None:
    words = options()[name]
    y, logs = one_by_one(words)
    q, k, v = (tl.tensor(a) for a in (Q, K, V))
    found, aux = F.flex_attention(q, k, v, **words, return_aux=F.AuxRequest(lse=True))
    np.testing.assert_allclose(found.array, y, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(aux.lse.array, logs, rtol=1e-12)


def test_gradients_of_flex_attention() -> None:
    for name in ("table", "late"):
        words = options()[name]
        q, k, v = (tl.tensor(a, requires_grad=True) for a in (Q, K, V))
        assert gradcheck(lambda q, k, v, words=words: F.flex_attention(q, k, v, **words), q, k, v)


def test_masks_and_errors() -> None:
    assert F.create_mask(late, 2, 4, 3, 5, device="cpu").int().sum().item() == 2 * 2 * (4 + 3 + 2 + 1)
    q, k, v = (tl.tensor(a) for a in (Q, K, V))
    with pytest.raises(NotImplementedError, match="4D"):
        F.flex_attention(q[0], k[0], v[0])
    with pytest.raises(ValueError, match="block_mask is for lengths"):
        F.flex_attention(q, k, v, block_mask=F.create_block_mask(causal, None, None, 2, 2))
    with pytest.raises(TypeError, match="bool tensor"):
        F.create_mask(lambda b, h, q, k: q - k, 1, 1, 2, 2)
    with pytest.raises(RuntimeError, match="callable"):
        F.and_masks(causal, WRONG)


@pytest.mark.parametrize("sizes", [(3, 5), (5, 5), (4, 2)])
def test_causal_masks(sizes: tuple[int, int]) -> None:
    for kind, shift in (("causal_upper_left", 0), ("causal_lower_right", sizes[1] - sizes[0])):
        mask = getattr(bias, kind)(*sizes)
        assert (mask.seq_len_q, mask.seq_len_kv) == sizes and mask.variant.name in kind.upper()
        np.testing.assert_array_equal(mask.array, np.tri(*sizes, shift, dtype=bool))
        q, k, v = (tl.tensor(RNG.normal(size=(1, 2, n, 3))) for n in (*sizes, sizes[1]))
        attention = tl.nn.functional.scaled_dot_product_attention
        assert attention(q, k, v, attn_mask=mask).equal(attention(q, k, v, attn_mask=tl.tensor(mask.array)))
        with pytest.raises(ValueError, match="two lengths"):
            getattr(bias, kind)(3)


def test_kernels_may_be_chosen() -> None:
    with room.sdpa_kernel([room.SDPBackend.MATH, room.SDPBackend.FLASH_ATTENTION], set_priority=True):
        tl.nn.functional.scaled_dot_product_attention(tl.ones(1, 2, 3), tl.ones(1, 2, 3), tl.ones(1, 2, 3))
    assert room.list_flash_attention_impls() == []
