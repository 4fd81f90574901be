# A small convolutional network, with its backward pass in the picture
import tinygrad_lite as tl
from tinygrad_lite import nn
from tinygrad_lite.testing import Arr, check_module
from tinygrad_lite.viz import draw

tl.manual_seed(0)
model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8, 3))
images, classes = tl.randn(5, 1, 6, 6), tl.tensor([0, 1, 2, 0, 1])


@tl.compile
def gradients(images, classes):
    model.zero_grad()
    loss = nn.functional.cross_entropy(model(images), classes)
    loss.backward()
    return loss


for _ in range(3):  # the first two runs are recorded and compared
    loss = gradients(images, classes)
print("loss", loss.item())
for name, p in model.named_parameters():
    print(f"{name:9} {tuple(p.shape)!s:14} largest gradient {p.grad.abs().max().item():.4f}")

picture = draw(model, images, graph="both")
check = check_module(model, Arr("2 1 6 6"), examples=3)
