"""torchvision's other path to the transforms: ``from torchvision.transforms import transforms``."""

from tinygrad_lite.vision.transforms.autoaugment import (
    AugMix as AugMix,
    AutoAugment as AutoAugment,
    AutoAugmentPolicy as AutoAugmentPolicy,
    RandAugment as RandAugment,
    TrivialAugmentWide as TrivialAugmentWide,
)
from tinygrad_lite.vision.transforms.colour import (
    ColorJitter as ColorJitter,
    GaussianBlur as GaussianBlur,
    Grayscale as Grayscale,
    RandomAdjustSharpness as RandomAdjustSharpness,
    RandomAutocontrast as RandomAutocontrast,
    RandomEqualize as RandomEqualize,
    RandomGrayscale as RandomGrayscale,
    RandomInvert as RandomInvert,
    RandomPosterize as RandomPosterize,
    RandomSolarize as RandomSolarize,
)
from tinygrad_lite.vision.transforms.compose import (
    Compose as Compose,
    Lambda as Lambda,
    RandomApply as RandomApply,
    RandomChoice as RandomChoice,
    RandomOrder as RandomOrder,
)
from tinygrad_lite.vision.transforms.conversion import (
    ConvertImageDtype as ConvertImageDtype,
    LinearTransformation as LinearTransformation,
    Normalize as Normalize,
    PILToTensor as PILToTensor,
    ToPILImage as ToPILImage,
    ToTensor as ToTensor,
)
from tinygrad_lite.vision.transforms.crops import (
    CenterCrop as CenterCrop,
    FiveCrop as FiveCrop,
    Pad as Pad,
    RandomCrop as RandomCrop,
    RandomResizedCrop as RandomResizedCrop,
    Resize as Resize,
    TenCrop as TenCrop,
)
from tinygrad_lite.vision.transforms.erasing import RandomErasing as RandomErasing
from tinygrad_lite.vision.transforms.interpolation import InterpolationMode as InterpolationMode
from tinygrad_lite.vision.transforms.motion import (
    RandomAffine as RandomAffine,
    RandomHorizontalFlip as RandomHorizontalFlip,
    RandomPerspective as RandomPerspective,
    RandomRotation as RandomRotation,
    RandomVerticalFlip as RandomVerticalFlip,
)

__all__ = [
    "AugMix", "AutoAugment", "AutoAugmentPolicy", "CenterCrop", "ColorJitter", "Compose", "ConvertImageDtype",
    "FiveCrop", "GaussianBlur", "Grayscale", "InterpolationMode", "Lambda", "LinearTransformation", "Normalize",
    "PILToTensor", "Pad", "RandAugment", "RandomAdjustSharpness", "RandomAffine", "RandomApply", "RandomAutocontrast",
    "RandomChoice", "RandomCrop", "RandomEqualize", "RandomErasing", "RandomGrayscale", "RandomHorizontalFlip",
    "RandomInvert", "RandomOrder", "RandomPerspective", "RandomPosterize", "RandomResizedCrop", "RandomRotation",
    "RandomSolarize", "RandomVerticalFlip", "Resize", "TenCrop", "ToPILImage", "ToTensor", "TrivialAugmentWide",
]  # fmt: skip
