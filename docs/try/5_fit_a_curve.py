# Adam fits a network to a sine
import numpy as np

import tinygrad_lite as tl
from tinygrad_lite import nn, optim
from tinygrad_lite.viz import draw

tl.manual_seed(0)
x = tl.linspace(-3, 3, 64).reshape(-1, 1)
y = np.sin(x)
model = nn.Sequential(nn.Linear(1, 24), nn.Tanh(), nn.Linear(24, 1))
optimizer = optim.Adam(model.parameters(), lr=0.02)


@tl.compile
def step():
    optimizer.zero_grad()
    loss = ((model(x) - y) ** 2).mean()
    loss.backward()
    optimizer.step()
    return loss


for epoch in range(601):
    loss = step()
    if epoch % 100 == 0:
        print(f"step {epoch:3}  loss {loss.item():.6f}")

print("\n  x      sine   network")
for a, b, c in zip(x[::9].flatten().tolist(), y[::9].flatten().tolist(), model(x)[::9].flatten().tolist()):
    print(f"{a:5.2f}  {b:6.3f}   {c:6.3f}   " + " " * round(16 * (c + 1)) + "*")

picture = draw(model, x, rankdir="LR")
