r"""
A GPT in 100 lines
==================

A language model predicts the next character from the characters before it. Every position looks back at the earlier
ones through *attention*: with queries :math:`Q`, keys :math:`K` and values :math:`V`, all linear in the input,

.. math:: \mathrm{attention}(Q, K, V) = \mathrm{softmax}\!\left(\frac{Q K^\top}{\sqrt d} + M\right) V

where the mask :math:`M` is :math:`-\infty` for later positions. The page defines the model, draws it, checks its
gradients, trains it and writes text with it.
"""

import matplotlib.pyplot as plt
import numpy as np

import tinygrad_lite as tl
from tinygrad_lite import nn, optim
from tinygrad_lite.testing import gradcheck
from tinygrad_lite.viz import draw, summary

F = nn.functional

# %%
# The data
# --------
# A nursery rhyme, one integer per character.

TEXT = """This is the house that Jack built.
This is the malt that lay in the house that Jack built.
This is the rat that ate the malt that lay in the house that Jack built.
This is the cat that killed the rat that ate the malt that lay in the house that Jack built.
This is the dog that worried the cat that killed the rat that ate the malt that lay in the house that Jack built.
"""
letters = sorted(set(TEXT))
codes = np.array([letters.index(c) for c in TEXT])
print(len(TEXT), "characters,", len(letters), "different:", "".join(letters).strip())
print(codes[:20])

# %%
# The model
# ---------
# Each block adds the output of attention and of a small network to its input.


class Block(nn.Module):
    """Causal self-attention and a feed-forward network, each with a residual connection."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.project = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.feed = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x):
        n, t, width = x.shape
        q, k, v = self.qkv(self.norm1(x)).reshape(n, t, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        seen = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.project(seen.transpose(1, 2).reshape(n, t, width))
        return x + self.feed(self.norm2(x))


class GPT(nn.Module):
    """Characters to scores of the next character."""

    def __init__(self, letters, context=32, width=32, heads=2, depth=2):
        super().__init__()
        self.context = context
        self.token, self.place = nn.Embedding(letters, width), nn.Embedding(context, width)
        self.blocks = nn.Sequential(*(Block(width, heads) for _ in range(depth)))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, letters)

    def forward(self, index):
        x = self.token(index) + self.place(tl.arange(index.shape[1]))
        return self.head(self.norm(self.blocks(x)))


tl.manual_seed(0)
model = GPT(len(letters))
index = tl.tensor(codes[None, :32])
print(summary(model, index, depth=2))

# %%
# The picture, with the blocks collapsed. The first is marked because the causal mask contains an infinity.

draw(model, index, depth=2)

# %%
# By hand and by the library
# --------------------------
# A later character must not change an earlier score. The gradient of a block agrees with finite differences, to second
# order.

changed = codes[None, :32].copy()
changed[0, 20:] = 0
print(np.allclose(model(index).array[:, :20], model(tl.tensor(changed)).array[:, :20], atol=1e-5))
block = Block(4, 2).double()
print(gradcheck(block, np.random.default_rng(0).standard_normal((1, 3, 4)), order=2))

# %%
# The backward pass of one block, as a program. A gradient that arrives on two paths is a sum:

print(draw(block(tl.rand(1, 3, 4, dtype=tl.float64)).square().sum(), graph="backward"))

# %%
# Training
# --------

optimiser, rng = optim.AdamW(model.parameters(), lr=3e-3), np.random.default_rng(0)
losses = []
for _ in range(200):
    starts = rng.integers(0, len(codes) - 33, 16)
    rows = tl.tensor(np.stack([codes[s : s + 33] for s in starts]))
    optimiser.zero_grad()
    loss = F.cross_entropy(model(rows[:, :-1]).flatten(0, 1), rows[:, 1:].flatten())
    loss.backward()
    optimiser.step()
    losses.append(loss.item())

# %%
# Writing
# -------

text = "This is the "
with tl.no_grad():
    while len(text) < 130:
        seen = tl.tensor([[letters.index(c) for c in text[-32:]]])
        text += letters[int(model(seen)[0, -1].argmax())]
print(text)
print("the loss fell below a quarter:", losses[-1] < losses[0] / 4)

plt.figure(figsize=(6, 3), layout="constrained")
plt.semilogy(losses)
plt.xlabel("step")
plt.ylabel("cross-entropy per character")
plt.show()

# %%
# Exercises
# ---------
# 1. Choose the next character at random with probability ``softmax(scores / 0.5)`` instead of the most likely one.
# 2. Write the attention with ``softmax`` and a mask instead of ``scaled_dot_product_attention`` and draw it.
