r"""
Q-learning
==========

An agent walks on a grid, one step north, east, south or west at a time, until it reaches the goal. The value
:math:`Q(s, a)` of an action is the reward plus the discounted value of the best next action, and a network learns it
from the squared error

.. math:: L = \bigl(Q(s, a) - r - \gamma \max_{a'} Q(s', a')\bigr)^2, \qquad
   \frac{\partial L}{\partial Q(s, a)} = 2\, (Q(s, a) - \text{target})

in which the target counts as a constant: it is computed under ``no_grad``.
"""

import matplotlib.pyplot as plt
import numpy as np

import tinygrad_lite as tl
from tinygrad_lite import nn, optim
from tinygrad_lite.testing import gradcheck
from tinygrad_lite.viz import draw, summary

F = nn.functional

# %%
# The world
# ---------
# Every step costs 0.04, the pit costs 1, the goal gives 1. Walls block.

WORLD = ["....G", ".##.P", ".#...", "...#.", "S.#.."]
SIZE, MOVES = len(WORLD), ((-1, 0), (0, 1), (1, 0), (0, -1))


def move(place, action):
    """Return the next place, the reward and whether the episode is over."""
    row, column = place[0] + MOVES[action][0], place[1] + MOVES[action][1]
    if not (0 <= row < SIZE and 0 <= column < SIZE) or WORLD[row][column] == "#":
        row, column = place
    reward = {"G": 1.0, "P": -1.0}.get(WORLD[row][column], -0.04)
    return (row, column), reward, WORLD[row][column] in "GP"


free = [(i, j) for i, row in enumerate(WORLD) for j, what in enumerate(row) if what not in "#GP"]
tried = [(s, a, *move(s, a)) for s in free for a in range(4)]  # every transition
before, after = ([row[k][0] * SIZE + row[k][1] for row in tried] for k in (0, 2))
s, following = tl.eye(25)[before], tl.eye(25)[after]
action = tl.tensor([row[1] for row in tried])
reward, over = tl.tensor([row[3] for row in tried]), tl.tensor([row[4] for row in tried])
print("\n".join(WORLD))
print(len(tried), "transitions; the first, from, action, to, reward:", tried[0][:4])

# %%
# The network and its loss
# ------------------------

tl.manual_seed(0)
model = nn.Sequential(nn.Linear(25, 64), nn.ReLU(), nn.Linear(64, 4))


def loss_of(q, target, action):
    """Return the mean squared error of the values of the actions that were taken."""
    return F.mse_loss(q.gather(1, action.unsqueeze(1)).squeeze(1), target)


def targets():
    with tl.no_grad():
        return reward + 0.95 * model(following).amax(1).where(~over, 0.0)


print(summary(model, s))
loss = loss_of(model(s), targets(), action)
print(draw(loss, graph="both", names=model))
draw(loss, graph="both", names=model)

# %%
# By hand and by the library
# --------------------------

q, goal = model(s).detach().requires_grad_(), targets()
loss_of(q, goal, action).backward()
hand = np.zeros(q.shape)
taken = np.arange(len(tried)), action.array
hand[taken] = 2 * (q.array[taken] - goal.array) / len(tried)
print(np.allclose(q.grad.array, hand, atol=1e-7))
print(gradcheck(lambda q: loss_of(q, goal.double(), action), q.detach().double()))

# %%
# Training
# --------
# All transitions in every step. On larger worlds the agent would explore and learn from a random part of its memory.

optimiser = optim.Adam(model.parameters(), lr=1e-2)
losses = []
for _ in range(1000):
    optimiser.zero_grad()
    loss = loss_of(model(s), targets(), action)
    loss.backward()
    optimiser.step()
    losses.append(loss.item())

with tl.no_grad():
    q = model(tl.eye(25)).array.reshape(SIZE, SIZE, 4)
place, steps, done = (4, 0), 0, 0
while not done and steps < 20:
    place, _, done = move(place, q[place].argmax())
    steps += 1
print("reached the goal:", WORLD[place[0]][place[1]] == "G", f"in {steps} steps")

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained")
values = np.array([[q[i, j].max() if (i, j) in free else np.nan for j in range(SIZE)] for i in range(SIZE)])
figure.colorbar(left.imshow(values, cmap="viridis"), ax=left)
for i, j in np.ndindex(SIZE, SIZE):
    mark = "↑→↓←"[q[i, j].argmax()] if (i, j) in free else WORLD[i][j]
    left.text(j, i, mark, ha="center", va="center", color="white" if (i, j) in free else "black", fontsize=14)
left.set(title="value and best action", xticks=[], yticks=[])
right.semilogy(losses)
right.set(xlabel="step", ylabel="squared error")
plt.show()

# %%
# Exercises
# ---------
# 1. Let the gradient pass through the target as well (remove ``no_grad``). Does the agent still reach the goal?
# 2. Let the agent explore: choose a random action with probability 0.1, store transitions, and learn from 32 of them.
