"""torchvision's networks: the same keys and numbers; operators on boxes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite.vision import models, ops
from tinygrad_lite.vision.models import weights

KEYS = {  # number of keys, and of elements of weights and statistics, as torchvision has them for 1000 classes
    "densenet121": (727, 8062504), "mobilenet_v2": (314, 3538984),
    "mobilenet_v3_small": (244, 2554968), "mobilenet_v3_large": (312, 5507432),
    "squeezenet1_0": (52, 1248424), "squeezenet1_1": (52, 1235496),
}  # fmt: skip


@pytest.mark.parametrize("name", KEYS)
def test_keys_and_sizes(name: str) -> None:
    state = models.get_model(name).state_dict()
    counted = {k: v.numel() for k, v in state.items() if "num_batches" not in k}
    assert (len(state), sum(counted.values())) == KEYS[name]


def test_weights_are_named() -> None:
    found = models.ResNet50_Weights
    assert found.IMAGENET1K_V1.url.endswith("/resnet50-0676ba61.pth") and found.DEFAULT.name == "IMAGENET1K_V2"
    assert models.get_weight("VGG16_BN_Weights.DEFAULT").url.endswith("/vgg16_bn-6c64b313.pth")
    assert {n.lower() for n in weights.HASHES} == set(models.list_models())
    with pytest.raises(ValueError, match="Unknown model resnet19"):
        models.get_model("resnet19")
    with pytest.raises(AttributeError, match="its networks are alexnet"):
        _ = models.inception_v3


def test_images_are_prepared_as_for_the_training() -> None:
    image_module = pytest.importorskip("PIL.Image")
    pixels = np.full((300, 400, 3), 51, np.uint8)
    for training, size in (("IMAGENET1K_V1", 256), ("IMAGENET1K_V2", 232)):
        prepare = getattr(models.ResNet50_Weights, training).transforms()
        for image in (image_module.fromarray(pixels), tl.tensor(pixels.transpose(2, 0, 1))):
            x = prepare(image)
            assert x.shape == (3, 224, 224) and x.dtype == tl.float32, size
            wanted = (0.2 - np.array([0.485, 0.456, 0.406])) / [0.229, 0.224, 0.225]
            np.testing.assert_allclose(x[:, 5, 5].numpy(), wanted, rtol=1e-5)


def test_published_weights_are_downloaded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    net = models.squeezenet1_1(num_classes=3)
    tl.save(net.state_dict(), tmp_path / "squeezenet1_1-b8a52dc0.npz")
    monkeypatch.setattr(weights, "BASE", tmp_path.as_uri())
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))
    with pytest.raises(RuntimeError, match="invalid hash value"):
        found = models.SqueezeNet1_1_Weights.DEFAULT
        found._replace(url=found.url.replace(".pth", ".npz")).get_state_dict(check_hash=True)
    assert not list((tmp_path / "home/hub/checkpoints").iterdir())
    for _ in range(2):  # the second time without the source
        state = tl.hub.load_state_dict_from_url(f"{tmp_path.as_uri()}/squeezenet1_1-b8a52dc0.npz")
        (tmp_path / "squeezenet1_1-b8a52dc0.npz").unlink(missing_ok=True)
    other = models.squeezenet1_1(num_classes=3)
    other.load_state_dict(state)
    np.testing.assert_array_equal(other.classifier[1].weight.array, net.classifier[1].weight.array)


def test_a_residual_network_trains() -> None:
    tl.manual_seed(0)
    net = models.resnet.ResNet(models.resnet.Bottleneck, [1, 1, 1, 1], num_classes=2, width_per_group=8)
    x, y = tl.randn(4, 3, 16, 16), tl.tensor([0, 1, 0, 1])
    opt = tl.optim.SGD(net.parameters(), lr=0.01)
    losses = []
    for _ in range(4):
        loss = tl.nn.functional.cross_entropy(net(x), y)
        opt.zero_grad()
        loss.backward()
        opt.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]


BOXES = np.array([[0, 0, 4, 4], [1, 0, 5, 4], [0, 0, 4, 3.9], [7, 7, 9, 8], [6, 7, 9, 8.5]])
SCORES = np.array([0.3, 0.9, 0.8, 0.5, 0.7])


def test_boxes() -> None:
    iou = ops.box_iou(tl.tensor(BOXES), tl.tensor(BOXES)).numpy()
    assert iou[0, 1] == pytest.approx(12 / 20) and iou[0, 3] == 0 and np.allclose(np.diag(iou), 1)
    assert ops.nms(tl.tensor(BOXES), tl.tensor(SCORES), 0.5).tolist() == [1, 4, 3]
    assert ops.nms(tl.tensor(BOXES), tl.tensor(SCORES), 0.7).tolist() == [1, 2, 4, 3]
    assert ops.nms(tl.zeros(0, 4), tl.zeros(0), 0.7).tolist() == []
    groups = tl.tensor([0, 0, 1, 0, 0])
    assert ops.batched_nms(tl.tensor(BOXES), tl.tensor(SCORES), groups, 0.5).tolist() == [1, 2, 4, 3]
    assert ops.remove_small_boxes(tl.tensor(BOXES), 2).tolist() == [0, 1, 2]
    assert ops.clip_boxes_to_image(tl.tensor(BOXES), (8, 6)).numpy().max(0).tolist() == [6, 7, 6, 8]
    for a in ("xyxy", "xywh", "cxcywh"):
        moved = ops.box_convert(tl.tensor(BOXES), "xyxy", a)
        np.testing.assert_allclose(ops.box_convert(moved, a, "xyxy").numpy(), BOXES)
    assert ops.box_convert(tl.tensor(BOXES), "xyxy", "cxcywh")[1].tolist() == [3, 2, 4, 4]
    apart = ops.generalized_box_iou(tl.tensor(BOXES[:1]), tl.tensor(BOXES[3:4])).item()
    assert apart == pytest.approx(-(72 - 18) / 72)
    with pytest.raises(tl.errors.ShapeError, match="nms: expected boxes"):
        ops.nms(tl.ones(3), tl.ones(3), 0.5)


def test_focal_loss() -> None:
    x, t = tl.tensor([0.5, -2.0, 3.0]), tl.tensor([1.0, 0.0, 0.0])
    plain: Any = tl.nn.functional.binary_cross_entropy_with_logits(x, t, reduction="none")
    np.testing.assert_allclose(ops.sigmoid_focal_loss(x, t, -1, 0).numpy(), plain.numpy(), rtol=1e-6)
    p = 1 / (1 + np.exp(-0.5))
    assert ops.sigmoid_focal_loss(x, t)[0].item() == pytest.approx(-0.25 * (1 - p) ** 2 * np.log(p), rel=1e-5)
