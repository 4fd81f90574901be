"""A network of two layers fitted to random numbers, written in every way there is, from by hand to a module."""

import math

import tinygrad_lite as torch
from tinygrad_lite import nn, optim

N, D_IN, H, D_OUT = 32, 60, 20, 5


def data():
    torch.manual_seed(0)
    return torch.randn(N, D_IN), torch.randn(N, D_OUT)


def by_hand():
    x, y = data()
    w1, w2 = torch.randn(D_IN, H), torch.randn(H, D_OUT)
    losses, rate = [], 1e-4
    for _ in range(150):
        h = x.mm(w1)
        h_relu = h.clamp(min=0)
        y_pred = h_relu.mm(w2)
        losses.append((y_pred - y).pow(2).sum().item())
        grad_y = 2.0 * (y_pred - y)
        grad_w2 = h_relu.t().mm(grad_y)
        grad_h = grad_y.mm(w2.t()).clone()
        grad_h[h < 0] = 0
        grad_w1 = x.t().mm(grad_h)
        w1 -= rate * grad_w1
        w2 -= rate * grad_w2
    return losses


def with_autograd():
    x, y = data()
    w1 = torch.randn(D_IN, H, requires_grad=True)
    w2 = torch.randn(H, D_OUT, requires_grad=True)
    losses, rate = [], 1e-4
    for _ in range(150):
        loss = (x.mm(w1).clamp(min=0).mm(w2) - y).pow(2).sum()
        losses.append(loss.item())
        loss.backward()
        with torch.no_grad():
            w1 -= rate * w1.grad
            w2 -= rate * w2.grad
            w1.grad.zero_()
            w2.grad.zero_()
    return losses


class MyReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx, grad_output):
        (x,) = ctx.saved_tensors
        grad_input = grad_output.clone()
        grad_input[x < 0] = 0
        return grad_input


def with_own_function():
    x, y = data()
    w1 = torch.randn(D_IN, H, requires_grad=True)
    w2 = torch.randn(H, D_OUT, requires_grad=True)
    losses, rate = [], 1e-4
    for _ in range(150):
        relu = MyReLU.apply
        loss = (relu(x.mm(w1)).mm(w2) - y).pow(2).sum()
        losses.append(loss.item())
        loss.backward()
        with torch.no_grad():
            for w in (w1, w2):
                w -= rate * w.grad
                w.grad = None
    return losses


def with_nn():
    x, y = data()
    model = nn.Sequential(nn.Linear(D_IN, H), nn.ReLU(), nn.Linear(H, D_OUT))
    loss_fn = nn.MSELoss(reduction="sum")
    losses, rate = [], 1e-3
    for _ in range(150):
        loss = loss_fn(model(x), y)
        losses.append(loss.item())
        model.zero_grad()
        loss.backward()
        with torch.no_grad():
            for param in model.parameters():
                param -= rate * param.grad
    return losses


def with_optim():
    x, y = data()
    model = nn.Sequential(nn.Linear(D_IN, H), nn.ReLU(), nn.Linear(H, D_OUT))
    loss_fn = nn.MSELoss(reduction="sum")
    optimizer = optim.Adam(model.parameters(), lr=1e-2)
    losses = []
    for _ in range(150):
        loss = loss_fn(model(x), y)
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return losses


class TwoLayers(nn.Module):
    def __init__(self, d_in, h, d_out):
        super().__init__()
        self.linear1 = nn.Linear(d_in, h)
        self.linear2 = nn.Linear(h, d_out)

    def forward(self, x):
        return self.linear2(self.linear1(x).clamp(min=0))


class Repeated(nn.Module):
    """As many middle layers as chance decides, all of them the same one."""

    def __init__(self, d_in, h, d_out):
        super().__init__()
        self.input_linear = nn.Linear(d_in, h)
        self.middle_linear = nn.Linear(h, h)
        self.output_linear = nn.Linear(h, d_out)

    def forward(self, x):
        h_relu = self.input_linear(x).clamp(min=0)
        for _ in range(int(torch.randint(0, 3, ()).item())):
            h_relu = self.middle_linear(h_relu).clamp(min=0)
        return self.output_linear(h_relu)


def trained(model, rate, steps):
    x, y = data()
    criterion = nn.MSELoss(reduction="sum")
    optimizer = optim.SGD(model.parameters(), lr=rate, momentum=0.9)
    losses = []
    for _ in range(steps):
        loss = criterion(model(x), y)
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return losses


def with_own_module():
    return trained(TwoLayers(D_IN, H, D_OUT), 1e-3, 150)


def with_shared_weights():
    losses = trained(Repeated(D_IN, H, D_OUT), 5e-4, 400)
    return [losses[0], min(losses[-20:])]


class Polynomial(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Parameter(torch.randn(()))
        self.b = nn.Parameter(torch.randn(()))
        self.c = nn.Parameter(torch.randn(()))
        self.d = nn.Parameter(torch.randn(()))

    def forward(self, x):
        return self.a + self.b * x + self.c * x**2 + self.d * x**3

    def string(self):
        return f"y = {self.a.item()} + {self.b.item()} x + {self.c.item()} x^2 + {self.d.item()} x^3"


def a_sine():
    torch.manual_seed(0)
    x = torch.linspace(-math.pi, math.pi, 500)
    y = torch.sin(x)
    p = torch.tensor([1, 2, 3])
    xx = x.unsqueeze(-1).pow(p)
    model = nn.Sequential(nn.Linear(3, 1), nn.Flatten(0, 1))
    optimizer = optim.RMSprop(model.parameters(), lr=1e-3)
    losses = []
    for _ in range(1500):
        loss = nn.functional.mse_loss(model(xx), y, reduction="sum")
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    poly = Polynomial()
    assert poly.string().startswith("y = ")
    start = (poly(x) - y).pow(2).sum().item()
    sgd = optim.SGD(poly.parameters(), lr=1e-6)
    for _ in range(2000):
        loss = (poly(x) - y).pow(2).sum()
        sgd.zero_grad()
        loss.backward()
        sgd.step()
    assert loss.item() < start / 2
    return losses


def main():
    ways = (
        by_hand,
        with_autograd,
        with_own_function,
        with_nn,
        with_optim,
        with_own_module,
        with_shared_weights,
        a_sine,
    )
    return {way.__name__: way() for way in ways}
