"""torchvision's classification networks: the same layers, names and keys of state dicts."""

from __future__ import annotations

import sys as _sys
from typing import Any

from tinygrad_lite.vision.models import (
    alexnet as _alexnet,
    densenet as _densenet,
    feature_extraction as feature_extraction,
    inner as _inner,
    mobilenetv2 as mobilenetv2,
    mobilenetv3 as mobilenetv3,
    resnet as resnet,
    squeezenet as squeezenet,
    vgg as vgg,
    vision_transformer as vision_transformer,
)
from tinygrad_lite.vision.models.alexnet import AlexNet as AlexNet
from tinygrad_lite.vision.models.densenet import DenseNet as DenseNet
from tinygrad_lite.vision.models.mobilenetv2 import MobileNetV2 as MobileNetV2
from tinygrad_lite.vision.models.mobilenetv3 import MobileNetV3 as MobileNetV3
from tinygrad_lite.vision.models.resnet import ResNet as ResNet
from tinygrad_lite.vision.models.squeezenet import SqueezeNet as SqueezeNet
from tinygrad_lite.vision.models.vgg import VGG as VGG
from tinygrad_lite.vision.models.vision_transformer import VisionTransformer as VisionTransformer
from tinygrad_lite.vision.models.weights import (
    NETWORKS as _NETWORKS,
    Weights as Weights,
    get_model as get_model,
    get_model_weights as get_model_weights,
    get_weight as get_weight,
    list_models as list_models,
    weights_class as _weights_class,
)

densenet = _densenet
_utils = _sys.modules[f"{__name__}._utils"] = _inner  # torchvision's name of the file
globals().update(_NETWORKS)


def __getattr__(name: str) -> Any:
    found = None if name.startswith("__") else _weights_class(name)
    if found is not None:
        return found
    raise AttributeError(
        f"module 'tinygrad_lite.vision.models' has no attribute '{name}'; its networks are {', '.join(_NETWORKS)}"
    )
