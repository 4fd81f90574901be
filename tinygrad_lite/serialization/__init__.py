"""Save and load tensors and containers of them without pickle; reading never executes code."""

from tinygrad_lite.serialization.files import load as load, save as save
from tinygrad_lite.serialization.safetensors import load_file as load_file, save_file as save_file
