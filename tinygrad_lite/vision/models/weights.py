"""What all networks share: how they are built, and where their published weights are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from tinygrad_lite.engine.op import described
from tinygrad_lite.engine.source import warn
from tinygrad_lite.hub import load_state_dict_from_url
from tinygrad_lite.nn.module import Module
from tinygrad_lite.vision import transforms

NETWORKS: dict[str, Callable[..., Any]] = {}
"""The functions that build networks."""
BASE = "https://download.pytorch.org/models"
HASHES = {
    "AlexNet": "owt-7be5be79", "ResNet18": "f37072fd", "ResNet34": "b627a593", "ResNet50": "0676ba61 11ad3fa6",
    "ResNet101": "63fe2227 cd907fc2", "ResNet152": "394f9c45 f82ba261", "ResNeXt50_32X4D": "7cdf4587 1a0047aa",
    "ResNeXt101_32X8D": "8ba56ff5 110c445d", "Wide_ResNet50_2": "95faca4d 9ba9bcbe",
    "Wide_ResNet101_2": "32ee1156 d733dc28", "VGG11": "8a719046", "VGG13": "19584684", "VGG16": "397923af",
    "VGG19": "dcbb9e9d", "VGG11_BN": "6002323d", "VGG13_BN": "abd245e5", "VGG16_BN": "6c64b313", "VGG19_BN": "c79401a0",
    "MobileNet_V2": "b0353104 7ebf99e0", "MobileNet_V3_Large": "8738ca79 5c1a4163", "MobileNet_V3_Small": "047dcff4",
    "SqueezeNet1_0": "b66bff10", "SqueezeNet1_1": "b8a52dc0",
    "ViT_B_16": "c867db91", "ViT_B_32": "d86f8d99", "ViT_L_16": "852ce7e3", "ViT_L_32": "c7638314",
    "DenseNet121": "a639ec97", "DenseNet169": "b2777c0a", "DenseNet201": "c1103571", "DenseNet161": "8d451a50",
}  # fmt: skip
"""The ends of the files' names, one for each published training."""


class Weights(NamedTuple):
    """The weights of one training, as a file that can be downloaded.

    >>> import tinygrad_lite as tl
    >>> tl.vision.models.get_weight("ResNet18_Weights.DEFAULT").name
    'IMAGENET1K_V1'
    """

    name: str
    url: str

    def get_state_dict(self, progress: bool = True, check_hash: bool = False) -> Any:
        """Download the file once and return its state dict."""
        return load_state_dict_from_url(self.url, progress=progress, check_hash=check_hash)

    def transforms(self) -> Callable[[Any], Any]:
        """Return what turns an image into the input that the weights were trained with."""
        second = self.name.endswith("V2")
        steps = [transforms.Resize(232 if second else 256), transforms.CenterCrop(224)]
        last = transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))

        def prepare(image: Any) -> Any:
            for step in steps:
                image = step(image)
            x = image if hasattr(image, "array") else transforms.PILToTensor()(image)
            return last(transforms.ConvertImageDtype("float32")(x))

        return prepare


def weights_class(name: str) -> Any:
    """Return the class with the trainings of a network (``ResNet18_Weights``), or None.

    >>> weights_class("ResNet18_Weights").DEFAULT.url.rpartition("/")[2]
    'resnet18-f37072fd.pth'
    """
    network = name.removesuffix("_Weights")
    if network not in HASHES or network == name:
        return None
    known = {
        f"IMAGENET1K_V{i}": Weights(f"IMAGENET1K_V{i}", f"{BASE}/{network.lower()}-{end}.pth")
        for i, end in enumerate(HASHES[network].split(), 1)
    }
    return type(name, (), {**known, "DEFAULT": list(known.values())[-1], "__doc__": f"The trainings of {network}."})


def get_model_weights(name: Any) -> Any:
    """Return the class with the trainings of a network that is given by name or function.

    >>> import tinygrad_lite as tl
    >>> tl.vision.models.get_model_weights("resnet18").DEFAULT
    Weights(name='IMAGENET1K_V1', url='https://download.pytorch.org/models/resnet18-f37072fd.pth')
    """
    wanted = str(getattr(name, "__name__", name)).lower()
    found = next((n for n in HASHES if n.lower() == wanted), None)
    if found is None:
        raise ValueError(f"Unknown model {wanted}")
    return weights_class(f"{found}_Weights")


def get_weight(name: str) -> Weights:
    """Return the training of a full name: ``ResNet50_Weights.IMAGENET1K_V1``.

    >>> import tinygrad_lite as tl
    >>> tl.vision.models.get_weight("ResNet18_Weights.IMAGENET1K_V1").name
    'IMAGENET1K_V1'
    """
    network, _, training = name.partition(".")
    found = getattr(weights_class(network), training, None)
    if found is None:
        raise ValueError(f"Unable to find the weights {name}")
    return found  # type: ignore[no-any-return]


def network(name: str, make: Callable[..., Any], *args: Any, **fixed: Any) -> Callable[..., Any]:
    """Return the function ``name``, which builds a network and loads the weights that are asked for."""

    def build(weights: Any = None, progress: bool = True, **kwargs: Any) -> Any:
        old = kwargs.pop("pretrained", None)
        if old is not None or isinstance(weights, bool):
            warn(f"{name}: 'pretrained' is deprecated; use weights= instead")
            weights = "IMAGENET1K_V1" if old or weights is True else None
        if isinstance(weights, str):
            weights = getattr(get_model_weights(name), weights.rpartition(".")[2])
        net = make(*args, **{**fixed, **kwargs})
        if weights is not None:
            net.load_state_dict(weights.get_state_dict(progress, check_hash=True))
        return net

    summary = f"Return {name}, with published weights if ``weights`` names them; see `{make.__name__}`."
    described(build, name, summary, f"tl.vision.models.{name}().eval()(tl.zeros(1, 3, 224, 224)).shape", "(1, 1000)")
    NETWORKS[name] = build
    return build


def get_model(name: str, **config: Any) -> Module:
    """Return a network by its name.

    >>> import tinygrad_lite as tl
    >>> tl.vision.models.get_model("squeezenet1_1", num_classes=10).eval()(tl.zeros(1, 3, 64, 64)).shape
    (1, 10)
    """
    if name.lower() not in NETWORKS:
        raise ValueError(f"Unknown model {name}")
    return NETWORKS[name.lower()](**config)  # type: ignore[no-any-return]


def list_models(*args: Any, **kwargs: Any) -> list[str]:
    """Return the names of the networks.

    >>> from tinygrad_lite.vision import models
    >>> models.list_models()[:3]
    ['alexnet', 'densenet121', 'densenet161']
    """
    return sorted(NETWORKS)
