# A network learns exclusive or; its training step as a program
import tinygrad_lite as tl
from tinygrad_lite import nn, optim
from tinygrad_lite.testing import Arr, check_module
from tinygrad_lite.viz import draw

tl.manual_seed(0)
x = tl.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
y = tl.tensor([[0.0], [1.0], [1.0], [0.0]])
model = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1))
optimizer = optim.SGD(model.parameters(), lr=0.3)


@tl.compile
def step(x, y):
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(model(x), y)
    loss.backward()
    optimizer.step()
    return loss


for epoch in range(501):
    loss = step(x, y)
    if epoch % 100 == 0:
        print(f"step {epoch:3}  loss {loss.item():.6f}")
print("found", model(x).detach().round().flatten().tolist())

picture = draw(model, x, rankdir="LR")
check = check_module(model, Arr("4 2"))
