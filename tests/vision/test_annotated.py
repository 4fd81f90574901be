"""Images with boxes and labels, and the parts of networks, in torchvision's form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite.vision import datasets, models, ops

Image = pytest.importorskip("PIL.Image")
NOTE = """<annotation><filename>a.jpg</filename><size><width>3</width></size>
<object><name>cat</name><bndbox><xmin>1</xmin></bndbox></object>{}</annotation>"""


def voc(root: Path, note: str) -> Path:
    base = root / "VOCdevkit" / "VOC2012"
    for folder in ("JPEGImages", "Annotations", "SegmentationClass", "ImageSets/Main", "ImageSets/Segmentation"):
        (base / folder).mkdir(parents=True)
    picture = Image.fromarray(np.zeros((2, 3, 3), np.uint8))
    picture.save(base / "JPEGImages" / "a.jpg")
    picture.convert("L").save(base / "SegmentationClass" / "a.png")
    (base / "Annotations" / "a.xml").write_text(note)
    for kind in ("Main", "Segmentation"):
        (base / "ImageSets" / kind / "train.txt").write_text("a\n")
    return root


def test_voc(tmp_path: Path) -> None:
    data = datasets.VOCDetection(voc(tmp_path, NOTE.format("")), transform=np.asarray)
    image, target = data[0]
    assert len(data) == 1 and image.shape == (2, 3, 3)
    assert target == {"annotation": {"filename": "a.jpg", "size": {"width": "3"}, "object": [
        {"name": "cat", "bndbox": {"xmin": "1"}}]}}  # fmt: skip
    mask = datasets.VOCSegmentation(tmp_path, transforms=lambda a, b: (a, b))[0][1]
    assert mask.size == (3, 2)
    for wrong in ({"download": True}, {"image_set": "val"}, {"year": "2007"}):
        with pytest.raises((ValueError, RuntimeError), match="VOC"):
            datasets.VOCDetection(tmp_path, **wrong)  # type: ignore[arg-type]


def test_entities_are_refused(tmp_path: Path) -> None:
    voc(tmp_path, '<!DOCTYPE a [<!ENTITY b "c">]>' + NOTE.format("&b;"))
    with pytest.raises(RuntimeError, match="document type"):
        datasets.VOCDetection(tmp_path)[0]


def test_coco(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((2, 3, 3), np.uint8)).save(tmp_path / "b.png")
    notes: dict[str, Any] = {
        "images": [{"id": 7, "file_name": "b.png"}, {"id": 2, "file_name": "b.png"}],
        "annotations": [{"image_id": 7, "bbox": [0, 0, 1, 1], "caption": "black"}],
    }
    file = tmp_path / "notes.json"
    file.write_text(json.dumps(notes))
    data = datasets.CocoDetection(tmp_path, str(file), target_transform=len)
    assert [target for _, target in data] == [0, 1] and data[1][0].size == (3, 2)
    assert datasets.CocoCaptions(tmp_path, str(file))[1][1] == ["black"]


def test_inner_results() -> None:
    net = models.resnet18(num_classes=4).eval()
    x = tl.randn(1, 3, 32, 32)
    wanted = net.layer1(net.maxpool(net.relu(net.bn1(net.conv1(x)))))
    found = models.feature_extraction.create_feature_extractor(net, {"layer1": "low", "fc": "scores"})(x)
    assert list(found) == ["low", "scores"] and found["low"].equal(wanted) and found["scores"].equal(net(x))
    assert "layer4.1.conv2" in models.feature_extraction.get_graph_node_names(net)[0]
    with pytest.raises(ValueError, match="no module 'layer9'"):
        models.feature_extraction.create_feature_extractor(net, ["layer9"])
    getter = models._utils.IntermediateLayerGetter(net, {"layer1": "0"})
    assert getter(x)["0"].equal(wanted) and "fc" not in dict(getter.named_children())


def test_layers() -> None:
    frozen, batch = ops.FrozenBatchNorm2d(3), tl.nn.BatchNorm2d(3).eval()
    frozen.load_state_dict(batch.state_dict())
    x = tl.randn(2, 3, 4, 4)
    np.testing.assert_allclose(frozen(x).detach(), batch(x).detach(), rtol=1e-5, atol=1e-6)
    assert ops.layers.Conv2dNormActivation(3, 6, 3, 2, dilation=2)(x).shape == (2, 6, 2, 2)
    assert ops.SqueezeExcitation(3, 2)(x).shape == x.shape and ops.MLP(4, [5, 2])(x).shape == (2, 3, 4, 2)
    assert ops.Permute([0, 2, 3, 1])(x).shape == (2, 4, 4, 3)
    tl.manual_seed(0)
    dropped = ops.StochasticDepth(0.5, "row")(tl.ones(64, 2))
    assert {tuple(r) for r in dropped.tolist()} == {(0.0, 0.0), (2.0, 2.0)}
    assert ops.StochasticDepth(0.5, "row").eval()(x) is x
    for wrong in ({"p": 2.0, "mode": "row"}, {"p": 0.5, "mode": "rows"}):
        with pytest.raises(ValueError):
            ops.stochastic_depth(x, **wrong)  # type: ignore[arg-type]


def test_vision_transformer() -> None:
    net = models.VisionTransformer(8, 4, 2, 2, 8, 12, num_classes=3, representation_size=6).eval()
    keys = list(net.state_dict())
    assert keys[:4] == ["class_token", "conv_proj.weight", "conv_proj.bias", "encoder.pos_embedding"]
    assert "encoder.layers.encoder_layer_1.self_attention.in_proj_weight" in keys and keys[-1] == "heads.head.bias"
    assert "encoder.layers.encoder_layer_0.mlp.3.weight" in keys and "heads.pre_logits.weight" in keys
    x = tl.randn(2, 3, 8, 8)
    assert net(x).tolist() == [[0, 0, 0]] * 2  # as there, the last layer begins with zeros
    tl.nn.init.normal_(net.heads.head.weight)  # type: ignore[union-attr, arg-type]
    (patches := net._process_input(x)).sum()
    assert patches.shape == (2, 4, 8) and not net(x)[0].equal(net(x)[1])
    for wrong in (lambda: net(x[:, :, :4]), lambda: models.VisionTransformer(9, 4, 1, 2, 8, 12)):
        with pytest.raises(ValueError):
            wrong()
    assert "vit_b_16" in models.list_models() and models.ViT_B_16_Weights.DEFAULT.url.endswith("c867db91.pth")
