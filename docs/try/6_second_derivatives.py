# Derivatives of derivatives
import tinygrad_lite as tl
from tinygrad_lite.func import grad, hessian
from tinygrad_lite.testing import gradgradcheck
from tinygrad_lite.viz import draw


def rosenbrock(v):
    return (1 - v[0]) ** 2 + 100 * (v[1] - v[0] ** 2) ** 2


v = tl.tensor([0.5, 0.5], dtype=tl.float64)
for step in range(6):  # Newton's method
    print(f"step {step}  v = ({v[0].item():.6f}, {v[1].item():.6f})  value {rosenbrock(v).item():.2e}")
    v = v - tl.linalg.solve(hessian(rosenbrock)(v), grad(rosenbrock)(v))

start = tl.tensor([0.5, 0.5], requires_grad=True)
picture = draw(rosenbrock(start), names={"v": start})
check = gradgradcheck(rosenbrock, tl.tensor([0.5, 0.5], dtype=tl.float64, requires_grad=True))
