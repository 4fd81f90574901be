r"""
A variational autoencoder
=========================

An autoencoder whose code is a random variable. The encoder predicts mean and variance of a two-dimensional code
:math:`z`, the decoder an image from :math:`z`. Training maximises a lower bound of the likelihood (Kingma and Welling,
2014), so the loss is

.. math:: L = \underbrace{-\log p(x \mid z)}_{\text{reconstruction}}
   + \underbrace{\tfrac12 \sum_j (\mu_j^2 + \sigma_j^2 - \log \sigma_j^2 - 1)}_{\mathrm{KL}(q(z \mid x) \Vert N(0, 1))}

The sample is written :math:`z = \mu + \sigma \varepsilon` with :math:`\varepsilon \sim N(0, 1)`, so the gradient passes
through it.
"""

import matplotlib.pyplot as plt
import numpy as np

import tinygrad_lite as tl
from tinygrad_lite import datasets, nn, optim
from tinygrad_lite.distributions import Normal, kl_divergence
from tinygrad_lite.testing import gradcheck
from tinygrad_lite.viz import draw, summary

F = nn.functional
images, labels = datasets.digits()
x = tl.tensor(images.reshape(len(images), 64)).clamp(0, 1)
print(x.shape)

figure, axes = plt.subplots(1, 10, figsize=(10, 1.2), layout="constrained")
for axis, image in zip(axes, images):
    axis.imshow(image[0], cmap="gray_r")
    axis.axis("off")
plt.show()

# %%
# The model
# ---------


class VAE(nn.Module):
    """Encoder and decoder with a code of two numbers."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 4))
        self.decoder = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64))

    def forward(self, x):
        mean, log_variance = self.encoder(x).chunk(2, -1)
        code = Normal(mean, (log_variance / 2).exp())
        return self.decoder(code.rsample()), code


def loss_of(model, x):
    """Return the loss per image."""
    scores, code = model(x)
    error = F.binary_cross_entropy_with_logits(scores, x, reduction="sum")
    return (error + kl_divergence(code, Normal(0.0, 1.0)).sum()) / len(x)


tl.manual_seed(0)
model = VAE()
print(summary(model.encoder, x[:1]))
draw(lambda x: loss_of(model, x), x[:8], names=model)

# %%
# By hand and by the library
# --------------------------
# The KL divergence has the formula above. The gradient check draws the same noise in every call.


def kl(mean, log_variance):
    return kl_divergence(Normal(mean, (log_variance / 2).exp()), Normal(0.0, 1.0)).sum()


m, v = np.random.default_rng(0).standard_normal((2, 3, 2))
print(np.allclose(kl(tl.tensor(m), tl.tensor(v)).item(), 0.5 * (m**2 + np.exp(v) - v - 1).sum()))
print(gradcheck(kl, m, v))


def sampled(x):
    tl.manual_seed(1)
    return loss_of(model.double(), x)


print(gradcheck(sampled, images[:2].reshape(2, 64).astype(np.float64).clip(0, 1)))
model.float()
print(draw(kl(tl.tensor(m, requires_grad=True), tl.tensor(v, requires_grad=True)), graph="backward"))

# %%
# Training
# --------

optimiser = optim.Adam(model.parameters(), lr=3e-3)
rng, losses = np.random.default_rng(0), []
for _ in range(15):
    for rows in np.array_split(rng.permutation(len(x)), 28):
        optimiser.zero_grad()
        loss = loss_of(model, x[rows])
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
print(f"loss per image {losses[0]:.1f} -> {np.mean(losses[-28:]):.1f}")

# %%
# The codes, and images decoded from a grid of codes:

with tl.no_grad():
    codes = model.encoder(x).array[:, :2]
    ticks = np.linspace(-2, 2, 10, dtype=np.float32)
    grid = np.stack(np.meshgrid(ticks, -ticks), -1).reshape(-1, 2)
    decoded = model.decoder(tl.tensor(grid)).sigmoid().array
sheet = decoded.reshape(10, 10, 8, 8).swapaxes(1, 2).reshape(80, 80)
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.4), layout="constrained")
shown = left.scatter(*codes.T, c=labels, s=6, cmap="tab10")
left.set(title="codes of the digits", xlabel="z1", ylabel="z2")
figure.colorbar(shown, ax=left, label="digit")
right.imshow(sheet, cmap="gray_r")
right.set(title="decoded from a grid of codes", xticks=[], yticks=[])
plt.show()

# %%
# Exercises
# ---------
# 1. Multiply the KL term by 0.1 and by 10. How do the codes and the images change?
# 2. Replace ``rsample`` by ``sample``. Which parameters no longer get a gradient, and why?
